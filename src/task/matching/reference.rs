//! The texts to find matches among, prepared once for all records.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::RandomState;

use super::Measure;
use super::alphabet::{Alphabet, Symbol};
use super::blocks::Blocks;
use super::sequences::Sequences;
use super::tokens::{self, Token, UNKNOWN};

/// Texts one after the other, as they are taken in.
#[derive(Debug)]
pub(super) struct Collected {
    text: String,
    ends: Vec<usize>,
    /// How many code points each text has.
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

    /// All texts, the shortest ones first; of equally long ones those that came first.
    fn by_length(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.lengths.len() as u32).collect();
        order.sort_by_key(|index| self.lengths[*index as usize]);
        order
    }
}

/// The prepared texts. What a measure does not look at is not kept.
///
/// They stand in order of their lengths, so that those which are compared together lie together.
/// Where a text stands is its place; its index is where it stood before.
#[derive(Debug)]
pub(super) struct Reference<S> {
    pub(super) alphabet: Alphabet,
    /// For each place, the index of the text.
    order: Vec<u32>,
    texts: Sequences<S>,
    /// The texts with their tokens sorted and joined by spaces.
    sorted: Sequences<S>,
    tokens: Sequences<Token>,
    vocabulary: HashMap<Box<str>, u32, RandomState>,
    /// For each token of the vocabulary, which texts have it.
    holders: Sequences<u32>,
    /// How many symbols the tokens of each text have when each stands once, joined.
    different_lengths: Vec<u32>,
    pub(super) blocks: Blocks,
    /// Those of the texts with their tokens sorted and joined.
    pub(super) sorted_blocks: Blocks,
}

impl<S: Symbol> Reference<S> {
    pub(super) fn new(mut collected: Collected, measure: Measure) -> Self {
        collected.alphabet.rank();
        let (mut texts, mut sorted) = (Sequences::new(), Sequences::new());
        let mut all_tokens = Sequences::new();
        let mut vocabulary: HashMap<Box<str>, u32, RandomState> = HashMap::default();
        let mut places: Vec<Range<usize>> = Vec::new();
        let order = collected.by_length();
        for text in order.iter().map(|index| collected.text(*index)) {
            if measure.reads_text() {
                texts.push(|symbols| collected.alphabet.encode(text, symbols));
            }
            if measure.reads_tokens() {
                tokens::split(text, &mut places);
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
                        tokens::join(text, &places, alphabet, id, symbols, tokens);
                    });
                });
            }
        }
        texts.shrink();
        sorted.shrink();
        all_tokens.shrink();
        let holders = if measure.reads_sets() {
            holders(&all_tokens, vocabulary.len())
        } else {
            Sequences::new()
        };
        let different_lengths = all_tokens
            .iter()
            .map(|tokens| joined_length(tokens.iter()) as u32);
        Reference {
            order,
            different_lengths: different_lengths.collect(),
            blocks: Blocks::of(&texts),
            sorted_blocks: Blocks::of(&sorted),
            holders,
            alphabet: collected.alphabet,
            texts,
            sorted,
            tokens: all_tokens,
            vocabulary,
        }
    }

    /// How many texts there are.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// The index of the text at a place.
    #[inline]
    pub(super) fn index(&self, place: usize) -> usize {
        self.order[place] as usize
    }

    #[inline]
    pub(super) fn text(&self, place: usize) -> &[S] {
        self.texts.get(place)
    }

    #[inline]
    pub(super) fn tokens(&self, place: usize) -> Tokens<'_, S> {
        Tokens {
            sorted: self.sorted.get(place),
            different: self.tokens.get(place),
        }
    }

    /// What is compared, where one text of each is, in blocks.
    pub(super) fn compared_blocks(&self, measure: Measure) -> &Blocks {
        if measure.reads_text() {
            &self.blocks
        } else {
            &self.sorted_blocks
        }
    }

    /// What is compared of a text, where one text of each is.
    #[inline]
    pub(super) fn compared(&self, place: usize, measure: Measure) -> &[S] {
        if measure.reads_text() {
            self.texts.get(place)
        } else {
            self.sorted.get(place)
        }
    }

    /// How many symbols the tokens of a text have when each stands once, joined.
    #[inline]
    pub(super) fn different_length(&self, place: usize) -> usize {
        self.different_lengths[place] as usize
    }

    /// Which texts have a token.
    pub(super) fn holders(&self, token: u32) -> &[u32] {
        if token == UNKNOWN {
            &[]
        } else {
            self.holders.get(token as usize)
        }
    }

    /// How many different tokens the texts have.
    pub(super) fn vocabulary_size(&self) -> usize {
        self.vocabulary.len()
    }

    /// The number of a token, [`UNKNOWN`] where no text has it.
    pub(super) fn token_id(&self, token: &str) -> u32 {
        self.vocabulary.get(token).copied().unwrap_or(UNKNOWN)
    }
}

/// Which texts have each token of a vocabulary.
fn holders(tokens: &Sequences<Token>, vocabulary: usize) -> Sequences<u32> {
    let mut lengths = vec![0; vocabulary];
    for token in tokens.iter().flatten() {
        lengths[token.id as usize] += 1;
    }
    let mut holders = Sequences::filled(&lengths, 0);
    // From here on, how many holders of each token are still to come.
    for (text, tokens) in tokens.iter().enumerate() {
        for token in tokens {
            let id = token.id as usize;
            let all = holders.get_mut(id);
            let place = all.len() - lengths[id];
            all[place] = text as u32;
            lengths[id] -= 1;
        }
    }
    holders
}

/// The tokens of one text.
#[derive(Debug)]
pub(super) struct Tokens<'a, S> {
    /// All of them, sorted and joined by spaces.
    pub(super) sorted: &'a [S],
    /// Each different one, in the same order.
    pub(super) different: &'a [Token],
}

impl<S> Clone for Tokens<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Tokens<'_, S> {}

impl<'a, S: Symbol> Tokens<'a, S> {
    /// How many symbols there are when each token stands once.
    pub(super) fn different_length(self) -> usize {
        joined_length(self.different.iter())
    }

    /// Whether no token stands twice.
    pub(super) fn all_differ(self) -> bool {
        self.different_length() == self.sorted.len()
    }

    /// The pieces that make up those of the tokens that are kept, joined by spaces.
    pub(super) fn pieces(self, keep: impl Fn(&Token) -> bool) -> impl Iterator<Item = &'a [S]> {
        let mut kept = self
            .different
            .iter()
            .filter(move |token| keep(token))
            .peekable();
        std::iter::from_fn(move || {
            let token = kept.next()?;
            // The space behind a token stands in the sorted text wherever another one follows.
            let end = token.end as usize + usize::from(kept.peek().is_some());
            Some(&self.sorted[token.start as usize..end])
        })
    }
}

/// How many symbols tokens have when they are joined by spaces.
pub(super) fn joined_length<'t>(tokens: impl Iterator<Item = &'t Token>) -> usize {
    let lengths = tokens.map(|token| token.length() + 1);
    lengths.sum::<usize>().saturating_sub(1)
}
