//! The counts of scores that have few different values, such as ratings.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::buckets::Buckets;
use crate::aggregation::StateError;
use crate::aggregation::state::counted;

/// The largest number of different scores that are counted value by value. Their hash table takes less than 9 KiB,
/// which is the memory of the buckets of nine octaves.
const MOST: usize = 256;

/// Finite scores with at most [`MOST`] different values, and the count of each value. Values are different if their
/// bits are different, so −0 and +0 are two values.
#[derive(Debug, Clone)]
pub(super) struct DistinctScores {
    counts: HashMap<u64, u64, FixedState>,
    total: u64,
}

impl DistinctScores {
    /// Counts these scores. Returns `None` if they have too many different values.
    pub(super) fn of(scores: &[f64]) -> Option<DistinctScores> {
        let mut counted = DistinctScores {
            counts: HashMap::default(),
            total: 0,
        };
        let mut scores = scores.iter();
        scores
            .all(|score| counted.add(*score, 1))
            .then_some(counted)
    }

    /// Counts a score `count` times. Returns `false`, and counts nothing, if the score would be one value too many.
    #[inline]
    pub(super) fn add(&mut self, score: f64, count: u64) -> bool {
        let has_room = self.counts.len() < MOST;
        match self.counts.entry(score.to_bits()) {
            Entry::Occupied(mut known) => *known.get_mut() += count,
            Entry::Vacant(vacant) if has_room => _ = vacant.insert(count),
            Entry::Vacant(_) => return false,
        }
        self.total += count;
        true
    }

    /// Number of scores.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Each value with its count, ordered by `f64::total_cmp`, lowest first.
    pub(super) fn sorted(&self) -> Vec<(f64, u64)> {
        let counts = self.counts.iter();
        let mut sorted: Vec<_> = counts
            .map(|(bits, count)| (f64::from_bits(*bits), *count))
            .collect();
        sorted.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
        sorted
    }

    /// Returns buckets that have counted the same scores.
    pub(super) fn in_buckets(&self) -> Buckets {
        let mut buckets = Buckets::of(&[]);
        for (bits, count) in &self.counts {
            buckets.add(f64::from_bits(*bits), *count);
        }
        buckets
    }

    /// Returns the scores with these counts, which must be as [`sorted`](Self::sorted) returns them.
    pub(super) fn restore(sorted: Vec<(f64, u64)>) -> Result<DistinctScores, StateError> {
        if sorted.len() > MOST {
            return Err(StateError::Impossible(
                "more different scores than are counted one by one",
            ));
        }
        if !sorted.iter().all(|(score, _)| score.is_finite()) {
            return Err(StateError::Impossible("a counted score that is not finite"));
        }
        if sorted.iter().any(|(_, count)| *count == 0) {
            return Err(StateError::Impossible("a score with a count of 0"));
        }
        if !sorted.is_sorted_by(|one, next| one.0.total_cmp(&next.0).is_lt()) {
            return Err(StateError::Impossible("the counted scores do not ascend"));
        }
        let total = counted(sorted.iter().map(|(_, count)| *count))?;
        let counts = sorted.into_iter();
        Ok(DistinctScores {
            counts: counts
                .map(|(score, count)| (score.to_bits(), count))
                .collect(),
            total,
        })
    }
}

/// The score at a rank, counted from 0 for the lowest score. The rank must be less than the number of scores.
pub(super) fn score_at(sorted: &[(f64, u64)], rank: u64) -> f64 {
    let mut left = rank;
    for (score, count) in sorted {
        if left < *count {
            return *score;
        }
        left -= count;
    }
    sorted.last().map_or(f64::NAN, |(score, _)| *score)
}
