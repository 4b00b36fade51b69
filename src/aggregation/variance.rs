//! The spread of the scores: variance and standard deviation.

use super::moments::{Moments, PlainMoments};
use super::{Aggregator, Kind, State, StateError};

/// The variance, computed from the exact Σx and Σx² and rounded once. Answer: `f64`.
///
/// The variance of a sample is `(n·Σx² − (Σx)²) / (n·(n − 1))`. For a whole population, the divisor
/// is `n²` instead. In floating point, the subtraction can lose all digits; here it is exact.
///
/// The answer is NaN if the variance is undefined: if there are no scores, if a sample has only one
/// score, or if a score is NaN or infinite. A variance beyond `f64::MAX` becomes an infinity; a
/// variance below half the smallest subnormal becomes `0.0`. Equal scores have a variance of
/// exactly `0.0`.
///
/// ```
/// use manyhands::aggregation::{Aggregator, Variance};
///
/// let mut variance = Variance::new();
/// for (index, score) in [1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0].iter().enumerate() {
///     variance.observe(index as u64, score);
/// }
/// assert_eq!(variance.finish(), 1.0);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Variance {
    population: bool,
    moments: Moments,
}

impl Variance {
    /// Creates an aggregator of the sample variance, which estimates the variance of the
    /// population. The divisor is n·(n − 1).
    pub fn new() -> Variance {
        Variance::default()
    }

    /// Creates an aggregator of the variance of the scores themselves. The divisor is n².
    pub fn population() -> Variance {
        Variance {
            population: true,
            ..Variance::default()
        }
    }
}

impl Aggregator<f64> for Variance {
    type Output = f64;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, _index: u64, score: &f64) {
        self.moments.add(*score);
    }

    fn observe_slice(&mut self, _first: u64, scores: &[f64]) {
        self.moments.add_slice(scores);
    }

    fn merge(&mut self, later: Variance) {
        self.moments.absorb(later.moments);
    }

    fn finish(self) -> f64 {
        self.moments.variance(self.population)
    }
}

impl State for Variance {
    type Plain = PlainMoments;

    fn kind(&self) -> Kind {
        Kind::new("variance", 1).with(&self.population)
    }

    fn into_plain(self) -> PlainMoments {
        self.moments.into_plain()
    }

    fn restore(&self, plain: PlainMoments) -> Result<Variance, StateError> {
        Ok(Variance {
            population: self.population,
            moments: self.moments.restore(plain)?,
        })
    }
}

/// The square root of the exact [`Variance`], rounded once. Answer: `f64`.
///
/// The answer is NaN if the variance is NaN. A deviation beyond `f64::MAX` is an infinity (for
/// example, that of the sample `f64::MAX` and `f64::MIN`). Even if the variance is too large or too
/// small for an `f64`, its square root is computed correctly. Equal scores have a deviation of
/// exactly `0.0`.
///
/// ```
/// use manyhands::aggregation::{Aggregator, StdDev};
///
/// let mut deviation = StdDev::population();
/// for (index, score) in [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0].iter().enumerate() {
///     deviation.observe(index as u64, score);
/// }
/// assert_eq!(deviation.finish(), 2.0);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct StdDev {
    variance: Variance,
}

impl StdDev {
    /// Creates an aggregator of the deviation of a sample, which estimates the deviation of the
    /// population.
    pub fn new() -> StdDev {
        StdDev::default()
    }

    /// Creates an aggregator of the deviation of the scores themselves.
    pub fn population() -> StdDev {
        StdDev {
            variance: Variance::population(),
        }
    }
}

impl Aggregator<f64> for StdDev {
    type Output = f64;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, index: u64, score: &f64) {
        self.variance.observe(index, score);
    }

    fn observe_slice(&mut self, first: u64, scores: &[f64]) {
        self.variance.observe_slice(first, scores);
    }

    fn merge(&mut self, later: StdDev) {
        self.variance.merge(later.variance);
    }

    fn finish(self) -> f64 {
        self.variance.moments.deviation(self.variance.population)
    }
}

impl State for StdDev {
    type Plain = PlainMoments;

    fn kind(&self) -> Kind {
        Kind::new("stddev", 1).around([self.variance.kind()])
    }

    fn into_plain(self) -> PlainMoments {
        self.variance.into_plain()
    }

    fn restore(&self, plain: PlainMoments) -> Result<StdDev, StateError> {
        let variance = self.variance.restore(plain)?;
        Ok(StdDev { variance })
    }
}
