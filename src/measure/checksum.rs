//! A checksum of all scores, to find out whether two runs gave every record the same score.

use serde::Serialize;

use crate::aggregation::{Aggregator, hash_of};

/// Adds up a hash of the index and the score of every record. A sum does not depend on the order in which the
/// records are scored.
#[derive(Clone, Debug, Default)]
pub(super) struct Checksum(u64);

impl<S: Serialize> Aggregator<S> for Checksum {
    type Output = u64;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, index: u64, score: &S) {
        self.0 = self.0.wrapping_add(hash_of(&(index, score)));
    }

    fn merge(&mut self, later: Self) {
        self.0 = self.0.wrapping_add(later.0);
    }

    fn finish(self) -> u64 {
        self.0
    }
}
