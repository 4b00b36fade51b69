//! Integers of any width, for the finish of the exact aggregators: a few digits, sign and
//! magnitude, and one rounding to `f64`. No crate of big integers is worth its compile time for
//! five short functions.

use std::cmp::Ordering;

use super::window::{LIMB_BITS, Window};

/// A signed integer times a power of two.
#[derive(Debug, Clone)]
pub(in crate::aggregation) struct Wide {
    negative: bool,
    /// The magnitude in base 2³², lowest digit first, without zeros on top.
    digits: Vec<u32>,
    /// The power of two that the lowest digit counts.
    exponent: i32,
}

impl Wide {
    /// What a window has come to, where position 0 weighs `2^unit`.
    pub(super) fn of(window: &Window, unit: i32) -> Wide {
        let mut carry = 0_i128;
        let mut digits: Vec<u32> = Vec::with_capacity(window.limbs().len() + 2);
        for &limb in window.limbs() {
            carry += i128::from(limb);
            digits.push(carry as u32);
            carry >>= LIMB_BITS;
        }
        digits.extend([carry as u32, (carry >> LIMB_BITS) as u32]);
        let negative = carry < 0;
        if negative {
            negate(&mut digits);
        }
        let exponent = i32::from(window.base()) * LIMB_BITS as i32 + unit;
        Wide::new(negative, digits, exponent)
    }

    /// A signed integer of words, lowest first, times `2^exponent`.
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

    /// The product with a whole number.
    pub(in crate::aggregation) fn times(&self, factor: u64) -> Wide {
        let factor = [factor as u32, (factor >> LIMB_BITS) as u32];
        let digits = multiply(&self.digits, &factor);
        Wide::new(self.negative, digits, self.exponent)
    }

    /// The square.
    pub(in crate::aggregation) fn squared(&self) -> Wide {
        let digits = multiply(&self.digits, &self.digits);
        Wide::new(false, digits, 2 * self.exponent)
    }

    /// The sum.
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

    /// The difference.
    pub(in crate::aggregation) fn minus(&self, other: &Wide) -> Wide {
        self.plus(&Wide {
            negative: !other.negative,
            ..other.clone()
        })
    }

    /// The nearest `f64`, ties to even; beyond the largest, an infinity.
    pub(in crate::aggregation) fn round(&self) -> f64 {
        round(self.negative, &self.digits, self.exponent)
    }

    /// The nearest `f64` to this number divided by all the divisors, rounded once. No divisor may
    /// be 0.
    pub(in crate::aggregation) fn round_over(&self, divisors: &[u64]) -> f64 {
        // Enough digits below that cutting off the rest cannot show. With d bits in all divisors
        // together, the middle between two floats lies at most 54 + d bits below the lowest digit,
        // and a quotient that is off it is off by at least 2^-(54 + 2d) of that digit, which leaves
        // a bit in what is kept. The floor of a floor is the floor of the whole, so dividing step by
        // step loses nothing either.
        let spare_digits = 2 + 4 * divisors.len();
        let mut digits = vec![0; spare_digits];
        digits.extend_from_slice(&self.digits);
        let exponent = self.exponent - spare_digits as i32 * LIMB_BITS as i32;
        for &divisor in divisors {
            divide(&mut digits, divisor);
        }
        round(self.negative, &digits, exponent)
    }

    /// The digits when the lowest counts `2^exponent`, which is no more than it does.
    fn digits_from(&self, exponent: i32) -> Vec<u32> {
        let up = (self.exponent - exponent) as u32;
        let mut digits = vec![0; (up / LIMB_BITS) as usize];
        let shift = up % LIMB_BITS;
        let mut below = 0;
        for &digit in &self.digits {
            digits.push(digit << shift | below);
            below = (u64::from(digit) << shift >> LIMB_BITS) as u32;
        }
        digits.push(below);
        digits
    }
}

/// Two's complement to its opposite.
fn negate(digits: &mut [u32]) {
    let mut carry = true;
    for digit in digits {
        (*digit, carry) = (!*digit).overflowing_add(u32::from(carry));
    }
}

