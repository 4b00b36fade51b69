//! The single rounding of an exact number.

use super::{LIMB_BITS, digits};

/// Returns the nearest `f64` to `±digits · 2^exponent`.
pub(super) fn round(negative: bool, digits: &[u32], exponent: i32) -> f64 {
    let sign = if negative { -1.0 } else { 1.0 };
    let Some(top) = digits.iter().rposition(|&digit| digit != 0) else {
        return 0.0_f64.copysign(sign);
    };
    let top_bit = (top as u32 * LIMB_BITS + digits[top].ilog2()) as i32;
    // The bit of `digits` that becomes the last bit of the significand: the 53rd from the top, but
    // never below the unit of the smallest subnormal.
    let last_bit = (top_bit - 52).max(-1074 - exponent);
    let mut significand = bits_from(digits, last_bit);
    if last_bit > 0 && bits_from(digits, last_bit - 1) & 1 == 1 {
        let above_half = any_bit_below(digits, last_bit - 1);
        significand += u64::from(above_half || significand & 1 == 1);
    }
    // The fields are added instead of combined bit by bit, so that the significand's leading bit
    // and a carry from rounding increase the exponent. A subnormal has no leading bit to add.
    let exponent_below = last_bit + exponent + 1074;
    if exponent_below > 2046 {
        return f64::INFINITY.copysign(sign);
    }
    let bits = ((exponent_below as u64) << 52) + significand;
    f64::from_bits(bits.min(f64::INFINITY.to_bits())).copysign(sign)
}

/// Returns the nearest `f64` to the square root of `square · 2^exponent`. If `exact` is false, the
/// true number under the root is larger than this product, by less than one unit of the lowest
/// digit of `square`. `square` should have at least 124 bits. Its root then has 62 bits, and one
/// more bit represents everything that is cut off, so that no false tie can arise.
pub(super) fn round_root(square: &[u32], exact: bool, exponent: i32) -> f64 {
    let cut = digits::bits(square).saturating_sub(127) as i32;
    let cut_off = !exact || any_bit_below(square, cut);
    let bits = |from: i32| u128::from(bits_from(square, from));
    let (mut square, mut exponent) = (bits(cut) | bits(cut + 64) << 64, exponent + cut);
    if exponent % 2 != 0 {
        square <<= 1;
        exponent -= 1;
    }
    let root = square.isqrt();
    let inexact = cut_off || root * root != square;
    let root = root << 1 | u128::from(inexact);
    let digits = [root as u32, (root >> 32) as u32, (root >> 64) as u32];
    round(false, &digits, exponent / 2 - 1)
}

/// Returns 64 bits of the digits, beginning with bit `from` as the lowest. Higher bits are cut off.
fn bits_from(digits: &[u32], from: i32) -> u64 {
    let digit = |place: i32| {
        let place = usize::try_from(place).ok();
        u128::from(
            place
                .and_then(|place| digits.get(place))
                .copied()
                .unwrap_or(0),
        )
    };
    let place = from.div_euclid(LIMB_BITS as i32);
    let shift = from.rem_euclid(LIMB_BITS as i32);
    let window = digit(place) | digit(place + 1) << 32 | digit(place + 2) << 64;
    (window >> shift) as u64
}

/// Whether any bit below bit `end` is set.
fn any_bit_below(digits: &[u32], end: i32) -> bool {
    let (whole, rest) = (end as usize / 32, end as usize % 32);
    let partly = digits.get(whole).copied().unwrap_or(0);
    partly & ((1 << rest) - 1) != 0 || digits.iter().take(whole).any(|&digit| digit != 0)
}
