//! Counts of positive scores in 128 buckets per octave, with memory only for octaves that have
//! scores.

use crate::aggregation::StateError;

/// The smallest score that is counted in buckets: the smallest normal `f64`.
pub(super) const SMALLEST: f64 = f64::MIN_POSITIVE;

/// Number of leading bits of the fraction that choose the bucket within an octave. The width of a
/// bucket is 2⁻⁷ times the start of its octave, so the middle of the bucket is within 2⁻⁸
/// (relative) of all scores in it.
const BUCKET_BITS: u32 = 7;
const BUCKETS: usize = 1 << BUCKET_BITS;
const FRACTION_BITS: u32 = 52;

/// The counts of one octave: the scores that share an exponent.
type OctaveCounts = Box<[u64; BUCKETS]>;

/// Non-zero counts, lowest bucket first, each with the number of empty buckets before it. Equal
/// counts always give the same list, and a count next to another non-zero count takes two or three
/// bytes.
pub(super) type Runs = Vec<(u32, u64)>;

/// The octaves from the lowest to the highest that has scores.
#[derive(Debug, Clone, Default)]
pub(super) struct Octaves {
    /// The exponent field of the first octave.
    first: usize,
    octaves: Vec<Option<OctaveCounts>>,
}

impl Octaves {
    /// Counts a score of [`SMALLEST`] or more.
    #[inline]
    pub(super) fn count(&mut self, score: f64) {
        let bits = score.to_bits();
        let octave = (bits >> FRACTION_BITS) as usize;
        let bucket = (bits >> (FRACTION_BITS - BUCKET_BITS)) as usize % BUCKETS;
        match self.octaves.get_mut(octave.wrapping_sub(self.first)) {
            Some(Some(counts)) => counts[bucket] += 1,
            _ => self.octave_mut(octave)[bucket] += 1,
        }
    }

    /// Number of scores counted.
    pub(super) fn total(&self) -> u64 {
        let totals = self.octaves.iter().flatten().map(total_of);
        totals.sum()
    }

    /// Returns the middle of the bucket that holds the score at this rank. The smallest score has
    /// rank 0.
    pub(super) fn score_at(&self, rank: u64) -> f64 {
        let mut left = rank;
        for (octave, counts) in (self.first..).zip(&self.octaves) {
            let Some(counts) = counts else { continue };
            let total = total_of(counts);
            if left >= total {
                left -= total;
                continue;
            }
            for (bucket, &count) in counts.iter().enumerate() {
                if left < count {
                    return middle(octave, bucket);
                }
                left -= count;
            }
        }
        f64::INFINITY
    }

    /// Adds the counts of `other`.
    pub(super) fn merge(&mut self, mut other: Octaves) {
        if other.octaves.len() > self.octaves.len() {
            std::mem::swap(self, &mut other);
        }
        for (octave, counts) in (other.first..).zip(other.octaves) {
            let Some(counts) = counts else { continue };
            self.cover(octave);
            match &mut self.octaves[octave - self.first] {
                Some(own) => {
                    for (count, addend) in own.iter_mut().zip(counts.iter()) {
                        *count += addend;
                    }
                }
                vacant => *vacant = Some(counts),
            }
        }
    }

    /// Returns the non-zero counts.
    pub(super) fn into_runs(self) -> Runs {
        let mut end = 0;
        let mut runs = Runs::new();
        for (octave, counts) in (self.first..).zip(&self.octaves) {
            let Some(counts) = counts else { continue };
            for (place, &count) in counts.iter().enumerate() {
                if count > 0 {
                    let bucket = octave * BUCKETS + place;
                    runs.push(((bucket - end) as u32, count));
                    end = bucket + 1;
                }
            }
        }
        runs
    }

    /// Returns octaves with these counts.
    pub(super) fn of_runs(runs: Runs) -> Result<Octaves, StateError> {
        let mut octaves = Octaves::default();
        let mut end = 0;
        for (gap, count) in runs {
            let bucket = usize::saturating_add(end, gap as usize);
            if !(bucket_of(SMALLEST)..=bucket_of(f64::INFINITY)).contains(&bucket) {
                return Err(StateError::Impossible("a bucket that no score is in"));
            }
            if count == 0 {
                return Err(StateError::Impossible("a bucket with a count of 0"));
            }
            octaves.octave_mut(bucket / BUCKETS)[bucket % BUCKETS] = count;
            end = bucket + 1;
        }
        Ok(octaves)
    }

    #[cold]
    #[inline(never)]
    fn octave_mut(&mut self, octave: usize) -> &mut [u64; BUCKETS] {
        self.cover(octave);
        self.octaves[octave - self.first].get_or_insert_with(|| Box::new([0; BUCKETS]))
    }

    /// Extends the range to include this octave.
    fn cover(&mut self, octave: usize) {
        if self.octaves.is_empty() {
            self.first = octave;
        }
        let below = self.first.saturating_sub(octave);
        self.octaves.splice(0..0, std::iter::repeat_n(None, below));
        self.first -= below;
        let octaves = self.octaves.len().max(octave - self.first + 1);
        self.octaves.resize(octaves, None);
    }
}

fn total_of(counts: &OctaveCounts) -> u64 {
    counts.iter().sum()
}

/// Returns the bucket of a positive score. Buckets are numbered through all octaves.
fn bucket_of(score: f64) -> usize {
    (score.to_bits() >> (FRACTION_BITS - BUCKET_BITS)) as usize
}

/// Returns the middle of the bucket of a score, which must be at least [`SMALLEST`].
pub(super) fn estimate(score: f64) -> f64 {
    let bucket = bucket_of(score);
    middle(bucket / BUCKETS, bucket % BUCKETS)
}

/// Returns the score in the middle of a bucket.
fn middle(octave: usize, bucket: usize) -> f64 {
    let start = (octave as u64) << FRACTION_BITS | (bucket as u64) << (FRACTION_BITS - BUCKET_BITS);
    if f64::from_bits(start).is_infinite() {
        return f64::INFINITY;
    }
    f64::from_bits(start | 1 << (FRACTION_BITS - BUCKET_BITS - 1))
}
