//! The smallest and the largest score, and their records.

use serde::Serialize;

use super::order::{BLOCK, Ranked, all_between, is_rank, rank, score_of};
use super::shift::shifted;
use super::state::counted;
use super::{Aggregator, Kind, Shift, State, StateError};

/// The smallest and the largest score, each with the first record that has it. Answer:
/// [`Extremes`], exact.
///
/// Scores are ordered by `f64::total_cmp`, so `-0.0` is less than `0.0`, and infinities and
/// subnormals are scores like any other. NaN is neither smallest nor largest; it is counted
/// separately.
///
/// Observing a score takes two comparisons; a state takes 40 bytes.
///
/// ```
/// use manyhands::aggregation::{Aggregator, Extrema, Ranked};
///
/// let mut extrema = Extrema::new();
/// for (index, score) in [0.5, -1.0, f64::NAN, 0.5].iter().enumerate() {
///     extrema.observe(index as u64, score);
/// }
/// let extremes = extrema.finish();
/// assert_eq!(extremes.min, Some(Ranked { index: 1, score: -1.0 }));
/// assert_eq!(extremes.max, Some(Ranked { index: 0, score: 0.5 }));
/// assert_eq!(extremes.nan, 1);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Extrema {
    /// Rank and index of the smallest score; [`NOTHING`] before the first score.
    min: (i64, u64),
    /// Negated rank and index of the largest score. The rank is negated so that `min` and `max`
    /// both keep the lesser pair.
    max: (i64, u64),
    nan: u64,
}

/// The answer of [`Extrema`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Extremes {
    /// The smallest score and the first record that has it; `None` if there are no scores other
    /// than NaN.
    pub min: Option<Ranked>,
    /// The largest score and the first record that has it; `None` if there are no scores other than
    /// NaN.
    pub max: Option<Ranked>,
    /// Number of scores that are NaN.
    pub nan: u64,
}

/// The rank and index before the first score. They are above those of every score, because the rank
/// is that of a NaN, which is never observed.
const NOTHING: (i64, u64) = (i64::MAX, u64::MAX);

impl Extrema {
    /// Creates an aggregator that has observed nothing.
    pub fn new() -> Extrema {
        Extrema {
            min: NOTHING,
            max: NOTHING,
            nan: 0,
        }
    }
}

impl Default for Extrema {
    fn default() -> Extrema {
        Extrema::new()
    }
}

impl Aggregator<f64> for Extrema {
    type Output = Extremes;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, index: u64, score: &f64) {
        if score.is_nan() {
            self.nan += 1;
            return;
        }
        let rank = rank(*score);
        self.min = self.min.min((rank, index));
        self.max = self.max.min((!rank, index));
    }

    fn observe_slice(&mut self, first: u64, scores: &[f64]) {
        for (index, block) in (first..).step_by(BLOCK).zip(scores.chunks(BLOCK)) {
            let (min, max) = (score_of(self.min.0), score_of(!self.max.0));
            if self.min == NOTHING || !all_between(block, min, max) {
                for (index, score) in (index..).zip(block) {
                    self.observe(index, score);
                }
            }
        }
    }

    fn merge(&mut self, later: Extrema) {
        self.min = self.min.min(later.min);
        self.max = self.max.min(later.max);
        self.nan += later.nan;
    }

    fn finish(self) -> Extremes {
        let ranked = |rank: i64, index: u64| Ranked {
            index,
            score: score_of(rank),
        };
        let seen = self.min != NOTHING;
        Extremes {
            min: seen.then(|| ranked(self.min.0, self.min.1)),
            max: seen.then(|| ranked(!self.max.0, self.max.1)),
            nan: self.nan,
        }
    }
}

impl State for Extrema {
    /// Rank and index of the smallest and of the largest score, if there are any, and the number of
    /// NaN scores.
    type Plain = (Option<[(i64, u64); 2]>, u64);

    fn kind(&self) -> Kind {
        Kind::new("extrema", 1)
    }

    fn into_plain(self) -> Self::Plain {
        let seen = self.min != NOTHING;
        let largest = (!self.max.0, self.max.1);
        (seen.then_some([self.min, largest]), self.nan)
    }

    fn restore(&self, (extremes, nan): Self::Plain) -> Result<Extrema, StateError> {
        counted([nan])?;
        let Some([min, max]) = extremes else {
            return Ok(Extrema {
                nan,
                ..Extrema::new()
            });
        };
        if !(is_rank(min.0) && is_rank(max.0)) {
            return Err(StateError::Impossible("an extreme that is NaN"));
        }
        if min.0 > max.0 || (min.0 == max.0 && min.1 != max.1) {
            return Err(StateError::Impossible("extremes that cross"));
        }
        Ok(Extrema {
            min,
            max: (!max.0, max.1),
            nan,
        })
    }
}

impl Shift for Extrema {
    fn shift(mut self, by: u64) -> Result<Extrema, StateError> {
        if self.min != NOTHING {
            self.min.1 = shifted(self.min.1, by)?;
            self.max.1 = shifted(self.max.1, by)?;
        }
        Ok(self)
    }
}
