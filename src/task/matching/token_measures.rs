//! The measures that compare texts by their tokens.
//!
//! The texts of most pairs share few tokens or none. The tokens that only one side has are compared without being
//! copied: positions of the record's pattern that belong to a token in common are masked out, and the text is read
//! as slices.

use super::alphabet::Symbol;
use super::compare::{PairScratch, partial, ratio};
use super::lcs;
use super::pattern::WORD;
use super::query::Query;
use super::reference::Tokens;
use super::rounding::per_cent;
use super::tokens::TokenSpan;

/// `fuzz.token_sort_ratio`.
pub(super) fn token_sort<S: Symbol>(
    query: &Query<S>,
    text: Tokens<'_, S>,
    cutoff: f64,
    scratch: &mut PairScratch<S>,
) -> f64 {
    if cutoff > 100.0 {
        return 0.0;
    }
    ratio(&query.sorted.pattern, text.sorted, cutoff, scratch)
}

/// `fuzz.token_set_ratio`.
pub(super) fn token_set<S: Symbol>(
    query: &Query<S>,
    text: Tokens<'_, S>,
    cutoff: f64,
    scratch: &mut PairScratch<S>,
) -> f64 {
    // A text without tokens is similar to no text, not even to another text without tokens.
    if cutoff > 100.0 || query.tokens.is_empty() || text.distinct.is_empty() {
        return 0.0;
    }
    match TokenOverlap::new(query, text) {
        overlap if overlap.is_contained() => 100.0,
        overlap => set_score(&overlap, query, text, cutoff, scratch),
    }
}

/// `fuzz.token_ratio`.
pub(super) fn token_ratio<S: Symbol>(
    query: &Query<S>,
    text: Tokens<'_, S>,
    cutoff: f64,
    scratch: &mut PairScratch<S>,
) -> f64 {
    if cutoff > 100.0 {
        return 0.0;
    }
    let overlap = TokenOverlap::new(query, text);
    if overlap.is_contained() {
        return 100.0;
    }
    let sorted = ratio(&query.sorted.pattern, text.sorted, cutoff, scratch);
    sorted.max(set_score(&overlap, query, text, cutoff, scratch))
}

/// Number of symbols of the tokens in common, and of the tokens that only one side has, each joined by spaces.
struct TokenOverlap {
    common: usize,
    only_record: usize,
    only_text: usize,
}

impl TokenOverlap {
    fn new<S: Symbol>(query: &Query<S>, text: Tokens<'_, S>) -> TokenOverlap {
        // The length of each token includes the space after the token.
        let length = |tokens: &[TokenSpan]| tokens.iter().map(|token| token.length() + 1).sum();
        let (record, all): (usize, usize) = (length(&query.tokens), length(text.distinct));
        let common = text.distinct.iter().filter(|token| query.has(token));
        let common: usize = common.map(|token| token.length() + 1).sum();
        TokenOverlap {
            common: common.saturating_sub(1),
            only_record: (record - common).saturating_sub(1),
            only_text: (all - common).saturating_sub(1),
        }
    }

    /// Whether one side has tokens that all occur in the other side, too.
    fn is_contained(&self) -> bool {
        self.common > 0 && (self.only_record == 0 || self.only_text == 0)
    }
}

/// The best ratio among three texts: the tokens in common, and the tokens in common followed by the rest of
/// the record or of the text.
fn set_score<S: Symbol>(
    overlap: &TokenOverlap,
    query: &Query<S>,
    text: Tokens<'_, S>,
    cutoff: f64,
    scratch: &mut PairScratch<S>,
) -> f64 {
    let TokenOverlap {
        common,
        only_record,
        only_text,
    } = *overlap;
    let space = usize::from(common > 0);
    let (record, all) = (common + space + only_record, common + space + only_text);
    let mut best = 0.0;
    if common > 0 {
        // The text of the tokens in common is the beginning of the other text, so the distance is the difference
        // of their lengths.
        let with_record = per_cent(space + only_record, common + record, cutoff);
        let with_text = per_cent(space + only_text, common + all, cutoff);
        best = with_record.max(with_text);
    }
    let lengths = record + all;
    let bound = per_cent(only_record.abs_diff(only_text), lengths, cutoff);
    if bound <= best {
        return best;
    }
    scratch.comparisons += 1;
    let common_of_rest = common_of_rest(overlap, query, text, scratch);
    let distance = only_record + only_text - 2 * common_of_rest;
    best.max(per_cent(distance, lengths, cutoff))
}

/// Length of the longest common subsequence of the tokens that only one side has.
fn common_of_rest<S: Symbol>(
    overlap: &TokenOverlap,
    query: &Query<S>,
    text: Tokens<'_, S>,
    scratch: &mut PairScratch<S>,
) -> usize {
    let pattern = &query.sorted.pattern;
    let whole_text = text.sorted.len() == overlap.only_text;
    if pattern.length == overlap.only_record && whole_text {
        return lcs::length(pattern, text.sorted, &mut scratch.state);
    }
    keep_rest(query, text, &mut scratch.keep);
    let slices = text.joined(|token| !query.has(token));
    lcs::length_of_part(pattern, &scratch.keep, slices, &mut scratch.state)
}

/// Sets the bits of the positions, in the sorted text of the record, of the tokens that only the record has,
/// and of the spaces between them.
fn keep_rest<S: Symbol>(query: &Query<S>, text: Tokens<'_, S>, keep: &mut Vec<u64>) {
    keep.clear();
    keep.resize(query.sorted.pattern.words, 0);
    // Both sides list the tokens in common in the same order.
    let mut common = text.distinct.iter().filter_map(|token| query.find(token));
    let mut next = common.next();
    let mut end_of_last = None;
    for (index, token) in query.tokens.iter().enumerate() {
        if next == Some(index) {
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

/// Sets the bits from `start` up to, but not including, `end`.
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
    text: Tokens<'_, S>,
    cutoff: f64,
    scratch: &mut PairScratch<S>,
) -> f64 {
    if cutoff > 100.0 {
        return 0.0;
    }
    if text.distinct.iter().any(|token| query.has(token)) {
        return 100.0;
    }
    let whole = partial(&query.sorted, text.sorted, cutoff, scratch);
    if query.all_distinct && text.all_distinct() {
        return whole;
    }
    let record = if query.all_distinct {
        &query.sorted
    } else {
        &query.distinct
    };
    let mut joined = std::mem::take(&mut scratch.joined);
    joined.clear();
    joined.extend(text.joined(|_| true).flatten());
    let distinct = partial(record, &joined, cutoff.max(whole), scratch);
    scratch.joined = joined;
    whole.max(distinct)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_bits_crosses_words() {
        let mut words = [0; 3];
        set_bits(&mut words, 62, 130);
        assert_eq!(words, [0b11 << 62, !0, 0b11]);
        set_bits(&mut words, 10, 11);
        assert_eq!(words[0], (0b11 << 62) | (1 << 10));
    }
}
