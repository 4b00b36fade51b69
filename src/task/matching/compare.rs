//! The measures: one record against one text of the reference.
//!
//! Every function takes a cutoff and gives 0 where the score is less. That is not only for speed:
//! the search raises the cutoff as it goes, and rounding at the cutoff is part of the result. The
//! order of the arithmetic is RapidFuzz's throughout.

use super::Measure;
use super::alphabet::Symbol;
use super::jaro;
use super::lcs;
use super::levenshtein::{self, Column};
use super::needle::Needle;
use super::partial;
use super::pattern::Pattern;
use super::query::Query;
use super::reference::{Reference, Tokens};
use super::tokens::Token;

/// Working memory, used again for every pair.
#[derive(Debug)]
pub(super) struct Desk<S> {
    state: Vec<u64>,
    keep: Vec<u64>,
    columns: Vec<Column>,
    jaro: jaro::Desk,
    partial: partial::Desk,
    spare: Needle<S>,
    /// The different tokens of a text put together, where one stands twice.
    joined: Vec<S>,
    /// How many times symbols were compared. It stands still where a bound has shown that the score
    /// is below the cutoff.
    pub(super) comparisons: u64,
}

impl<S: Symbol> Desk<S> {
    pub(super) fn new(reference: &Reference<S>, measure: Measure) -> Self {
        let partial = measure.is_partial();
        let alphabet = if partial {
            reference.alphabet.size()
        } else {
            0
        };
        Desk {
            state: Vec::new(),
            keep: Vec::new(),
            columns: Vec::new(),
            jaro: jaro::Desk::default(),
            partial: partial::Desk::default(),
            spare: Needle::new(alphabet, partial),
            joined: Vec::new(),
            comparisons: 0,
        }
    }
}

/// Added to the distance that a cutoff allows, as a share of the largest: what lies within it is
/// worked out and compared as a similarity, so that rounding cannot lose anything.
const SLACK: f64 = 1e-5;

/// The most that a distance out of `largest` may be for a similarity of `cutoff`, or a little more.
fn allowed(largest: usize, cutoff: f64) -> usize {
    (largest as f64 * (1.0 - cutoff + SLACK).min(1.0)).ceil() as usize
}

/// One minus a distance as a share of the largest; 0 where that is less than `cutoff`.
fn similarity(distance: usize, largest: usize, cutoff: f64) -> f64 {
    let share = match largest {
        0 => 0.0,
        _ => distance as f64 / largest as f64,
    };
    let similarity = 1.0 - share;
    if similarity >= cutoff {
        similarity
    } else {
        0.0
    }
}

/// The same in per cent, as it is worked out for tokens.
fn per_cent(distance: usize, largest: usize, cutoff: f64) -> f64 {
    let score = match largest {
        0 => 100.0,
        _ => 100.0 - 100.0 * distance as f64 / largest as f64,
    };
    if score >= cutoff { score } else { 0.0 }
}

/// Insertions and deletions alone, from 0 to 1.
pub(super) fn indel<S: Symbol>(
    pattern: &Pattern,
    text: &[S],
    cutoff: f64,
    desk: &mut Desk<S>,
) -> f64 {
    let lengths = pattern.length + text.len();
    if pattern.length.abs_diff(text.len()) > allowed(lengths, cutoff) {
        return 0.0;
    }
    desk.comparisons += 1;
    let common = lcs::length(pattern, text, &mut desk.state);
    similarity(lengths - 2 * common, lengths, cutoff)
}

/// `fuzz.ratio`.
pub(super) fn ratio<S: Symbol>(
    pattern: &Pattern,
    text: &[S],
    cutoff: f64,
    desk: &mut Desk<S>,
) -> f64 {
    indel(pattern, text, cutoff / 100.0, desk) * 100.0
}

/// Levenshtein's distance, or with `SWAPS` the optimal string alignment, as a similarity from 0 to
/// 1.
pub(super) fn levenshtein<const SWAPS: bool, S: Symbol>(
    pattern: &Pattern,
    text: &[S],
    cutoff: f64,
    desk: &mut Desk<S>,
) -> f64 {
    let largest = pattern.length.max(text.len());
    let at_most = allowed(largest, cutoff);
    if pattern.length.abs_diff(text.len()) > at_most {
        return 0.0;
    }
    desk.comparisons += 1;
    let columns = &mut desk.columns;
    let distance = levenshtein::distance::<SWAPS, S>(pattern, text, at_most, columns);
    if distance > largest {
        return 0.0;
    }
    similarity(distance, largest, cutoff)
}

