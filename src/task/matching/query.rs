//! One record, prepared for being compared with every text of a reference.

use std::ops::Range;

use super::Measure;
use super::alphabet::Symbol;
use super::blocks::SymbolCounts;
use super::prepared_text::PreparedText;
use super::reference::{Reference, Tokens};
use super::tokens::{self, TokenSpan, UNKNOWN};

/// A prepared record. Only the fields that the measure reads are filled.
#[derive(Debug)]
pub(super) struct Query<S> {
    pub(super) text: PreparedText<S>,
    /// The text with its tokens sorted and joined by spaces.
    pub(super) sorted: PreparedText<S>,
    /// The sorted text without repeated tokens; filled only if there are repeated tokens.
    pub(super) distinct: PreparedText<S>,
    /// The distinct tokens, in the order of the sorted text.
    pub(super) tokens: Vec<TokenSpan>,
    /// Whether no token is repeated.
    pub(super) all_distinct: bool,
    pub(super) symbols: SymbolCounts,
    /// The symbol counts of the sorted text.
    pub(super) sorted_symbols: SymbolCounts,
    /// Number of symbols of the sorted text without repeated tokens.
    pub(super) distinct_length: usize,
    /// For each token of the vocabulary, its number among the tokens of this record, counted from 1; 0 if the
    /// record does not have it.
    ordinals: Vec<u32>,
    ranges: Vec<Range<usize>>,
}

impl<S: Symbol> Query<S> {
    /// The empty record.
    pub(super) fn new(reference: &Reference<S>, measure: Measure) -> Self {
        let alphabet = reference.alphabet.size();
        let partial = measure.is_partial();
        let prepared = |needed: bool| {
            let alphabet = if needed { alphabet } else { 0 };
            PreparedText::new(alphabet, partial && needed)
        };
        Query {
            text: prepared(measure.reads_text()),
            sorted: prepared(measure.reads_tokens()),
            distinct: prepared(measure.reads_tokens() && partial),
            tokens: Vec::new(),
            all_distinct: true,
            symbols: SymbolCounts::default(),
            sorted_symbols: SymbolCounts::default(),
            distinct_length: 0,
            ordinals: vec![0; reference.vocabulary_size()],
            ranges: Vec::new(),
        }
    }

    /// The text that a measure compares, if it compares one text of each side: the text itself or the sorted text.
    pub(super) fn compared(&self, measure: Measure) -> (&PreparedText<S>, &SymbolCounts) {
        if measure.reads_text() {
            (&self.text, &self.symbols)
        } else {
            (&self.sorted, &self.sorted_symbols)
        }
    }

    /// Replaces the record with another one.
    pub(super) fn set(&mut self, text: &str, reference: &Reference<S>, measure: Measure) {
        let alphabet = &reference.alphabet;
        if measure.reads_text() {
            self.text.set(|symbols| alphabet.encode(text, symbols));
            self.symbols.set(&self.text.symbols);
        }
        if !measure.reads_tokens() {
            return;
        }
        for token in self.tokens.drain(..) {
            if token.id != UNKNOWN {
                self.ordinals[token.id as usize] = 0;
            }
        }
        tokens::split(text, &mut self.ranges);
        let (ranges, tokens) = (&self.ranges, &mut self.tokens);
        self.sorted.set(|symbols| {
            let id = |token: &str| reference.token_id(token);
            tokens::join(text, ranges, alphabet, id, symbols, tokens);
        });
        for (token, ordinal) in self.tokens.iter().zip(1..) {
            if token.id != UNKNOWN {
                self.ordinals[token.id as usize] = ordinal;
            }
        }
        let all = Tokens {
            sorted: &self.sorted.symbols,
            distinct: &self.tokens,
        };
        self.all_distinct = all.all_distinct();
        self.distinct_length = all.distinct_length();
        self.sorted_symbols.set(&self.sorted.symbols);
        if measure.is_partial() && !self.all_distinct {
            self.distinct
                .set(|symbols| symbols.extend(all.joined(|_| true).flatten()));
        }
    }

    /// Whether the record has a token of the reference.
    #[inline]
    pub(super) fn has(&self, token: &TokenSpan) -> bool {
        self.ordinals[token.id as usize] != 0
    }

    /// The index that a token of the reference has among the tokens of the record.
    #[inline]
    pub(super) fn find(&self, token: &TokenSpan) -> Option<usize> {
        (self.ordinals[token.id as usize] as usize).checked_sub(1)
    }

    /// Allocated memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.text.bytes() + self.sorted.bytes() + self.distinct.bytes()
    }
}
