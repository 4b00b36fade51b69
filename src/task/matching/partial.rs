//! The best match of a text with any part of a longer one.

use super::alphabet::Symbol;
use super::lcs;
use super::needle::Needle;
use super::rounding::allowed;

/// What is kept between two texts.
#[derive(Debug, Default)]
pub(super) struct Desk {
    state: Vec<u64>,
    /// The distance to the window at each place, [`NOT_YET`] where it is not known.
    distances: Vec<u32>,
    /// Ranges of windows whose ends have been looked at.
    ranges: Vec<(usize, usize)>,
}

const NOT_YET: u32 = u32::MAX;

/// RapidFuzz's `partial_ratio`: 0 where it is less than `cutoff`.
///
/// `spare` is for the shorter text where that is `text`.
pub(super) fn partial<S: Symbol>(
    query: &Needle<S>,
    text: &[S],
    cutoff: f64,
    spare: &mut Needle<S>,
    desk: &mut Desk,
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
        best = within(query, text, cutoff, desk);
        if lengths.0 < lengths.1 || best == 100.0 {
            return best;
        }
    }
    // Of texts of one length either may lie within the other.
    spare.set(|symbols| symbols.extend_from_slice(text));
    within(spare, &query.symbols, cutoff.max(best), desk).max(best)
}

/// Texts by what they have in common: a longest common subsequence of `common` symbols, out of
/// `length` symbols together.
#[derive(Clone, Copy)]
struct Alike {
    common: usize,
    length: usize,
}

impl Alike {
    fn more_than(self, other: Alike) -> bool {
        // Both are less than 2³², as places in texts are.
        self.common as u64 * other.length as u64 > other.common as u64 * self.length as u64
    }

    fn distance(self) -> usize {
        self.length - 2 * self.common
    }
}

/// The best ratio of the needle with a part of a text that is as long as it or longer.
///
/// RapidFuzz tries the windows of the needle's length, the beginnings and the ends that are shorter,
/// one by one. Here the beginnings take one pass over the text and the ends another, backwards, and
/// go first, because what they reach rules out most of the windows.
fn within<S: Symbol>(needle: &Needle<S>, text: &[S], cutoff: f64, desk: &mut Desk) -> f64 {
    // What a beginning or an end misses it also misses when it is as long as the needle.
    let misses = allowed(needle.length(), cutoff / 100.0);
    let edge = best_edge(needle, text, misses, &mut desk.state);
    let similarity = 1.0 - edge.distance() as f64 / edge.length as f64;
    let mut best = 0.0;
    let window = 2 * needle.length();
    let mut below = allowed(window, cutoff / 100.0);
    if similarity >= cutoff / 100.0 {
        best = similarity * 100.0;
        let better = (window as u128 * edge.distance() as u128).div_ceil(edge.length as u128);
        below = below.min(better as usize);
    }
    if let Some(distance) = best_window(needle, text, below, desk) {
        let score = (1.0 - distance as f64 / window as f64) * 100.0;
        if score >= cutoff && score > best {
            best = score;
        }
    }
    best
}

/// The best among the beginnings shorter than the needle and the ends not longer than it, of those
/// of which not more symbols than `misses` are not in common with it.
fn best_edge<S: Symbol>(
    needle: &Needle<S>,
    text: &[S],
    misses: usize,
    state: &mut Vec<u64>,
) -> Alike {
    let length = needle.length();
    let mut best = Alike {
        common: 0,
        length: 1,
    };
    let mut visit = |taken: usize, common: usize| {
        let length = length + taken;
        let alike = Alike { common, length };
        if alike.more_than(best) {
            best = alike;
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

/// The least distance to a window of the needle's length, if it is less than `below`. The window at
/// the very end is left out.
///
/// Between neighbouring windows the distance changes by two at most, so that those of two windows
/// bound what lies between them: ranges are halved for as long as there may be something better.
fn best_window<S: Symbol>(
    needle: &Needle<S>,
    text: &[S],
    mut below: usize,
    desk: &mut Desk,
) -> Option<usize> {
    let length = needle.length();
    let last = (text.len() - length).checked_sub(1)?;
    desk.distances.clear();
    desk.distances.resize(last + 1, NOT_YET);
    desk.ranges.clear();
    desk.ranges.push((0, last));
    let mut best = None;
    let mut next = 0;
    while let Some(&(first, last)) = desk.ranges.get(next) {
        next += 1;
        let mut distance = |place: usize| {
            if desk.distances[place] == NOT_YET {
                let part = &text[place..place + length];
                let common = lcs::length(&needle.pattern, part, &mut desk.state);
                desk.distances[place] = (2 * (length - common)) as u32;
            }
            desk.distances[place] as usize
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
        // Both ends can come down by two a step until they meet; distances are even.
        let gain = (apart - ends.0.abs_diff(ends.1) / 2) / 2 * 2;
        if least < below.saturating_add(gain) {
            let middle = first + apart / 2;
            desk.ranges.push((first, middle));
            desk.ranges.push((middle, last));
        }
    }
    best
}
