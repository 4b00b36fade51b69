//! Converts distances to scores, in RapidFuzz's order of arithmetic, so that the last bit is the same. It also
//! converts a cutoff to a distance beyond which no score reaches the cutoff.

/// The distance that a cutoff allows is raised by this share of the largest distance. For pairs within the raised
/// distance, the similarity is compared with the cutoff, so that rounding cannot lose a pair.
const SLACK: f64 = 1e-5;

/// Returns the largest distance whose similarity is at least `cutoff`, or a slightly larger distance. It is at
/// most `largest`.
pub(super) fn allowed(largest: usize, cutoff: f64) -> usize {
    (largest as f64 * (1.0 - cutoff + SLACK).min(1.0)).ceil() as usize
}

/// One minus a distance as a share of the largest distance; 0 if that is less than `cutoff`.
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

/// Like [`similarity`], but from 0 to 100, and in the order of arithmetic of the measures that compare tokens.
#[inline(always)]
pub(super) fn per_cent(distance: usize, largest: usize, cutoff: f64) -> f64 {
    let score = match largest {
        0 => 100.0,
        _ => 100.0 - 100.0 * distance as f64 / largest as f64,
    };
    if score >= cutoff { score } else { 0.0 }
}
