//! Exact sums of floating-point values: integers wide enough that nothing is ever rounded before
//! the end, so the order of adding cannot show.
//!
//! Every finite `f64` is a 53-bit integer times a power of two, and every product of two is one of
//! 106 bits. [`ExactSum`] and [`ExactProducts`] add those integers into a few machine words, where
//! nearly all values of nearly all data fit. What lies outside their reach goes into a window of
//! 64-bit limbs that each weigh 2³² times the one below: the layout of Neal's small superaccumulator
//! (Radford M. Neal, *Fast exact summation using small and large superaccumulators*, 2015,
//! <https://arxiv.org/abs/1505.05571>), except that only the limbs in use are kept. A sum is 32
//! bytes instead of 536 then, which is what makes one per group affordable. The finish is integer
//! arithmetic and one rounding.

mod digits;
mod moment_slices;
mod moments;
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

/// Bits of the stored significand of an `f64` (IEEE 754-2019, binary64).
const FRACTION_BITS: u32 = 52;
/// The largest exponent field of a finite `f64`.
const LAST_FINITE: u32 = 2046;
/// The weight of a significand whose exponent field is 0 would be 2 to this power, if subnormals
/// went on the way normal values do: a normal value is `significand · 2^(exponent field + this)`.
const UNIT_EXPONENT: i32 = -1075;
/// Exponents from a base on that are within reach of the near part of a sum, so that shifting by
/// the difference is one step of the processor.
const REACH: u32 = 64;
/// Values that are slow to add, since they are out of place, after which the place is moved to the
/// last of them: the cost of one move, spread out. So it stays about where most values are; without
/// it, all that come after a single value far too large would be slow.
const PATIENCE: u8 = 32;
/// The base of a sum that has seen nothing: above every exponent, so that none is within reach.
const NO_BASE: u16 = 1 << 14;

/// The base for a sum that meets this exponent out of its reach: a multiple of the limbs' width,
/// with 32 octaves of reach below the exponent and room above it. Never at either end, where a value
/// that is not normal would seem within reach.
fn base_for(exponent: u32, last: u32) -> u16 {
    ((exponent / LIMB_BITS).clamp(2, last / LIMB_BITS - 1) * LIMB_BITS - LIMB_BITS) as u16
}

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

/// The significand of a normal value without its sign: 53 bits.
#[inline]
fn magnitude(bits: u64) -> u64 {
    bits & ((1 << FRACTION_BITS) - 1) | 1 << FRACTION_BITS
}

/// The signed significand of a normal value: 53 bits and a sign.
#[inline]
fn significand(bits: u64) -> i64 {
    let magnitude = magnitude(bits) as i64;
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

/// The signed significand of any finite value.
fn any_significand(bits: u64) -> i64 {
    if is_normal(exponent_field(bits)) {
        significand(bits)
    } else {
        subnormal_significand(bits)
    }
}
