//! The sum of the scores.

use super::exact::{ExactSum, PlainSum};
use super::{Aggregator, Kind, State, StateError};

/// The exact sum, rounded once. Answer: `f64`.
///
/// NaN, infinities, overflow and −0 are treated as in [`ExactSum`]: the answers are those of IEEE
/// 754, in any order. The sum of no scores is `0.0`.
///
/// ```
/// use manyhands::aggregation::{Aggregator, Sum};
///
/// let mut sum = Sum::new();
/// for (index, score) in [0.1; 10].iter().enumerate() {
///     sum.observe(index as u64, score);
/// }
/// assert_eq!(sum.finish(), 1.0);
/// assert_ne!([0.1; 10].iter().sum::<f64>(), 1.0);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Sum {
    sum: ExactSum,
}

impl Sum {
    /// Creates a sum of no scores.
    pub fn new() -> Sum {
        Sum::default()
    }
}

impl Aggregator<f64> for Sum {
    type Output = f64;
    const COMMUTATIVE: bool = true;

    #[inline(always)]
    fn observe(&mut self, _index: u64, score: &f64) {
        self.sum.add(*score);
    }

    fn observe_slice(&mut self, _first: u64, scores: &[f64]) {
        self.sum.add_slice(scores);
    }

    fn merge(&mut self, later: Sum) {
        self.sum.merge(later.sum);
    }

    fn finish(self) -> f64 {
        self.sum.value()
    }
}

impl State for Sum {
    type Plain = PlainSum;

    fn kind(&self) -> Kind {
        Kind::new("sum", 1)
    }

    fn into_plain(self) -> PlainSum {
        self.sum.into_plain()
    }

    fn restore(&self, sum: PlainSum) -> Result<Sum, StateError> {
        let sum = ExactSum::restore(sum)?;
        Ok(Sum { sum })
    }
}
