//! The texts to find matches among, prepared once for all records.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::RandomState;

use super::Measure;
use super::alphabet::{Alphabet, Symbol};
use super::blocks::TextBlocks;
use super::sequences::Sequences;
use super::tokens::{self, TokenSpan, UNKNOWN};

/// The texts while they are collected. They are stored one after the other in one string.
#[derive(Debug)]
pub(super) struct Collected {
    text: String,
    ends: Vec<usize>,
    /// For each text, its number of code points.
    lengths: Vec<u32>,
    pub(super) alphabet: Alphabet,
}

impl Collected {
    pub(super) fn new() -> Self {
        Collected {
            text: String::new(),
            ends: Vec::new(),
            lengths: Vec::new(),
            alphabet: Alphabet::new(),
        }
    }

    /// Appends a text.
    pub(super) fn push(&mut self, text: &str) {
        let length = self.alphabet.add(text);
        self.lengths.push(length as u32);
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    fn text(&self, index: u32) -> &str {
        let index = index as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[index]]
    }

    /// The indices of all texts, the shortest first; texts of the same length stay in their order.
    fn by_length(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.lengths.len() as u32).collect();
        order.sort_by_key(|index| self.lengths[*index as usize]);
        order
    }
}

/// The prepared texts. Data that the measure does not read is not stored.
///
/// The texts are sorted by length, so that texts that are compared at once are neighbours in memory. A text has a
/// *position* in this order, and an *index* in the order in which the caller gave the texts.
#[derive(Debug)]
pub(super) struct Reference<S> {
    pub(super) alphabet: Alphabet,
    /// For each position, the index of its text.
    order: Vec<u32>,
    texts: Sequences<S>,
    /// The texts with their tokens sorted and joined by spaces.
    sorted: Sequences<S>,
    tokens: Sequences<TokenSpan>,
    vocabulary: HashMap<Box<str>, u32, RandomState>,
    /// For each token of the vocabulary, the positions of the texts that have it.
    texts_with: Sequences<u32>,
    /// For each position, the number of symbols of the sorted text without repeated tokens.
    distinct_lengths: Vec<u32>,
    pub(super) blocks: TextBlocks,
    /// The blocks of the sorted texts.
    pub(super) sorted_blocks: TextBlocks,
}

impl<S: Symbol> Reference<S> {
    pub(super) fn new(mut collected: Collected, measure: Measure) -> Self {
        collected.alphabet.rank();
        let (mut texts, mut sorted) = (Sequences::new(), Sequences::new());
        let mut all_tokens = Sequences::new();
        let mut vocabulary: HashMap<Box<str>, u32, RandomState> = HashMap::default();
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let order = collected.by_length();
        for text in order.iter().map(|index| collected.text(*index)) {
            if measure.reads_text() {
                texts.push(|symbols| collected.alphabet.encode(text, symbols));
            }
            if measure.reads_tokens() {
                tokens::split(text, &mut ranges);
                let id = |token: &str| {
                    let next = vocabulary.len() as u32;
                    if let Some(id) = vocabulary.get(token) {
                        return *id;
                    }
                    vocabulary.insert(token.into(), next);
                    next
                };
                let alphabet = &collected.alphabet;
                sorted.push(|symbols| {
                    all_tokens.push(|tokens| {
                        tokens::join(text, &ranges, alphabet, id, symbols, tokens);
                    });
                });
            }
        }
        texts.shrink();
        sorted.shrink();
        all_tokens.shrink();
        let texts_with = if measure.reads_sets() {
            texts_with(&all_tokens, vocabulary.len())
        } else {
            Sequences::new()
        };
        let distinct_lengths = all_tokens
            .iter()
            .map(|tokens| joined_length(tokens.iter()) as u32);
        Reference {
            order,
            distinct_lengths: distinct_lengths.collect(),
            blocks: TextBlocks::new(&texts),
            sorted_blocks: TextBlocks::new(&sorted),
            texts_with,
            alphabet: collected.alphabet,
            texts,
            sorted,
            tokens: all_tokens,
            vocabulary,
        }
    }

    /// Number of texts.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// The index of the text at a position.
    #[inline]
    pub(super) fn index(&self, position: usize) -> usize {
        self.order[position] as usize
    }

