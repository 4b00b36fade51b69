//! Count, sum, mean and spread together, computed from two exact sums.

use serde::Serialize;

use super::exact::{ExactMoments, ExactSum, Number, PlainSum, Wide};
use super::{Aggregator, Kind, State, StateError};

/// Computes count, sum, mean, variance and standard deviation together. Answer: [`MomentSummary`].
///
/// Each number has the same bits as the answer of [`Sum`](super::Sum), [`Mean`](super::Mean),
/// [`Variance`](super::Variance) or [`StdDev`](super::StdDev), also for NaN, infinities, −0 and
/// overflow. All numbers together take as much time as the variance alone.
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

/// The answer of [`Moments`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MomentSummary {
    /// Number of scores.
    pub count: u64,
    /// The exact sum, rounded once.
    pub sum: f64,
    /// The exact mean, rounded once.
    pub mean: f64,
    /// The sample variance, rounded once.
    pub variance: f64,
    /// The square root of the exact sample variance, rounded once.
    pub stddev: f64,
}

impl Moments {
    /// Creates an aggregator that has observed nothing.
    pub fn new() -> Moments {
        Moments::default()
    }

    #[inline]
    pub(super) fn add(&mut self, score: f64) {
        self.count += 1;
        self.exact.add(score);
    }

    pub(super) fn add_slice(&mut self, scores: &[f64]) {
        self.count += scores.len() as u64;
        self.exact.add_slice(scores);
    }

    pub(super) fn absorb(&mut self, other: Moments) {
        self.count += other.count;
        self.exact.merge(other.exact);
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Returns the exact sum of the finite scores.
    pub(super) fn wide_sum(&self) -> Wide {
        self.exact.wide_sum()
    }

    /// Returns the exact value of `n·Σx² − (Σx)²`, or `None` if a score is not finite.
    pub(super) fn spread(&self) -> Option<Wide> {
        if self.exact.not_finite().is_some() {
            return None;
        }
        let sum = self.exact.wide_sum();
        let squares = self.exact.wide_squares().times(self.count);
        Some(squares.minus(&sum.product(&sum)))
    }

    /// Returns the divisors that turn the spread into the variance of a whole population or of a
    /// sample, or `None` if the variance is undefined.
    fn divisors(&self, population: bool) -> Option<[u64; 2]> {
        let less = u64::from(!population);
        let freedom = self
            .count
            .checked_sub(less)
            .filter(|&freedom| freedom > 0)?;
        Some([self.count, freedom])
    }

    /// Returns the variance, rounded once.
    pub(super) fn variance(&self, population: bool) -> f64 {
        match (self.spread(), self.divisors(population)) {
            (Some(spread), Some(divisors)) => spread.round_over(&divisors),
            _ => f64::NAN,
        }
    }

    /// Returns the square root of the variance, rounded once.
    pub(super) fn deviation(&self, population: bool) -> f64 {
        match (self.spread(), self.divisors(population)) {
            (Some(spread), Some(divisors)) => spread.root_over(&divisors),
            _ => f64::NAN,
        }
    }

    /// Returns the standard error of the mean, rounded once: the square root of the sample variance
    /// divided by n.
    pub(super) fn standard_error(&self) -> f64 {
        match (self.spread(), self.divisors(false)) {
            (Some(spread), Some([count, freedom])) => spread.root_over(&[count, count, freedom]),
            _ => f64::NAN,
        }
    }

    /// Returns the exact sum.
    pub(super) fn sum(&self) -> ExactSum {
        self.exact.sum()
    }
}

impl Aggregator<f64> for Moments {
    type Output = MomentSummary;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, _index: u64, score: &f64) {
        self.add(*score);
    }

    fn observe_slice(&mut self, _first: u64, scores: &[f64]) {
        self.add_slice(scores);
    }

    fn merge(&mut self, later: Moments) {
        self.absorb(later);
    }

    fn finish(self) -> MomentSummary {
        let sum = self.sum();
        MomentSummary {
            count: self.count,
            sum: sum.value(),
            mean: sum.over(self.count),
            variance: self.variance(false),
            stddev: self.deviation(false),
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