/// Jaro's similarity, or with `PREFIX` Winkler's.
pub(super) fn jaro<const PREFIX: bool, S: Symbol>(
    text: &Needle<S>,
    other: &[S],
    cutoff: f64,
    desk: &mut Desk<S>,
) -> f64 {
    desk.comparisons += 1;
    let desk = &mut desk.jaro;
    if PREFIX {
        jaro::jaro_winkler(&text.pattern, &text.symbols, other, cutoff, desk)
    } else {
        jaro::jaro(&text.pattern, &text.symbols, other, cutoff, desk)
    }
}

/// `fuzz.partial_ratio`.
pub(super) fn partial<S: Symbol>(
    text: &Needle<S>,
    other: &[S],
    cutoff: f64,
    desk: &mut Desk<S>,
) -> f64 {
    desk.comparisons += 1;
    partial::partial(text, other, cutoff, &mut desk.spare, &mut desk.partial)
}

/// `fuzz.token_sort_ratio`.
pub(super) fn token_sort<S: Symbol>(
    query: &Query<S>,
    other: Tokens<'_, S>,
    cutoff: f64,
    desk: &mut Desk<S>,
) -> f64 {
    if cutoff > 100.0 {
        return 0.0;
    }
    ratio(&query.sorted.pattern, other.sorted, cutoff, desk)
}

/// `fuzz.token_set_ratio`.
pub(super) fn token_set<S: Symbol>(
    query: &Query<S>,
    other: Tokens<'_, S>,
    cutoff: f64,
    desk: &mut Desk<S>,
) -> f64 {
    // Nothing is like no tokens, not even no tokens.
    if cutoff > 100.0 || query.tokens.is_empty() || other.different.is_empty() {
        return 0.0;
    }
    match Overlap::of(query, other) {
        overlap if overlap.is_contained() => 100.0,
        overlap => set_score(&overlap, query, other, cutoff, desk),
    }
}

/// `fuzz.token_ratio`.
pub(super) fn token_ratio<S: Symbol>(
    query: &Query<S>,
    other: Tokens<'_, S>,
    cutoff: f64,
    desk: &mut Desk<S>,
) -> f64 {
    if cutoff > 100.0 {
        return 0.0;
    }
    let overlap = Overlap::of(query, other);
    if overlap.is_contained() {
        return 100.0;
    }
    let sorted = ratio(&query.sorted.pattern, other.sorted, cutoff, desk);
    sorted.max(set_score(&overlap, query, other, cutoff, desk))
}

/// How many symbols the tokens in common have, and those of either side alone, joined by spaces.
struct Overlap {
    common: usize,
    here: usize,
    there: usize,
}

impl Overlap {
    fn of<S: Symbol>(query: &Query<S>, other: Tokens<'_, S>) -> Overlap {
        let length = |tokens: &[Token]| tokens.iter().map(|token| token.length() + 1).sum();
        let (all_here, all_there): (usize, usize) =
            (length(&query.tokens), length(other.different));
        let common = other.different.iter().filter(|token| query.has(token));
        let common: usize = common.map(|token| token.length() + 1).sum();
        Overlap {
            common: common.saturating_sub(1),
            here: (all_here - common).saturating_sub(1),
            there: (all_there - common).saturating_sub(1),
        }
    }

    /// Whether the tokens of one side are all among those of the other, and there are any.
    fn is_contained(&self) -> bool {
        self.common > 0 && (self.here == 0 || self.there == 0)
    }
}

/// The score of the tokens in common against those with the rest of either side, and of the two
/// with the rest.
fn set_score<S: Symbol>(
    overlap: &Overlap,
    query: &Query<S>,
    other: Tokens<'_, S>,
    cutoff: f64,
    desk: &mut Desk<S>,
) -> f64 {
    let Overlap {
        common,
        here,
        there,
    } = *overlap;
    let space = usize::from(common > 0);
    let (all_here, all_there) = (common + space + here, common + space + there);
    let mut best = 0.0;
    if common > 0 {
        // Only what is in common is alike in these, so that their lengths say it all.
        let alone_here = per_cent(space + here, common + all_here, cutoff);
        let alone_there = per_cent(space + there, common + all_there, cutoff);
        best = alone_here.max(alone_there);
    }
    let lengths = all_here + all_there;
    let most = per_cent(here.abs_diff(there), lengths, cutoff);
    if most <= best {
        return best;
    }
    desk.comparisons += 1;
    let distance = here + there - 2 * common_of_rest(overlap, query, other, desk);
    best.max(per_cent(distance, lengths, cutoff))
}

