//! The score in the middle.

use super::collected::{CollectedScores, PlainScores};
use super::{Aggregator, Kind, State, StateError};

/// The median: the middle score, or the mean of the middle two. Answer: `f64`, exact, of an even
/// number rounded once.
///
/// Every score is kept, **8 bytes each**: for more than memory holds there is
/// [`Quantiles`](super::Quantiles). A score costs what it costs to append it, and in the end a few
/// nanoseconds more (quickselect: Hoare, *Algorithm 65: Find*, 1961).
///
/// - NaN is left out. The median of nothing is NaN.
/// - Scores are ordered by `f64::total_cmp`, so −0 comes before +0; between the two, and between a
///   number and its negative, the median is +0.
/// - It cannot overflow: the median of `f64::MAX` and `f64::MAX` is `f64::MAX`.
/// - Infinities are scores like any other; of −∞ and +∞ there is no mean, and the answer is NaN.
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
    /// The median of nothing yet.
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
            // The sign of the NaN that infinities come to differs from machine to machine.
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
