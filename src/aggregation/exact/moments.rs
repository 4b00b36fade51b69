//! The exact sums of values and of their squares, kept together.

use std::mem;

use super::out_of_reach::OutOfReach;
use super::{
    ExactSum, LAST_FINITE, NO_BASE, PATIENCE, Superaccumulator, UNIT_EXPONENT, Wide,
    any_significand, exponent_field, magnitude, words,
};

/// Computes the same sums as an [`ExactSum`] and an [`ExactProducts`](super::ExactProducts) of squares at half the
/// cost: each value is decoded once, and one branch selects how the value and its square are added.
///
/// Most data lie within a range of 11 octaves, called the middle. There, a significand that is shifted into place
/// fits in 64 bits. It takes one word of the sum, and one multiplication gives its square.
#[derive(Debug, Clone)]
#[must_use]
pub(in crate::aggregation) struct ExactMoments {
    /// The sum of the values within reach, in units of `2^(UNIT_EXPONENT + base − 64)`: a fraction of 64 bits, and
    /// two words in the units of the middle. It cannot outgrow its words before `squares` does: if the squares of n
    /// values add up to less than 2¹⁹¹, the values add up to less than √(n·2¹⁹¹), by the Cauchy–Schwarz inequality.
    pub(super) sum: [u64; 3],
    /// The sum of the squares of these values, in units of `2^(2·UNIT_EXPONENT + 2·base − 64)`, unsigned.
    pub(super) squares: [u64; 4],
    /// The sums of all other values, and the parts of the sums that outgrew the words.
    far: Option<Box<Far>>,
    /// The exponent field where the middle begins.
    pub(super) base: u16,
    pub(super) zero: bool,
    pub(super) negative_zero: bool,
    /// Number of values outside the middle since the middle was last moved.
    missed: u8,
}

#[derive(Debug, Clone, Default)]
struct Far {
    values: OutOfReach,
    squares: Superaccumulator,
}

/// Number of octaves in the middle. A significand of 53 bits, shifted by up to 10 bits, fits in a word of 64 bits.
pub(super) const MIDDLE: u32 = 11;
/// Number of octaves within reach on either side of the base. The square of a value this far below the base still
/// ends within the fraction. The square of a value this far above it leaves room for millions of further squares.
const REACH: u32 = 32;
/// Number of octaves of the middle that are left free above the value for which the middle is moved.
pub(super) const FREE: u32 = 2;
/// Exponent fields for which the squares of all values within reach stay far from both ends of the range.
pub(super) const COMMON: std::ops::Range<u32> = 128..LAST_FINITE - 128;

/// The largest number of octaves above the lower end of the reach at which totals may begin. Totals
/// of squares have 163 bits.
const MOST_UP: u32 = 45;

