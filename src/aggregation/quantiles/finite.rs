//! The finite scores of [`Quantiles`], in one of three forms, depending on how many scores and different scores there
//! are.

use serde::{Deserialize, Serialize};

use super::Quantiles;
use super::buckets::{Buckets, PlainBuckets};
use super::distinct::DistinctScores;
use crate::aggregation::StateError;

/// The largest number of finite scores that are stored.
const FEW: usize = Quantiles::EXACT as usize;

/// The finite scores. Nothing but the number of scores and the number of different scores determines the variant, so
/// the order in which scores are observed and merged has no influence on it.
#[derive(Debug, Clone)]
pub(super) enum Finite {
    /// At most [`FEW`] scores.
    Few(Vec<f64>),
    /// More than [`FEW`] scores, with few different values.
    Distinct(DistinctScores),
    /// More than [`FEW`] scores, with many different values.
    Many(Buckets),
}

impl Finite {
    /// Observes a finite score.
    #[inline]
    pub(super) fn observe(&mut self, score: f64) {
        match self {
            Finite::Many(buckets) => buckets.observe(score),
            Finite::Few(scores) if scores.len() < FEW => scores.push(score),
            _ => self.add(score, 1),
        }
    }

    /// Counts a finite score `count` times. Scores that are stored one by one are counted first.
    fn add(&mut self, score: f64, count: u64) {
        if let Finite::Few(scores) = self {
            *self = match DistinctScores::of(scores) {
                Some(distinct) => Finite::Distinct(distinct),
                None => Finite::Many(Buckets::of(scores)),
            };
        }
        if let Finite::Distinct(scores) = self {
            if scores.add(score, count) {
                return;
            }
            *self = Finite::Many(scores.in_buckets());
        }
        if let Finite::Many(buckets) = self {
            buckets.add(score, count);
        }
    }

    pub(super) fn merge(&mut self, later: Finite) {
        match (&mut *self, later) {
            (own, Finite::Few(scores)) => scores.into_iter().for_each(|score| own.observe(score)),
            (Finite::Many(buckets), Finite::Many(later)) => buckets.merge(later),
            (Finite::Distinct(_) | Finite::Many(_), Finite::Distinct(later)) => {
                let counts = later.sorted().into_iter();
                counts.for_each(|(score, count)| self.add(score, count));
            }
            (own, later) => {
                let fewer = std::mem::replace(own, later);
                own.merge(fewer);
            }
        }
    }

    pub(super) fn count(&self) -> u64 {
        match self {
            Finite::Few(scores) => scores.len() as u64,
            Finite::Distinct(scores) => scores.total(),
            Finite::Many(buckets) => buckets.count(),
        }
    }

    pub(super) fn into_plain(self) -> PlainFinite {
        match self {
            Finite::Few(mut scores) => {
                scores.sort_unstable_by(f64::total_cmp);
                PlainFinite::Few(scores)
            }
            Finite::Distinct(scores) => PlainFinite::Distinct(scores.sorted()),
            Finite::Many(buckets) => PlainFinite::Many(buckets.into_plain()),
        }
    }

    pub(super) fn restore(plain: PlainFinite) -> Result<Finite, StateError> {
        Ok(match plain {
            PlainFinite::Few(scores) => Finite::Few(few(scores)?),
            PlainFinite::Distinct(plain) => Finite::Distinct(distinct(plain)?),
            PlainFinite::Many(plain) => Finite::Many(many(plain)?),
        })
    }
}

/// Returns these scores if they can be stored scores as [`State::into_plain`] writes them.
fn few(scores: Vec<f64>) -> Result<Vec<f64>, StateError> {
    if scores.len() > FEW {
        return Err(StateError::Impossible(
            "more stored scores than there can be",
        ));
    }
    if !scores.iter().all(|score| score.is_finite()) {
        return Err(StateError::Impossible("a stored score that is not finite"));
    }
    if !scores.is_sorted_by(|one, next| one.total_cmp(next).is_le()) {
        return Err(StateError::Impossible("the stored scores do not ascend"));
    }
    Ok(scores)
}

/// Returns the counts of different scores if there are too many scores to store them.
fn distinct(plain: Vec<(f64, u64)>) -> Result<DistinctScores, StateError> {
    let scores = DistinctScores::restore(plain)?;
    if scores.total() <= FEW as u64 {
        return Err(StateError::Impossible(
            "counts of scores that would be stored",
        ));
    }
    Ok(scores)
}

/// Returns the buckets if there are too many scores to store them.
fn many(plain: PlainBuckets) -> Result<Buckets, StateError> {
    let buckets = Buckets::restore(plain)?;
    if buckets.count() <= FEW as u64 {
        return Err(StateError::Impossible(
            "buckets of scores that would be stored",
        ));
    }
    Ok(buckets)
}

/// [`Finite`] as plain data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum PlainFinite {
    /// The scores, ordered by `f64::total_cmp`, lowest first.
    Few(Vec<f64>),
    /// Each value with its count, ordered by `f64::total_cmp`, lowest first.
    Distinct(Vec<(f64, u64)>),
    Many(PlainBuckets),
}
