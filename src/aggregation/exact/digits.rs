//! Arithmetic on magnitudes of any width, in base 2³², lowest digit first.

use std::cmp::Ordering;

use super::LIMB_BITS;

/// Negates a number in two's complement.
pub(super) fn negate(digits: &mut [u32]) {
    let mut carry = true;
    for digit in digits {
        (*digit, carry) = (!*digit).overflowing_add(u32::from(carry));
    }
}

pub(super) fn multiply(a: &[u32], b: &[u32]) -> Vec<u32> {
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

pub(super) fn add(a: &[u32], b: &[u32]) -> Vec<u32> {
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

/// Returns `a − b`. `a` must not be less than `b`.
pub(super) fn subtract(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut difference = a.to_vec();
    subtract_from(&mut difference, b);
    difference
}

/// Subtracts `b` from `a`. `a` must not be less than `b`.
fn subtract_from(a: &mut [u32], b: &[u32]) {
    let mut borrow = 0_i64;
    for (digit, &subtrahend) in a.iter_mut().zip(b.iter().chain(std::iter::repeat(&0))) {
        borrow += i64::from(*digit) - i64::from(subtrahend);
        *digit = borrow as u32;
        borrow >>= LIMB_BITS;
    }
}

/// Compares two magnitudes.
pub(super) fn compare(a: &[u32], b: &[u32]) -> Ordering {
    let digit = |digits: &[u32], place: usize| digits.get(place).copied().unwrap_or(0);
    (0..a.len().max(b.len()))
        .rev()
        .map(|place| digit(a, place).cmp(&digit(b, place)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Divides in place, and returns the remainder.
pub(super) fn divide(digits: &mut [u32], divisor: u64) -> u64 {
    let mut remainder = 0_u64;
    for digit in digits.iter_mut().rev() {
        let dividend = u128::from(remainder) << LIMB_BITS | u128::from(*digit);
        // Nearly every divisor is a count far below 2³², for which the 64-bit division is several
        // times faster than the 128-bit one.
        if let Ok(dividend) = u64::try_from(dividend) {
            *digit = (dividend / divisor) as u32;
            remainder = dividend % divisor;
        } else {
            *digit = (dividend / u128::from(divisor)) as u32;
            remainder = (dividend % u128::from(divisor)) as u64;
        }
    }
    remainder
}

/// Number of bits of the number: the place of its highest bit, counted from 1.
pub(super) fn bits(digits: &[u32]) -> u32 {
    let top = digits.iter().rposition(|&digit| digit != 0);
    top.map_or(0, |top| top as u32 * LIMB_BITS + digits[top].ilog2() + 1)
}

/// Returns the number times 2 to the power of `by`.
pub(super) fn shifted_up(digits: &[u32], by: u32) -> Vec<u32> {
    let mut shifted = vec![0; (by / LIMB_BITS) as usize];
    let shift = by % LIMB_BITS;
    let mut below = 0;
    for &digit in digits {
        shifted.push(digit << shift | below);
        below = (u64::from(digit) << shift >> LIMB_BITS) as u32;
    }
    shifted.push(below);
    shifted
}

/// Returns the quotient, and whether the division leaves no remainder. The divisor must not be 0.
///
/// The division works bit by bit. It is needed only once per answer, and the code of the fastest
/// algorithm for long division (Knuth's D) is several times as long.
pub(super) fn quotient(dividend: &[u32], divisor: &[u32]) -> (Vec<u32>, bool) {
    let mut remainder = Vec::with_capacity(divisor.len() + 1);
    let mut quotient = vec![0; dividend.len()];
    for place in (0..bits(dividend)).rev() {
        let (digit, bit) = ((place / LIMB_BITS) as usize, place % LIMB_BITS);
        double(&mut remainder, dividend[digit] >> bit & 1);
        if compare(&remainder, divisor).is_ge() {
            subtract_from(&mut remainder, divisor);
            quotient[digit] |= 1 << bit;
        }
    }
    (quotient, remainder.iter().all(|&digit| digit == 0))
}

/// Doubles a number in place, and adds a bit at the bottom.
fn double(digits: &mut Vec<u32>, bit: u32) {
    let mut carry = bit;
    for digit in digits.iter_mut() {
        (*digit, carry) = (*digit << 1 | carry, *digit >> (LIMB_BITS - 1));
    }
    if carry != 0 {
        digits.push(carry);
    }
}
