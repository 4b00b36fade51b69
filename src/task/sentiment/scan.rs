//! From bytes to tokens, in one pass.

use super::casing::is_upper;
use super::lexicon::{Lexicon, Token};
use super::lookup::{KEY_BYTES, key};

/// Bytes looked at together, one bit of a mask each.
const BLOCK: usize = 64;

/// How many tokens the rules look back and ahead.
pub(super) const BACK: usize = 3;
pub(super) const AHEAD: usize = 2;

const PUNCTUATION: u8 = 1;
const LOWERCASE: u8 = 2;

const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        let b = byte as u8;
        class[byte] =
            b.is_ascii_punctuation() as u8 * PUNCTUATION + b.is_ascii_lowercase() as u8 * LOWERCASE;
        byte += 1;
    }
    class
};

/// What the rules need to know of the text as a whole.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Census {
    pub(super) tokens: usize,
    /// Tokens in capitals.
    pub(super) upper: usize,
    pub(super) exclamations: usize,
    pub(super) questions: usize,
}

/// Lists the tokens of a translated text, with [`BACK`] before and [`AHEAD`] after that stand for
/// what is not there.
pub(super) fn scan(text: &str, lexicon: &Lexicon, tokens: &mut Vec<Token>) -> Census {
    let text = text.as_bytes();
    tokens.clear();
    tokens.extend([Token::BEFORE; BACK]);
    let mut census = Census::default();
    let mut start = 0;
    // Whether the byte before the block ends a token or stands between tokens.
    let mut spaced = true;
    // Whether the token that runs into the block contained "n't" before it.
    let mut contracted = false;
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    let mut last = [b' '; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    for (at, block) in blocks.iter().chain([&last]).enumerate() {
        let base = at * BLOCK;
        let spaces = mask(block, is_space);
        let marks = if block
            .iter()
            .fold(false, |any, &b| any | matches!(b, b'!' | b'\'' | b'?'))
        {
            census.exclamations += block.iter().filter(|&&b| b == b'!').count();
            census.questions += block.iter().filter(|&&b| b == b'?').count();
            contractions(text, base, mask(block, |b| b == b'\''))
        } else {
            0
        };
        let mut marks = marks;
        let before = spaces << 1 | u64::from(spaced);
        let mut starts = !spaces & before;
        let mut ends = spaces & !before;
        if spaced {
            start = base + starts.trailing_zeros() as usize;
            starts &= starts.wrapping_sub(1);
        }
        while ends != 0 {
            let end = base + ends.trailing_zeros() as usize;
            let earlier = marks & (ends & ends.wrapping_neg()).wrapping_sub(1);
            marks ^= earlier;
            let (word, upper) = read(text, start, end, lexicon);
            tokens.push(Token::new(word, contracted | (earlier != 0), upper));
            census.upper += usize::from(upper);
            contracted = false;
            ends &= ends - 1;
            start = base + starts.trailing_zeros() as usize;
            starts &= starts.wrapping_sub(1);
        }
        contracted |= marks != 0;
        spaced = spaces >> (BLOCK - 1) != 0;
    }
    // The padding ends a last token unless the text fills its last block: then the block after it
    // is all padding. Either way none is left open.
    census.tokens = tokens.len() - BACK;
    tokens.extend([Token::UNKNOWN; AHEAD]);
    census
}

/// The number of a token's word, and whether it is in capitals.
#[inline]
fn read(text: &[u8], start: usize, end: usize, lexicon: &Lexicon) -> (u16, bool) {
    let is_punctuation = |at: usize| CLASS[usize::from(text[at])] & PUNCTUATION != 0;
    // One mark after a word is too common to predict, so it is taken off without a branch.
    let mut first = start;
    let mut past = end - usize::from(is_punctuation(end - 1));
    if is_punctuation(first) | is_punctuation(past.max(start + 1) - 1) {
        (first, past) = strip(text, start, end);
    }
    // Punctuation has no case, so the question is settled before what follows.
    let upper = first < past
        && CLASS[usize::from(text[past - 1])] & LOWERCASE == 0
        && is_upper(&text[first..past]);
    // What leaves little without its punctuation may be an emoticon. The reference counts
    // characters; bytes will do, as nothing in the lexicon goes beyond ASCII.
    let is_short = past - first <= 2;
    first = if is_short { start } else { first };
    past = if is_short { end } else { past };
    let length = past - first;
    let word = if length <= KEY_BYTES {
        lexicon.words().number(key(load(text, first), length))
    } else {
        lexicon.words().number_of_long(&text[first..past])
    };
    (word, upper)
}

/// Where a token begins and ends without the punctuation on either side.
fn strip(text: &[u8], mut first: usize, mut past: usize) -> (usize, usize) {
    let is_punctuation = |at: usize| CLASS[usize::from(text[at])] & PUNCTUATION != 0;
    while first < past && is_punctuation(past - 1) {
        past -= 1;
    }
    while first < past && is_punctuation(first) {
        first += 1;
    }
    (first, past)
}

/// The bytes from `first` on; what lies beyond the text is of no account.
#[inline]
fn load(text: &[u8], first: usize) -> [u8; KEY_BYTES] {
    if let Some(bytes) = text[first..].first_chunk() {
        return *bytes;
    }
    if let Some(bytes) = text.last_chunk() {
        let beyond = first + KEY_BYTES - text.len();
        return (u128::from_le_bytes(*bytes) >> (8 * beyond)).to_le_bytes();
    }
    let mut bytes = [0; KEY_BYTES];
    bytes[..text.len() - first].copy_from_slice(&text[first..]);
    bytes
}

/// White space as Python's `str.split` knows it, so far as it is ASCII: the separators U+001C to
/// U+001F are part of it.
#[inline]
fn is_space(byte: u8) -> bool {
    byte == b' ' || byte.wrapping_sub(b'\t') < 5 || byte.wrapping_sub(0x1c) < 4
}

/// One bit for each byte of the block, the first byte lowest.
#[inline]
fn mask(block: &[u8; BLOCK], is: impl Fn(u8) -> bool) -> u64 {
    let mut flags = [0; BLOCK];
    for (flag, &byte) in flags.iter_mut().zip(block) {
        *flag = u8::from(is(byte));
    }
    let mut mask = 0;
    // The multiplication moves bit 8i to bit 56 + i, and no two meet on the way.
    for (at, eight) in flags.as_chunks().0.iter().enumerate() {
        let packed = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        mask |= packed << (8 * at);
    }
    mask
}

/// Keeps the apostrophes of a block that stand in "n't".
fn contractions(text: &[u8], base: usize, apostrophes: u64) -> u64 {
    let mut kept = 0;
    let mut left = apostrophes;
    while left != 0 {
        let bit = left & left.wrapping_neg();
        let at = base + bit.trailing_zeros() as usize;
        let letter = |at: usize| text.get(at).map(u8::to_ascii_lowercase);
        if at > 0 && letter(at - 1) == Some(b'n') && letter(at + 1) == Some(b't') {
            kept |= bit;
        }
        left ^= bit;
    }
    kept
}