/// The longest common subsequence of the tokens that only one side has.
fn common_of_rest<S: Symbol>(
    overlap: &Overlap,
    query: &Query<S>,
    other: Tokens<'_, S>,
    desk: &mut Desk<S>,
) -> usize {
    let pattern = &query.sorted.pattern;
    let whole_there = other.sorted.len() == overlap.there;
    if pattern.length == overlap.here && whole_there {
        return lcs::length(pattern, other.sorted, &mut desk.state);
    }
    keep_rest(query, other, &mut desk.keep);
    let pieces = other.pieces(|token| !query.has(token));
    lcs::length_of_part(pattern, &desk.keep, pieces, &mut desk.state)
}

/// Sets the bits of the places that tokens which only the record has take in its sorted text, with
/// the spaces between them.
fn keep_rest<S: Symbol>(query: &Query<S>, other: Tokens<'_, S>, keep: &mut Vec<u64>) {
    keep.clear();
    keep.resize(query.sorted.pattern.words, 0);
    // The tokens in common are those of the other side, in the same order.
    let mut common = other.different.iter().filter_map(|token| query.find(token));
    let mut next = common.next();
    let mut end_of_last = None;
    for (place, token) in query.tokens.iter().enumerate() {
        if next == Some(place) {
            next = common.next();
            continue;
        }
        if let Some(end) = end_of_last {
            set_bits(keep, end, end + 1);
        }
        set_bits(keep, token.start as usize, token.end as usize);
        end_of_last = Some(token.end as usize);
    }
}

/// Sets the bits of the places from `start` to before `end`.
fn set_bits(words: &mut [u64], start: usize, end: usize) {
    let (first, last) = (start / 64, (end - 1) / 64);
    for (word, bits) in words[first..=last].iter_mut().enumerate() {
        let mut mask = !0;
        if word == 0 {
            mask &= !0 << (start % 64);
        }
        if word == last - first {
            mask &= !0 >> (63 - (end - 1) % 64);
        }
        *bits |= mask;
    }
}

/// `fuzz.partial_token_ratio`.
fn partial_token_ratio<S: Symbol>(
    query: &Query<S>,
    other: Tokens<'_, S>,
    cutoff: f64,
    desk: &mut Desk<S>,
) -> f64 {
    if cutoff > 100.0 {
        return 0.0;
    }
    if other.different.iter().any(|token| query.has(token)) {
        return 100.0;
    }
    let whole = partial(&query.sorted, other.sorted, cutoff, desk);
    let (here, there) = (query.all_differ, other.all_differ());
    if here && there {
        return whole;
    }
    let text = if here {
        &query.sorted
    } else {
        &query.different
    };
    let mut joined = std::mem::take(&mut desk.joined);
    joined.clear();
    joined.extend(other.pieces(|_| true).flatten());
    let different = partial(text, &joined, cutoff.max(whole), desk);
    desk.joined = joined;
    whole.max(different)
}

/// What the scores of tokens count for beside the others.
const TOKENS_WEIGHT: f64 = 0.95;
/// From this ratio of lengths on the shorter text is looked for in the longer one.
const UNEVEN: f64 = 1.5;
/// What finding it there counts for, …
const PARTIAL_WEIGHT: f64 = 0.9;
/// … and from beyond which ratio of lengths on it counts for how much.
const VERY_UNEVEN: (f64, f64) = (8.0, 0.6);

/// `fuzz.WRatio`.
pub(super) fn weighted<S: Symbol>(
    query: &Query<S>,
    text: &[S],
    other: Tokens<'_, S>,
    cutoff: f64,
    desk: &mut Desk<S>,
) -> f64 {
    let (here, there) = (query.text.length() as f64, text.len() as f64);
    if cutoff > 100.0 || here == 0.0 || there == 0.0 {
        return 0.0;
    }
    let uneven = here.max(there) / here.min(there);
    let whole = ratio(&query.text.pattern, text, cutoff, desk);
    if uneven < UNEVEN {
        let cutoff = cutoff.max(whole) / TOKENS_WEIGHT;
        let tokens = token_ratio(query, other, cutoff, desk);
        return whole.max(tokens * TOKENS_WEIGHT);
    }
    let weight = if uneven <= VERY_UNEVEN.0 {
        PARTIAL_WEIGHT
    } else {
        VERY_UNEVEN.1
    };
    let needed = cutoff.max(whole) / weight;
    let part = partial(&query.text, text, needed, desk);
    let best = whole.max(part * weight);
    // Divided by what has been divided before, and not by the second weight: so does RapidFuzz.
    let needed = needed.max(best) / TOKENS_WEIGHT;
    let tokens = partial_token_ratio(query, other, needed, desk);
    best.max(tokens * TOKENS_WEIGHT * weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_set_across_words() {
        let mut words = [0; 3];
        set_bits(&mut words, 62, 130);
        assert_eq!(words, [0b11 << 62, !0, 0b11]);
        set_bits(&mut words, 10, 11);
        assert_eq!(words[0], (0b11 << 62) | (1 << 10));
    }
}
