//! The median of the scores.

use super::collected::{CollectedScores, PlainScores};
use super::{Aggregator, Kind, State, StateError};

/// The median: the middle score, or the mean of the middle two. Answer: `f64`, exact for an odd
/// number of scores, rounded once for an even number. NumPy's `median` gives the same answer.
///
/// Every score is stored, **8 bytes each**: use [`Quantiles`](super::Quantiles) for more scores
/// than fit in memory. Observing a score appends it to a vector. At the end, each score takes a few
/// nanoseconds (quickselect: Hoare, *Algorithm 65: Find*, 1961).
///
/// - NaN scores are left out. The median of no scores is NaN.
/// - Scores are ordered by `f64::total_cmp`, so −0 comes before +0. The median of −0 and +0 is +0,
///   and so is the median of a number and its negative.
/// - The median cannot overflow: the median of `f64::MAX` and `f64::MAX` is `f64::MAX`.
/// - Infinities are scores like any other; the median of −∞ and +∞ is NaN.
///
/// ```
/// use manyhands::aggregation::{Aggregator, Median};
///
/// let mut median = Median::new();
/// for (index, score) in [0.5, 100.0, f64::NAN, 0.25, 1.0].iter().enumerate() {
///     median.observe(index as u64, score);
/// }
/// assert_eq!(median.finish(), 0.75);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Median {
    scores: CollectedScores,
}

impl Median {
    /// Creates a median of no scores.
    pub fn new() -> Median {
        Median::default()
    }
}

impl Aggregator<f64> for Median {
    type Output = f64;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, _index: u64, score: &f64) {
        self.scores.push(*score);
    }

    fn merge(&mut self, later: Median) {
        self.scores.merge(later.scores);
    }

    fn finish(mut self) -> f64 {
        let Some(last) = self.scores.count().checked_sub(1) else {
            return f64::NAN;
        };
        let middle = self.scores.at(&[last / 2, last.div_ceil(2)]);
        match middle[..] {
            [below, above] if below.to_bits() == above.to_bits() => below,
            // The sum of −∞ and +∞ would be a NaN whose sign differs between machines.
            [f64::NEG_INFINITY, f64::INFINITY] => f64::NAN,
            [below, above] => below.midpoint(above),
            _ => f64::NAN,
        }
    }
}

impl State for Median {
    type Plain = PlainScores;

    fn kind(&self) -> Kind {
        Kind::new("median", 1)
    }

    fn into_plain(self) -> PlainScores {
        self.scores.into_plain()
    }

    fn restore(&self, plain: PlainScores) -> Result<Median, StateError> {
        CollectedScores::restore(plain).map(|scores| Median { scores })
    }
}
