//! Splits the bytes of a text into tokens.
//!
//! The text is examined 64 bytes at a time. For each 64 bytes, a bit mask has a bit for each space, and the mask
//! shows where all tokens start and end. This is fast because the processor has to guess only one thing: the
//! number of tokens that end in the 64 bytes. It does not have to guess the length of each token.
//!
//! Some other conditions are frequent, and irregular too: a comma follows a word, or a word is in the lexicon. The
//! processor would often guess them wrong, so the code computes both results and selects one of them with
//! `select_unpredictable`. The compiler would turn selections by hand-written masks back into branches.

use memchr::memchr_iter;
use std::hint::select_unpredictable;

use super::casing::is_upper;
use super::lexicon::{Lexicon, Token};
use super::perfect_hash::{KEY_BYTES, key};

/// Number of bytes that are examined at once. Each byte has one bit of a mask.
const BLOCK: usize = 64;

/// Number of tokens before a word that the rules read.
pub(super) const BACK: usize = 3;
/// Number of tokens after a word that the rules read.
pub(super) const AHEAD: usize = 2;

/// The class of ASCII punctuation.
const PUNCTUATION: u8 = 1;
/// The class of lowercase ASCII letters.
const LOWERCASE: u8 = 2;

/// The class of each byte.
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

/// The counts over the whole text that the rules need.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TextStats {
    /// Number of tokens.
    pub(super) tokens: usize,
    /// Number of tokens in upper case.
    pub(super) upper: usize,
    /// Number of exclamation marks.
    pub(super) exclamations: usize,
    /// Number of question marks.
    pub(super) questions: usize,
}

/// Replaces `tokens` with the tokens of a translated text, with [`BACK`] placeholders before and [`AHEAD`] after
/// them. `lower` is scratch memory for the lowercase text.
pub(super) fn tokenize(
    text: &str,
    lexicon: &Lexicon,
    lower: &mut Vec<u8>,
    tokens: &mut Vec<Token>,
) -> TextStats {
    let text = text.as_bytes();
    lower.clear();
    lower.extend_from_slice(text);
    lower.make_ascii_lowercase();
    // The first of these spaces ends the last token. The others complete its block, and allow a key to be read
    // from the start of the last token.
    lower.extend([b' '; BLOCK + KEY_BYTES]);

    tokens.clear();
    tokens.extend([Token::BEFORE; BACK]);
    let mut upper = 0;
    let mut start = 0;
    // Whether the byte before the block is a space; true at the start of the text.
    let mut spaced = true;
    let mut contractions = contractions(lower);
    let mut next_contraction = contractions.next();
    // Whether the token that continues from the previous block contains "n't" in that block.
    let mut contracted = false;
    let (blocks, _) = lower[..text.len() + BLOCK].as_chunks::<BLOCK>();
    for (at, block) in blocks.iter().enumerate() {
        let base = at * BLOCK;
        let spaces = spaces(block);
        let before = spaces << 1 | u64::from(spaced);
        let mut starts = !spaces & before;
        let mut ends = spaces & !before;
        let (first, ended) = (tokens.len(), ends);
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
        if contracted && let Some(token) = tokens.get_mut(first) {
            token.contract();
            contracted = false;
        }
        while let Some(at) = next_contraction.filter(|&at| at < base + BLOCK) {
            // This "n't" is in the first token that ends after it.
            let earlier = ended & ((1 << (at - base)) - 1);
            match tokens.get_mut(first + earlier.count_ones() as usize) {
                Some(token) => token.contract(),
                None => contracted = true,
            }
            next_contraction = contractions.next();
        }
    }
    let stats = TextStats {
        tokens: tokens.len() - BACK,
        upper,
        exclamations: memchr_iter(b'!', text).count(),
        questions: memchr_iter(b'?', text).count(),
    };
    tokens.extend([Token::UNKNOWN; AHEAD]);
    stats
}

/// The token from `start` to `end` in the text.
#[inline]
fn read(text: &[u8], lower: &[u8], start: usize, end: usize, lexicon: &Lexicon) -> Token {
    let is_punctuation = |at: usize| CLASS[usize::from(lower[at])] & PUNCTUATION != 0;
    // One punctuation mark after a word is frequent but not predictable, so it is removed without a branch.
    let mut first = start;
    let mut past = end - usize::from(is_punctuation(end - 1));
    if is_punctuation(first) | is_punctuation(past.max(start + 1) - 1) {
        (first, past) = strip(text, start, end);
    }
    // Punctuation has no case, so only the token without it is checked for upper case.
    let upper = first < past
        && CLASS[usize::from(text[past - 1])] & LOWERCASE == 0
        && is_upper(&text[first..past]);
    // A token with few characters besides punctuation may be an emoticon, so it keeps its punctuation. The
    // reference counts characters; bytes give the same result, as the lexicon is ASCII only.
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

/// The range of a token without the punctuation at both ends.
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

/// A bit for each byte of the block, with the first byte in the lowest bit: 1 for the ASCII white space of
/// Python's `str.split`, which includes the separators U+001C to U+001F.
#[inline]
fn spaces(block: &[u8; BLOCK]) -> u64 {
    let mut flags = [0; BLOCK];
    for (flag, &byte) in flags.iter_mut().zip(block) {
        let is_space = byte == b' ' || byte.wrapping_sub(b'\t') < 5 || byte.wrapping_sub(0x1c) < 4;
        *flag = u8::from(is_space);
    }
    // The multiplication moves bit 8i to bit 56 + i without overlaps.
    let mut mask = 0;
    for (at, eight) in flags.as_chunks().0.iter().enumerate() {
        let packed = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        mask |= packed << (8 * at);
    }
    mask
}

/// The positions of the apostrophes of "n't".
fn contractions(lower: &[u8]) -> impl Iterator<Item = usize> {
    let is_contraction = |&at: &usize| at > 0 && lower[at - 1..].starts_with(b"n't");
    memchr_iter(b'\'', lower).filter(is_contraction)
}
