//! The k best and the k worst records.

use std::collections::BinaryHeap;

use super::order::{Ranked, is_rank, rank, score_of};
use super::shift::shifted;
use super::{Aggregator, Kind, Shift, State, StateError};

/// The records with the `k` highest scores, best first. Answer: `Vec<`[`Ranked`]`>`, exact.
///
/// Scores are ordered by `f64::total_cmp`, equal scores by index, smaller first. NaN is left out,
/// so fewer than `k` come back where there are fewer other scores.
///
/// A score costs one comparison, and log₂ `k` more where it enters: in random order, about
/// `k·(1 + ln(n/k))` of `n` do. A state takes 16·`k` bytes, and nothing before scores come.
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
pub type Top = Podium<true>;

/// The records with the `k` lowest scores, lowest first; otherwise like [`Top`].
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
pub type Bottom = Podium<false>;

/// What [`Top`] (`HIGHEST`) and [`Bottom`] have in common.
#[derive(Debug, Clone)]
#[must_use]
pub struct Podium<const HIGHEST: bool> {
    places: usize,
    /// The score to reach. It lets nearly every record pass at the cost of one comparison; NaN,
    /// which no score reaches, where there are no places at all.
    bar: f64,
    /// Those on the podium, by how bad their score is and then by index, worst at the root.
    standing: BinaryHeap<(i64, u64)>,
}

impl<const HIGHEST: bool> Podium<HIGHEST> {
    /// A podium with `k` places.
    pub fn new(k: usize) -> Self {
        let bar = match (k, HIGHEST) {
            (0, _) => f64::NAN,
            (_, true) => f64::NEG_INFINITY,
            (_, false) => f64::INFINITY,
        };
        Podium {
            places: k,
            bar,
            standing: BinaryHeap::new(),
        }
    }

    /// The score that a record must reach to get onto the podium; NaN where none does.
    pub(crate) fn bar(&self) -> f64 {
        self.bar
    }

    /// How bad a score is, and back.
    fn badness(rank: i64) -> i64 {
        if HIGHEST { !rank } else { rank }
    }

    #[inline(never)]
    fn enter(&mut self, candidate: (i64, u64)) {
        if self.standing.len() < self.places {
            self.standing.push(candidate);
        } else if let Some(mut worst) = self.standing.peek_mut()
            && candidate < *worst
        {
            *worst = candidate;
        }
        if self.standing.len() == self.places
            && let Some(worst) = self.standing.peek()
        {
            self.bar = score_of(Self::badness(worst.0));
        }
    }
}

impl<const HIGHEST: bool> Aggregator<f64> for Podium<HIGHEST> {
    type Output = Vec<Ranked>;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, index: u64, score: &f64) {
        let reached = if HIGHEST {
            *score >= self.bar
        } else {
            *score <= self.bar
        };
        if reached {
            self.enter((Self::badness(rank(*score)), index));
        }
    }

    fn merge(&mut self, mut later: Self) {
        debug_assert_eq!(self.places, later.places, "podiums of different sizes");
        if later.standing.len() > self.standing.len() {
            std::mem::swap(self, &mut later);
        }
        if self.places > 0 {
            for candidate in later.standing {
                self.enter(candidate);
            }
        }
    }

    fn finish(self) -> Vec<Ranked> {
        self.standing
            .into_sorted_vec()
            .into_iter()
            .map(|(badness, index)| Ranked {
                index,
                score: score_of(Self::badness(badness)),
            })
            .collect()
    }
}

impl<const HIGHEST: bool> State for Podium<HIGHEST> {
    /// Those on the podium, best first, by how bad their score is and then by index.
    type Plain = Vec<(i64, u64)>;

    fn kind(&self) -> Kind {
        Kind::new(if HIGHEST { "top" } else { "bottom" }, 1).with(&self.places)
    }

    fn into_plain(self) -> Self::Plain {
        self.standing.into_sorted_vec()
    }

    fn restore(&self, standing: Self::Plain) -> Result<Self, StateError> {
        if standing.len() > self.places {
            return Err(StateError::Impossible("more records than places"));
        }
        if !standing.is_sorted() {
            return Err(StateError::Impossible("a podium out of order"));
        }
        let mut ranks = standing.iter().map(|place| Self::badness(place.0));
        if !ranks.all(is_rank) {
            return Err(StateError::Impossible("NaN on a podium"));
        }
        let mut podium = Podium::new(self.places);
        for candidate in standing {
            podium.enter(candidate);
        }
        Ok(podium)
    }
}

impl<const HIGHEST: bool> Shift for Podium<HIGHEST> {
    fn shift(mut self, by: u64) -> Result<Self, StateError> {
        let ranked = self.standing.into_iter();
        let ranked = ranked.map(|(badness, index)| Ok((badness, shifted(index, by)?)));
        self.standing = ranked.collect::<Result<_, StateError>>()?;
        Ok(self)
    }
}
