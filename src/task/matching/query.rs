//! One record, prepared for being compared with every text of a reference.

use std::ops::Range;

use super::Measure;
use super::alphabet::Symbol;
use super::blocks::Classes;
use super::needle::Needle;
use super::reference::{Reference, Tokens};
use super::tokens::{self, Token, UNKNOWN};

/// A prepared record.
#[derive(Debug)]
pub(super) struct Query<S> {
    pub(super) text: Needle<S>,
    /// The text with its tokens sorted and joined by spaces.
    pub(super) sorted: Needle<S>,
    /// The same with each different token once; filled where a token stands twice.
    pub(super) different: Needle<S>,
    pub(super) tokens: Vec<Token>,
    /// Whether no token stands twice.
    pub(super) all_differ: bool,
    pub(super) classes: Classes,
    /// Those of the sorted text.
    pub(super) sorted_classes: Classes,
    /// How many symbols there are when each token stands once.
    pub(super) different_length: usize,
    /// For each token of the vocabulary, which of this record's it is, counted from 1.
    ordinals: Vec<u32>,
    places: Vec<Range<usize>>,
}

impl<S: Symbol> Query<S> {
    pub(super) fn new(reference: &Reference<S>, measure: Measure) -> Self {
        let alphabet = reference.alphabet.size();
        let partial = measure.is_partial();
        let needle = |wanted: bool| {
            let alphabet = if wanted { alphabet } else { 0 };
            Needle::new(alphabet, partial && wanted)
        };
        Query {
            text: needle(measure.reads_text()),
            sorted: needle(measure.reads_tokens()),
            different: needle(measure.reads_tokens() && partial),
            tokens: Vec::new(),
            all_differ: true,
            classes: Classes::default(),
            sorted_classes: Classes::default(),
            different_length: 0,
            ordinals: vec![0; reference.vocabulary_size()],
            places: Vec::new(),
        }
    }

    /// What is compared, where one text of each is.
    pub(super) fn compared(&self, measure: Measure) -> (&Needle<S>, &Classes) {
        if measure.reads_text() {
            (&self.text, &self.classes)
        } else {
            (&self.sorted, &self.sorted_classes)
        }
    }

    /// Becomes another record.
    pub(super) fn set(&mut self, text: &str, reference: &Reference<S>, measure: Measure) {
        let alphabet = &reference.alphabet;
        if measure.reads_text() {
            self.text.set(|symbols| alphabet.encode(text, symbols));
            self.classes.set(&self.text.symbols);
        }
        if !measure.reads_tokens() {
            return;
        }
        for token in self.tokens.drain(..) {
            if token.id != UNKNOWN {
                self.ordinals[token.id as usize] = 0;
            }
        }
        tokens::split(text, &mut self.places);
        let (places, tokens) = (&self.places, &mut self.tokens);
        self.sorted.set(|symbols| {
            let id = |token: &str| reference.token_id(token);
            tokens::join(text, places, alphabet, id, symbols, tokens);
        });
        for (token, ordinal) in self.tokens.iter().zip(1..) {
            if token.id != UNKNOWN {
                self.ordinals[token.id as usize] = ordinal;
            }
        }
        let all = Tokens {
            sorted: &self.sorted.symbols,
            different: &self.tokens,
        };
        self.all_differ = all.all_differ();
        self.different_length = all.different_length();
        self.sorted_classes.set(&self.sorted.symbols);
        if measure.is_partial() && !self.all_differ {
            self.different
                .set(|symbols| symbols.extend(all.pieces(|_| true).flatten()));
        }
    }

    /// Whether it has a token of the reference.
    #[inline]
    pub(super) fn has(&self, token: &Token) -> bool {
        self.ordinals[token.id as usize] != 0
    }

    /// Which of its tokens a token of the reference is.
    #[inline]
    pub(super) fn find(&self, token: &Token) -> Option<usize> {
        (self.ordinals[token.id as usize] as usize).checked_sub(1)
    }

    /// How many bytes it has taken.
    pub(super) fn bytes(&self) -> usize {
        self.text.bytes() + self.sorted.bytes() + self.different.bytes()
    }
}
