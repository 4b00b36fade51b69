//! Why it scales as it does: what the machine gives at best, what the records allow, where the rest
//! goes, and what more cores would bring.

use serde::{Deserialize, Serialize};

use super::comparison::{Estimate, Turn};

/// Why it scales as it does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Why {
    /// What the machine gives at best, for each number of threads, measured in the same rounds.
    pub ceilings: Vec<Ceiling>,
    /// The share of the time of all turns that the ceilings took.
    #[serde(default)]
    pub ceilings_share: f64,
    /// What the records themselves take.
    pub records: Option<RecordTimes>,
    /// What work and span allow, for each number of threads.
    pub bounds: Vec<Bound>,
    /// Where the time of each cell went.
    pub losses: Vec<Losses>,
    /// Which worker had what when, in one run of each cell.
    pub timelines: Vec<Timeline>,
    /// Laws of scaling fitted to each executor.
    pub fits: Vec<Fit>,
    /// What a simulation of each executor says of more workers.
    pub predictions: Vec<Prediction>,
}

/// What so many threads are good for on this machine, whatever they run: as many copies of a kernel as
/// there are threads, each with work of its own and nothing shared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ceiling {
    /// `arithmetic`: in registers alone; `memory`: reading more than the caches hold; `copies`: the
    /// sequential program itself, in as many copies.
    pub kernel: String,
    /// How many copies.
    pub threads: usize,
    /// How many times the throughput of one copy they have together.
    pub speed_up: Estimate,
    /// How many bytes all copies together read in a second, where it is `memory`.
    #[serde(default)]
    pub bytes_per_second: Option<f64>,
    /// The turns: the time of all copies, from the start of the first to the end of the last. Of
    /// `copies` there need not be one in each round: they take long. One copy is `sequential` itself.
    pub turns: Vec<Turn>,
}

/// What the records take, one after the other on one thread, recorded in runs of their own: the least of
/// several, scaled so that with what is serial they come to the median of `sequential`. Cheap neighbours
/// are timed together. Where the records are handed out in parts, such as pieces of a file, each part
/// counts as one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecordTimes {
    /// All of them together, *work*.
    pub work: f64,
    /// The longest, *span*: however many workers there are, it takes so long.
    pub span: f64,
    /// Index of the longest, from 0; of several timed together the first.
    pub longest: u64,
    /// What one thread does before and after the records: beginning, merging, the answer.
    pub serial: f64,
    /// How many measurements there are: one for each record or for cheap neighbours together.
    pub measured: usize,
    /// How times are distributed: the lower edge of each bin, a power of the square root of two, and how
    /// many records are in it.
    pub histogram: Vec<(f64, u64)>,
    /// The share of the work that is in the dearest hundredth of the records.
    pub dearest_hundredth: f64,
}

/// What work and span allow so many threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Bound {
    /// How many threads.
    pub threads: usize,
    /// No schedule takes less: the larger of work over threads and span, and what is serial.
    pub least: f64,
    /// The speed-up that is.
    pub speed_up: f64,
    /// No greedy schedule takes more: what is left of the work beside the span, over threads, and span
    /// and what is serial (Graham 1969, Brent 1974). Greedy is one that hands out record by record and
    /// leaves nobody idle; to hand out portions costs a little beyond.
    pub greedy: f64,
}

/// Where the time of a cell went, as shares of threads × time, none below 0, which add up to 1.
///
/// In each turn every share gets what is said below, or what those before it have left, in this order;
/// `scheduling`, the last, gets the rest. Over the turns each loss is the median. Medians need not add
/// up: they are scaled by one factor to fill what `useful` leaves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Losses {
    /// The name of the executor.
    pub executor: String,
    /// How many threads.
    pub threads: usize,
    /// What `sequential` takes: all that has to be done. It is the efficiency of the cell, at most 1.
    pub useful: f64,
    /// One thread had something to do that the others could not share: the time of all threads but one
    /// until a second worker began, and after the last worker was done.
    pub serial: f64,
    /// Workers had nothing left while others still worked: from a worker's last record to the last of
    /// all; of one that had none, from when a second worker began.
    pub imbalance: f64,
    /// The machine: threads that could run had no core, and the same records take longer when all
    /// threads are at work.
    ///
    /// What threads were occupied with beyond `useful`, as far as copies of the sequential program, as
    /// many as there are threads, take longer than one as well; and no less than they were without a
    /// core. Where there is no such ceiling, only that.
    pub machine: f64,
    /// What the executor adds: handing out, waking, waiting for each other, observing; and whatever
    /// the other losses do not explain.
    pub scheduling: f64,
}

/// Which worker had what when, in one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Timeline {
    /// The name of the executor.
    pub executor: String,
    /// How many threads.
    pub threads: usize,
    /// How long the run took.
    pub wall: f64,
    /// For each worker the spans of time it was at work in: neighbours without a visible gap are one.
    pub workers: Vec<Vec<(f64, f64)>>,
}

/// Laws of scaling fitted to one executor, or why they were not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fit {
    /// The name of the executor.
    pub executor: String,
    /// Why there is no fit: fewer than six numbers of threads, say.
    pub refused: Option<String>,
    /// Why there is one and it may mislead: more threads than the machine has, say.
    pub doubtful: Option<String>,
    /// The most threads it was fitted to: beyond, it is extrapolated.
    pub measured_to: usize,
    /// Amdahl's law: the serial share (1967).
    pub amdahl: Option<Estimate>,
    /// The Universal Scalability Law: contention σ (Gunther, 1993).
    pub contention: Option<Estimate>,
    /// And coherency κ, which makes more threads slower from some number on.
    pub coherency: Option<Estimate>,
    /// The number of threads beyond which the law has it slower; `None` where it has none.
    pub peak: Option<f64>,
    /// What the Universal Scalability Law says, for threads up to four times those measured.
    pub curve: Vec<FitPoint>,
}

/// One point of a fitted law.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FitPoint {
    /// How many threads.
    pub threads: usize,
    /// The speed-up.
    pub speed_up: Estimate,
    /// Whether it lies beyond what was measured.
    pub extrapolated: bool,
}

/// What a simulation says: the recorded times of the records, handed out by the executor's own code, by a
/// clock that is made up. What it costs to wake workers and to hand out was measured just before, and to
/// merge their states in the rounds.
///
/// Of `sequential`, `work-stealing` and `task-queue`; how an executor of somebody else's hands out, or one
/// whose workers are processes, is not known here. Of records that wait, for a permit or for input, there
/// is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Prediction {
    /// The name of the executor.
    pub executor: String,
    /// How many workers.
    pub workers: usize,
    /// How long a run would take on as many cores like the one that `sequential` ran on.
    pub ideal: f64,
    /// And with what the machine loses when so many threads are at work, going by as many copies of the
    /// sequential program; `None` beyond the most copies that were measured.
    pub here: Option<f64>,
    /// What it took, where that was measured: the median.
    pub measured: Option<f64>,
}
