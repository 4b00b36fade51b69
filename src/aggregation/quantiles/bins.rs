//! Bins whose edges are edges of buckets, so that their counts are exact.

use super::buckets::Buckets;
use crate::aggregation::Bins;

/// The least number of bins that a caller may allow. The numbers between `f64::MIN` and `f64::MAX` take four bins of
/// the largest width.
pub(super) const LEAST_BINS: usize = 4;

/// Number of bits by which a bucket is narrower than the start of its octave.
const BUCKET_BITS: i64 = 7;
/// The exponents of the smallest and the largest power of two that is a normal `f64`.
const EXPONENTS: (i64, i64) = (-1022, 1023);

/// Returns at most `most` bins that hold all scores of the buckets, of which there must be at least one.
///
/// All bins have the same width: the smallest power of two that needs no more bins and is at least the width of the
/// bucket of the greatest magnitude. An edge is a multiple of the width, so it is also an edge of a bucket.
pub(super) fn bins(buckets: &Buckets, most: usize) -> Bins {
    let (low, high) = (buckets.least(), buckets.most());
    let (width, first, last) = width_and_range(low, high, most as i64);
    let bins = last - first;
    let mut counts = vec![0; bins as usize];
    for (score, count) in buckets.counts() {
        // A score on the last edge is the largest score, and is in the last bin.
        let bin = (units_below(score, width) - first).min(bins - 1);
        counts[bin as usize] += count;
    }
    // The last edge may exceed the largest float, and the first one the smallest.
    let edge = |at: i64| (at as f64 * width).clamp(f64::MIN, f64::MAX);
    Bins {
        edges: (first..=last).map(edge).collect(),
        counts,
        under: 0,
        over: 0,
        nan: 0,
    }
}

/// Returns the width of the bins, and the first and the last edge as multiples of the width.
fn width_and_range(low: f64, high: f64, most: i64) -> (f64, i64, i64) {
    let greatest = low.abs().max(high.abs());
    let octave = (greatest.to_bits() >> 52) as i64 - 1023;
    // If all scores are 0, every width gives exact counts.
    let start = if greatest == 0.0 {
        0
    } else {
        octave - BUCKET_BITS
    };
    let (mut exponent, largest) = (start.max(EXPONENTS.0), EXPONENTS.1);
    loop {
        let width = f64::from_bits(((exponent + 1023) as u64) << 52);
        let first = units_below(low, width);
        let last = (-units_below(-high, width)).max(first + 1);
        if last - first <= most || exponent == largest {
            return (width, first, last);
        }
        exponent += 1;
    }
}

/// Returns the greatest whole number of widths that is not greater than the score.
fn units_below(score: f64, width: f64) -> i64 {
    // The division by a power of two is exact, unless the quotient is subnormal.
    let quotient = score / width;
    if score < 0.0 && quotient == 0.0 {
        return -1;
    }
    quotient.floor() as i64
}
