//! Converts scores to integers that have the order of `f64::total_cmp`.

use serde::Serialize;

/// A score and the index of its record.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ranked {
    /// The index of the record, counted from 0.
    pub index: u64,
    /// The score.
    pub score: f64,
}

/// Returns an integer for a score. These integers have the order that `f64::total_cmp` gives the
/// scores.
#[inline]
pub(super) fn rank(score: f64) -> i64 {
    flip_negative(score.to_bits() as i64)
}

/// Number of scores of a slice that are compared at a time.
pub(super) const BLOCK: usize = 256;

/// Whether all of these scores lie strictly between the two bounds: none is NaN or equal to a
/// bound. If the bounds are the smallest and the largest score so far, this is nearly always true
/// after a few thousand scores, and these two scores need no other check.
#[inline]
pub(super) fn all_between(scores: &[f64], low: f64, high: f64) -> bool {
    // There is no early exit, so that the compiler can compare several scores at once.
    scores
        .iter()
        .fold(true, |all, &score| all & (low < score) & (score < high))
}

/// Returns the score that has this rank.
pub(super) fn score_of(rank: i64) -> f64 {
    f64::from_bits(flip_negative(rank) as u64)
}

/// Whether this is the rank of a score other than NaN.
pub(super) fn is_rank(rank: i64) -> bool {
    !score_of(rank).is_nan()
}

/// Flips all bits but the sign of a negative float, since the magnitude of negative floats grows
/// with their bits. Applying the function twice gives the original bits.
#[inline]
fn flip_negative(bits: i64) -> i64 {
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}
