//! The counts of finite scores of both signs in buckets whose edges are the same on every machine.

use serde::{Deserialize, Serialize};

use super::octaves::{Octaves, Runs, SMALLEST, bucket_of, middle};
use crate::aggregation::StateError;
use crate::aggregation::order::{rank, score_of};
use crate::aggregation::state::counted;

/// The counts of finite scores in buckets, and the smallest and the largest of these scores.
///
/// A bucket holds the scores from its left edge up to, but not including, its right edge, as a bin of a
/// [`Histogram`](crate::aggregation::Histogram) does. There are 128 buckets per octave of each sign. Between
/// them are two buckets for scores that are too small, which end at 0.
#[derive(Debug, Clone)]
pub(super) struct Buckets {
    /// Ranks of the smallest and the largest score.
    least: i64,
    most: i64,
    /// The counts of positive scores, and of the magnitudes of negative scores. The array is
    /// indexed by the sign bit, because a branch on this bit would often be mispredicted.
    sides: [Octaves; 2],
    /// Number of scores that are too small for an octave: zeros and positive scores, and then negative scores.
    small: [u64; 2],
}

/// [`Buckets`] as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PlainBuckets {
    /// Ranks of the smallest and the largest score.
    extremes: (i64, i64),
    small: [u64; 2],
    sides: [Runs; 2],
}

/// A bucket. Negative numbers are buckets of negative scores, the others buckets of zeros and positive scores.
type BucketIndex = i64;

/// The bucket of zeros and of positive scores that are too small for an octave.
const ZEROS: BucketIndex = 0;
/// The bucket of negative scores that are too small for an octave.
const SMALL_NEGATIVES: BucketIndex = -1;

impl Buckets {
    pub(super) fn of(scores: &[f64]) -> Buckets {
        let mut buckets = Buckets {
            least: i64::MAX,
            most: i64::MIN,
            sides: Default::default(),
            small: [0; 2],
        };
        scores.iter().for_each(|&score| buckets.observe(score));
        buckets
    }

    /// Observes a finite score.
    #[inline]
    pub(super) fn observe(&mut self, score: f64) {
        let rank = rank(score);
        self.least = self.least.min(rank);
        self.most = self.most.max(rank);
        self.count_in(score);
    }

    /// Observes a finite score `count` times.
    pub(super) fn add(&mut self, score: f64, count: u64) {
        if count == 0 {
            return;
        }
        let rank = rank(score);
        self.least = self.least.min(rank);
        self.most = self.most.max(rank);
        self.count_times(score, count);
    }

    /// Counts a score in its bucket. It must be between the smallest and the largest score so far.
    #[inline]
    pub(super) fn count_in(&mut self, score: f64) {
        self.count_times(score, 1);
    }

    #[inline(always)]
    fn count_times(&mut self, score: f64, count: u64) {
        let negative = score.is_sign_negative();
        let magnitude = score.abs().to_bits();
        if magnitude >= SMALLEST + u64::from(negative) {
            // The bucket of a negative score includes the edge that is nearer to 0 only as the left edge of the next
            // bucket, so the magnitude is taken to be just below its own.
            self.sides[usize::from(negative)].count(magnitude - u64::from(negative), count);
        } else {
            self.small[usize::from(score < 0.0)] += count;
        }
    }

    /// The smallest score.
    pub(super) fn least(&self) -> f64 {
        score_of(self.least)
    }

    /// The largest score.
    pub(super) fn most(&self) -> f64 {
        score_of(self.most)
    }

    /// Number of scores.
    pub(super) fn count(&self) -> u64 {
        self.small.iter().sum::<u64>() + self.sides.iter().map(Octaves::total).sum::<u64>()
    }

    pub(super) fn merge(&mut self, later: Buckets) {
        self.least = self.least.min(later.least);
        self.most = self.most.max(later.most);
        for (side, later) in self.sides.iter_mut().zip(later.sides) {
            side.merge(later);
        }
        for (small, later) in self.small.iter_mut().zip(later.small) {
            *small += later;
        }
    }

