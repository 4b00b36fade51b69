//! The order in which the aggregator of a run observes the scores.

/// The order in which the aggregator of a run observes the scores. The aggregator and the dataset determine it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Scores are observed in any order. Each worker has an aggregator of its own, and these are merged at the end.
    Any,
    /// Scores are observed in any order, as with [`Any`](Order::Any), but the scores of a step count as soon as the
    /// step ends. If the run is stopped, the records before the step must therefore still be scored. This may take as
    /// long as the other workers need for the steps that they have begun.
    AsDone,
    /// Each block of parts has an aggregator of its own, which observes the scores of the block in the order of the
    /// records. At the end, these partials are merged in the order of the blocks.
    Blocks,
    /// A single aggregator observes all scores in the order of the records.
    Records,
}
