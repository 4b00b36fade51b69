//! The analysis of a comparison as plain data: which speed-ups the machine and the records allow, where the
//! time goes, and how fast more threads would be.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::figures::{Estimate, Turn};

/// Why the executors scale as they do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Analysis {
    /// The highest speed-ups that this machine allows, measured in the same rounds.
    pub ceilings: Vec<Ceiling>,
    /// The time that measuring the ceilings took, as a share of the time of all turns.
    #[serde(default)]
    pub ceilings_share: f64,
    /// The times of the records.
    pub records: Option<RecordTimes>,
    /// The highest speed-ups that the times of the records allow, for each number of threads.
    pub bounds: Vec<Bound>,
    /// Where the time of each configuration goes.
    pub losses: Vec<Losses>,
    /// When each worker was busy, in one run of each configuration.
    pub timelines: Vec<Timeline>,
    /// Laws of scaling, fitted to each executor.
    pub fits: Vec<Fit>,
    /// Predicted times for other numbers of workers.
    pub predictions: Vec<Prediction>,
}

/// The speed-up that this machine allows for a number of threads that share no data: each thread runs a copy of
/// the same kernel on its own data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ceiling {
    /// The kernel that the threads run: `arithmetic` (computation in registers), `memory` (reading more data
    /// than the caches hold) or `copies` (the sequential program).
    pub kernel: String,
    /// Number of threads, each of which runs one copy.
    pub threads: usize,
    /// Throughput of all copies together, as a multiple of the throughput of a single copy.
    pub speed_up: Estimate,
    /// Bytes per second that all copies read together; `None` for kernels other than `memory`.
    #[serde(default)]
    pub bytes_per_second: Option<f64>,
    /// The turns of the copies. A turn lasts from the start of the first copy to the end of the last one. The
    /// kernel `copies` may have turns in only some of the rounds, because its turns take long. A single copy of
    /// it is `sequential` itself.
    pub turns: Vec<Turn>,
}

/// The times of the records, scored one after the other on one thread.
///
/// They are recorded in separate runs. Each time is the minimum over several of these runs, and all times are
/// scaled so that `work` and `serial` add up to the median time of `sequential`. Records shorter than about
/// 50 µs are timed in groups. If the dataset is handed out in parts, such as blocks of a file, each part counts
/// as one record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecordTimes {
    /// *Work*: the time of all records, in seconds.
    pub work: f64,
    /// *Span*: the time of the longest record, in seconds. No number of workers makes a run shorter.
    pub span: f64,
    /// Index of the longest record, from 0; for a group, the index of its first record.
    pub longest: u64,
    /// Time before the first record and after the last one, in seconds: for set-up, for merging, and for
    /// computing the answer.
    pub serial: f64,
    /// Number of measured times, each of one record or of a group.
    pub measured: usize,
    /// The distribution of the times. Each bin is a pair: its lower edge in seconds, which is a power of √2,
    /// and the number of records in it.
    pub histogram: Vec<(f64, u64)>,
    /// The time of the slowest 1 % of the records, as a share of `work`.
    pub slowest_hundredth: f64,
}

/// Bounds that the times of the records set, for one number of threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Bound {
    /// Number of threads.
    pub threads: usize,
    /// The shortest time that any schedule can take, in seconds: the larger of work per thread and span,
    /// plus the serial time.
    pub least: f64,
    /// The speed-up of a run that takes `least`.
    pub speed_up: f64,
    /// The longest time that a greedy schedule can take, in seconds: work per thread, plus span ×
    /// (1 − 1 / threads), plus the serial time (Graham 1969, Brent 1974). A greedy schedule hands out one
    /// record at a time and leaves no thread idle while there are records to hand out. If several records are
    /// handed out at a time, a run may take slightly longer.
    pub greedy: f64,
}

