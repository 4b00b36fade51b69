//! The best scores so far, shared by all threads that search for one record.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::sync::{Mutex, lock};

/// Factor that lowers a score just enough that rounding at a cutoff cannot lose the score.
pub(super) const JUST_BELOW: f64 = 1.0 - 1e-9;

/// The best scores so far, and the score that a text needs to be among them.
pub(super) struct TopScores {
    wanted: usize,
    /// The best scores in descending order, at most `wanted`.
    scores: Mutex<Vec<f64>>,
    /// The bits of the score that a text needs to be among the best. This score only rises.
    needed: AtomicU64,
}

impl TopScores {
    /// Starts without scores; texts below `needed` are ruled out from the beginning.
    pub(super) fn new(needed: f64, wanted: usize) -> Self {
        TopScores {
            wanted,
            scores: Mutex::default(),
            needed: AtomicU64::new(needed.to_bits()),
        }
    }

    /// The score that a text needs to be among the best.
    ///
    /// Another thread may raise this score after it has been read. Then a few more texts than necessary are
    /// compared.
    #[inline]
    pub(super) fn needed(&self) -> f64 {
        f64::from_bits(self.needed.load(Relaxed))
    }

    /// Adds a score, if it is among the best.
    pub(super) fn offer(&self, score: f64) {
        let mut scores = lock(&self.scores);
        let rank = scores.partition_point(|other| *other >= score);
        if rank == self.wanted {
            return;
        }
        scores.truncate(self.wanted - 1);
        scores.insert(rank, score);
        if let Some(least) = scores.get(self.wanted - 1) {
            // Only the thread that holds the lock writes the needed score.
            let needed = self.needed().max(least * JUST_BELOW);
            self.needed.store(needed.to_bits(), Relaxed);
        }
    }
}
