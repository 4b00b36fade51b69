//! The exact sum of values.

use std::mem;
use std::ops::RangeInclusive;

use super::out_of_reach::{FiniteValues, OutOfReach};
use super::{
    FRACTION_BITS, LAST_FINITE, NO_BASE, PATIENCE, REACH, UNIT_EXPONENT, Wide, any_significand,
    base_for, exponent_field, significand, words,
};

/// The sum of any number of `f64` values without rounding, in any order.
///
/// A state takes 32 bytes, and about 70 more on the heap once values lie outside a range of 64
/// octaves or are not finite. Adding a value takes about as long as two `+=` on an `f64`, one after
/// the other; see `benches/aggregators.rs`.
///
/// # Special values
///
/// - A NaN, or infinities of both signs, make the sum NaN; infinities of one sign make it that
///   infinity.
/// - A finite sum beyond `f64::MAX` rounds to an infinity only in the answer: the state itself does
///   not overflow, so `MAX + MAX − MAX` is `MAX`.
/// - The sum of no values is `0.0`, and so is the sum of values that cancel. The sum of zeros that
///   are all `-0.0` is `-0.0`. This is what IEEE 754 addition gives, in any order.
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
#[derive(Debug, Clone)]
#[must_use]
pub struct ExactSum {
    /// The sum of the values within reach of `base`, in units of `2^(UNIT_EXPONENT + base)`: the
    /// two words of an `i128`. They are stored as words because the alignment of an `i128` would
    /// make every sum 8 bytes larger. Nearly all values are within reach. They are added by integer
    /// arithmetic in registers, whereas the superaccumulator would wait for memory at each
    /// addition.
    pub(super) near: [u64; 2],
    pub(super) far: Option<Box<OutOfReach>>,
    /// The least exponent field within reach: a multiple of 32, never so low or high that a
    /// subnormal or an infinity would seem within reach.
    pub(super) base: u16,
    /// Number of values below the reach since the reach was last moved.
    missed: u8,
    pub(super) zero: bool,
    pub(super) negative_zero: bool,
}

/// Bases that are far enough from both ends of the range of exponents that `near` divided by any
/// count is neither subnormal nor infinite.
const COMMON_BASES: RangeInclusive<u16> = 256..=1_800;

/// Exponents that a new base can bring within reach.
const SOON_NEAR: RangeInclusive<u32> = 64..=1_983;

impl ExactSum {
    /// Creates the sum of no values.
    pub fn new() -> ExactSum {
        ExactSum {
            near: [0; 2],
            far: None,
            base: NO_BASE,
            missed: 0,
            zero: false,
            negative_zero: false,
        }
    }

    /// Returns the sum of these values and zeros.
    pub(super) fn far_from(values: OutOfReach, zero: bool, negative_zero: bool) -> ExactSum {
        ExactSum {
            far: (!values.is_empty()).then(|| Box::new(values)),
            zero,
            negative_zero,
            ..ExactSum::new()
        }
    }

    /// Adds a value.
    // The function is always inlined, because the sum of a group is not in a register and a call
    // would take as long as the addition.
    #[inline(always)]
    pub fn add(&mut self, value: f64) {
        let bits = value.to_bits();
        let exponent = exponent_field(bits);
        let offset = exponent.wrapping_sub(u32::from(self.base));
        if offset < REACH {
            self.add_near(significand(bits), offset);
        } else if self.base == NO_BASE && SOON_NEAR.contains(&exponent) {
            // This is the first value of a sum. This case must be fast, because there may be as
            // many groups, each with a sum, as values.
            self.base = base_for(exponent, LAST_FINITE);
            self.set_near(shifted(significand(bits), exponent - u32::from(self.base)));
        } else if bits << 1 == 0 {
            self.negative_zero |= bits != 0;
            self.zero |= bits == 0;
        } else {
            // The state is passed by value, because a state whose address is taken cannot stay in
            // registers.
            *self = mem::take(self).with_far(bits);
        }
    }

    #[inline]
    fn near(&self) -> i128 {
        joined(self.near)
    }

    #[inline]
    fn set_near(&mut self, near: i128) {
        self.near = split(near);
    }

