//! Which sample of the records a plan scores.

use serde::{Deserialize, Serialize};

/// A random sample of the records, drawn uniformly and without replacement.
///
/// Only the seed and the numbers of the records decide which records are drawn. So a plan draws the same records on any
/// executor, from any format, and no matter how the records are divided into files. A run first reads the whole input
/// on the workers of its executor, and keeps the drawn records in memory. It then scores them in their order. Every
/// answer names a record by its number in the input. A run that is stopped while it reads the input has an answer
/// without records.
///
/// ```
/// use manyhands::plan::{Plan, RunOptions, Sampling};
///
/// let mut plan = Plan::new(["data/reviews.jsonl"]);
/// plan.sample = Some(Sampling::new(100));
/// let report = plan.open()?.run(RunOptions::default())?.report;
/// assert_eq!(report.records, 100);
/// assert!(report.value.top[0].index >= 100);
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// Number of records to draw. If there are fewer, all records are scored.
    pub records: u64,
    /// The seed of the random numbers. Different seeds draw independent samples.
    pub seed: u64,
}

impl Sampling {
    /// The seed that is used unless another one is chosen.
    pub const SEED: u64 = 1;

    /// A sample of this many records, with the seed [`SEED`](Self::SEED).
    pub fn new(records: u64) -> Self {
        Sampling {
            records,
            seed: Self::SEED,
        }
    }
}
