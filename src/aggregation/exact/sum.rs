//! The exact sum of values.

use std::mem;
use std::ops::RangeInclusive;

use super::{
    FRACTION_BITS, UNIT_EXPONENT, Wide, Window, exponent_field, is_normal, plain::Seen,
    significand, subnormal_significand, window::LIMB_BITS,
};

/// The sum of any number of `f64` values without any rounding, in whatever order they come.
///
/// A state takes 80 bytes, and 8 more for every 32 octaves that values lie outside the 64 octaves of
/// the usual ones. Adding costs about two ordered `+=`; see `benches/aggregators.rs`.
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
#[derive(Debug, Clone)]
#[must_use]
pub struct ExactSum {
    /// The sum of the values within reach of `base`, counting `2^(UNIT_EXPONENT + base)`. Nearly
    /// all values of nearly all data are; adding them is integer arithmetic in registers, where the
    /// window would wait for memory each time.
    near: i128,
    /// The least exponent field within reach: a multiple of 32, and never so low or so high that a
    /// subnormal or an infinity would seem within reach.
    base: u32,
    /// The sum of all other values, and of what outgrew `near`.
    pub(super) far: Window,
    pub(super) zero: bool,
    pub(super) negative_zero: bool,
    pub(super) nan: u64,
    pub(super) infinite: u64,
    pub(super) negative_infinite: u64,
}

/// Exponents from `base` on that are within reach. A value then takes at most 53 + 63 bits of
/// `near`, so it overflows once in a thousand additions at the most.
const REACH: u32 = 64;
/// Bases so far from both ends of the exponents that no quotient of what is near by any count is
/// subnormal or infinite.
const COMMON_BASES: RangeInclusive<u32> = 256..=1_800;
/// The base of a sum that has seen nothing: above every exponent, so that none is within reach.
const NO_BASE: u32 = 1 << 12;

impl ExactSum {
    /// The sum of nothing.
    pub fn new() -> ExactSum {
        ExactSum {
            near: 0,
            base: NO_BASE,
            far: Window::default(),
            zero: false,
            negative_zero: false,
            nan: 0,
            infinite: 0,
            negative_infinite: 0,
        }
    }

    /// Adds a value.
    #[inline]
    pub fn add(&mut self, value: f64) {
        let bits = value.to_bits();
        let offset = exponent_field(bits).wrapping_sub(self.base);
        if offset < REACH {
            let addend = shifted(significand(bits), offset);
            let (near, overflow) = self.near.overflowing_add(addend);
            self.near = near;
            if overflow {
                self.far = mem::take(&mut self.far).with_overflow(near, self.base);
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
    fn with_far(mut self, bits: u64) -> ExactSum {
        let value = f64::from_bits(bits);
        let exponent = exponent_field(bits);
        if value.is_nan() {
            self.nan += 1;
        } else if value == f64::INFINITY {
            self.infinite += 1;
        } else if value == f64::NEG_INFINITY {
            self.negative_infinite += 1;
        } else if is_normal(exponent) {
            self.far.add(significand(bits), exponent);
            self.reach_for(exponent);
        } else {
            self.far.add(subnormal_significand(bits), 0);
        }
        self
    }

    /// Moves the reach up to this exponent if it is above, or the first. Never down: data with large
    /// and small values in turn would move it with every one.
    fn reach_for(&mut self, exponent: u32) {
        if self.base == NO_BASE || exponent > self.base {
            self.settle();
            self.base = (exponent / LIMB_BITS).clamp(2, 62) * LIMB_BITS - LIMB_BITS;
        }
    }

    /// Puts what is near with the far.
    fn settle(&mut self) {
        if self.near != 0 {
            self.far.add_product(mem::take(&mut self.near), self.base);
        }
    }

    /// Adds another sum.
    pub fn merge(&mut self, mut other: ExactSum) {
        if self.base == NO_BASE {
            self.base = other.base;
        }
        match self.near.checked_add(other.near) {
            Some(near) if self.base == other.base || other.base == NO_BASE => self.near = near,
            _ => other.settle(),
        }
        self.far.merge(other.far);
        self.zero |= other.zero;
        self.negative_zero |= other.negative_zero;
        self.nan += other.nan;
        self.infinite += other.infinite;
        self.negative_infinite += other.negative_infinite;
    }

    /// The sum, rounded once to the nearest `f64`, ties to even.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.over(1)
    }

    /// The sum divided by `count`, rounded once; NaN where `count` is 0.
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

    /// The quotient where all of the sum is near and of common size: the short way for most sums,
    /// which counts where there is one for each of many groups, or few records in all.
    fn near_over(&self, count: u64) -> Option<f64> {
        let magnitude = self.near.unsigned_abs();
        if magnitude == 0 || !COMMON_BASES.contains(&self.base) || !self.far.is_empty() {
            return None;
        }
        let shift = magnitude.leading_zeros();
        let (dividend, divisor) = (magnitude << shift, u128::from(count));
        // At least 64 bits, so a last bit that stands for all that follow cannot make a tie.
        let quotient = (dividend / divisor) | u128::from(dividend % divisor != 0);
        let rounded =
            quotient as f64 * power_of_two(UNIT_EXPONENT + self.base as i32 - shift as i32);
        Some(if self.near < 0 { -rounded } else { rounded })
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
        (self.seen() == Seen::NegativeZeros).then_some(-0.0)
    }

    /// Which finite values were added.
    pub(super) fn seen(&self) -> Seen {
        if self.zero || self.base != NO_BASE || !self.far.is_empty() {
            Seen::Others
        } else if self.negative_zero {
            Seen::NegativeZeros
        } else {
            Seen::Nothing
        }
    }

    /// The finite values' sum.
    pub(in crate::aggregation) fn wide(&self) -> Wide {
        let mut all = self.far.clone();
        if self.near != 0 {
            all.add_product(self.near, self.base);
        }
        Wide::of(&all, UNIT_EXPONENT)
    }
}

/// `significand · 2^offset`, for an offset within reach. Written out in halves because the processor
/// has no fast shift of 128 bits, and none that knows the offset to be less than 64.
#[inline]
fn shifted(significand: i64, offset: u32) -> i128 {
    let low = (significand as u64) << (offset % 64);
    let high = significand >> 1 >> (!offset % 64);
    i128::from(high) << 64 | i128::from(low)
}

/// 2 to a power that is neither subnormal nor infinite.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << FRACTION_BITS)
}

impl Default for ExactSum {
    fn default() -> ExactSum {
        ExactSum::new()
    }
}
