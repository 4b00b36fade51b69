//! Integers of any width, from which the exact aggregators compute their answers. An integer has a
//! sign and a magnitude of a few digits, and is rounded to `f64` once. A crate of big integers is
//! not worth its compile time for a dozen short functions.

use super::digits::{add, compare, divide, multiply, negate, quotient, shifted_up, subtract};
use super::rounding::{round, round_root};
use super::{LIMB_BITS, Superaccumulator, digits};

/// A signed integer times a power of two.
#[derive(Debug, Clone)]
pub(in crate::aggregation) struct Wide {
    negative: bool,
    /// The magnitude in base 2³², lowest digit first, without leading zeros.
    digits: Vec<u32>,
    /// The exponent of the unit of the lowest digit: this unit is 2 to the power of `exponent`.
    exponent: i32,
}

impl Wide {
    /// Returns the value of a superaccumulator whose position 0 weighs `2^unit`.
    pub(super) fn of(accumulator: &Superaccumulator, unit: i32) -> Wide {
        let mut carry = 0_i128;
        let mut digits: Vec<u32> = Vec::with_capacity(accumulator.limbs().len() + 2);
        for &limb in accumulator.limbs() {
            carry += i128::from(limb);
            digits.push(carry as u32);
            carry >>= LIMB_BITS;
        }
        digits.extend([carry as u32, (carry >> LIMB_BITS) as u32]);
        let negative = carry < 0;
        if negative {
            negate(&mut digits);
        }
        let exponent = i32::from(accumulator.base()) * LIMB_BITS as i32 + unit;
        Wide::new(negative, digits, exponent)
    }

    /// Returns a signed integer, given as words (lowest first), times `2^exponent`.
    pub(super) fn of_words(words: &[u64], exponent: i32) -> Wide {
        let mut digits: Vec<u32> = words
            .iter()
            .flat_map(|&word| [word as u32, (word >> LIMB_BITS) as u32])
            .collect();
        let negative = digits
            .last()
            .is_some_and(|&top| top >> (LIMB_BITS - 1) != 0);
        if negative {
            negate(&mut digits);
        }
        Wide::new(negative, digits, exponent)
    }

    fn new(negative: bool, mut digits: Vec<u32>, exponent: i32) -> Wide {
        while digits.last() == Some(&0) {
            digits.pop();
        }
        Wide {
            negative: negative && !digits.is_empty(),
            digits,
            exponent,
        }
    }

    /// Returns whether the number is negative, its digits, and the exponent of the lowest digit.
    pub(super) fn parts(&self) -> (bool, &[u32], i32) {
        (self.negative, &self.digits, self.exponent)
    }

    /// Returns the product of this number and a whole number.
    pub(in crate::aggregation) fn times(&self, factor: u64) -> Wide {
        let factor = [factor as u32, (factor >> LIMB_BITS) as u32];
        let digits = multiply(&self.digits, &factor);
        Wide::new(self.negative, digits, self.exponent)
    }

    /// Returns the product of two numbers.
    pub(in crate::aggregation) fn product(&self, other: &Wide) -> Wide {
        let negative = self.negative != other.negative;
        let digits = multiply(&self.digits, &other.digits);
        Wide::new(negative, digits, self.exponent + other.exponent)
    }

    /// Returns the sum of two numbers.
    pub(in crate::aggregation) fn plus(&self, other: &Wide) -> Wide {
        if other.digits.is_empty() {
            return self.clone();
        }
        if self.digits.is_empty() {
            return other.clone();
        }
        let exponent = self.exponent.min(other.exponent);
        let (a, b) = (self.digits_from(exponent), other.digits_from(exponent));
        let (negative, digits) = if self.negative == other.negative {
            (self.negative, add(&a, &b))
        } else if compare(&a, &b).is_ge() {
            (self.negative, subtract(&a, &b))
        } else {
            (other.negative, subtract(&b, &a))
        };
        Wide::new(negative, digits, exponent)
    }

    /// Returns this number minus another.
    pub(in crate::aggregation) fn minus(&self, other: &Wide) -> Wide {
        self.plus(&Wide {
            negative: !other.negative,
            ..other.clone()
        })
    }

    /// Returns the nearest `f64`, with ties to even. A number beyond the largest `f64` becomes an
    /// infinity.
    pub(in crate::aggregation) fn round(&self) -> f64 {
        round(self.negative, &self.digits, self.exponent)
    }

    /// Returns the nearest `f64` to this number divided by all the divisors, rounded once. No
    /// divisor may be 0.
    pub(in crate::aggregation) fn round_over(&self, divisors: &[u64]) -> f64 {
        // Enough digits are appended below that cutting off the rest has no effect. If all divisors
        // together have d bits, the middle between two floats lies at most 54 + d bits below the
        // lowest digit. A quotient that is not equal to this middle differs from it by at least
        // 2^-(54 + 2d) of that digit, so a bit of the difference is in the digits that are kept.
        // Dividing step by step loses nothing either, since the floor of a floor is the floor of
        // the whole quotient.
        let spare_digits = 2 + 4 * divisors.len();
        let mut digits = vec![0; spare_digits];
        digits.extend_from_slice(&self.digits);
        let exponent = self.exponent - spare_digits as i32 * LIMB_BITS as i32;
        for &divisor in divisors {
            divide(&mut digits, divisor);
        }
        round(self.negative, &digits, exponent)
    }

    /// Returns the square root of this number divided by all the divisors, rounded once; NaN if the
    /// number is negative. No divisor may be 0.
    pub(in crate::aggregation) fn root_over(&self, divisors: &[u64]) -> f64 {
        if self.negative {
            return f64::NAN;
        }
        let divided: u32 = divisors.iter().map(|divisor| divisor.ilog2() + 1).sum();
        let up = self.bits_short_of_root(divided);
        let mut square = shifted_up(&self.digits, up);
        let mut exact = true;
        for &divisor in divisors {
            exact &= divide(&mut square, divisor) == 0;
        }
        round_root(&square, exact, self.exponent - up as i32)
    }

    /// Returns the square root of the ratio of this number to `divisor`, rounded once; NaN if one
    /// of the two numbers is negative or `divisor` is 0.
    pub(in crate::aggregation) fn root_of_ratio(&self, divisor: &Wide) -> f64 {
        if self.negative || divisor.negative || divisor.digits.is_empty() {
            return f64::NAN;
        }
        let up = self.bits_short_of_root(digits::bits(&divisor.digits));
        let (square, exact) = quotient(&shifted_up(&self.digits, up), &divisor.digits);
        round_root(&square, exact, self.exponent - up as i32 - divisor.exponent)
    }

    /// Returns the number of bits by which this number is too short to take the root: after
    /// division by divisors with `divided` bits in all, 124 bits must remain, because the root has
    /// half as many bits.
    fn bits_short_of_root(&self, divided: u32) -> u32 {
        (124 + divided).saturating_sub(digits::bits(&self.digits))
    }

    /// Whether the number is less than 0.
    pub(in crate::aggregation) fn is_negative(&self) -> bool {
        self.negative
    }

    /// Returns the digits in units of `2^exponent`. `exponent` must not exceed the exponent of the
    /// number.
    fn digits_from(&self, exponent: i32) -> Vec<u32> {
        shifted_up(&self.digits, (self.exponent - exponent) as u32)
    }
}
