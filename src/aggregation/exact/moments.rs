//! The exact sums of values and of their squares, kept together.

use std::mem;

use super::sum::OutOfReach;
use super::{
    ExactSum, LAST_FINITE, NO_BASE, UNIT_EXPONENT, Wide, Window, any_significand, exponent_field,
    magnitude, words,
};

/// What an [`ExactSum`] and an [`ExactProducts`](super::ExactProducts) of squares come to, at half
/// the cost: the value is taken apart once, and one question decides for both how it is added.
///
/// Most data lie within the 11 octaves where a significand, shifted into place, fits in 64 bits. It
/// is one word of the sum then, and one multiplication makes its square.
#[derive(Debug, Clone)]
#[must_use]
pub(in crate::aggregation) struct ExactMoments {
    /// The sum of the values within reach, counting `2^(UNIT_EXPONENT + base − 64)`: a fraction of
    /// 64 bits, and two words that count what the values in the middle of the reach do. It cannot
    /// outgrow its words before `squares` does: n values whose squares come to less than 2¹⁹¹ come
    /// to less than √(n·2¹⁹¹), by the inequality of Cauchy and Schwarz.
    sum: [u64; 3],
    /// The sum of their squares, counting `2^(2·UNIT_EXPONENT + 2·base − 64)`, without a sign.
    squares: [u64; 4],
    /// All other values, and what outgrew the words.
    far: Option<Box<Far>>,
    /// The exponent field where the middle begins.
    base: u16,
    zero: bool,
    negative_zero: bool,
    /// Values below the middle before it is moved down, …
    patience: u16,
    /// … and how many of them there were since the last move.
    below: u16,
}

#[derive(Debug, Clone, Default)]
struct Far {
    values: OutOfReach,
    squares: Window,
}

/// Octaves in the middle: a significand of 53 bits, shifted by up to 10, fits in a word of 64.
const MIDDLE: u32 = 11;
/// Octaves within reach on either side of the base: down to where a square ends with the fraction,
/// and up to where it leaves room for millions more.
const REACH: u32 = 32;
/// Octaves of the middle that are left free above the value which it is moved for.
const FREE: u32 = 2;
/// Exponent fields whose squares, and those of all within their reach, are common products.
const COMMON: std::ops::Range<u32> = 128..LAST_FINITE - 128;
/// Values below the middle after which it is first moved down: the cost of one move, spread out.
/// Twice as many each time, because it may have to move up again at once.
const PATIENCE: u16 = 16;

impl ExactMoments {
    /// Adds a value and its square.
    #[inline]
    pub(in crate::aggregation) fn add(&mut self, value: f64) {
        let bits = value.to_bits();
        let offset = exponent_field(bits).wrapping_sub(u32::from(self.base));
        if offset < MIDDLE {
            let magnitude = magnitude(bits) << offset;
            let sign = (bits as i64 >> 63) as u64;
            let addend = (magnitude ^ sign).wrapping_sub(sign);
            let [low, high] = words::add([self.sum[1], self.sum[2]], [addend, sign]);
            (self.sum[1], self.sum[2]) = (low, high);
            let square = u128::from(magnitude) * u128::from(magnitude);
            let [_, low, middle, high] = self.squares;
            let square = [square as u64, (square >> 64) as u64, 0];
            let [low, middle, high] = words::add([low, middle, high], square);
            self.squares = [self.squares[0], low, middle, high];
            if high >> 63 != 0 {
                *self = mem::take(self).settled();
            }
        } else if bits << 1 == 0 {
            self.negative_zero |= bits != 0;
            self.zero |= bits == 0;
        } else {
            // By value, because a state whose address is ever handed out cannot live in registers.
            *self = mem::take(self).with_far(bits);
        }
    }

    #[cold]
    #[inline(never)]
    fn with_far(mut self, bits: u64) -> ExactMoments {
        let exponent = exponent_field(bits);
        if COMMON.contains(&exponent) {
            self.follow(exponent);
        }
        let offset = (exponent + REACH).wrapping_sub(u32::from(self.base));
        if offset < 2 * REACH {
            self.add_within_reach(bits, offset);
        } else {
            let far = self.far.get_or_insert_default();
            far.values.add(bits);
            if exponent <= LAST_FINITE {
                let significand = i128::from(any_significand(bits));
                far.squares
                    .add_product(significand * significand, 2 * exponent);
            }
        }
        self
    }

    /// Moves the middle for a common exponent outside it: up at once, because larger values are
    /// most of the sum and, in most data, most of the values; down if the smaller ones go on.
    fn follow(&mut self, exponent: u32) {
        let base = (exponent + FREE + 1 - MIDDLE) as u16;
        if self.base == NO_BASE {
            self.base = base;
        } else if base > self.base {
            self.raise(base);
        } else {
            self.below = self.below.saturating_add(1);
            if self.below >= self.patience {
                self.below = 0;
                self.patience = self.patience.saturating_mul(2);
                self.lower(base);
            }
        }
    }