/// Where the time of a configuration goes. Each field is a share of the time of all threads (threads × duration
/// of a run), from 0 to 1, and the shares add up to 1.
///
/// For each turn, a share is the time that its field describes, but at most the time that the fields before it
/// leave; `scheduling`, the last field, is the rest. Each loss is the median over the turns. Because medians
/// need not add up to the whole, all losses are then multiplied by one factor, so that they and `useful` add up
/// to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Losses {
    /// The name of the executor.
    pub executor: String,
    /// Number of threads.
    pub threads: usize,
    /// Time that `sequential` needs for the same records. As a share, it equals the efficiency, but is at
    /// most 1.
    pub useful: f64,
    /// Time in which all threads but one have nothing to do: before a second worker begins, and after the last
    /// worker is done.
    pub serial: f64,
    /// Time of workers that have no record left while others still work. For each worker, it lasts from the
    /// worker's last record to the last record of the run; for a worker that had no record at all, it begins
    /// when a second worker begins.
    pub imbalance: f64,
    /// Time lost to the machine: threads wait for a core, and the same records take longer while all
    /// threads work.
    ///
    /// It is the busy time beyond `useful`. It is at most the time by which copies of the sequential program
    /// slow each other down (see [`Ceiling`]), and at least the time that threads wait for a core. If that
    /// ceiling was not measured, the loss is the time that threads wait for a core.
    pub machine: f64,
    /// Time that the executor adds: handing out records, waking workers, waiting for each other,
    /// aggregating. It includes whatever the other losses do not explain.
    pub scheduling: f64,
}

/// When each worker was busy, in one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Timeline {
    /// The name of the executor.
    pub executor: String,
    /// Number of threads.
    pub threads: usize,
    /// Duration of the run.
    #[serde(with = "crate::machine::seconds")]
    pub wall: Duration,
    /// For each worker, the spans of time in which it was busy. A span is a pair: its beginning and its end, both
    /// as the time since the start of the run. Two spans with only a short gap between them are merged into one.
    #[serde(with = "crate::machine::seconds")]
    pub workers: Vec<Vec<(Duration, Duration)>>,
}

/// The scaling laws that were fitted to the speed-ups of one executor. If no law could be fitted, `refused` gives
/// the reason.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fit {
    /// The name of the executor.
    pub executor: String,
    /// The reason why no law was fitted. An example is that fewer than six numbers of threads were measured.
    pub refused: Option<String>,
    /// The reason why the fit may mislead. An example is that a measured number of threads exceeds the number of
    /// hardware threads.
    pub doubtful: Option<String>,
    /// The largest measured number of threads. Beyond it, the law is extrapolated.
    pub measured_to: usize,
    /// The serial share in Amdahl's law (1967).
    pub amdahl: Option<Estimate>,
    /// Contention σ in the Universal Scalability Law (Gunther, 1993).
    pub contention: Option<Estimate>,
    /// Coherency κ in the Universal Scalability Law. If it is above 0, the speed-up falls beyond `peak`.
    pub coherency: Option<Estimate>,
    /// The number of threads with the highest speed-up; `None` if more threads are always faster.
    pub peak: Option<f64>,
    /// The speed-ups of the Universal Scalability Law, up to four times the largest measured number of threads.
    pub curve: Vec<FitPoint>,
}

/// One point on a fitted law.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FitPoint {
    /// Number of threads.
    pub threads: usize,
    /// The speed-up.
    pub speed_up: Estimate,
    /// True if the point is beyond the largest measured number of threads.
    pub extrapolated: bool,
}

/// A predicted time. It comes from a simulation in which the executor's own code hands out the records, and
/// each record takes its recorded time.
///
/// The simulation includes the cost of waking workers and of handing out records, which is measured just
/// before, and the cost of merging the partial answers of the workers, which is measured in the rounds.
/// `sequential`, `work-stealing` and `task-queue` are simulated. There is no prediction for other executors,
/// nor for records that wait for a permit or for input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Prediction {
    /// The name of the executor.
    pub executor: String,
    /// Number of workers.
    pub workers: usize,
    /// Predicted time in seconds if every worker has a core that is as fast as the core on which `sequential`
    /// ran.
    pub ideal: f64,
    /// Predicted time in seconds on this machine, where threads slow each other down as much as copies of the
    /// sequential program do; `None` if there are more workers than the largest measured number of copies.
    pub on_this_machine: Option<f64>,
    /// Measured median time in seconds; `None` if this number of workers was not measured.
    pub measured: Option<f64>,
}