impl ExactMoments {
    /// Returns moments with these sums.
    pub(super) fn far_from(
        values: OutOfReach,
        squares: Superaccumulator,
        zero: bool,
        negative_zero: bool,
    ) -> ExactMoments {
        // If the values cancel, only their squares show that values were added.
        let any = !values.is_empty() || !squares.is_empty();
        ExactMoments {
            far: any.then(|| Box::new(Far { values, squares })),
            zero,
            negative_zero,
            ..ExactMoments::default()
        }
    }

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
        } else if offset.wrapping_add(REACH) < 2 * REACH {
            self.add_within_reach(bits, offset.wrapping_add(REACH));
        } else if bits << 1 == 0 {
            self.negative_zero |= bits != 0;
            self.zero |= bits == 0;
        } else {
            // The state is passed by value, because a state whose address is taken cannot stay in registers.
            *self = mem::take(self).with_far(bits);
        }
    }

    /// Adds a normal value `offset` octaves above the lower end of the reach.
    #[inline]
    fn add_within_reach(&mut self, bits: u64, offset: u32) {
        let (magnitude, sign) = (magnitude(bits), (bits as i64 >> 63) as u64);
        // Values above the base go into the upper words, those below it into the fraction.
        let (shift, square_shift) = ((offset + REACH) % 64, 2 * offset % 64);
        let low = (magnitude << shift) ^ sign;
        let high = (magnitude >> 1 >> (63 - shift)) ^ sign;
        let addend = words::add([low, high, sign], [sign & 1, 0, 0]);
        // The square is computed with one factor shifted, because the processor has no fast shift of two words.
        let factor = [
            magnitude << square_shift,
            magnitude >> 1 >> (63 - square_shift),
        ];
        let [low, middle, high] = words::product(factor, magnitude);
        if offset < REACH {
            self.sum = words::add(self.sum, addend);
            self.squares = words::add(self.squares, [low, middle, high, 0]);
        } else {
            let [fraction, first, second] = self.sum;
            let [first, second] = words::add([first, second], [addend[0], addend[1]]);
            self.sum = [fraction, first, second];
            let [fraction, first, second, third] = self.squares;
            let [first, second, third] = words::add([first, second, third], [low, middle, high]);
            self.squares = [fraction, first, second, third];
        }
        self.missed += 1;
        if self.missed == PATIENCE || self.squares[3] >> 63 != 0 {
            *self = mem::take(self).settled_around(exponent_field(bits));
        }
    }

    /// Adds values until the first one that is neither in the middle nor a zero, at most 2¹⁶ values, and returns how
    /// many were added. If the first value is a zero, nothing is added. [`add`](ExactMoments::add) gives the same
    /// result, but this loop keeps all its state in registers.
    pub(super) fn add_middle(&mut self, values: &[f64]) -> usize {
        let base = u32::from(self.base);
        let mut sum = [self.sum[1], self.sum[2]];
        let mut squares = [self.squares[1], self.squares[2], self.squares[3]];
        let mut added = 0;
        // Words with room left cannot overflow in this many additions.
        for &value in values.iter().take(1 << 16) {
            let bits = value.to_bits();
            let offset = exponent_field(bits).wrapping_sub(base);
            if offset < MIDDLE {
                let magnitude = magnitude(bits) << offset;
                let sign = (bits as i64 >> 63) as u64;
                sum = words::add(sum, [(magnitude ^ sign).wrapping_sub(sign), sign]);
                let square = u128::from(magnitude) * u128::from(magnitude);
                squares = words::add(squares, [square as u64, (square >> 64) as u64, 0]);
            } else if bits << 1 != 0 || added == 0 {
                break;
            }
            added += 1;
        }
        [self.sum[1], self.sum[2]] = sum;
        [self.squares[1], self.squares[2], self.squares[3]] = squares;
        if squares[2] >> 63 != 0 {
            self.settle();
        }
        added
    }

    /// Adds the totals of values that are not all zeros and are less than the power of two with exponent field `end`.
    /// The totals are the sum of the values, in units of `2^(UNIT_EXPONENT + position)`, and the sum of their
    /// squares, `high · 2^shift + low`, in units of the square of that unit.
    pub(super) fn add_totals(
        &mut self,
        sum: i128,
        (high, shift, low): (i128, u32, i128),
        position: u32,
        end: u32,
    ) {
        let position_of = |base: u16| (position + REACH).checked_sub(u32::from(base));
        let fits = |base: u16| position_of(base).is_some_and(|up| up <= MOST_UP);
        if !fits(self.base) {
            let base = (end - MIDDLE) as u16;
            if self.base == NO_BASE {
                self.base = base;
            } else if base > self.base && !self.raise(base) {
                self.settle();
                self.base = base;
            }
        }
        let squares = words::add(
            words::shifted_up(words::extended(high), shift),
            words::extended(low),
        );
        match position_of(self.base) {
            Some(up) if up <= MOST_UP => {
                let sum = words::shifted_up(words::extended(sum), up + REACH);
                self.sum = words::add(self.sum, sum);
                self.squares = words::add(self.squares, words::shifted_up(squares, 2 * up));
                if self.squares[3] >> 63 != 0 {
                    self.settle();
                }
            }
            _ => {
                let far = self.far.get_or_insert_default();
                let sum: [u64; 2] = words::extended(sum);
                far.values.finite.add_words(&sum, position);
                far.squares.add_words(&squares, 2 * position);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn with_far(mut self, bits: u64) -> ExactMoments {
        let exponent = exponent_field(bits);
        if COMMON.contains(&exponent) && self.comes_within_reach(exponent) {
            self.add(f64::from_bits(bits));
            return self;
        }
        let far = self.far.get_or_insert_default();
        far.values.add(bits);
        if exponent <= LAST_FINITE {
            let significand = i128::from(any_significand(bits));
            let square = significand * significand;
            far.squares.add_product(square, 2 * exponent);
        }
        self
    }

    /// Moves the reach to include this common exponent, and returns whether it was moved. The reach
    /// moves up at once, but down only after several values.
    fn comes_within_reach(&mut self, exponent: u32) -> bool {
        let base = (exponent + FREE + 1 - MIDDLE) as u16;
        if self.base == NO_BASE {
            self.base = base;
        } else if base > self.base {
            if !self.raise(base) {
                self.settle();
                self.base = base;
            }
        } else {
            self.missed += 1;
            if self.missed < PATIENCE {
                return false;
            }
            self.lower(base);
        }
        true
    }

    /// Moves the base up, or returns false if the fraction has no room for that.
    fn raise(&mut self, base: u16) -> bool {
        let up = u32::from(base - self.base);
        self.missed = 0;
        let sum = words::exactly_shifted_down(self.sum, up);
        let squares = words::exactly_shifted_down(self.squares, 2 * up);
        let (Some(sum), Some(squares)) = (sum, squares) else {
            return false;
        };
        (self.sum, self.squares, self.base) = (sum, squares, base);
        true
    }

    /// Moves the base down.
    fn lower(&mut self, base: u16) {
        let down = u32::from(self.base - base);
        self.missed = 0;
        if 2 * down + 1 < self.squares[3].leading_zeros() {
            self.sum = words::shifted_up(self.sum, down);
            self.squares = words::shifted_up(self.squares, 2 * down);
        } else {
            // The words have no room for the shift.
            self.settle();
        }
        self.base = base;
    }

    /// Moves the machine words to the superaccumulators.
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

    /// Moves the words to the superaccumulators if they are full, and moves the middle to this
    /// exponent, which is within reach, if possible.
    #[cold]
    #[inline(never)]
    fn settled_around(mut self, exponent: u32) -> ExactMoments {
        if self.squares[3] >> 63 != 0 {
            self.settle();
        }
        self.missed = 0;
        // Otherwise the reach could move step by step until it includes infinities or subnormals.
        if !COMMON.contains(&exponent) {
            return self;
        }
        let exponent = exponent as u16;
        if exponent < self.base {
            self.lower(exponent);
        } else if exponent >= self.base + MIDDLE as u16 {
            self.raise(exponent + 1 - MIDDLE as u16);
        }
        self
    }

    /// Adds the values of another state.
    pub(in crate::aggregation) fn merge(&mut self, mut other: ExactMoments) {
        if other.base != NO_BASE {
            if self.base == NO_BASE {
                self.base = other.base;
            }
            let base = self.base.max(other.base);
            for side in [&mut *self, &mut other] {
                if side.base != base && !side.raise(base) {
                    side.settle();
                    side.base = base;
                }
            }
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

    /// Returns the sum of the values, without that of their squares.
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

    /// Returns the sum if it is not a finite number.
    pub(in crate::aggregation) fn not_finite(&self) -> Option<f64> {
        self.far.as_ref()?.values.not_finite()
    }

    /// Returns the sum of the finite values.
    pub(in crate::aggregation) fn wide_sum(&self) -> Wide {
        let near = Wide::of_words(&self.sum, i32::from(self.base) - 64 + UNIT_EXPONENT);
        match &self.far {
            Some(far) => near.plus(&Wide::of(&far.values.finite, UNIT_EXPONENT)),
            None => near,
        }
    }

    /// Returns the sum of the squares of the finite values.
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
            missed: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ExactMoments;

    #[test]
    fn the_reach_comes_back_from_a_value_far_too_large() {
        let (mut state, mut without) = (ExactMoments::default(), ExactMoments::default());
        state.add(1e30);
        for _ in 0..100 {
            state.add(1.0);
            without.add(1.0);
        }
        assert_eq!(state.base, without.base);
    }
}
