//! The values of a sum that are out of reach of its few machine words.

use serde::{Deserialize, Serialize};

use super::{LAST_FINITE, Superaccumulator, any_significand, exponent_field};

/// Values that are out of reach of the machine words of a sum. Few sums contain such values.
#[derive(Debug, Clone, Default)]
pub(super) struct OutOfReach {
    /// The sum of the finite values, and of the amounts that outgrew the machine words.
    pub(super) finite: Superaccumulator,
    pub(super) nan: u64,
    pub(super) infinite: u64,
    pub(super) negative_infinite: u64,
}

impl OutOfReach {
    /// Adds the value with these bits, which is not a zero.
    pub(super) fn add(&mut self, bits: u64) {
        let exponent = exponent_field(bits);
        if exponent <= LAST_FINITE {
            self.finite.add(any_significand(bits), exponent);
            return;
        }
        match f64::from_bits(bits) {
            f64::INFINITY => self.infinite += 1,
            f64::NEG_INFINITY => self.negative_infinite += 1,
            _ => self.nan += 1,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.finite.is_empty() && self.not_finite().is_none()
    }

    pub(super) fn merge(&mut self, other: OutOfReach) {
        self.finite.merge(other.finite);
        self.nan += other.nan;
        self.infinite += other.infinite;
        self.negative_infinite += other.negative_infinite;
    }

    /// Returns the sum if it is not a finite number.
    pub(super) fn not_finite(&self) -> Option<f64> {
        match (self.nan, self.infinite, self.negative_infinite) {
            (0, 0, 0) => None,
            (0, _, 0) => Some(f64::INFINITY),
            (0, 0, _) => Some(f64::NEG_INFINITY),
            _ => Some(f64::NAN),
        }
    }
}

/// Which kinds of finite values a sum contains. If the sum is zero, its sign depends on this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FiniteValues {
    /// No finite value.
    Nothing,
    /// Only −0.
    NegativeZeros,
    /// At least one finite value other than −0.
    Others,
}