    /// Adds a value `offset` octaves above the lower end of the reach.
    #[inline]
    fn add_within_reach(&mut self, bits: u64, offset: u32) {
        let (magnitude, sign) = (magnitude(bits), (bits as i64 >> 63) as u64);
        // The fraction of the sum begins 32 octaves below the reach.
        let shift = REACH + offset;
        let value = words::shifted_up([magnitude, 0, 0], shift);
        let (positive, carry) = (
            [value[0] ^ sign, value[1] ^ sign, value[2] ^ sign],
            sign & 1,
        );
        self.sum = words::add(words::add(self.sum, positive), [carry, 0, 0]);
        let square = u128::from(magnitude) * u128::from(magnitude);
        let square = [square as u64, (square >> 64) as u64, 0, 0];
        self.squares = words::add(self.squares, words::shifted_up(square, 2 * offset));
        if self.squares[3] >> 63 != 0 {
            self.settle();
        }
    }

    fn raise(&mut self, base: u16) {
        if self.base != NO_BASE {
            let up = u32::from(base - self.base);
            let sum = words::exactly_shifted_down(self.sum, up);
            let squares = words::exactly_shifted_down(self.squares, 2 * up);
            match (sum, squares) {
                (Some(sum), Some(squares)) => (self.sum, self.squares) = (sum, squares),
                _ => self.settle(),
            }
        }
        self.base = base;
        self.below = 0;
    }

    /// Moves the middle down, where the words have room for that.
    fn lower(&mut self, base: u16) {
        let down = u32::from(self.base - base);
        if 2 * down < self.squares[3].leading_zeros() {
            self.sum = words::shifted_up(self.sum, down);
            self.squares = words::shifted_up(self.squares, 2 * down);
            self.base = base;
        }
    }

    /// Puts what is near with the far.
    fn settle(&mut self) {
        let far = self.far.get_or_insert_default();
        let base = u32::from(self.base);
        let values = &mut far.values.finite;
        values.add_words(&mem::take(&mut self.sum), base - 64);
        let [first, second, third, fourth] = mem::take(&mut self.squares);
        far.squares
            .add_words(&[first, second, third, fourth, 0], 2 * base - 64);
    }

    #[cold]
    #[inline(never)]
    fn settled(mut self) -> ExactMoments {
        self.settle();
        self
    }

    /// Adds what another has seen.
    pub(in crate::aggregation) fn merge(&mut self, mut other: ExactMoments) {
        if other.base != NO_BASE {
            if self.base == NO_BASE {
                self.base = other.base;
            }
            let base = self.base.max(other.base);
            self.raise(base);
            other.raise(base);
            self.sum = words::add(self.sum, other.sum);
            self.squares = words::add(self.squares, other.squares);
            if self.squares[3] >> 63 != 0 {
                self.settle();
            }
        }
        self.zero |= other.zero;
        self.negative_zero |= other.negative_zero;
        match (&mut self.far, other.far) {
            (Some(far), Some(other)) => {
                far.values.merge(other.values);
                far.squares.merge(other.squares);
            }
            (far @ None, other) => *far = other,
            (Some(_), None) => {}
        }
    }

    /// The sum alone.
    pub(in crate::aggregation) fn sum(&self) -> ExactSum {
        let mut values = match &self.far {
            Some(far) => far.values.clone(),
            None => OutOfReach::default(),
        };
        if self.base != NO_BASE {
            let position = u32::from(self.base) - 64;
            values.finite.add_words(&self.sum, position);
        }
        ExactSum::far_from(values, self.zero, self.negative_zero)
    }

    /// The sum where it is not a finite number.
    pub(in crate::aggregation) fn not_finite(&self) -> Option<f64> {
        self.far.as_ref()?.values.not_finite()
    }

    /// The finite values' sum.
    pub(in crate::aggregation) fn wide_sum(&self) -> Wide {
        let near = Wide::of_words(&self.sum, i32::from(self.base) - 64 + UNIT_EXPONENT);
        match &self.far {
            Some(far) => near.plus(&Wide::of(&far.values.finite, UNIT_EXPONENT)),
            None => near,
        }
    }

    /// The sum of their squares.
    pub(in crate::aggregation) fn wide_squares(&self) -> Wide {
        let [first, second, third, fourth] = self.squares;
        let exponent = 2 * (i32::from(self.base) - 32 + UNIT_EXPONENT);
        let near = Wide::of_words(&[first, second, third, fourth, 0], exponent);
        match &self.far {
            Some(far) => near.plus(&Wide::of(&far.squares, 2 * UNIT_EXPONENT)),
            None => near,
        }
    }
}

impl Default for ExactMoments {
    fn default() -> ExactMoments {
        ExactMoments {
            sum: [0; 3],
            squares: [0; 4],
            far: None,
            base: NO_BASE,
            zero: false,
            negative_zero: false,
            patience: PATIENCE,
            below: 0,
        }
    }
}
