//! Signed integers of two or three words, lowest word first, in two's complement: what nearly all
//! of a sum is kept in, because additions to it stay in registers.

/// The sum, and whether it has come near to what the words can hold: within one bit of it. What is
/// added must be short of that by a bit itself.
#[inline]
pub(super) fn add<const WORDS: usize>(
    words: [u64; WORDS],
    addend: [u64; WORDS],
) -> ([u64; WORDS], bool) {
    let mut sum = words;
    let mut carry = false;
    for (word, addend) in sum.iter_mut().zip(addend) {
        (*word, carry) = word.carrying_add(addend, carry);
    }
    let top = sum[WORDS - 1];
    (sum, (top ^ (top << 1)) >> 63 != 0)
}

/// The integer divided by 2 to a power, where that leaves no remainder.
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

/// Whether the integer is 0.
#[inline]
pub(super) fn is_zero<const WORDS: usize>(words: [u64; WORDS]) -> bool {
    words == [0; WORDS]
}
