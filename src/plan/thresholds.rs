//! The scores that a record must reach to be one of the best or the worst records.

use crate::aggregation::{Bottom, Top};
use crate::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::sync::{Mutex, try_lock};

/// The main scores that a record must reach to be among the best or the worst, as far as these scores are known.
/// The text of any other record need not be copied.
///
/// Each threshold comes from the leaderboard of some worker, so every record of the final leaderboard reaches a
/// threshold, regardless of the order in which the workers raise the thresholds. Only scores that were observed
/// raise them, because a run that stops may leave out the scores that were computed last.
#[derive(Debug)]
pub(super) struct Thresholds {
    best: Threshold,
    worst: Threshold,
    /// Held by the worker that raises the thresholds.
    raising: Mutex<()>,
}

/// The score and the index of the last record of a full leaderboard. Of the records with the same score, those after
/// this index cannot enter. Ratings have few different values, so most of the records with the best one are such
/// records.
#[derive(Debug)]
struct Threshold {
    /// The score, as the bits of an `f64`.
    score: AtomicU64,
    last: AtomicU64,
}

impl Threshold {
    fn new(score: f64) -> Self {
        Threshold {
            score: AtomicU64::new(score.to_bits()),
            last: AtomicU64::new(u64::MAX),
        }
    }

    /// The score, which is loaded before the index: an index may belong to a later score, but not to an earlier one.
    fn score(&self) -> f64 {
        f64::from_bits(self.score.load(Acquire))
    }

    /// Whether a record is excluded although its score reaches the threshold `score`.
    fn excludes(&self, index: u64, score: f64, threshold: f64) -> bool {
        score.to_bits() == threshold.to_bits() && index > self.last.load(Relaxed)
    }

    /// Replaces the threshold with a stricter one.
    fn raise(&self, score: f64, last: u64) {
        if score.to_bits() != self.score.load(Relaxed) {
            self.last.store(u64::MAX, Relaxed);
            self.score.store(score.to_bits(), Release);
        }
        self.last.store(last, Relaxed);
    }
}

impl Thresholds {
    /// The thresholds of empty leaderboards for the `size` best and the `size` worst records.
    pub(super) fn new(size: usize) -> Self {
        Thresholds {
            best: Threshold::new(Top::new(size).threshold()),
            worst: Threshold::new(Bottom::new(size).threshold()),
            raising: Mutex::new(()),
        }
    }

    /// The thresholds of the best and of the worst records, to be [set](Thresholds::set) in another process.
    pub(super) fn both(&self) -> (f64, f64) {
        (self.best.score(), self.worst.score())
    }

    /// Takes over the thresholds of another process.
    pub(super) fn set(&self, (best, worst): (f64, f64)) {
        self.best.raise(best, u64::MAX);
        self.worst.raise(worst, u64::MAX);
    }

    /// Whether the record with this index and main score may be among the best or the worst.
    #[inline]
    pub(super) fn reached_by(&self, index: u64, score: f64) -> bool {
        let (best, worst) = self.both();
        (score >= best && !self.best.excludes(index, score, best))
            || (score <= worst && !self.worst.excludes(index, score, worst))
    }

    /// Raises the thresholds to the last records of two leaderboards. If another worker is raising them, they stay as
    /// they are. The only effect is that a few more texts are copied.
    pub(super) fn raise(&self, best: &Top, worst: &Bottom) {
        let Some(_raising) = try_lock(&self.raising) else {
            return;
        };
        let is_tie = |threshold: &Threshold, score: f64, last: u64| {
            threshold.excludes(last, score, threshold.score())
        };
        if let Some((last, score)) = best.last()
            && score >= self.best.score()
            && !is_tie(&self.best, score, last)
        {
            self.best.raise(score, last);
        }
        if let Some((last, score)) = worst.last()
            && score <= self.worst.score()
            && !is_tie(&self.worst, score, last)
        {
            self.worst.raise(score, last);
        }
    }
}
