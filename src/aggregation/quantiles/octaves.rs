//! Counts of positive scores, 128 buckets to each octave, octaves only where there are scores.

use crate::aggregation::StateError;

/// The smallest score counted here: the smallest normal `f64`.
pub(super) const SMALLEST: f64 = f64::MIN_POSITIVE;

/// Leading bits of the fraction that tell buckets of one octave apart. A bucket is 2⁻⁷ of its
/// octave's start wide, so its middle is within 2⁻⁸ of all its scores.
const BUCKET_BITS: u32 = 7;
const BUCKETS: usize = 1 << BUCKET_BITS;
const FRACTION_BITS: u32 = 52;

/// The counts of one octave: the scores that share an exponent.
type OctaveCounts = Box<[u64; BUCKETS]>;

/// Counts of buckets, lowest first, each behind the number of empty buckets since the last: the
/// same counts have one such list, and neighbours take two bytes or three.
pub(super) type Runs = Vec<(u32, u64)>;

/// A window of octaves, from the lowest to the highest that has scores.
#[derive(Debug, Clone, Default)]
pub(super) struct Octaves {
    /// The exponent field of the first page.
    first: usize,
    pages: Vec<Option<OctaveCounts>>,
}

impl Octaves {
    /// Counts a score of [`SMALLEST`] or more.
    #[inline]
    pub(super) fn count(&mut self, score: f64) {
        let bits = score.to_bits();
        let octave = (bits >> FRACTION_BITS) as usize;
        let bucket = (bits >> (FRACTION_BITS - BUCKET_BITS)) as usize % BUCKETS;
        match self.pages.get_mut(octave.wrapping_sub(self.first)) {
            Some(Some(page)) => page[bucket] += 1,
            _ => self.page(octave)[bucket] += 1,
        }
    }

    /// How many scores were counted.
    pub(super) fn total(&self) -> u64 {
        let totals = self.pages.iter().flatten().map(total_of);
        totals.sum()
    }

    /// The middle of the bucket that holds the score of this rank, counted from 0 at the smallest.
    pub(super) fn score_at(&self, rank: u64) -> f64 {
        let mut left = rank;
        for (octave, page) in (self.first..).zip(&self.pages) {
            let Some(page) = page else { continue };
            let total = total_of(page);
            if left >= total {
                left -= total;
                continue;
            }
            for (bucket, &count) in page.iter().enumerate() {
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
        if other.pages.len() > self.pages.len() {
            std::mem::swap(self, &mut other);
        }
        for (octave, page) in (other.first..).zip(other.pages) {
            let Some(page) = page else { continue };
            self.cover(octave);
            match &mut self.pages[octave - self.first] {
                Some(counts) => {
                    for (count, addend) in counts.iter_mut().zip(page.iter()) {
                        *count += addend;
                    }
                }
                vacant => *vacant = Some(page),
            }
        }
    }

    /// The counts that are not 0.
    pub(super) fn into_runs(self) -> Runs {
        let mut end = 0;
        let mut runs = Runs::new();
        for (octave, page) in (self.first..).zip(&self.pages) {
            let Some(page) = page else { continue };
            for (place, &count) in page.iter().enumerate() {
                if count > 0 {
                    let bucket = octave * BUCKETS + place;
                    runs.push(((bucket - end) as u32, count));
                    end = bucket + 1;
                }
            }
        }
        runs
    }

    /// The octaves with these counts.
    pub(super) fn of_runs(runs: Runs) -> Result<Octaves, StateError> {
        let mut octaves = Octaves::default();
        let mut end = 0;
        for (gap, count) in runs {
            let bucket = usize::saturating_add(end, gap as usize);
            if !(bucket_of(SMALLEST)..=bucket_of(f64::INFINITY)).contains(&bucket) {
                return Err(StateError::Impossible("a bucket that no score falls in"));
            }
            if count == 0 {
                return Err(StateError::Impossible("a bucket that is there but empty"));
            }
            octaves.page(bucket / BUCKETS)[bucket % BUCKETS] = count;
            end = bucket + 1;
        }
        Ok(octaves)
    }

    #[cold]
    #[inline(never)]
    fn page(&mut self, octave: usize) -> &mut [u64; BUCKETS] {
        self.cover(octave);
        self.pages[octave - self.first].get_or_insert_with(|| Box::new([0; BUCKETS]))
    }

    /// Grows the window to have this octave.
    fn cover(&mut self, octave: usize) {
        if self.pages.is_empty() {
            self.first = octave;
        }
        let below = self.first.saturating_sub(octave);
        self.pages.splice(0..0, std::iter::repeat_n(None, below));
        self.first -= below;
        let pages = self.pages.len().max(octave - self.first + 1);
        self.pages.resize(pages, None);
    }
}

fn total_of(page: &OctaveCounts) -> u64 {
    page.iter().sum()
}

/// The bucket of a positive score, counted through all octaves.
fn bucket_of(score: f64) -> usize {
    (score.to_bits() >> (FRACTION_BITS - BUCKET_BITS)) as usize
}

/// What stands for a score of [`SMALLEST`] or more.
pub(super) fn estimate(score: f64) -> f64 {
    let bucket = bucket_of(score);
    middle(bucket / BUCKETS, bucket % BUCKETS)
}

/// The score in the middle of a bucket.
fn middle(octave: usize, bucket: usize) -> f64 {
    let start = (octave as u64) << FRACTION_BITS | (bucket as u64) << (FRACTION_BITS - BUCKET_BITS);
    if f64::from_bits(start).is_infinite() {
        return f64::INFINITY;
    }
    f64::from_bits(start | 1 << (FRACTION_BITS - BUCKET_BITS - 1))
}
