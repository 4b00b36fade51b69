//! The mean of the scores.

use super::exact::{ExactSum, PlainSum};
use super::{Aggregator, Kind, State, StateError};

/// The exact mean (the sum divided by the number of scores), rounded once. Answer: `f64`.
///
/// - The mean of no scores is NaN. The mean is also NaN if one of the scores is NaN, or if there
///   are infinities of both signs.
/// - The mean cannot overflow: the mean of `f64::MAX` and `f64::MAX` is `f64::MAX`.
/// - The mean of zeros that are all `-0.0` is `-0.0`. A mean smaller in magnitude than half the
///   smallest subnormal is rounded to a zero of the same sign.
///
/// ```
/// use manyhands::aggregation::{Aggregator, Mean};
///
/// let mut mean = Mean::new();
/// for (index, score) in [0.1, 0.2, 0.3].iter().enumerate() {
///     mean.observe(index as u64, score);
/// }
/// assert_eq!(mean.finish(), 0.2);
/// assert_ne!((0.1 + 0.2 + 0.3) / 3.0, 0.2);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Mean {
    sum: ExactSum,
    count: u64,
}

impl Mean {
    /// Creates a mean of no scores.
    pub fn new() -> Mean {
        Mean::default()
    }
}

impl Aggregator<f64> for Mean {
    type Output = f64;
    const COMMUTATIVE: bool = true;

    #[inline(always)]
    fn observe(&mut self, _index: u64, score: &f64) {
        self.sum.add(*score);
        self.count += 1;
    }

    fn observe_slice(&mut self, _first: u64, scores: &[f64]) {
        self.sum.add_slice(scores);
        self.count += scores.len() as u64;
    }

    fn merge(&mut self, later: Mean) {
        self.sum.merge(later.sum);
        self.count += later.count;
    }

    fn finish(self) -> f64 {
        self.sum.over(self.count)
    }
}

impl State for Mean {
    type Plain = (u64, PlainSum);

    fn kind(&self) -> Kind {
        Kind::new("mean", 1)
    }

    fn into_plain(self) -> (u64, PlainSum) {
        (self.count, self.sum.into_plain())
    }

    fn restore(&self, (count, sum): (u64, PlainSum)) -> Result<Mean, StateError> {
        let sum = ExactSum::restore(sum.of_count(count)?)?;
        Ok(Mean { sum, count })
    }
}
