//! The basic figures of a comparison: turns, settings, and numbers with their intervals.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How a comparison was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Settings {
    /// Number of rounds. In each round every configuration has a turn, in a new random order.
    pub rounds: usize,
    /// Number of warm-up rounds, whose times do not count.
    pub warm_ups: usize,
    /// Seed of the order of the turns and of the bootstrap.
    pub seed: u64,
    /// Confidence of the intervals, such as 0.95.
    pub confidence: f64,
    /// Duration that a turn of a typical configuration should reach. Shorter runs are repeated within a turn,
    /// the same number of times for every configuration.
    #[serde(with = "crate::machine::seconds")]
    pub least_turn: Duration,
}

/// One turn: one or more runs, one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Turn {
    /// Number of the round, from 0.
    pub round: usize,
    /// Position of the turn in the order of its round, from 0. The order includes the ceilings.
    pub position: usize,
    /// Number of runs in this turn.
    pub runs: u32,
    /// Wall-clock time of the fastest run.
    #[serde(with = "crate::machine::seconds")]
    pub wall: Duration,
    /// Mean processor time of a run; `None` if the system does not report it.
    #[serde(default, with = "crate::machine::seconds")]
    pub cpu: Option<Duration>,
}

/// The distribution of some values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// Lower end of the confidence interval of the median.
    pub low: f64,
    /// Upper end of the confidence interval of the median.
    pub high: f64,
    /// The smallest value.
    pub minimum: f64,
    /// The largest value.
    pub maximum: f64,
}

/// A measured number with its confidence interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Estimate {
    /// Applies an increasing function to the number and to both ends of the interval.
    pub(super) fn map(self, function: impl Fn(f64) -> f64) -> Self {
        Estimate {
            value: function(self.value),
            low: function(self.low),
            high: function(self.high),
        }
    }

    /// Returns true if the interval does not contain `other`, which means that the difference is detectable.
    pub fn differs_from(&self, other: f64) -> bool {
        other < self.low || other > self.high
    }
}

/// The wall-clock times of turns, in seconds.
pub(super) fn wall_times(turns: &[Turn]) -> Vec<f64> {
    turns.iter().map(|turn| turn.wall.as_secs_f64()).collect()
}

/// The processor times of turns, in seconds; `None` if one of them is unknown.
pub(super) fn processor_times(turns: &[Turn]) -> Option<Vec<f64>> {
    let seconds = |turn: &Turn| turn.cpu.map(|cpu| cpu.as_secs_f64());
    turns.iter().map(seconds).collect()
}
