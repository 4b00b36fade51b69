//! The measures that compare texts by their tokens.
//!
//! Most pairs share no token or a few. What only one side has is compared without being put together
//! again: a place of the record's pattern that belongs to a token in common is masked out, and the
//! other text is read in pieces.

use super::alphabet::Symbol;
use super::compare::{Desk, partial, ratio};
use super::lcs;
use super::pattern::WORD;
use super::query::Query;
use super::reference::Tokens;
use super::rounding::per_cent;
use super::tokens::Token;

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
    let (first, last) = (start / WORD, (end - 1) / WORD);
    for (word, bits) in words[first..=last].iter_mut().enumerate() {
        let mut mask = !0;
        if word == 0 {
            mask &= !0 << (start % WORD);
        }
        if word == last - first {
            mask &= !0 >> (WORD - 1 - (end - 1) % WORD);
        }
        *bits |= mask;
    }
}

/// `fuzz.partial_token_ratio`.
pub(super) fn partial_token_ratio<S: Symbol>(
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
