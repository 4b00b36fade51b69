//! The scores that a record must reach to be one of the best or the worst records.

use crate::aggregation::{Bottom, Top};
use crate::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::sync::{Mutex, try_lock};

/// The main scores that a record must reach to be among the best or the worst, as far as the workers know them by now.
/// The text of a record that reaches neither need not be copied.
///
/// Each threshold comes from the leaderboard of some worker, so every record of the final leaderboard reaches a
/// threshold, regardless of the order in which the workers raise the thresholds. Only scores in a leaderboard raise the
/// thresholds, because a run that stops may leave out other scores that were computed last.
#[derive(Debug)]
pub(super) struct Thresholds {
    best: Threshold,
    worst: Threshold,
    /// Held by the worker that raises the thresholds.
    raising: Mutex<()>,
}

/// The score and the index of the last record of a full leaderboard. A record with the same score and a larger index
/// cannot enter this leaderboard. If scores have few different values, as ratings do, this excludes most of the records
/// with the best score.
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

    /// Returns the score. It must be loaded before the index. The index then belongs to this score or to a stricter
    /// one, but never to an earlier score.
    fn score(&self) -> f64 {
        f64::from_bits(self.score.load(Acquire))
    }

    /// Whether a record is excluded although its `score` reaches the `threshold`: both are equal, and its index is too
    /// large.
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

    /// Raises the thresholds to the last records of two leaderboards. If another worker is raising them at this moment,
    /// this call changes nothing, and the only effect is that a few more texts are copied.
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
