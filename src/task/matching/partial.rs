//! `partial_ratio`: the best match of a text with any part of a longer one.

use super::alphabet::Symbol;
use super::lcs;
use super::prepared_text::PreparedText;
use super::rounding::allowed;

/// Scratch memory, reused from pair to pair.
#[derive(Debug, Default)]
pub(super) struct PartialScratch {
    state: Vec<u64>,
    /// For each position, the distance to the window that starts there, or [`UNKNOWN`].
    distances: Vec<u32>,
    /// Ranges of positions of windows that are still to be searched.
    ranges: Vec<(usize, usize)>,
}

/// Marks a distance that has not been computed.
const UNKNOWN: u32 = u32::MAX;

/// RapidFuzz's `partial_ratio`, from 0 to 100; 0 if it is less than `cutoff`.
///
/// `spare` is scratch memory to prepare `text`, if `text` is the shorter one.
pub(super) fn partial<S: Symbol>(
    query: &PreparedText<S>,
    text: &[S],
    cutoff: f64,
    spare: &mut PreparedText<S>,
    scratch: &mut PartialScratch,
) -> f64 {
    if cutoff > 100.0 {
        return 0.0;
    }
    let lengths = (query.length(), text.len());
    if lengths.0 == 0 || lengths.1 == 0 {
        return if lengths.0 == lengths.1 { 100.0 } else { 0.0 };
    }
    let mut best = 0.0;
    if lengths.0 <= lengths.1 {
        best = within(query, text, cutoff, scratch);
        if lengths.0 < lengths.1 || best == 100.0 {
            return best;
        }
    }
    // If both texts have the same length, either text may be the part.
    spare.set(|symbols| symbols.extend_from_slice(text));
    within(spare, &query.symbols, cutoff.max(best), scratch).max(best)
}

/// How similar two texts are: the length of their longest common subsequence, and the sum of their lengths.
#[derive(Clone, Copy)]
struct Alignment {
    common: usize,
    length: usize,
}

impl Alignment {
    fn is_better_than(self, other: Alignment) -> bool {
        // Both factors are less than 2³², because lengths of texts are.
        self.common as u64 * other.length as u64 > other.common as u64 * self.length as u64
    }

    fn distance(self) -> usize {
        self.length - 2 * self.common
    }
}

/// The best ratio of the needle with a part of a text that is at least as long.
///
/// RapidFuzz tries all windows of the needle's length, and all shorter beginnings and ends, one by one. Here one
/// pass over the text covers the beginnings and another pass, backwards, the ends. These two passes come first,
/// because the score that they reach rules out most windows.
fn within<S: Symbol>(
    needle: &PreparedText<S>,
    text: &[S],
    cutoff: f64,
    scratch: &mut PartialScratch,
) -> f64 {
    // If a symbol of a beginning or an end is not in common, this stays so while the beginning or end grows to the
    // needle's length.
    let misses = allowed(needle.length(), cutoff / 100.0);
    let edge = best_edge(needle, text, misses, &mut scratch.state);
    let similarity = 1.0 - edge.distance() as f64 / edge.length as f64;
    let mut best = 0.0;
    let window = 2 * needle.length();
    let mut below = allowed(window, cutoff / 100.0);
    if similarity >= cutoff / 100.0 {
        best = similarity * 100.0;
        let better = (window as u128 * edge.distance() as u128).div_ceil(edge.length as u128);
        below = below.min(better as usize);
    }
    if let Some(distance) = best_window(needle, text, below, scratch) {
        let score = (1.0 - distance as f64 / window as f64) * 100.0;
        if score >= cutoff && score > best {
            best = score;
        }
    }
    best
}

/// The best alignment of the needle with a beginning that is shorter than the needle, or with an end that is not
/// longer than the needle. Parts with more than `misses` symbols outside of the common subsequence are left out.
fn best_edge<S: Symbol>(
    needle: &PreparedText<S>,
    text: &[S],
    misses: usize,
    state: &mut Vec<u64>,
) -> Alignment {
    let length = needle.length();
    let mut best = Alignment {
        common: 0,
        length: 1,
    };
    let mut visit = |read: usize, common: usize| {
        let length = length + read;
        let alignment = Alignment { common, length };
        if alignment.is_better_than(best) {
            best = alignment;
        }
    };
    let beginning = text[..length - 1].iter().copied();
    lcs::each_length(&needle.pattern, beginning, misses, state, &mut visit);
    if let Some(reversed) = &needle.reversed {
        let end = text[text.len() - length..].iter().rev().copied();
        lcs::each_length(reversed, end, misses, state, &mut visit);
    }
    best
}

/// The least distance to a window of the needle's length, if it is less than `below`. The last window is left out,
/// since it is one of the ends.
///
/// The distance changes by at most two from one window to the next, so the distances of two windows bound the
/// distances of all windows between them. A range is halved for as long as it may contain a smaller distance.
fn best_window<S: Symbol>(
    needle: &PreparedText<S>,
    text: &[S],
    mut below: usize,
    scratch: &mut PartialScratch,
) -> Option<usize> {
    let length = needle.length();
    let last = (text.len() - length).checked_sub(1)?;
    scratch.distances.clear();
    scratch.distances.resize(last + 1, UNKNOWN);
    scratch.ranges.clear();
    scratch.ranges.push((0, last));
    let mut best = None;
    let mut next = 0;
    while let Some(&(first, last)) = scratch.ranges.get(next) {
        next += 1;
        let mut distance = |start: usize| {
            if scratch.distances[start] == UNKNOWN {
                let part = &text[start..start + length];
                let common = lcs::length(&needle.pattern, part, &mut scratch.state);
                scratch.distances[start] = (2 * (length - common)) as u32;
            }
            scratch.distances[start] as usize
        };
        let ends = (distance(first), distance(last));
        let least = ends.0.min(ends.1);
        if least < below {
            below = least;
            best = Some(least);
            if least == 0 {
                break;
            }
        }
        let apart = last - first;
        if apart < 2 {
            continue;
        }
        // From both ends of the range, distances can fall by two at each step until they meet. All distances are
        // even.
        let gain = (apart - ends.0.abs_diff(ends.1) / 2) / 2 * 2;
        if least < below.saturating_add(gain) {
            let middle = first + apart / 2;
            scratch.ranges.push((first, middle));
            scratch.ranges.push((middle, last));
        }
    }
    best
}
