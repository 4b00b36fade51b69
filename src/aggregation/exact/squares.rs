//! The exact sum of squares.

use super::{
    UNIT_EXPONENT, Wide, Window, exponent_field, is_normal, significand, subnormal_significand,
};

/// The sum of the squares of any number of finite `f64` values without any rounding.
///
/// Squares are taken as integers of 106 bits. A fused multiply-add cannot stand in for that: its
/// remainder underflows for values under about 2⁻⁴⁸⁵. NaN and the infinities are left out; whoever
/// needs them counts them beside it, as [`ExactSum`](super::ExactSum) does.
///
/// ```
/// use manyhands::aggregation::exact::ExactSquares;
///
/// let mut squares = ExactSquares::new();
/// for value in [3.0, -4.0] {
///     squares.add(value);
/// }
/// assert_eq!(squares.value(), 25.0);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ExactSquares {
    pub(super) window: Window,
}

impl ExactSquares {
    /// The sum of no squares.
    pub fn new() -> ExactSquares {
        ExactSquares::default()
    }

    /// Adds the square of a value.
    #[inline]
    pub fn add(&mut self, value: f64) {
        let bits = value.to_bits();
        let exponent = exponent_field(bits);
        if is_normal(exponent) {
            self.add_significand(significand(bits), exponent);
        } else if value.is_finite() && value != 0.0 {
            self.add_significand(subnormal_significand(bits), 0);
        }
    }

    #[inline]
    fn add_significand(&mut self, significand: i64, exponent: u32) {
        let square = i128::from(significand) * i128::from(significand);
        self.window.add_product(square, 2 * exponent);
    }

    /// Adds another sum of squares.
    pub fn merge(&mut self, other: ExactSquares) {
        self.window.merge(other.window);
    }

    /// The sum of squares, rounded once to the nearest `f64`, ties to even.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.wide().round()
    }

    /// The sum of squares.
    pub(in crate::aggregation) fn wide(&self) -> Wide {
        Wide::of(&self.window, 2 * UNIT_EXPONENT)
    }
}
