//! Exact sums of floating-point values. A sum is kept as an integer that is wide enough that
//! nothing is rounded before the end, so the order of adding has no effect.
//!
//! Every finite `f64` is a 53-bit integer times a power of two, and every product of two such
//! values is a 106-bit integer times a power of two. [`ExactSum`] and [`ExactProducts`] add those
//! integers in a few machine words, which hold nearly all values of nearly all data. Values outside
//! their reach go into a superaccumulator of 64-bit limbs, each of which weighs 2³² times as much
//! as the limb below it (Radford M. Neal, *Fast exact summation using small and large
//! superaccumulators*, 2015, <https://arxiv.org/abs/1505.05571>). The superaccumulators here keep
//! only the limbs in use. A sum therefore takes 32 bytes instead of 536, so one per group is
//! affordable. The final value is computed by integer arithmetic and rounded once.

mod digits;
mod moment_slices;
mod moments;
mod near;
mod out_of_reach;
mod products;
mod rounding;
mod slices;
mod state;
mod sum;
mod superaccumulator;
mod wide;
mod words;

pub(super) use moments::ExactMoments;
pub use products::ExactProducts;
pub(super) use state::{Number, PlainSum};
pub use sum::ExactSum;
use superaccumulator::{LIMB_BITS, Superaccumulator};
pub(super) use wide::Wide;

/// Number of bits of the stored significand of an `f64` (IEEE 754-2019, binary64).
const FRACTION_BITS: u32 = 52;
/// The largest exponent field of a finite `f64`.
const LAST_FINITE: u32 = 2046;
/// A normal value is `significand · 2^(exponent field + UNIT_EXPONENT)`. The unit of a significand
/// with exponent field 0 would therefore be 2 to this power if subnormals followed the same rule.
const UNIT_EXPONENT: i32 = -1075;
/// Number of exponents, from the base upwards, that are within reach of the machine words of a sum.
/// With this number, shifting by the difference from the base is a single instruction.
const REACH: u32 = 64;
/// Number of values outside the reach after which the reach moves to the last of these values.
/// Waiting spreads the cost of a move over several values, and keeps the reach where most values
/// are. Otherwise, all values after a single very large value would be slow to add.
const PATIENCE: u8 = 32;
/// The base of a sum without values. It is above every exponent, so that no value is within reach.
const NO_BASE: u16 = 1 << 14;

/// Returns the new base of a sum when a value with this exponent, outside the reach of the sum, is
/// added. The base is a multiple of the width of a limb. At least 32 octaves below the exponent are
/// then within reach, and some above it. The base is never so low or so high that a value that is
/// not normal would seem within reach.
fn base_for(exponent: u32, last: u32) -> u16 {
    ((exponent / LIMB_BITS).clamp(2, last / LIMB_BITS - 1) * LIMB_BITS - LIMB_BITS) as u16
}

/// Returns the exponent field of a value.
#[inline]
fn exponent_field(bits: u64) -> u32 {
    (bits << 1 >> (FRACTION_BITS + 1)) as u32
}

/// Whether the value with this exponent field is finite and has an implicit leading bit. The fast
/// paths take only such values.
#[inline]
fn is_normal(exponent: u32) -> bool {
    exponent.wrapping_sub(1) < LAST_FINITE
}

/// Returns the significand of a normal value without its sign: 53 bits.
#[inline]
fn magnitude(bits: u64) -> u64 {
    bits & ((1 << FRACTION_BITS) - 1) | 1 << FRACTION_BITS
}

/// Returns the signed significand of a normal value: 53 bits and a sign.
#[inline]
fn significand(bits: u64) -> i64 {
    let magnitude = magnitude(bits) as i64;
    let sign = bits as i64 >> 63;
    (magnitude ^ sign) - sign
}

/// Returns the signed significand of a subnormal value or a zero, doubled, so that it weighs
/// `2^UNIT_EXPONENT` like a normal value with exponent field 0.
fn subnormal_significand(bits: u64) -> i64 {
    let magnitude = ((bits & ((1 << FRACTION_BITS) - 1)) << 1) as i64;
    let sign = bits as i64 >> 63;
    (magnitude ^ sign) - sign
}

/// Returns the signed significand of any finite value.
fn any_significand(bits: u64) -> i64 {
    if is_normal(exponent_field(bits)) {
        significand(bits)
    } else {
        subnormal_significand(bits)
    }
}
