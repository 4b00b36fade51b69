//! The exact sum of values.

use super::{
    UNIT_EXPONENT, Wide, Window, exponent_field, is_normal, significand, subnormal_significand,
};

/// The sum of any number of `f64` values without any rounding, in whatever order they come.
///
/// A state for values of ordinary size takes some 90 bytes. Adding costs about as much as an
/// ordered `+=`; see `benches/aggregators.rs`.
///
/// # Special values
///
/// - Any NaN, or infinities of both signs, make the sum NaN; infinities of one sign make it that.
/// - A finite sum beyond `f64::MAX` rounds to an infinity, but only when asked for: the state
///   itself does not overflow, so `MAX + MAX − MAX` is `MAX`.
/// - The sum of nothing is `0.0`; of values that cancel, `0.0`; of zeros that are all `-0.0`,
///   `-0.0`. That is what adding in IEEE 754 gives, in any order.
///
/// ```
/// use manyhands::aggregation::exact::ExactSum;
///
/// let mut sum = ExactSum::new();
/// for value in [1e16, 1.0, -1e16] {
///     sum.add(value);
/// }
/// assert_eq!(sum.value(), 1.0);
/// assert_eq!(1e16 + 1.0 - 1e16, 0.0);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ExactSum {
    window: Window,
    nan: u64,
    infinite: u64,
    negative_infinite: u64,
    zero: bool,
    negative_zero: bool,
}

impl ExactSum {
    /// The sum of nothing.
    pub fn new() -> ExactSum {
        ExactSum::default()
    }

    /// Adds a value.
    #[inline]
    pub fn add(&mut self, value: f64) {
        let bits = value.to_bits();
        let exponent = exponent_field(bits);
        if is_normal(exponent) {
            self.window.add(significand(bits), exponent);
        } else {
            self.add_rare(value);
        }
    }

    #[inline(never)]
    fn add_rare(&mut self, value: f64) {
        if value.is_nan() {
            self.nan += 1;
        } else if value == f64::INFINITY {
            self.infinite += 1;
        } else if value == f64::NEG_INFINITY {
            self.negative_infinite += 1;
        } else if value != 0.0 {
            self.window.add(subnormal_significand(value.to_bits()), 0);
        } else if value.is_sign_negative() {
            self.negative_zero = true;
        } else {
            self.zero = true;
        }
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: ExactSum) {
        self.window.merge(other.window);
        self.nan += other.nan;
        self.infinite += other.infinite;
        self.negative_infinite += other.negative_infinite;
        self.zero |= other.zero;
        self.negative_zero |= other.negative_zero;
    }

    /// The sum, rounded once to the nearest `f64`, ties to even.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.not_finite()
            .or_else(|| self.signed_zero())
            .unwrap_or_else(|| self.wide().round())
    }

    /// The sum divided by `count`, rounded once; NaN where `count` is 0.
    #[must_use]
    pub fn over(&self, count: u64) -> f64 {
        if count == 0 {
            return f64::NAN;
        }
        self.not_finite()
            .or_else(|| self.signed_zero())
            .unwrap_or_else(|| self.wide().round_over(&[count]))
    }

    /// How many of the values were NaN.
    #[must_use]
    pub fn nan(&self) -> u64 {
        self.nan
    }

    /// The sum where it is not a finite number.
    pub(in crate::aggregation) fn not_finite(&self) -> Option<f64> {
        match (self.nan, self.infinite, self.negative_infinite) {
            (0, 0, 0) => None,
            (0, _, 0) => Some(f64::INFINITY),
            (0, 0, _) => Some(f64::NEG_INFINITY),
            _ => Some(f64::NAN),
        }
    }

    /// The sum where every value was −0.
    fn signed_zero(&self) -> Option<f64> {
        (self.window.is_empty() && self.negative_zero && !self.zero).then_some(-0.0)
    }

    /// The finite values' sum.
    pub(in crate::aggregation) fn wide(&self) -> Wide {
        Wide::of(&self.window, UNIT_EXPONENT)
    }
}