    #[inline(always)]
    fn add_near(&mut self, significand: i64, offset: u32) {
        let addend = shifted(significand, offset);
        let (near, overflow) = self.near().overflowing_add(addend);
        if overflow {
            *self = mem::take(self).settled();
            self.set_near(addend);
        } else {
            self.set_near(near);
        }
    }

    #[cold]
    #[inline(never)]
    fn with_far(mut self, bits: u64) -> ExactSum {
        let exponent = exponent_field(bits);
        if exponent > LAST_FINITE {
            self.far.get_or_insert_default().add(bits);
        } else {
            self.add_integer(any_significand(bits), exponent);
        }
        self
    }

    /// Adds `integer · 2^(UNIT_EXPONENT + exponent)`.
    fn add_integer(&mut self, integer: i64, exponent: u32) {
        if self.base == NO_BASE || exponent >= u32::from(self.base) + REACH {
            self.raise(base_for(exponent, LAST_FINITE));
        } else if exponent < u32::from(self.base) {
            self.missed += 1;
            if self.missed == PATIENCE {
                self.settle();
                self.missed = 0;
                self.base = base_for(exponent, LAST_FINITE);
            }
        }
        let offset = exponent.wrapping_sub(u32::from(self.base));
        if offset < REACH {
            self.add_near(integer, offset);
        } else {
            let far = self.far.get_or_insert_default();
            far.finite.add(integer, exponent);
        }
    }

    /// Adds `total · 2^(UNIT_EXPONENT + exponent)`: `total` has at most 113 bits, and is the total
    /// of values that are not all zeros and lie at most `octaves` octaves above `exponent`.
    pub(super) fn add_total(&mut self, total: i128, exponent: u32, octaves: u32) {
        let largest = exponent + octaves;
        if self.base == NO_BASE || largest >= u32::from(self.base) + REACH {
            self.raise(base_for(largest, LAST_FINITE));
        }
        let base = u32::from(self.base);
        let addend = if exponent >= base {
            // Above the topmost base, an exponent may be out of reach.
            let up = exponent - base;
            (up <= i128::BITS - 114).then(|| total << up)
        } else {
            words::exactly_shifted_down(split(total), base - exponent).map(joined)
        };
        let Some(addend) = addend else {
            let far = self.far.get_or_insert_default();
            far.finite.add_words(&split(total), exponent);
            return;
        };
        if let Some(near) = self.near().checked_add(addend) {
            self.set_near(near);
        } else {
            self.settle();
            self.set_near(addend);
        }
    }

    /// Moves the reach up to this base.
    fn raise(&mut self, base: u16) {
        if self.base != NO_BASE {
            let up = u32::from(base - self.base);
            match words::exactly_shifted_down(self.near, up) {
                Some(near) => self.near = near,
                None => self.settle(),
            }
        }
        self.base = base;
        self.missed = 0;
    }

    /// Moves the sum in `near` to the superaccumulator.
    fn settle(&mut self) {
        let near = mem::take(&mut self.near);
        let far = self.far.get_or_insert_default();
        far.finite.add_words(&near, u32::from(self.base));
    }

    #[cold]
    #[inline(never)]
    fn settled(mut self) -> ExactSum {
        self.settle();
        self
    }

    /// Adds another sum.
    #[inline]
    pub fn merge(&mut self, other: ExactSum) {
        // Sums of similar values have the same base. Merging such sums takes most of the time when
        // millions of groups are merged.
        if self.base == other.base && other.far.is_none() {
            let (near, overflow) = self.near().overflowing_add(other.near());
            if !overflow {
                self.set_near(near);
                self.zero |= other.zero;
                self.negative_zero |= other.negative_zero;
                return;
            }
        }
        *self = mem::take(self).merged(other);
    }

    #[cold]
    #[inline(never)]
    fn merged(mut self, mut other: ExactSum) -> ExactSum {
        if other.base != NO_BASE {
            if self.base == NO_BASE {
                self.base = other.base;
            }
            let base = self.base.max(other.base);
            self.raise(base);
            other.raise(base);
            match self.near().checked_add(other.near()) {
                Some(near) => self.set_near(near),
                None => other.settle(),
            }
        }
        self.zero |= other.zero;
        self.negative_zero |= other.negative_zero;
        match (&mut self.far, other.far) {
            (Some(far), Some(other)) => far.merge(*other),
            (far @ None, other) => *far = other,
            (Some(_), None) => {}
        }
        self
    }