    /// The text at a position.
    #[inline]
    pub(super) fn text(&self, position: usize) -> &[S] {
        self.texts.get(position)
    }

    /// The tokens of the text at a position.
    #[inline]
    pub(super) fn tokens(&self, position: usize) -> Tokens<'_, S> {
        Tokens {
            sorted: self.sorted.get(position),
            distinct: self.tokens.get(position),
        }
    }

    /// The blocks that a measure compares, if it compares one text of each side.
    pub(super) fn compared_blocks(&self, measure: Measure) -> &TextBlocks {
        if measure.reads_text() {
            &self.blocks
        } else {
            &self.sorted_blocks
        }
    }

    /// The text that a measure compares at a position, if it compares one text of each side: the text itself or
    /// the sorted text.
    #[inline]
    pub(super) fn compared(&self, position: usize, measure: Measure) -> &[S] {
        if measure.reads_text() {
            self.texts.get(position)
        } else {
            self.sorted.get(position)
        }
    }

    /// Number of symbols of the sorted text at a position without repeated tokens.
    #[inline]
    pub(super) fn distinct_length(&self, position: usize) -> usize {
        self.distinct_lengths[position] as usize
    }

    /// The positions of the texts that have a token.
    pub(super) fn texts_with(&self, token: u32) -> &[u32] {
        if token == UNKNOWN {
            &[]
        } else {
            self.texts_with.get(token as usize)
        }
    }

    /// Number of distinct tokens of all texts.
    pub(super) fn vocabulary_size(&self) -> usize {
        self.vocabulary.len()
    }

    /// The number of a token in the vocabulary, or [`UNKNOWN`].
    pub(super) fn token_id(&self, token: &str) -> u32 {
        self.vocabulary.get(token).copied().unwrap_or(UNKNOWN)
    }
}

/// For each token of a vocabulary of this size, the positions of the texts that have it.
fn texts_with(tokens: &Sequences<TokenSpan>, vocabulary: usize) -> Sequences<u32> {
    let mut lengths = vec![0; vocabulary];
    for token in tokens.iter().flatten() {
        lengths[token.id as usize] += 1;
    }
    let mut texts_with = Sequences::filled(&lengths, 0);
    // From here on, `lengths` counts the positions that are still to be filled in.
    for (position, tokens) in tokens.iter().enumerate() {
        for token in tokens {
            let id = token.id as usize;
            let positions = texts_with.get_mut(id);
            let next = positions.len() - lengths[id];
            positions[next] = position as u32;
            lengths[id] -= 1;
        }
    }
    texts_with
}

/// The tokens of one text.
#[derive(Debug)]
pub(super) struct Tokens<'a, S> {
    /// All tokens, sorted and joined by spaces.
    pub(super) sorted: &'a [S],
    /// The distinct tokens in the same order.
    pub(super) distinct: &'a [TokenSpan],
}

impl<S> Clone for Tokens<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Tokens<'_, S> {}

impl<'a, S: Symbol> Tokens<'a, S> {
    /// Number of symbols without repeated tokens.
    pub(super) fn distinct_length(self) -> usize {
        joined_length(self.distinct.iter())
    }

    /// Whether no token is repeated.
    pub(super) fn all_distinct(self) -> bool {
        self.distinct_length() == self.sorted.len()
    }

    /// The distinct tokens that `keep` selects, joined by spaces, as slices of the sorted text.
    pub(super) fn joined(self, keep: impl Fn(&TokenSpan) -> bool) -> impl Iterator<Item = &'a [S]> {
        let mut kept = self
            .distinct
            .iter()
            .filter(move |token| keep(token))
            .peekable();
        std::iter::from_fn(move || {
            let token = kept.next()?;
            // A token that is followed by another one is followed by a space in the sorted text, too.
            let end = token.end as usize + usize::from(kept.peek().is_some());
            Some(&self.sorted[token.start as usize..end])
        })
    }
}

/// Number of symbols of tokens that are joined by spaces.
fn joined_length<'t>(tokens: impl Iterator<Item = &'t TokenSpan>) -> usize {
    let lengths = tokens.map(|token| token.length() + 1);
    lengths.sum::<usize>().saturating_sub(1)
}
