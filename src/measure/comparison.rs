//! What a comparison has measured, as plain data: what `bench --json` prints, and what tables and pages
//! are made from.
//!
//! Times are seconds, as floating-point numbers. A field that could not be had is `None`.

use serde::{Deserialize, Serialize};

use super::baseline::Against;
use super::why::Why;
use crate::machine::{Machine, Meanwhile};

/// The version of the layout of a [`Comparison`]. A field that is added does not raise it; one that
/// goes, or that means something else, does.
pub const SCHEMA: u32 = 1;

/// The same records scored again and again by different executors, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Comparison {
    /// [`SCHEMA`].
    pub schema: u32,
    /// When it began, in UTC, as RFC 3339 has it.
    pub began: String,
    /// How long all of it took.
    pub took: f64,
    /// What was run.
    pub workload: Workload,
    /// How it was measured.
    pub settings: Settings,
    /// The machine before the first round.
    pub machine: Machine,
    /// What happened on the machine during the rounds.
    #[serde(default)]
    pub meanwhile: Meanwhile,
    /// What makes the times doubtful, a sentence each.
    pub warnings: Vec<String>,
    /// Every executor with every number of threads; the first is `sequential`, which the others are
    /// compared with. None where the answers differ, or there are no records.
    pub cells: Vec<Cell>,
    /// Who answered otherwise than `sequential`. Then no times are worth telling, and
    /// [`agrees`](Comparison::agrees) is false.
    pub disagreements: Vec<Disagreement>,
    /// Each executor's COST: the least number of threads that beats `sequential`.
    pub costs: Vec<Cost>,
    /// Why it scales as it does.
    pub why: Why,
    /// Beside an earlier comparison, where one was named.
    pub against: Option<Against>,
}

/// What was run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Workload {
    /// Its name, such as `sentiment over reviews.jsonl`.
    pub name: String,
    /// How many records.
    pub records: u64,
    /// How many of them cannot be scored.
    pub failed: u64,
    /// How many bytes, where the records have a length.
    pub bytes: Option<u64>,
    /// How long it took to bring them into memory; no part of any other time.
    pub loading: Option<f64>,
    /// The digest of the answer of `sequential`.
    pub digest: String,
}

/// How it was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Settings {
    /// How many rounds. In each, every cell has its turn, in an order drawn anew.
    pub rounds: usize,
    /// How many turns each cell had before, which do not count.
    pub warm_ups: usize,
    /// Seeds the order of the turns, and the bootstrap.
    pub seed: u64,
    /// Of the intervals, such as 0.95.
    pub confidence: f64,
    /// Runs are repeated within a turn, in every turn as often, so that it takes about so long at least
    /// where a cell is neither fast nor slow.
    pub least_turn: f64,
}

/// One executor with one number of threads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cell {
    /// The name of the executor.
    pub executor: String,
    /// How many threads (or processes).
    pub threads: usize,
    /// The first run of all, with everything that had to be started for it.
    pub cold: Cold,
    /// Its turns, in the order of the rounds.
    pub turns: Vec<Turn>,
    /// Time of a run by the clock.
    pub wall: Spread,
    /// Processor time of a run, all threads and processes together.
    pub cpu: Option<Spread>,
    /// How many times as fast as `sequential`.
    pub speed_up: Estimate,
    /// How many times the processor time of `sequential` it takes.
    pub cpu_ratio: Option<Estimate>,
    /// The least difference of its time from that of `sequential` that would have been told with the
    /// rounds there are, in nine comparisons of ten, as a share.
    pub detectable: f64,
    /// About how many rounds it would take to tell a difference of 3 %.
    pub rounds_needed: Option<usize>,
    /// The speed-up for each thread.
    pub efficiency: Estimate,
    /// Records scored in a second.
    pub records_per_second: f64,
    /// Bytes scored in a second, where records have a length.
    pub bytes_per_second: Option<f64>,
}

/// The first run of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cold {
    /// Making the executor: pools, processes.
    pub start: f64,
    /// The first run on it.
    pub first_run: f64,
}

/// One turn of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Turn {
    /// In which round, from 0.
    pub round: usize,
    /// At which place in the round, from 0; the ceilings have turns too.
    pub place: usize,
    /// How many runs it was: the same number in every turn of a comparison.
    pub runs: u32,
    /// Time of its fastest run by the clock.
    pub wall: f64,
    /// Processor time of a run, the mean over all its runs.
    pub cpu: Option<f64>,
}

/// How values are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The interval of the median.
    pub low: f64,
    /// Its other end.
    pub high: f64,
    /// The smallest.
    pub minimum: f64,
    /// The largest.
    pub maximum: f64,
}

/// A number, and the interval that holds the true one with the confidence asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// From here …
    pub low: f64,
    /// … to here.
    pub high: f64,
}

/// An executor's COST, the *configuration that outperforms a single thread* (McSherry, Isard and
/// Murray, *Scalability! But at what COST?*, HotOS 2015).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cost {
    /// The name of the executor.
    pub executor: String,
    /// The least number of threads, of those measured, with which it is detectably faster than
    /// `sequential`; `None` where it never is.
    pub threads: Option<usize>,
}

/// A cell that answered otherwise than `sequential`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Disagreement {
    /// The name of the executor.
    pub executor: String,
    /// How many threads.
    pub threads: usize,
    /// In which round, from 0; `None` before the first.
    pub round: Option<usize>,
    /// The digest of its answer.
    pub digest: String,
}

impl Comparison {
    /// Whether every answer was the same.
    pub fn agrees(&self) -> bool {
        self.disagreements.is_empty()
    }

    /// The cell that the others are compared with.
    pub fn sequential(&self) -> Option<&Cell> {
        self.cells.first()
    }
}

impl Estimate {
    /// What this is of all three; `of` must not turn their order.
    pub(super) fn map(self, of: impl Fn(f64) -> f64) -> Self {
        Estimate {
            value: of(self.value),
            low: of(self.low),
            high: of(self.high),
        }
    }

    /// Whether it differs from `other` as far as can be told.
    pub fn differs_from(&self, other: f64) -> bool {
        other < self.low || other > self.high
    }
}