    /// Returns the sum, rounded once to the nearest `f64`, ties to even.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.over(1)
    }

    /// Returns the sum divided by `count`, rounded once; NaN if `count` is 0.
    #[must_use]
    pub fn over(&self, count: u64) -> f64 {
        if count == 0 {
            return f64::NAN;
        }
        self.not_finite()
            .or_else(|| self.signed_zero())
            .or_else(|| self.near_over(count))
            .unwrap_or_else(|| self.wide().round_over(&[count]))
    }

    /// Returns the sum divided by `count` if the whole sum is in `near` and its base is common.
    /// This fast path matters if there is a sum for each of many groups, or if there are few
    /// records.
    fn near_over(&self, count: u64) -> Option<f64> {
        let near = self.near();
        let magnitude = near.unsigned_abs();
        if magnitude == 0 || !COMMON_BASES.contains(&self.base) || !self.all_near() {
            return None;
        }
        let shift = magnitude.leading_zeros();
        let (dividend, divisor) = (magnitude << shift, u128::from(count));
        // The quotient has at least 64 bits, so its last bit, which represents all bits that
        // follow, cannot make a tie.
        let quotient = (dividend / divisor) | u128::from(dividend % divisor != 0);
        let rounded =
            quotient as f64 * power_of_two(UNIT_EXPONENT + i32::from(self.base) - shift as i32);
        Some(if near < 0 { -rounded } else { rounded })
    }

    /// Whether no finite value was ever out of reach.
    fn all_near(&self) -> bool {
        self.far.as_ref().is_none_or(|far| far.finite.is_empty())
    }

    /// Number of values that are NaN.
    #[must_use]
    pub fn nan(&self) -> u64 {
        self.far.as_ref().map_or(0, |far| far.nan)
    }

    /// Returns the sum if it is not a finite number.
    pub(in crate::aggregation) fn not_finite(&self) -> Option<f64> {
        self.far.as_ref()?.not_finite()
    }

    /// Returns −0 if every value is −0.
    fn signed_zero(&self) -> Option<f64> {
        (self.seen() == FiniteValues::NegativeZeros).then_some(-0.0)
    }

    /// Returns which kinds of finite values were added.
    pub(super) fn seen(&self) -> FiniteValues {
        if self.zero || self.base != NO_BASE || !self.all_near() {
            FiniteValues::Others
        } else if self.negative_zero {
            FiniteValues::NegativeZeros
        } else {
            FiniteValues::Nothing
        }
    }

    /// Returns the sum of the finite values.
    pub(in crate::aggregation) fn wide(&self) -> Wide {
        let near = Wide::of_words(&self.near, i32::from(self.base) + UNIT_EXPONENT);
        match &self.far {
            Some(far) => near.plus(&Wide::of(&far.finite, UNIT_EXPONENT)),
            None => near,
        }
    }
}

/// Returns `significand · 2^offset`. The offset must be within reach. The result is computed in
/// halves because the processor has no fast 128-bit shift, and the compiler does not know that the
/// offset is less than 64.
#[inline]
fn shifted(significand: i64, offset: u32) -> i128 {
    let low = (significand as u64) << (offset % 64);
    let high = significand >> 1 >> (!offset % 64);
    i128::from(high) << 64 | i128::from(low)
}

#[inline]
fn joined([low, high]: [u64; 2]) -> i128 {
    i128::from(high as i64) << 64 | i128::from(low)
}

#[inline]
fn split(number: i128) -> [u64; 2] {
    [number as u64, (number >> 64) as u64]
}

/// Returns 2 to the power of `exponent`, which must be neither subnormal nor infinite.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << FRACTION_BITS)
}

impl Default for ExactSum {
    fn default() -> ExactSum {
        ExactSum::new()
    }
}

#[cfg(test)]
mod tests {
    use super::ExactSum;

    #[test]
    fn the_reach_comes_back_from_a_value_far_too_large() {
        let (mut state, mut without) = (ExactSum::default(), ExactSum::default());
        state.add(1e30);
        for _ in 0..100 {
            state.add(1.0);
            without.add(1.0);
        }
        assert_eq!(state.base, without.base);
    }
}
