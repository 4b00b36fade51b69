//! How closely two values of a score follow a line.

use super::exact::{ExactProducts, Number};
use super::moments::{Moments, PlainMoments};
use super::{Aggregator, Kind, State, StateError};

/// Pearson's correlation of the two values of each score, computed from exact sums and rounded
/// once. Answer: `f64` from −1 to 1.
///
/// `(n·Σxy − Σx·Σy) / √((n·Σx² − (Σx)²) · (n·Σy² − (Σy)²))`, where the three differences are exact
/// integers. The answer is exactly 1 or −1 for scores exactly on a line, and never beyond. (As
/// floating-point numbers, `0.1`, `0.2` and `0.3` are not equally far apart.)
///
/// The answer is NaN if the correlation is undefined: if one of the two values is the same in all
/// scores, if there are fewer than two scores, or if a value is NaN or infinite. Nothing overflows
/// or underflows before the answer, whatever the size of the scores; subnormals keep all their
/// bits, and the signs of zeros do not matter.
///
/// ```
/// use manyhands::aggregation::{Aggregator, Correlation};
///
/// let mut correlation = Correlation::new();
/// for (index, score) in [(1.0, 5e300), (2.0, 4e300), (3.0, 3e300)].iter().enumerate() {
///     correlation.observe(index as u64, score);
/// }
/// assert!(correlation.finish() < -0.999_999);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Correlation {
    left: Moments,
    right: Moments,
    products: ExactProducts,
}

/// The moments of the first values and of the second values, and the sum of their products.
type PlainCorrelation = (PlainMoments, PlainMoments, Number);

impl Correlation {
    /// Creates an aggregator that has observed nothing.
    pub fn new() -> Correlation {
        Correlation::default()
    }
}

impl Aggregator<(f64, f64)> for Correlation {
    type Output = f64;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, _index: u64, &(left, right): &(f64, f64)) {
        self.left.add(left);
        self.right.add(right);
        self.products.add(left, right);
    }

    fn merge(&mut self, later: Correlation) {
        self.left.absorb(later.left);
        self.right.absorb(later.right);
        self.products.merge(later.products);
    }

    fn finish(self) -> f64 {
        let (Some(left), Some(right)) = (self.left.spread(), self.right.spread()) else {
            return f64::NAN;
        };
        let product_of_sums = self.left.wide_sum().product(&self.right.wide_sum());
        let products = self.products.wide().times(self.left.count());
        let together = products.minus(&product_of_sums);
        let size = together
            .product(&together)
            .root_of_ratio(&left.product(&right));
        // The sign of a NaN must not change, because its bits are part of the answer.
        if together.is_negative() && !size.is_nan() {
            -size
        } else {
            size
        }
    }
}

impl State for Correlation {
    type Plain = PlainCorrelation;

    fn kind(&self) -> Kind {
        Kind::new("correlation", 1)
    }

    fn into_plain(self) -> PlainCorrelation {
        let (left, right) = (self.left.into_plain(), self.right.into_plain());
        (left, right, self.products.into_plain())
    }

    fn restore(
        &self,
        (left, right, products): PlainCorrelation,
    ) -> Result<Correlation, StateError> {
        if left.0 != right.0 {
            return Err(StateError::Impossible("two sides with different counts"));
        }
        Ok(Correlation {
            left: self.left.restore(left)?,
            right: self.right.restore(right)?,
            products: ExactProducts::restore(products)?,
        })
    }
}
