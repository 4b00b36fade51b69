//! The mean with a confidence interval.

mod student;

use serde::Serialize;

use super::moments::{Moments, PlainMoments};
use super::{Aggregator, Kind, State, StateError};

/// The mean with Student's confidence interval, computed from the exact moments. Answer:
/// [`MeanEstimate`].
///
/// The interval is `mean ± t·√(variance / n)`, where `t` is the quantile of Student's distribution
/// with n − 1 degrees of freedom. For scores drawn independently from a normal distribution, the
/// interval contains the true mean as often as the [`Confidence`] states; for other distributions,
/// this becomes true as n grows, and it does so faster if they are less skewed. The mean and the
/// standard error are computed from exact sums and rounded once each; the bounds take one more
/// multiplication and addition.
///
/// Bootstrap resampling was the alternative. With Poisson weights computed from a hash of the
/// record's index, it would also keep the laws of [`Aggregator`], but it would take about a hundred
/// hashes and exact sums per record. Unless n is small and the scores are skewed, the two intervals
/// differ by less than the noise of the bootstrap. Student's interval takes as much time as
/// [`Variance`](super::Variance).
///
/// - If there are no scores, the mean, the standard error and the bounds are NaN; if there is one
///   score, all of them but the mean are NaN. A NaN or infinite score makes the standard error and
///   the bounds NaN.
/// - Equal scores have a standard error of `0.0`, and both bounds equal their mean.
/// - A bound beyond `f64::MAX` is an infinity.
///
/// ```
/// use manyhands::aggregation::{Aggregator, Confidence, MeanInterval};
///
/// let mut interval = MeanInterval::new(Confidence::Percent95);
/// for (index, score) in [4.0, 5.0, 6.0].iter().enumerate() {
///     interval.observe(index as u64, score);
/// }
/// let estimate = interval.finish();
/// assert_eq!(estimate.mean, 5.0);
/// assert!(2.51 < estimate.low && estimate.low < 2.52);
/// assert!(7.48 < estimate.high && estimate.high < 7.49);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct MeanInterval {
    confidence: Confidence,
    moments: Moments,
}

/// How often the interval should contain the true mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Confidence {
    /// The interval contains the true mean in 90 % of experiments.
    Percent90,
    /// The interval contains the true mean in 95 % of experiments.
    Percent95,
    /// The interval contains the true mean in 99 % of experiments.
    Percent99,
    /// The interval contains the true mean in 99.9 % of experiments.
    Percent99_9,
}

/// The answer of [`MeanInterval`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeanEstimate {
    /// Number of scores.
    pub count: u64,
    /// The mean of the scores.
    pub mean: f64,
    /// The standard error of the mean: √(sample variance / count).
    pub standard_error: f64,
    /// The lower bound of the interval.
    pub low: f64,
    /// The upper bound of the interval.
    pub high: f64,
}

impl MeanInterval {
    /// Creates an interval with this confidence.
    pub fn new(confidence: Confidence) -> MeanInterval {
        MeanInterval {
            confidence,
            moments: Moments::new(),
        }
    }
}

impl Aggregator<f64> for MeanInterval {
    type Output = MeanEstimate;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, _index: u64, score: &f64) {
        self.moments.add(*score);
    }

    fn observe_slice(&mut self, _first: u64, scores: &[f64]) {
        self.moments.add_slice(scores);
    }

    fn merge(&mut self, later: MeanInterval) {
        self.moments.absorb(later.moments);
    }

    fn finish(self) -> MeanEstimate {
        let count = self.moments.count();
        let mean = self.moments.sum().over(count);
        let standard_error = self.moments.standard_error();
        let (low, high) = match count.checked_sub(1) {
            Some(freedom @ 1..) if !standard_error.is_nan() => {
                let critical = student::critical_value(self.confidence as usize, freedom);
                let reach = critical * standard_error;
                (mean - reach, mean + reach)
            }
            _ => (f64::NAN, f64::NAN),
        };
        MeanEstimate {
            count,
            mean,
            standard_error,
            low,
            high,
        }
    }
}

impl State for MeanInterval {
    type Plain = PlainMoments;

    fn kind(&self) -> Kind {
        Kind::new("mean_interval", 1).with(&self.confidence)
    }

    fn into_plain(self) -> PlainMoments {
        self.moments.into_plain()
    }

    fn restore(&self, plain: PlainMoments) -> Result<MeanInterval, StateError> {
        Ok(MeanInterval {
            confidence: self.confidence,
            moments: self.moments.restore(plain)?,
        })
    }
}
