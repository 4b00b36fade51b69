//! In which order the scores of a run come together.

/// In which order the scores of a run come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// In any order: each worker has one state.
    Any,
    /// In any order, and each step counts at once. All records before it are then scored even if the run
    /// is stopped, which may take as long as the steps that other workers are at.
    AsDone,
    /// Each block of parts has a partial, and the partials merge in the order of the blocks.
    Blocks,
    /// One state observes the scores in the order of the records.
    Records,
}