    /// Returns the estimate of the score at this rank: exact for the smallest and the largest score.
    pub(super) fn score_at(&self, rank: u64, count: u64) -> f64 {
        if rank == 0 {
            self.least()
        } else if rank + 1 >= count {
            self.most()
        } else {
            estimate(self.bucket_at(rank)).clamp(self.least(), self.most())
        }
    }

    /// Returns the bucket of the score at `rank`. The rank is counted from 0, and must be less than the number of
    /// scores.
    fn bucket_at(&self, rank: u64) -> BucketIndex {
        let [above, below] = &self.sides;
        let below_zero = below.total();
        let up_to_zero = below_zero + self.small[1];
        let above_zero = up_to_zero + self.small[0];
        if rank < below_zero {
            let bucket = below.bucket_at(below_zero - 1 - rank);
            bucket.map_or(SMALL_NEGATIVES, |bucket| -(bucket as BucketIndex))
        } else if rank < up_to_zero {
            SMALL_NEGATIVES
        } else if rank < above_zero {
            ZEROS
        } else {
            let bucket = above.bucket_at(rank - above_zero);
            bucket.map_or(ZEROS, |bucket| bucket as BucketIndex)
        }
    }

    /// Returns the buckets that have scores: for each, a number that is in the bucket, and the count. If the scores of
    /// a bucket are too small for an octave, the number is 0 or next to 0.
    pub(super) fn counts(&self) -> impl Iterator<Item = (f64, u64)> {
        let [above, below] = &self.sides;
        let above = above
            .buckets()
            .map(|(bucket, count)| (middle(bucket), count));
        let below = below
            .buckets()
            .map(|(bucket, count)| (-middle(bucket), count));
        let small = [0.0, -f64::from_bits(1)].into_iter().zip(self.small);
        above
            .chain(below)
            .chain(small.filter(|(_, count)| *count > 0))
    }

    pub(super) fn into_plain(self) -> PlainBuckets {
        PlainBuckets {
            extremes: (self.least, self.most),
            small: self.small,
            sides: self.sides.map(Octaves::into_runs),
        }
    }

    pub(super) fn restore(plain: PlainBuckets) -> Result<Buckets, StateError> {
        let PlainBuckets {
            extremes,
            small,
            sides,
        } = plain;
        let counts = sides.iter().flatten().map(|&(_, count)| count);
        let count = counted(counts.chain(small))?;
        let (least, most) = extremes;
        let [above, below] = sides;
        let restored = Buckets {
            least,
            most,
            sides: [Octaves::of_runs(above)?, Octaves::of_runs(below)?],
            small,
        };
        let is_in = |score: f64, rank: u64| {
            score.is_finite() && bucket_of_score(score) == restored.bucket_at(rank)
        };
        let possible = count > 0
            && least <= most
            && is_in(restored.least(), 0)
            && is_in(restored.most(), count - 1);
        possible
            .then_some(restored)
            .ok_or(StateError::Impossible("extremes outside their buckets"))
    }
}

/// Returns the bucket of a finite score.
fn bucket_of_score(score: f64) -> BucketIndex {
    let magnitude = score.abs().to_bits();
    match score.is_sign_negative() {
        false if magnitude >= SMALLEST => bucket_of(magnitude) as BucketIndex,
        true if magnitude > SMALLEST => -(bucket_of(magnitude - 1) as BucketIndex),
        _ if score < 0.0 => SMALL_NEGATIVES,
        _ => ZEROS,
    }
}

/// Returns the number that represents the scores of a bucket: the middle of the bucket, or 0 if the scores are too
/// small for an octave.
fn estimate(bucket: BucketIndex) -> f64 {
    match bucket {
        SMALL_NEGATIVES | ZEROS => 0.0,
        below if below < 0 => -middle(below.unsigned_abs() as usize),
        above => middle(above as usize),
    }
}
