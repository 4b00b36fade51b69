//! How two values of a score vary together.

use super::exact::{ExactProducts, ExactSum, Number, PlainSum};
use super::{Aggregator, Kind, State, StateError};

/// The covariance of the two values of each score, computed from the exact Σx, Σy and Σxy and
/// rounded once. Answer: `f64`.
///
/// The covariance of a sample is `(n·Σxy − Σx·Σy) / (n·(n − 1))`. For a whole population, the
/// divisor is `n²` instead. Nothing is rounded before the end, so this formula is exact.
///
/// The answer is NaN if the covariance is undefined: if there are no scores, if a sample has only
/// one score, or if a value is NaN or infinite. A covariance larger in magnitude than `f64::MAX`
/// becomes an infinity of the same sign; a covariance smaller in magnitude than half the smallest
/// subnormal becomes a zero of the same sign. If one of the two values is the same in all scores,
/// the covariance is exactly `0.0`. The signs of zeros do not matter.
///
/// ```
/// use manyhands::aggregation::{Aggregator, Covariance};
///
/// let mut covariance = Covariance::new();
/// for (index, score) in [(1e9, 1.0), (1e9 + 1.0, 3.0), (1e9 + 2.0, 5.0)].iter().enumerate() {
///     covariance.observe(index as u64, score);
/// }
/// assert_eq!(covariance.finish(), 2.0);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Covariance {
    population: bool,
    count: u64,
    left: ExactSum,
    right: ExactSum,
    products: ExactProducts,
}

/// The number of scores, the sums of the first values and of the second values, and the sum of
/// their products.
type PlainCovariance = (u64, PlainSum, PlainSum, Number);

impl Covariance {
    /// Creates an aggregator of the sample covariance, which estimates the covariance of the
    /// population. The divisor is n·(n − 1).
    pub fn new() -> Covariance {
        Covariance::default()
    }

    /// Creates an aggregator of the covariance of the scores themselves. The divisor is n².
    pub fn population() -> Covariance {
        Covariance {
            population: true,
            ..Covariance::default()
        }
    }
}

impl Aggregator<(f64, f64)> for Covariance {
    type Output = f64;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, _index: u64, &(left, right): &(f64, f64)) {
        self.count += 1;
        self.left.add(left);
        self.right.add(right);
        self.products.add(left, right);
    }

    fn merge(&mut self, later: Covariance) {
        self.count += later.count;
        self.left.merge(later.left);
        self.right.merge(later.right);
        self.products.merge(later.products);
    }

    fn finish(self) -> f64 {
        let freedom = if self.population {
            self.count
        } else {
            self.count.saturating_sub(1)
        };
        let finite = self.left.not_finite().is_none() && self.right.not_finite().is_none();
        if freedom == 0 || !finite {
            return f64::NAN;
        }
        let product_of_sums = self.left.wide().product(&self.right.wide());
        let together = self.products.wide().times(self.count);
        together
            .minus(&product_of_sums)
            .round_over(&[self.count, freedom])
    }
}

impl State for Covariance {
    type Plain = PlainCovariance;

    fn kind(&self) -> Kind {
        Kind::new("covariance", 1).with(&self.population)
    }

    fn into_plain(self) -> PlainCovariance {
        let (left, right) = (self.left.into_plain(), self.right.into_plain());
        (self.count, left, right, self.products.into_plain())
    }

    fn restore(
        &self,
        (count, left, right, products): PlainCovariance,
    ) -> Result<Covariance, StateError> {
        Ok(Covariance {
            population: self.population,
            count,
            left: ExactSum::restore(left.of_count(count)?)?,
            right: ExactSum::restore(right.of_count(count)?)?,
            products: ExactProducts::restore(products)?,
        })
    }
}
