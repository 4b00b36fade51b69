//! Integers of a few words, lowest word first: additions to them stay in registers, so nearly all
//! values of a sum are added to such integers. Signed integers are in two's complement.

/// Returns the sum, without the bits that overflow the words.
#[inline]
pub(super) fn add<const WORDS: usize>(words: [u64; WORDS], addend: [u64; WORDS]) -> [u64; WORDS] {
    let mut sum = words;
    let mut carry = false;
    for (word, addend) in sum.iter_mut().zip(addend) {
        (*word, carry) = word.carrying_add(addend, carry);
    }
    sum
}

/// Returns the number with the other sign.
pub(super) fn negated<const WORDS: usize>(words: [u64; WORDS]) -> [u64; WORDS] {
    let mut one = [0; WORDS];
    one[0] = 1;
    add(words.map(|word| !word), one)
}

/// Returns the number, sign-extended to `WORDS` words (at least two).
pub(super) fn extended<const WORDS: usize>(number: i128) -> [u64; WORDS] {
    let (low, high) = (number as u64, (number >> 64) as u64);
    let sign = (number >> 127) as u64;
    std::array::from_fn(|place| match place {
        0 => low,
        1 => high,
        _ => sign,
    })
}

/// Returns the product of a number of two words and a number of one word. The top bits of the
/// second word must be free for a carry.
#[inline]
pub(super) fn product([low, high]: [u64; 2], factor: u64) -> [u64; 3] {
    let low = u128::from(low) * u128::from(factor);
    let high = u128::from(high) * u128::from(factor) + (low >> 64);
    [low as u64, high as u64, (high >> 64) as u64]
}

/// Whether a signed integer uses the bit below its sign bit, so that the next addition could
/// overflow.
#[inline]
pub(super) fn outgrown<const WORDS: usize>(words: [u64; WORDS]) -> bool {
    let top = words[WORDS - 1];
    (top ^ (top << 1)) >> 63 != 0
}

/// Returns the product with 2 to the power of `by`, without the bits that overflow the words. `by`
/// must be less than the number of bits.
#[inline]
pub(super) fn shifted_up<const WORDS: usize>(words: [u64; WORDS], by: u32) -> [u64; WORDS] {
    let (whole, rest) = ((by / 64) as usize, by % 64);
    let word = |place: usize| words.get(place.wrapping_sub(whole)).copied().unwrap_or(0);
    std::array::from_fn(|place| {
        word(place) << rest | word(place.wrapping_sub(1)) >> 1 >> (63 - rest)
    })
}

/// Returns the signed integer divided by 2 to the power of `by`, or `None` if the division leaves a
/// remainder.
pub(super) fn exactly_shifted_down<const WORDS: usize>(
    words: [u64; WORDS],
    by: u32,
) -> Option<[u64; WORDS]> {
    let Some(lowest) = words.iter().position(|&word| word != 0) else {
        return Some(words);
    };
    if lowest as u32 * 64 + words[lowest].trailing_zeros() < by {
        return None;
    }
    let sign = (words[WORDS - 1] as i64 >> 63) as u64;
    let word = |place: usize| u128::from(words.get(place).copied().unwrap_or(sign));
    let (whole, rest) = ((by / 64) as usize, by % 64);
    Some(std::array::from_fn(|place| {
        ((word(place + whole) | word(place + whole + 1) << 64) >> rest) as u64
    }))
}
