//! Every score, stored in memory.

use serde::{Deserialize, Serialize};

use super::StateError;
use super::order::{rank, score_of};
use super::state::counted;

/// The scores that are not NaN, stored as integers that have the same order as the scores.
#[derive(Debug, Clone, Default)]
pub(super) struct CollectedScores {
    ranks: Vec<i64>,
    nan: u64,
}

/// [`CollectedScores`] as plain data.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlainScores {
    /// The scores that are not NaN, ordered by `f64::total_cmp`, lowest first.
    scores: Vec<f64>,
    nan: u64,
}

impl CollectedScores {
    /// Number of scores that are not NaN.
    pub(super) fn count(&self) -> usize {
        self.ranks.len()
    }

    pub(super) fn nan(&self) -> u64 {
        self.nan
    }

    #[inline]
    pub(super) fn push(&mut self, score: f64) {
        if score.is_nan() {
            self.nan += 1;
        } else {
            self.ranks.push(rank(score));
        }
    }

    pub(super) fn merge(&mut self, mut later: CollectedScores) {
        if later.ranks.len() > self.ranks.len() {
            std::mem::swap(&mut self.ranks, &mut later.ranks);
        }
        self.ranks.extend(later.ranks);
        self.nan = self.nan.saturating_add(later.nan);
    }

    /// Returns the scores that would be at these places if all scores were sorted. `places` must
    /// ascend. Each score is selected in linear time among the scores above the previous place;
    /// sorting all scores would take longer.
    pub(super) fn at(&mut self, places: &[usize]) -> Vec<f64> {
        let mut settled = 0;
        for &place in places {
            if place >= settled {
                self.ranks[settled..].select_nth_unstable(place - settled);
                settled = place + 1;
            }
        }
        let scores = places.iter().map(|&place| score_of(self.ranks[place]));
        scores.collect()
    }

    pub(super) fn into_plain(mut self) -> PlainScores {
        self.ranks.sort_unstable();
        PlainScores {
            scores: self.ranks.into_iter().map(score_of).collect(),
            nan: self.nan,
        }
    }

    pub(super) fn restore(plain: PlainScores) -> Result<CollectedScores, StateError> {
        let PlainScores { scores, nan } = plain;
        counted([nan, scores.len() as u64])?;
        if scores.iter().any(|score| score.is_nan()) {
            return Err(StateError::Impossible("a NaN among the stored scores"));
        }
        let ranks: Vec<i64> = scores.into_iter().map(rank).collect();
        if !ranks.is_sorted() {
            return Err(StateError::Impossible("the stored scores do not ascend"));
        }
        Ok(CollectedScores { ranks, nan })
    }
}
