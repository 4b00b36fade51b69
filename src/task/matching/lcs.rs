//! The length of the longest common subsequence, many places of the pattern at a time.
//!
//! H. Hyyrö, "Bit-Parallel LCS-length Computation Revisited", AWOCA 2004, after M. Crochemore,
//! C. S. Iliopoulos, Y. J. Pinzon and J. F. Reid, "A fast and practical bit-vector algorithm for the
//! longest common subsequence problem", Information Processing Letters 80 (2001). A zero in the
//! state stands for one more symbol in common.

use super::alphabet::Symbol;
use super::pattern::Pattern;

/// Takes in one symbol of the text, whose masks are `masks`; returns whether there is one more in
/// common: then a carry runs out of the last word, through the ones behind the pattern's end.
#[inline(always)]
pub(super) fn step(state: &mut [u64], masks: &[u64], keep: impl Fn(usize) -> u64) -> bool {
    let mut carry = false;
    for (word, (state, mask)) in state.iter_mut().zip(masks).enumerate() {
        let matches = *state & mask & keep(word);
        let (sum, first) = state.overflowing_add(matches);
        let (sum, second) = sum.overflowing_add(u64::from(carry));
        carry = first | second;
        *state = sum | (*state - matches);
    }
    carry
}

#[inline(always)]
pub(super) fn zeros(state: &[u64]) -> usize {
    state.iter().map(|word| word.count_zeros() as usize).sum()
}

#[inline(always)]
fn narrow<const W: usize, S: Symbol>(pattern: &Pattern, text: &[S]) -> usize {
    let mut state = [!0; W];
    for symbol in text {
        step(&mut state, pattern.masks_of::<W, S>(*symbol), |_| !0);
    }
    zeros(&state)
}

fn reset(state: &mut Vec<u64>, words: usize) {
    state.clear();
    state.resize(words, !0);
}

/// How many symbols the longest common subsequence of the pattern and a text has.
pub(super) fn length<S: Symbol>(pattern: &Pattern, text: &[S], state: &mut Vec<u64>) -> usize {
    match pattern.words {
        1 => narrow::<1, S>(pattern, text),
        2 => narrow::<2, S>(pattern, text),
        3 => narrow::<3, S>(pattern, text),
        4 => narrow::<4, S>(pattern, text),
        words => {
            reset(state, words);
            for symbol in text {
                step(state, pattern.masks(*symbol), |_| !0);
            }
            zeros(state)
        }
    }
}

/// The same for a part of the pattern, the places whose bits are set in `keep`, and the pieces of a
/// text put together.
///
/// A place that matches nothing adds nothing, so a part needs no pattern of its own.
pub(super) fn length_of_part<'t, S: Symbol>(
    pattern: &Pattern,
    keep: &[u64],
    pieces: impl Iterator<Item = &'t [S]>,
    state: &mut Vec<u64>,
) -> usize {
    if pattern.words == 1 {
        let (mut state, keep) = ([!0], keep[0]);
        for symbol in pieces.flatten() {
            step(&mut state, pattern.masks_of::<1, S>(*symbol), |_| keep);
        }
        return zeros(&state);
    }
    reset(state, pattern.words);
    for symbol in pieces.flatten() {
        step(state, pattern.masks(*symbol), |word| keep[word]);
    }
    zeros(state)
}

/// Calls `visit` after each symbol that the pattern holds, with how many symbols have been taken in
/// and the length of the longest common subsequence so far; until more symbols than `misses` are not
/// in common.
pub(super) fn each_length<S: Symbol>(
    pattern: &Pattern,
    text: impl Iterator<Item = S>,
    misses: usize,
    state: &mut Vec<u64>,
    visit: impl FnMut(usize, usize),
) {
    match pattern.words {
        1 => {
            let masks = |symbol| pattern.masks_of::<1, S>(symbol).as_slice();
            each(pattern, masks, text, misses, &mut [!0], visit);
        }
        2 => {
            let masks = |symbol| pattern.masks_of::<2, S>(symbol).as_slice();
            each(pattern, masks, text, misses, &mut [!0; 2], visit);
        }
        words => {
            reset(state, words);
            let masks = |symbol| pattern.masks(symbol);
            each(pattern, masks, text, misses, state, visit);
        }
    }
}

#[inline(always)]
fn each<'p, S: Symbol>(
    pattern: &Pattern,
    masks: impl Fn(S) -> &'p [u64],
    text: impl Iterator<Item = S>,
    misses: usize,
    state: &mut [u64],
    mut visit: impl FnMut(usize, usize),
) {
    let mut common = 0;
    for (place, symbol) in text.enumerate() {
        if pattern.holds(symbol) {
            common += usize::from(step(state, masks(symbol), |_| !0));
            visit(place + 1, common);
        }
        if place + 1 - common > misses {
            break;
        }
    }
}
