//! The order in which the scores of a run are observed.

/// The order in which the scores of a run are observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The scores are observed in any order: each worker has one state.
    Any,
    /// The scores are observed in any order, and each step counts at once. All records before the step are
    /// then scored even if the run is stopped, which may take as long as the current steps of the other
    /// workers.
    AsDone,
    /// Each block of parts has a partial, and the partials are merged in the order of the blocks.
    Blocks,
    /// One state observes the scores in the order of the records.
    Records,
}
