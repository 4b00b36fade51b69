//! Exact sums of floating-point values: integers wide enough that nothing is ever rounded before
//! the end, so the order of adding cannot show.
//!
//! Every finite `f64` is a 53-bit integer times a power of two. [`ExactSum`] and [`ExactSquares`]
//! add those integers into a window of 64-bit limbs that each weigh 2³² times the one below,
//! which is the layout of Neal's small superaccumulator (Radford M. Neal, *Fast exact summation
//! using small and large superaccumulators*, 2015, <https://arxiv.org/abs/1505.05571>) except that
//! only the limbs in use are kept: a state is some 100 bytes instead of 536, which is what makes a
//! sum per group affordable. The finish is integer arithmetic and one rounding.

mod plain;
mod squares;
mod sum;
mod wide;
mod window;

pub(super) use plain::{Number, PlainSum};
pub use squares::ExactSquares;
pub use sum::ExactSum;
pub(super) use wide::Wide;
use window::Window;

/// Bits of the stored significand of an `f64` (IEEE 754-2019, binary64).
const FRACTION_BITS: u32 = 52;
/// The largest exponent field of a finite `f64`.
const LAST_FINITE: u32 = 2046;
/// The weight of a significand whose exponent field is 0 would be 2 to this power, if subnormals
/// went on the way normal values do: a normal value is `significand · 2^(exponent field + this)`.
const UNIT_EXPONENT: i32 = -1075;

/// The exponent field of a value.
#[inline]
fn exponent_field(bits: u64) -> u32 {
    (bits << 1 >> (FRACTION_BITS + 1)) as u32
}

/// Whether the value with this exponent field is finite and has an implicit leading bit, which is
/// the only kind that the fast paths take.
#[inline]
fn is_normal(exponent: u32) -> bool {
    exponent.wrapping_sub(1) < LAST_FINITE
}

/// The signed significand of a normal value: 53 bits and a sign.
#[inline]
fn significand(bits: u64) -> i64 {
    let magnitude = (bits & ((1 << FRACTION_BITS) - 1) | 1 << FRACTION_BITS) as i64;
    let sign = bits as i64 >> 63;
    (magnitude ^ sign) - sign
}

/// The signed significand of a subnormal value or a zero, doubled, so that it weighs
/// `2^UNIT_EXPONENT` as if its exponent field of 0 meant what it says.
fn subnormal_significand(bits: u64) -> i64 {
    let magnitude = ((bits & ((1 << FRACTION_BITS) - 1)) << 1) as i64;
    let sign = bits as i64 >> 63;
    (magnitude ^ sign) - sign
}
