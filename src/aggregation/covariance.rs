//! How two values of a score vary together.

use super::exact::{ExactProducts, ExactSum, Number, PlainSum};
use super::{Aggregator, Kind, State, StateError};

/// The covariance of the two sides of a score, from the exact Σx, Σy and Σxy, rounded once. Answer:
/// `f64`.
///
/// `(n·Σxy − Σx·Σy) / (n·(n − 1))` for a sample, divided by `n²` instead for a whole population.
/// Nothing is rounded before the end, so this formula is exact.
///
/// NaN if undefined: for no scores, for a sample of one, and if a side is NaN or infinite. A
/// covariance beyond `f64::MAX` is an infinity of its sign; one below half the smallest subnormal
/// is a zero of its sign. If one side is constant, the covariance is exactly `0.0`. The signs of
/// zeros do not matter.
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

/// The count, the sums of both sides, and the sum of products.
type PlainCovariance = (u64, PlainSum, PlainSum, Number);

impl Covariance {
    /// The sample covariance, which estimates that of the population: divided by n·(n − 1).
    pub fn new() -> Covariance {
        Covariance::default()
    }

    /// The covariance of the scores themselves: divided by n².
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
