//! How to measure.

use super::comparison::Settings;
use crate::error::Error;

/// How to measure.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Options<'a> {
    /// How many rounds; each cell has one turn in each.
    pub rounds: usize,
    /// How many turns each cell has before, which do not count.
    pub warm_ups: usize,
    /// Seeds the order of the turns, and the bootstrap.
    pub seed: u64,
    /// How sure the intervals are to hold the true value, such as 0.95; above 0 and below 1.
    pub confidence: f64,
    /// Short runs are repeated within a turn until it takes so many seconds.
    pub least_turn: f64,
    /// What the workload is called.
    pub name: &'a str,
    /// How many seconds it took to bring the records into memory, to be told beside the times.
    pub loading: Option<f64>,
    /// Is told, before each turn, how many of how many are done.
    pub progress: Option<&'a (dyn Fn(usize, usize) + Sync)>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options {
            rounds: 20,
            warm_ups: 1,
            seed: 1,
            confidence: 0.95,
            least_turn: 0.02,
            name: "",
            loading: None,
            progress: None,
        }
    }
}

impl<'a> Options<'a> {
    /// So many rounds, at least one.
    #[must_use]
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds.max(1);
        self
    }

    /// So many turns before the first that counts.
    #[must_use]
    pub fn warm_ups(mut self, turns: usize) -> Self {
        self.warm_ups = turns;
        self
    }

    /// Another order of the turns.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Repeats short runs until a turn takes so many seconds.
    #[must_use]
    pub fn least_turn(mut self, seconds: f64) -> Self {
        self.least_turn = seconds;
        self
    }

    /// Calls the workload so.
    #[must_use]
    pub fn name(mut self, name: &'a str) -> Self {
        self.name = name;
        self
    }

    /// Tells that it took so many seconds to bring the records into memory.
    #[must_use]
    pub fn loading(mut self, seconds: f64) -> Self {
        self.loading = Some(seconds);
        self
    }

    /// With somebody who is told how many turns of how many are done.
    #[must_use]
    pub fn progress(mut self, progress: &'a (dyn Fn(usize, usize) + Sync)) -> Self {
        self.progress = Some(progress);
        self
    }

    pub(super) fn settings(&self) -> Result<Settings, Error> {
        let confidence = self.confidence;
        if !(confidence > 0.0 && confidence < 1.0) {
            let reason = format!("no interval has a confidence of {confidence}: above 0, below 1");
            return Err(Error::Measure(reason));
        }
        Ok(Settings {
            rounds: self.rounds.max(1),
            warm_ups: self.warm_ups,
            seed: self.seed,
            confidence,
            // Not a number would be no run at all.
            least_turn: self.least_turn.max(0.0),
        })
    }
}
