//! This arithmetic cannot round: it uses quotients of big integers, and finds the floats nearest to them.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_traits::Signed;

/// Returns a finite score as a whole number of units; a unit is the smallest subnormal, 2⁻¹⁰⁷⁴.
pub fn units(score: f64) -> BigInt {
    let bits = score.to_bits();
    let exponent = bits >> 52 & 0x7ff;
    assert!(exponent < 0x7ff, "a finite score");
    let fraction = BigInt::from(bits & ((1 << 52) - 1));
    let magnitude = match exponent {
        0 => fraction,
        _ => (fraction + (1_u64 << 52)) << (exponent - 1),
    };
    if score.is_sign_negative() {
        -magnitude
    } else {
        magnitude
    }
}

/// A quotient of two integers, which is never rounded.
pub struct Ratio {
    pub above: BigInt,
    pub below: BigInt,
}

impl Ratio {
    pub fn of_units(units: BigInt, divisor: u64) -> Ratio {
        Ratio {
            above: units,
            below: BigInt::from(divisor) << 1074,
        }
    }

    pub fn of_square_units(units: BigInt, divisor: u64) -> Ratio {
        Ratio {
            above: units,
            below: BigInt::from(divisor) << 2148,
        }
    }

    /// Returns the nearest `f64`.
    pub fn nearest(&self) -> f64 {
        let target: BigInt = self.above.abs() << 1074_u32;
        let size = nearest_where(|units, halves| (units * &self.below).cmp(&(&target * halves)));
        size.copysign(if self.above.is_negative() { -1.0 } else { 1.0 })
    }

    /// Returns the `f64` nearest to the square root.
    pub fn nearest_root(&self) -> f64 {
        let target: BigInt = &self.above << 2148_u32;
        nearest_where(|units, halves| {
            (units * units * &self.below).cmp(&(&target * halves * halves))
        })
    }
}

/// Searches for the nearest `f64`, with ties to even. This function shares no code with the rounding under test.
/// `compare` is called with the units of a float (times `halves`), and returns whether the float is below or above
/// the number.
fn nearest_where(compare: impl Fn(&BigInt, u32) -> Ordering) -> f64 {
    // The loop finds the largest float that is not above the number.
    let (mut low, mut high) = (0, f64::INFINITY.to_bits());
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if compare(&units(f64::from_bits(middle)), 1).is_le() {
            low = middle;
        } else {
            high = middle;
        }
    }
    let beyond = if high == f64::INFINITY.to_bits() {
        BigInt::from(1) << (1024 + 1074)
    } else {
        units(f64::from_bits(high))
    };
    let two_half_ways = units(f64::from_bits(low)) + beyond;
    f64::from_bits(match compare(&two_half_ways, 2) {
        Ordering::Greater => low,
        Ordering::Equal => low + (low & 1),
        Ordering::Less => high,
    })
}

pub fn total(scores: &[f64]) -> BigInt {
    scores.iter().map(|&score| units(score)).sum()
}

pub fn squares(scores: &[f64]) -> BigInt {
    scores.iter().map(|&score| units(score).pow(2)).sum()
}

/// Returns `n·Σx² − (Σx)²` in square units.
pub fn spread(scores: &[f64]) -> BigInt {
    squares(scores) * scores.len() as u64 - total(scores).pow(2)
}

pub fn variance(scores: &[f64], freedom: usize) -> Ratio {
    Ratio::of_square_units(spread(scores), scores.len() as u64 * freedom as u64)
}

pub fn same(left: f64, right: f64) -> bool {
    left.to_bits() == right.to_bits()
}
