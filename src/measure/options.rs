//! The options of a comparison.

use std::time::Duration;

use super::figures::Settings;
use crate::error::Error;

/// How to measure a comparison.
///
/// The default is 20 rounds after one warm-up round, turns of at least 20 ms, and 95 % confidence.
///
/// ```
/// use std::time::Duration;
/// use manyhands::measure::Options;
///
/// let options = Options::default()
///     .rounds(50)
///     .least_turn(Duration::from_millis(100))
///     .name("tokenizer");
/// ```
#[derive(Clone, Copy)]
pub struct Options<'a> {
    pub(super) rounds: usize,
    pub(super) warm_ups: usize,
    pub(super) seed: u64,
    pub(super) confidence: f64,
    pub(super) least_turn: Duration,
    pub(super) name: &'a str,
    pub(super) loading: Option<Duration>,
    pub(super) progress: Option<&'a (dyn Fn(usize, usize) + Sync)>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options {
            rounds: 20,
            warm_ups: 1,
            seed: 1,
            confidence: 0.95,
            least_turn: Duration::from_millis(20),
            name: "",
            loading: None,
            progress: None,
        }
    }
}

impl<'a> Options<'a> {
    /// Sets the number of rounds, at least 1. In each round every configuration has one turn.
    #[must_use]
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds.max(1);
        self
    }

    /// Sets the number of warm-up rounds, whose times do not count.
    #[must_use]
    pub fn warm_ups(mut self, rounds: usize) -> Self {
        self.warm_ups = rounds;
        self
    }

    /// Sets the seed of the order of the turns and of the bootstrap.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the confidence of the intervals, between 0 and 1, such as 0.95.
    #[must_use]
    pub fn confidence(mut self, confidence: f64) -> Self {
        self.confidence = confidence;
        self
    }

    /// Sets the duration that a turn should reach. Shorter runs are repeated within a turn.
    #[must_use]
    pub fn least_turn(mut self, duration: Duration) -> Self {
        self.least_turn = duration;
        self
    }

    /// Sets the name of the workload in reports.
    #[must_use]
    pub fn name(mut self, name: &'a str) -> Self {
        self.name = name;
        self
    }

    /// Sets how long it took to load the records into memory, for the report.
    #[must_use]
    pub fn loading(mut self, duration: Duration) -> Self {
        self.loading = Some(duration);
        self
    }

    /// Calls `progress` before each turn and after the last one, with the number of turns that are done and the
    /// total number of turns.
    #[must_use]
    pub fn progress(mut self, progress: &'a (dyn Fn(usize, usize) + Sync)) -> Self {
        self.progress = Some(progress);
        self
    }

    pub(super) fn settings(&self) -> Result<Settings, Error> {
        let confidence = self.confidence;
        if !(confidence > 0.0 && confidence < 1.0) {
            return Err(Error::Measure(format!(
                "the confidence of an interval is between 0 and 1, such as 0.95, not {confidence}"
            )));
        }
        Ok(Settings {
            rounds: self.rounds,
            warm_ups: self.warm_ups,
            seed: self.seed,
            confidence,
            least_turn: self.least_turn,
        })
    }
}
