//! From distances to scores, in the order of arithmetic that RapidFuzz has, so that the last bit is
//! the same; and back, from cutoffs to distances that need not be looked at.

/// Added to the distance that a cutoff allows, as a share of the largest: what lies within it is
/// worked out and compared as a similarity, so that rounding cannot lose anything.
const SLACK: f64 = 1e-5;

/// The most that a distance out of `largest` may be for a similarity of `cutoff`, or a little more.
pub(super) fn allowed(largest: usize, cutoff: f64) -> usize {
    (largest as f64 * (1.0 - cutoff + SLACK).min(1.0)).ceil() as usize
}

/// One minus a distance as a share of the largest; 0 where that is less than `cutoff`.
#[inline(always)]
pub(super) fn similarity(distance: usize, largest: usize, cutoff: f64) -> f64 {
    let share = match largest {
        0 => 0.0,
        _ => distance as f64 / largest as f64,
    };
    let similarity = 1.0 - share;
    if similarity >= cutoff {
        similarity
    } else {
        0.0
    }
}

/// The same in per cent, as it is worked out for tokens.
#[inline(always)]
pub(super) fn per_cent(distance: usize, largest: usize, cutoff: f64) -> f64 {
    let score = match largest {
        0 => 100.0,
        _ => 100.0 - 100.0 * distance as f64 / largest as f64,
    };
    if score >= cutoff { score } else { 0.0 }
}
