//! The k records with the highest or the lowest scores.

use std::collections::BinaryHeap;

use super::order::{Ranked, is_rank, rank, score_of};
use super::shift::shifted;
use super::{Aggregator, Kind, Shift, State, StateError};

/// The records with the `k` highest scores, best first. Answer: `Vec<`[`Ranked`]`>`, exact.
///
/// Scores are ordered by `f64::total_cmp`, and equal scores by index, with the smaller index first.
/// NaN is left out. The answer has fewer than `k` records if there are fewer scores.
///
/// Observing a score takes one comparison, and log₂ `k` more if its record enters. If scores are in
/// random order, about `k·(1 + ln(n/k))` of `n` records enter. A state takes 16·`k` bytes, and no
/// memory before the first score.
///
/// ```
/// use manyhands::aggregation::{Aggregator, Ranked, Top};
///
/// let mut top = Top::new(2);
/// for (index, score) in [0.5, 0.9, f64::NAN, 0.5].iter().enumerate() {
///     top.observe(index as u64, score);
/// }
/// let best = [Ranked { index: 1, score: 0.9 }, Ranked { index: 0, score: 0.5 }];
/// assert_eq!(top.finish(), best);
/// ```
pub type Top = TopK<true>;

/// The records with the `k` lowest scores, lowest first. Everything else is as for [`Top`].
///
/// ```
/// use manyhands::aggregation::{Aggregator, Bottom, Ranked};
///
/// let mut bottom = Bottom::new(1);
/// for (index, score) in [0.5, -0.9, -0.9].iter().enumerate() {
///     bottom.observe(index as u64, score);
/// }
/// assert_eq!(bottom.finish(), [Ranked { index: 1, score: -0.9 }]);
/// ```
pub type Bottom = TopK<false>;

/// The `k` records with the highest scores ([`Top`], if `HIGHEST`) or with the lowest scores
/// ([`Bottom`]).
#[derive(Debug, Clone)]
#[must_use]
pub struct TopK<const HIGHEST: bool> {
    places: usize,
    /// The score that a record must reach to enter. If `places` is 0, it is NaN, which no score
    /// reaches. For most records, the comparison with this threshold is all that is needed.
    threshold: f64,
    /// The records that have entered, ordered by badness and then by index, with the worst record
    /// at the root of the heap.
    entered: BinaryHeap<(i64, u64)>,
}

impl<const HIGHEST: bool> TopK<HIGHEST> {
    /// Creates an aggregator of the best `k` records.
    pub fn new(k: usize) -> Self {
        let threshold = match (k, HIGHEST) {
            (0, _) => f64::NAN,
            (_, true) => f64::NEG_INFINITY,
            (_, false) => f64::INFINITY,
        };
        TopK {
            places: k,
            threshold,
            entered: BinaryHeap::new(),
        }
    }

    /// Returns the score that a record must reach to enter; NaN if no record can enter.
    pub(crate) fn threshold(&self) -> f64 {
        self.threshold
    }

    /// The index and the score of the last record, if all places are taken. Another record enters only if it has a
    /// better score, or the same score and a smaller index.
    pub(crate) fn last(&self) -> Option<(u64, f64)> {
        let last = self.entered.peek();
        let last = last.filter(|_| self.entered.len() == self.places);
        last.map(|(badness, index)| (*index, score_of(Self::badness(*badness))))
    }

    /// Converts a rank to its badness, which is larger for worse scores, or a badness back to its
    /// rank.
    fn badness(rank: i64) -> i64 {
        if HIGHEST { !rank } else { rank }
    }

    #[inline(never)]
    fn enter(&mut self, candidate: (i64, u64)) {
        if self.entered.len() < self.places {
            self.entered.push(candidate);
        } else if let Some(mut worst) = self.entered.peek_mut()
            && candidate < *worst
        {
            *worst = candidate;
        }
        if self.entered.len() == self.places
            && let Some(worst) = self.entered.peek()
        {
            self.threshold = score_of(Self::badness(worst.0));
        }
    }
}

impl<const HIGHEST: bool> Aggregator<f64> for TopK<HIGHEST> {
    type Output = Vec<Ranked>;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, index: u64, score: &f64) {
        let reached = if HIGHEST {
            *score >= self.threshold
        } else {
            *score <= self.threshold
        };
        if reached {
            self.enter((Self::badness(rank(*score)), index));
        }
    }

    fn merge(&mut self, mut later: Self) {
        debug_assert_eq!(self.places, later.places, "different numbers of places");
        if later.entered.len() > self.entered.len() {
            std::mem::swap(self, &mut later);
        }
        if self.places > 0 {
            for candidate in later.entered {
                self.enter(candidate);
            }
        }
    }

    fn finish(self) -> Vec<Ranked> {
        self.entered
            .into_sorted_vec()
            .into_iter()
            .map(|(badness, index)| Ranked {
                index,
                score: score_of(Self::badness(badness)),
            })
            .collect()
    }
}

impl<const HIGHEST: bool> State for TopK<HIGHEST> {
    /// The badness and the index of each record, best first.
    type Plain = Vec<(i64, u64)>;

    fn kind(&self) -> Kind {
        Kind::new(if HIGHEST { "top" } else { "bottom" }, 1).with(&self.places)
    }

    fn into_plain(self) -> Self::Plain {
        self.entered.into_sorted_vec()
    }

    fn restore(&self, ranked: Self::Plain) -> Result<Self, StateError> {
        if ranked.len() > self.places {
            return Err(StateError::Impossible("more records than places"));
        }
        if !ranked.is_sorted() {
            return Err(StateError::Impossible("ranked records out of order"));
        }
        let mut ranks = ranked.iter().map(|place| Self::badness(place.0));
        if !ranks.all(is_rank) {
            return Err(StateError::Impossible("a NaN among ranked records"));
        }
        let mut restored = TopK::new(self.places);
        for candidate in ranked {
            restored.enter(candidate);
        }
        Ok(restored)
    }
}

impl<const HIGHEST: bool> Shift for TopK<HIGHEST> {
    fn shift(mut self, by: u64) -> Result<Self, StateError> {
        let ranked = self.entered.into_iter();
        let ranked = ranked.map(|(badness, index)| Ok((badness, shifted(index, by)?)));
        self.entered = ranked.collect::<Result<_, StateError>>()?;
        Ok(self)
    }
}
