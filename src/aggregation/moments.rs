//! Count, sum, mean and spread together, from the two exact sums that they share.

use serde::Serialize;

use super::exact::{ExactMoments, Number, PlainSum};
use super::{Aggregator, Kind, State, StateError};

/// Count, sum, mean, variance and standard deviation in one. Answer: [`MomentSummary`].
///
/// Each number has the bits that [`Sum`](super::Sum), [`Mean`](super::Mean),
/// [`Variance`](super::Variance) and [`StdDev`](super::StdDev) give, at the cost of the variance
/// alone, and the same answers for NaN, infinities, −0 and overflow.
///
/// ```
/// use manyhands::aggregation::{Aggregator, Moments};
///
/// let mut moments = Moments::new();
/// for (index, score) in [1.0, 2.0, 3.0].iter().enumerate() {
///     moments.observe(index as u64, score);
/// }
/// let summary = moments.finish();
/// assert_eq!((summary.count, summary.sum, summary.mean), (3, 6.0, 2.0));
/// assert_eq!((summary.variance, summary.stddev), (1.0, 1.0));
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Moments {
    count: u64,
    exact: ExactMoments,
}

/// The count, the sum and the sum of squares.
pub(super) type PlainMoments = (u64, PlainSum, Number);

/// What [`Moments`] answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MomentSummary {
    /// How many scores there were.
    pub count: u64,
    /// Their exact sum, rounded once.
    pub sum: f64,
    /// Their mean, rounded once.
    pub mean: f64,
    /// Their sample variance, rounded once.
    pub variance: f64,
    /// Its square root, rounded once more.
    pub stddev: f64,
}

impl Moments {
    /// Nothing observed yet.
    pub fn new() -> Moments {
        Moments::default()
    }

    #[inline]
    pub(super) fn add(&mut self, score: f64) {
        self.count += 1;
        self.exact.add(score);
    }

    pub(super) fn absorb(&mut self, other: Moments) {
        self.count += other.count;
        self.exact.merge(other.exact);
    }

    /// The variance: of the scores as a whole `population`, or as a sample of one.
    pub(super) fn variance(&self, population: bool) -> f64 {
        let freedom = if population {
            self.count
        } else {
            self.count.saturating_sub(1)
        };
        if freedom == 0 || self.exact.not_finite().is_some() {
            return f64::NAN;
        }
        let square_of_sum = self.exact.wide_sum().squared();
        let spread = self
            .exact
            .wide_squares()
            .times(self.count)
            .minus(&square_of_sum);
        spread.round_over(&[self.count, freedom])
    }
}

/// The square root of a variance.
pub(super) fn deviation(variance: f64) -> f64 {
    // The bits of the NaN that a square root returns are the processor's choice.
    if variance.is_nan() {
        f64::NAN
    } else {
        variance.sqrt()
    }
}

impl Aggregator<f64> for Moments {
    type Output = MomentSummary;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, _index: u64, score: &f64) {
        self.add(*score);
    }

    fn merge(&mut self, later: Moments) {
        self.absorb(later);
    }

    fn finish(self) -> MomentSummary {
        let variance = self.variance(false);
        let sum = self.exact.sum();
        MomentSummary {
            count: self.count,
            sum: sum.value(),
            mean: sum.over(self.count),
            variance,
            stddev: deviation(variance),
        }
    }
}

impl State for Moments {
    type Plain = PlainMoments;

    fn kind(&self) -> Kind {
        Kind::new("moments", 1)
    }

    fn into_plain(self) -> PlainMoments {
        let (sum, squares) = self.exact.into_plain();
        (self.count, sum, squares)
    }

    fn restore(&self, (count, sum, squares): PlainMoments) -> Result<Moments, StateError> {
        let exact = ExactMoments::restore(sum.of_count(count)?, squares)?;
        Ok(Moments { count, exact })
    }
}