fn multiply(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut digits = vec![0_u32; a.len() + b.len()];
    for (place, &left) in a.iter().enumerate() {
        let mut carry = 0_u64;
        for (digit, &right) in digits[place..].iter_mut().zip(b) {
            carry += u64::from(left) * u64::from(right) + u64::from(*digit);
            *digit = carry as u32;
            carry >>= LIMB_BITS;
        }
        digits[place + b.len()] = carry as u32;
    }
    digits
}

fn add(a: &[u32], b: &[u32]) -> Vec<u32> {
    let (longer, shorter) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let addends = shorter.iter().chain(std::iter::repeat(&0));
    let mut carry = 0_u64;
    let mut digits = Vec::with_capacity(longer.len() + 1);
    for (&left, &right) in longer.iter().zip(addends) {
        carry += u64::from(left) + u64::from(right);
        digits.push(carry as u32);
        carry >>= LIMB_BITS;
    }
    digits.push(carry as u32);
    digits
}

/// `a − b`, where `a ≥ b`.
fn subtract(a: &[u32], b: &[u32]) -> Vec<u32> {
    let subtrahends = b.iter().chain(std::iter::repeat(&0));
    let mut borrow = 0_i64;
    a.iter()
        .zip(subtrahends)
        .map(|(&left, &right)| {
            borrow += i64::from(left) - i64::from(right);
            let digit = borrow as u32;
            borrow >>= LIMB_BITS;
            digit
        })
        .collect()
}

/// Which magnitude is larger.
fn compare(a: &[u32], b: &[u32]) -> Ordering {
    let digit = |digits: &[u32], place: usize| digits.get(place).copied().unwrap_or(0);
    (0..a.len().max(b.len()))
        .rev()
        .map(|place| digit(a, place).cmp(&digit(b, place)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Divides in place, and drops the remainder.
fn divide(digits: &mut [u32], divisor: u64) {
    let mut remainder = 0_u64;
    for digit in digits.iter_mut().rev() {
        let dividend = u128::from(remainder) << LIMB_BITS | u128::from(*digit);
        // Nearly every divisor is a count far under 2³², and the 64-bit division it then takes is
        // several times faster than the 128-bit one.
        if let Ok(dividend) = u64::try_from(dividend) {
            *digit = (dividend / divisor) as u32;
            remainder = dividend % divisor;
        } else {
            *digit = (dividend / u128::from(divisor)) as u32;
            remainder = (dividend % u128::from(divisor)) as u64;
        }
    }
}

/// The nearest `f64` to `±digits · 2^exponent`.
fn round(negative: bool, digits: &[u32], exponent: i32) -> f64 {
    let sign = if negative { -1.0 } else { 1.0 };
    let Some(top) = digits.iter().rposition(|&digit| digit != 0) else {
        return 0.0_f64.copysign(sign);
    };
    let top_bit = (top as u32 * LIMB_BITS + digits[top].ilog2()) as i32;
    // The bit of `digits` that becomes the last bit of the significand: the 53rd from the top, but
    // never below what the smallest subnormal counts.
    let last_bit = (top_bit - 52).max(-1074 - exponent);
    let mut significand = bits_from(digits, last_bit);
    if last_bit > 0 && bits_from(digits, last_bit - 1) & 1 == 1 {
        let above_half = any_bit_below(digits, last_bit - 1);
        significand += u64::from(above_half || significand & 1 == 1);
    }
    // Adding (rather than combining) the fields lets the significand's leading bit, and a carry out
    // of rounding, step the exponent up by themselves; a subnormal has no leading bit to add.
    let exponent_below = last_bit + exponent + 1074;
    if exponent_below > 2046 {
        return f64::INFINITY.copysign(sign);
    }
    let bits = ((exponent_below as u64) << 52) + significand;
    f64::from_bits(bits.min(f64::INFINITY.to_bits())).copysign(sign)
}

/// The digits as bits, shifted so that bit `from` comes first; bits past the 64th are cut off.
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
