//! The total order of scores as integers: `f64::total_cmp` without its comparison.

use serde::Serialize;

/// A score and its record.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ranked {
    /// The index of the record, counted from 0.
    pub index: u64,
    /// The score.
    pub score: f64,
}

/// The integer that is ordered as `f64::total_cmp` orders scores.
#[inline]
pub(super) fn rank(score: f64) -> i64 {
    flip_negative(score.to_bits() as i64)
}

/// Scores of a slice that are compared at a time.
pub(super) const BLOCK: usize = 256;

/// Whether all of these scores lie strictly between the two bounds: none is NaN or equal to a
/// bound. After some thousand scores this is nearly always true, and the smallest and the largest
/// score need no other check.
#[inline]
pub(super) fn all_between(scores: &[f64], low: f64, high: f64) -> bool {
    // No early exit, so that the compiler can compare several scores at once.
    scores
        .iter()
        .fold(true, |all, &score| all & (low < score) & (score < high))
}

/// The score of a rank.
pub(super) fn score_of(rank: i64) -> f64 {
    f64::from_bits(flip_negative(rank) as u64)
}

/// Whether this is the rank of a score other than NaN.
pub(super) fn is_rank(rank: i64) -> bool {
    !score_of(rank).is_nan()
}

/// Flips all bits but the sign of a negative float, since the magnitude of negative floats grows
/// with their bits. Its own inverse.
#[inline]
fn flip_negative(bits: i64) -> i64 {
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}
