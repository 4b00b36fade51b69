//! Upper bounds of the scores of all texts of a reference, for measures that compare tokens in common.

use rayon::prelude::*;

use super::alphabet::Symbol;
use super::blocks::TextOverlaps;
use super::bounds::{PairBound, TokenPairBound};
use super::query::Query;
use super::reference::Reference;
use super::{Measure, parallel, weighted};

/// Smallest number of bounds that a thread computes. Computing them takes some hundred microseconds.
const MIN_BOUNDS: usize = 4096;

/// The bounds for a record; its memory is reused from record to record.
#[derive(Debug, Default)]
pub(super) struct UpperBounds {
    /// For each text by position, an upper bound of its score.
    pub(super) scores: Vec<f64>,
    /// For each text by position, the number of symbols of the tokens in common, with a space for each token. All
    /// these numbers are 0 between two records.
    common: Vec<u32>,
    text: TextOverlaps,
    /// Overlaps of the texts with their tokens sorted.
    sorted: TextOverlaps,
}

impl UpperBounds {
    /// Computes the bounds for a record.
    pub(super) fn compute<S: Symbol>(
        &mut self,
        query: &Query<S>,
        reference: &Reference<S>,
        measure: Measure,
    ) {
        let UpperBounds {
            scores,
            common,
            text,
            sorted,
        } = self;
        let texts = reference.len();
        scores.clear();
        common.resize(texts, 0);
        for token in &query.tokens {
            for position in reference.texts_with(token.id) {
                common[*position as usize] += token.length() as u32 + 1;
            }
        }
        if measure.reads_text() {
            query.symbols.overlap_with_all(&reference.blocks, text);
        }
        let blocks = &reference.sorted_blocks;
        query.sorted_symbols.overlap_with_all(blocks, sorted);
        let pair = |position: usize| {
            let (record, other) = (query.text.length(), reference.text(position).len());
            PairBound::from_count(record, other, text.by_halves[position])
        };
        let token_pair = |position: usize| {
            let record = query.sorted.length();
            let other = reference.tokens(position).sorted.len();
            TokenPairBound {
                sorted: PairBound::from_count(record, other, sorted.by_halves[position]),
                unordered: PairBound::from_count(record, other, sorted.unordered[position]),
                distinct: (query.distinct_length, reference.distinct_length(position)),
                common: common[position] as usize,
            }
        };
        match measure {
            Measure::TokenSet => fill(scores, texts, |position| token_pair(position).token_set()),
            Measure::TokenRatio => {
                fill(scores, texts, |position| token_pair(position).token_ratio());
            }
            _ => fill(scores, texts, |position| {
                weighted::upper_bound(pair(position), token_pair(position))
            }),
        }
        for token in &query.tokens {
            for position in reference.texts_with(token.id) {
                common[*position as usize] = 0;
            }
        }
    }
}

/// Computes a bound for each text. If there are many texts, all threads of the pool take part.
fn fill(scores: &mut Vec<f64>, texts: usize, bound: impl Fn(usize) -> f64 + Sync) {
    if texts >= 2 * MIN_BOUNDS && parallel::is_available() {
        let texts = (0..texts).into_par_iter().with_min_len(MIN_BOUNDS);
        scores.par_extend(texts.map(&bound));
    } else {
        scores.extend((0..texts).map(bound));
    }
}
