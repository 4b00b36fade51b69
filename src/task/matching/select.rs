//! The best matches among candidates, in the order and with the rounding of RapidFuzz.

use super::top_scores::JUST_BELOW;
use super::{Found, Matching};

/// A text that may be among the best.
#[derive(Clone, Copy, Debug)]
pub(super) struct MatchCandidate {
    /// Index of the text in the order of the caller.
    pub(super) index: usize,
    /// Position of the text in the reference.
    pub(super) position: usize,
    /// An upper bound of the score of the text.
    pub(super) bound: f64,
}

/// The best matches. `score` returns the score of the text at a position, or 0 if it is below a cutoff.
pub(super) fn best(
    settings: Matching,
    mut candidates: Vec<MatchCandidate>,
    cutoff: f64,
    wanted: usize,
    score: impl FnMut(usize, f64) -> f64,
) -> Vec<Found> {
    candidates.sort_unstable_by_key(|candidate| candidate.index);
    if settings.best == 1 {
        let max_score = settings.measure.max_score();
        let best = best_one(&candidates, cutoff, max_score, score);
        best.into_iter().collect()
    } else {
        best_few(&candidates, cutoff, wanted, score)
    }
}

/// RapidFuzz's `extractOne`: each score that is larger than all previous scores becomes the cutoff for the
/// remaining texts, so that the first of several equal matches is the result.
///
/// Starting with a cutoff just below the best score changes nothing. Scores other than the best matter only as
/// cutoffs, and a cutoff matters only if it equals a score up to rounding.
fn best_one(
    candidates: &[MatchCandidate],
    mut cutoff: f64,
    max_score: f64,
    mut score: impl FnMut(usize, f64) -> f64,
) -> Option<Found> {
    let mut best: Option<Found> = None;
    for candidate in candidates {
        let bound = candidate.bound;
        if bound < cutoff || best.is_some_and(|best| bound <= best.score) {
            continue;
        }
        let score = score(candidate.position, cutoff);
        if score >= cutoff && best.is_none_or(|best| score > best.score) {
            let index = candidate.index;
            best = Some(Found { index, score });
            cutoff = score;
            if score == max_score {
                break;
            }
        }
    }
    best
}

/// RapidFuzz's `extract`: the matches with the largest scores; of several equal matches, the first one comes
/// first.
///
/// RapidFuzz computes every score at the cutoff of the caller. Here the cutoff rises to just below the least of
/// the best scores so far. It is close enough to that score to rule out other texts, and far enough from it that
/// none of the best scores is rounded to 0.
fn best_few(
    candidates: &[MatchCandidate],
    mut cutoff: f64,
    wanted: usize,
    mut score: impl FnMut(usize, f64) -> f64,
) -> Vec<Found> {
    let mut best: Vec<Found> = Vec::new();
    for candidate in candidates {
        let (index, bound) = (candidate.index, candidate.bound);
        let least = best.get(wanted - 1);
        if bound < cutoff || least.is_some_and(|least| bound <= least.score) {
            continue;
        }
        let score = score(candidate.position, cutoff);
        if score < cutoff {
            continue;
        }
        let rank = best.partition_point(|found| found.score >= score);
        if rank == wanted {
            continue;
        }
        best.truncate(wanted - 1);
        best.insert(rank, Found { index, score });
        if let Some(least) = best.get(wanted - 1) {
            cutoff = cutoff.max(least.score * JUST_BELOW);
        }
    }
    best
}
