//! From bytes to tokens.
//!
//! A mask of the spaces in 64 bytes tells where tokens start and end, whatever their lengths, so
//! that the only branch nobody can predict is how many end among the 64. What else is frequent and
//! irregular (a comma after a word, a word the lexicon knows) is a selection instead of a branch;
//! the compiler turns masks made by hand back into branches, hence `select_unpredictable`.

use memchr::memchr_iter;
use std::hint::select_unpredictable;

use super::casing::is_upper;
use super::lexicon::{Lexicon, Token};
use super::lookup::{KEY_BYTES, key};

/// Bytes looked at together, one bit of a mask each.
const BLOCK: usize = 64;

/// How many tokens the rules look back and ahead.
pub(super) const BACK: usize = 3;
pub(super) const AHEAD: usize = 2;

/// Classes of bytes.
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
/// what is not there. Leaves the lowercase text in `lower`.
pub(super) fn scan(
    text: &str,
    lexicon: &Lexicon,
    lower: &mut Vec<u8>,
    tokens: &mut Vec<Token>,
) -> Census {
    let text = text.as_bytes();
    lower.clear();
    lower.extend_from_slice(text);
    lower.make_ascii_lowercase();
    // The first space ends the last token. The others fill its block, and let a key be read from
    // where the last token starts.
    lower.extend([b' '; BLOCK + KEY_BYTES]);

    tokens.clear();
    tokens.extend([Token::BEFORE; BACK]);
    let mut upper = 0;
    let mut start = 0;
    // Whether the byte before the block is a space, or what precedes the text.
    let mut spaced = true;
    let mut contractions = contractions(lower);
    let mut next_contraction = contractions.next();
    // Whether the token that runs into the block contained "n't" before it.
    let mut contracted = false;
    let (blocks, _) = lower[..text.len() + BLOCK].as_chunks::<BLOCK>();
    for (at, block) in blocks.iter().enumerate() {
        let base = at * BLOCK;
        let spaces = spaces(block);
        let before = spaces << 1 | u64::from(spaced);
        let mut starts = !spaces & before;
        let mut ends = spaces & !before;
        let (listed, ended) = (tokens.len(), ends);
        if spaced {
            start = base + starts.trailing_zeros() as usize;
            starts &= starts.wrapping_sub(1);
        }
        while ends != 0 {
            let end = base + ends.trailing_zeros() as usize;
            let token = read(text, lower, start, end, lexicon);
            tokens.push(token);
            upper += usize::from(token.is_upper());
            ends &= ends - 1;
            start = base + starts.trailing_zeros() as usize;
            starts &= starts.wrapping_sub(1);
        }
        spaced = spaces >> (BLOCK - 1) != 0;
        if contracted && let Some(token) = tokens.get_mut(listed) {
            token.contract();
            contracted = false;
        }
        while let Some(at) = next_contraction.filter(|&at| at < base + BLOCK) {
            // The token it is in is the one that ends next.
            let earlier = ended & ((1 << (at - base)) - 1);
            match tokens.get_mut(listed + earlier.count_ones() as usize) {
                Some(token) => token.contract(),
                None => contracted = true,
            }
            next_contraction = contractions.next();
        }
    }
    let census = Census {
        tokens: tokens.len() - BACK,
        upper,
        exclamations: memchr_iter(b'!', text).count(),
        questions: memchr_iter(b'?', text).count(),
    };
    tokens.extend([Token::UNKNOWN; AHEAD]);
    census
}

/// One token, from its place in the text.
#[inline]
fn read(text: &[u8], lower: &[u8], start: usize, end: usize, lexicon: &Lexicon) -> Token {
    let is_punctuation = |at: usize| CLASS[usize::from(lower[at])] & PUNCTUATION != 0;
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
    first = select_unpredictable(is_short, start, first);
    past = select_unpredictable(is_short, end, past);
    let length = past - first;
    let word = match lower[first..].first_chunk() {
        Some(bytes) if length <= KEY_BYTES => lexicon.words().number(key(*bytes, length)),
        _ => lexicon.words().number_of_long(&lower[first..past]),
    };
    Token::new(word, upper)
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

/// One bit for each byte of the block that is white space to Python's `str.split`, the first byte
/// lowest. The separators U+001C to U+001F are part of it.
#[inline]
fn spaces(block: &[u8; BLOCK]) -> u64 {
    let mut flags = [0; BLOCK];
    for (flag, &byte) in flags.iter_mut().zip(block) {
        let is_space = byte == b' ' || byte.wrapping_sub(b'\t') < 5 || byte.wrapping_sub(0x1c) < 4;
        *flag = u8::from(is_space);
    }
    // The multiplication moves bit 8i to bit 56 + i, and no two meet on the way.
    let mut mask = 0;
    for (at, eight) in flags.as_chunks().0.iter().enumerate() {
        let packed = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        mask |= packed << (8 * at);
    }
    mask
}

/// Where the apostrophes of "n't" stand.
fn contractions(lower: &[u8]) -> impl Iterator<Item = usize> {
    let stands = |&at: &usize| at > 0 && lower[at - 1..].starts_with(b"n't");
    memchr_iter(b'\'', lower).filter(stands)
}
