//! The length of the longest common subsequence (LCS), computed bit-parallel: 64 positions of the pattern at a
//! time.
//!
//! H. Hyyrö, "Bit-Parallel LCS-length Computation Revisited", AWOCA 2004, after M. Crochemore,
//! C. S. Iliopoulos, Y. J. Pinzon and J. F. Reid, "A fast and practical bit-vector algorithm for the
//! longest common subsequence problem", Information Processing Letters 80 (2001). Each zero bit of the
//! state is one symbol of the subsequence.

use super::alphabet::Symbol;
use super::pattern::Pattern;

/// Advances the state by one symbol of the text, given by its masks. `keep` returns, for each word, a mask of the
/// positions of the pattern that may match.
///
/// Returns whether the subsequence has become longer. In this case, a carry leaves the last word, because all bits
/// after the end of the pattern are ones.
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

/// Number of zero bits: the length of the subsequence.
#[inline(always)]
pub(super) fn zeros(state: &[u64]) -> usize {
    state.iter().map(|word| word.count_zeros() as usize).sum()
}

/// The length for a pattern of `W` words, with the state in registers.
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

/// Length of the longest common subsequence of the pattern and a text. `state` is scratch memory.
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

/// Like [`length`], but only for the positions of the pattern whose bits are set in `keep`, and for the
/// concatenation of the slices of a text.
///
/// A position that matches nothing adds nothing to the length, so a part of the pattern does not need separate
/// masks.
pub(super) fn length_of_part<'t, S: Symbol>(
    pattern: &Pattern,
    keep: &[u64],
    slices: impl Iterator<Item = &'t [S]>,
    state: &mut Vec<u64>,
) -> usize {
    if pattern.words == 1 {
        let (mut state, keep) = ([!0], keep[0]);
        for symbol in slices.flatten() {
            step(&mut state, pattern.masks_of::<1, S>(*symbol), |_| keep);
        }
        return zeros(&state);
    }
    reset(state, pattern.words);
    for symbol in slices.flatten() {
        step(state, pattern.masks(*symbol), |word| keep[word]);
    }
    zeros(state)
}

/// Computes the length for every beginning of a text: calls `visit` after each symbol that occurs in the pattern,
/// with (symbols read, length of the longest common subsequence so far).
///
/// Stops as soon as more than `misses` symbols of the text are not in the subsequence.
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

/// [`each_length`] for a state of any number of words.
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
    for (index, symbol) in text.enumerate() {
        if pattern.contains(symbol) {
            common += usize::from(step(state, masks(symbol), |_| !0));
            visit(index + 1, common);
        }
        if index + 1 - common > misses {
            break;
        }
    }
}
