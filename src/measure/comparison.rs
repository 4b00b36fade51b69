//! The result of a comparison as plain data: what `bench --json` prints, and what the text report and
//! the page are made from.
//!
//! Measured times have the type `Duration`, and are written to JSON as numbers of seconds. Times that are computed from
//! measured times (statistics, bounds, predictions) have the type `f64`, in seconds, because they may be finer than a
//! nanosecond.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::analysis::Analysis;
use super::figures::{Estimate, Settings, Spread, Turn};
use crate::machine::{Machine, Meanwhile};

/// The version of the layout of a [`Comparison`]. It rises when a field is removed or changes its
/// meaning; it stays the same when a field is added.
pub const SCHEMA: u32 = 2;

/// The result of scoring the same records repeatedly with several executors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The version of this layout, [`SCHEMA`].
    pub schema: u32,
    /// When the comparison began, in UTC, in the format of RFC 3339.
    pub began: String,
    /// Duration of the whole comparison.
    #[serde(with = "crate::machine::seconds")]
    pub took: Duration,
    /// What was scored.
    pub workload: Workload,
    /// How the comparison was measured.
    pub settings: Settings,
    /// The facts about the machine, read before the first round.
    pub machine: Machine,
    /// What happened on the machine during the rounds.
    #[serde(default)]
    pub meanwhile: Meanwhile,
    /// Reasons to doubt the times, one sentence each.
    pub warnings: Vec<String>,
    /// One measurement for each executor and number of threads. The first one is that of `sequential`, with
    /// which the others are compared. The list is empty if the answers differ or there are no records.
    pub measurements: Vec<Measurement>,
    /// The configurations whose answer differs from that of `sequential`. If there are any, nothing is
    /// measured.
    pub disagreements: Vec<Disagreement>,
    /// The COST of each executor: the smallest number of threads that is faster than `sequential`.
    pub costs: Vec<Cost>,
    /// Why the executors scale as they do.
    pub analysis: Analysis,
    /// The result of comparing this comparison with a baseline; `None` until
    /// [`compare_to_baseline`](Comparison::compare_to_baseline) has been called.
    pub baseline: Option<BaselineComparison>,
}

/// What was scored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Workload {
    /// The name, such as `sentiment over reviews.jsonl`.
    pub name: String,
    /// Number of records.
    pub records: u64,
    /// Number of records that cannot be scored.
    pub failed: u64,
    /// Number of records that the task skips.
    #[serde(default)]
    pub skipped: u64,
    /// Total length of the records in bytes; `None` if they have no length.
    pub bytes: Option<u64>,
    /// Time it took to load the records into memory. It is not part of any other time.
    #[serde(default, with = "crate::machine::seconds")]
    pub loading: Option<Duration>,
    /// The digest of the answer of `sequential`.
    pub digest: String,
}

/// The measurements of one configuration: an executor with a number of threads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Measurement {
    /// The name of the executor.
    pub executor: String,
    /// Number of threads (or worker processes).
    pub threads: usize,
    /// The first run, and the start of the threads and processes for it.
    pub cold: ColdStart,
    /// The turns, in the order of the rounds.
    pub turns: Vec<Turn>,
    /// Wall-clock time of a run, in seconds.
    pub wall: Spread,
    /// Processor time of a run, in seconds, over all threads and processes.
    pub cpu: Option<Spread>,
    /// Speed-up over `sequential`: 2 is twice as fast.
    pub speed_up: Estimate,
    /// Processor time, as a multiple of the processor time of `sequential`.
    pub cpu_ratio: Option<Estimate>,
    /// The smallest difference from the time of `sequential` that this number of rounds detects in nine of ten
    /// comparisons, as a share: 0.03 is 3 %.
    pub detectable: f64,
    /// Approximate number of rounds that detect a difference of 3 %; `None` if no practical number of rounds
    /// detects it.
    pub rounds_needed: Option<usize>,
    /// Speed-up per thread.
    pub efficiency: Estimate,
    /// Records scored per second.
    pub records_per_second: f64,
    /// Bytes scored per second; `None` if the records have no length.
    pub bytes_per_second: Option<f64>,
}

/// The first run of a configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ColdStart {
    /// Time to create the executor, its threads and its processes.
    #[serde(with = "crate::machine::seconds")]
    pub start: Duration,
    /// Duration of the first run.
    #[serde(with = "crate::machine::seconds")]
    pub first_run: Duration,
}

/// The COST of an executor, the *configuration that outperforms a single thread* (McSherry, Isard and
/// Murray, *Scalability! But at what COST?*, HotOS 2015).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cost {
    /// The name of the executor.
    pub executor: String,
    /// The smallest measured number of threads that is detectably faster than `sequential`; `None` if there is
    /// no such number.
    pub threads: Option<usize>,
}

/// A configuration whose answer differs from that of `sequential`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Disagreement {
    /// The name of the executor.
    pub executor: String,
    /// Number of threads.
    pub threads: usize,
    /// The number of the round in which the answer differed, from 0; `None` if it differed in the first run,
    /// before the rounds.
    pub round: Option<usize>,
    /// The digest of the different answer.
    pub digest: String,
}

/// The result of comparing a comparison with an earlier one, the baseline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BaselineComparison {
    /// The name of the baseline.
    pub name: String,
    /// When the baseline was measured, in UTC, in the format of RFC 3339.
    pub began: String,
    /// Differences between the two measurements, such as another processor, one sentence each. If there
    /// are any, the ratios are doubtful.
    pub changed: Vec<String>,
    /// One ratio for each configuration that both comparisons have.
    pub ratios: Vec<BaselineRatio>,
}

/// The times of one configuration, now and in the baseline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BaselineRatio {
    /// The name of the executor.
    pub executor: String,
    /// Number of threads.
    pub threads: usize,
    /// Wall-clock time now, divided by the wall-clock time in the baseline. A value above 1 means that the
    /// configuration is slower now.
    pub time: Estimate,
    /// Processor time now, divided by the processor time in the baseline.
    pub cpu: Option<Estimate>,
    /// The smallest difference in wall-clock time that is detected in nine of ten comparisons, as a share: 0.03
    /// is 3 %.
    pub detectable: f64,
}

impl Comparison {
    /// A comparison in which nothing has been measured yet.
    pub(super) fn new(
        began: String,
        workload: Workload,
        settings: Settings,
        machine: Machine,
    ) -> Self {
        Comparison {
            schema: SCHEMA,
            began,
            took: Duration::ZERO,
            workload,
            settings,
            machine,
            meanwhile: Meanwhile::default(),
            warnings: Vec::new(),
            measurements: Vec::new(),
            disagreements: Vec::new(),
            costs: Vec::new(),
            analysis: Analysis::default(),
            baseline: None,
        }
    }

    /// Returns true if all answers were the same.
    pub fn agrees(&self) -> bool {
        self.disagreements.is_empty()
    }

    /// The measurement of `sequential`, with which the others are compared.
    pub fn sequential(&self) -> Option<&Measurement> {
        self.measurements.first()
    }
}

impl BaselineComparison {
    /// The configurations whose time has risen by more than `share` of their time in the baseline (0.05 is
    /// 5 %). The rise is taken from the lower end of the interval.
    pub fn slower_by(&self, share: f64) -> impl Iterator<Item = &BaselineRatio> {
        let slower = move |ratio: &&BaselineRatio| ratio.time.low > 1.0 + share;
        self.ratios.iter().filter(slower)
    }
}
