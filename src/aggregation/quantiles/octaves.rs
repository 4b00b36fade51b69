//! Counts of numbers in 128 buckets per octave, with memory only for octaves that have numbers.

use crate::aggregation::StateError;

/// The bits of the smallest magnitude that is counted in buckets: the smallest normal `f64`.
pub(super) const SMALLEST: u64 = f64::MIN_POSITIVE.to_bits();

/// Number of leading bits of the fraction that choose the bucket within an octave. The width of a
/// bucket is 2⁻⁷ times the start of its octave, so the middle of the bucket is within 2⁻⁸
/// (relative) of all numbers in it.
const BUCKET_BITS: u32 = 7;
const BUCKETS: usize = 1 << BUCKET_BITS;
const FRACTION_BITS: u32 = 52;
/// Number of trailing bits that are the same for all numbers of a bucket.
const SHARED_BITS: u32 = FRACTION_BITS - BUCKET_BITS;

/// The counts of one octave: the numbers that share an exponent.
type OctaveCounts = Box<[u64; BUCKETS]>;

/// Non-zero counts, lowest bucket first, each with the number of empty buckets before it. Equal
/// counts always give the same list, and a count next to another non-zero count takes two or three
/// bytes.
pub(super) type Runs = Vec<(u32, u64)>;

/// The octaves from the lowest to the highest that has numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Octaves {
    /// The exponent field of the first octave.
    first: usize,
    octaves: Vec<Option<OctaveCounts>>,
}

impl Octaves {
    /// Counts a finite number of at least [`SMALLEST`], given by its bits, `times` times.
    #[inline]
    pub(super) fn count(&mut self, bits: u64, times: u64) {
        let octave = (bits >> FRACTION_BITS) as usize;
        let bucket = (bits >> SHARED_BITS) as usize % BUCKETS;
        match self.octaves.get_mut(octave.wrapping_sub(self.first)) {
            Some(Some(counts)) => counts[bucket] += times,
            _ => self.octave_mut(octave)[bucket] += times,
        }
    }

    /// Number of numbers counted.
    pub(super) fn total(&self) -> u64 {
        let totals = self.octaves.iter().flatten().map(total_of);
        totals.sum()
    }

    /// Returns the bucket that holds the number at this rank. The smallest number has rank 0.
    pub(super) fn bucket_at(&self, rank: u64) -> Option<usize> {
        let mut left = rank;
        for (octave, counts) in (self.first..).zip(&self.octaves) {
            let Some(counts) = counts else { continue };
            let total = total_of(counts);
            if left >= total {
                left -= total;
                continue;
            }
            for (place, &count) in counts.iter().enumerate() {
                if left < count {
                    return Some(octave * BUCKETS + place);
                }
                left -= count;
            }
        }
        None
    }

    /// Returns each bucket that has numbers, together with its count. The lowest bucket comes first.
    pub(super) fn buckets(&self) -> impl Iterator<Item = (usize, u64)> {
        let octaves = (self.first..).zip(&self.octaves);
        let octaves = octaves.filter_map(|(octave, counts)| Some((octave, counts.as_ref()?)));
        octaves.flat_map(|(octave, counts)| {
            let buckets = (octave * BUCKETS..).zip(counts.iter().copied());
            buckets.filter(|(_, count)| *count > 0)
        })
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
        let run = |(bucket, count)| {
            let gap = (bucket - end) as u32;
            end = bucket + 1;
            (gap, count)
        };
        self.buckets().map(run).collect()
    }

    /// Returns octaves with these counts.
    pub(super) fn of_runs(runs: Runs) -> Result<Octaves, StateError> {
        let mut octaves = Octaves::default();
        let mut end = 0;
        for (gap, count) in runs {
            let bucket = usize::saturating_add(end, gap as usize);
            if !(bucket_of(SMALLEST)..=bucket_of(f64::MAX.to_bits())).contains(&bucket) {
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

/// Returns the bucket of a number of at least [`SMALLEST`], given by its bits. Buckets are numbered
/// through all octaves.
pub(super) fn bucket_of(bits: u64) -> usize {
    (bits >> SHARED_BITS) as usize
}

/// Returns the number in the middle of a bucket.
pub(super) fn middle(bucket: usize) -> f64 {
    f64::from_bits((bucket as u64) << SHARED_BITS | 1 << (SHARED_BITS - 1))
}
