//! The texts to find matches among, prepared once for all records.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::RandomState;

use super::Measure;
use super::alphabet::{Alphabet, Symbol};
use super::tokens::{self, Token, UNKNOWN};

/// Texts one after the other, as they are taken in.
#[derive(Debug)]
pub(super) struct Collected {
    text: String,
    ends: Vec<usize>,
    pub(super) alphabet: Alphabet,
}

impl Collected {
    pub(super) fn new() -> Self {
        Collected {
            text: String::new(),
            ends: Vec::new(),
            alphabet: Alphabet::new(),
        }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.alphabet.add(text);
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts
            .zip(&self.ends)
            .map(|(start, end)| &self.text[*start..*end])
    }
}

/// Sequences one after the other in one piece of memory.
#[derive(Debug)]
struct Sequences<T> {
    values: Vec<T>,
    ends: Vec<usize>,
}

impl<T> Sequences<T> {
    fn new() -> Self {
        Sequences {
            values: Vec::new(),
            ends: Vec::new(),
        }
    }

    fn push(&mut self, write: impl FnOnce(&mut Vec<T>)) {
        write(&mut self.values);
        self.ends.push(self.values.len());
    }

    #[inline]
    fn get(&self, index: usize) -> &[T] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.values[start..self.ends[index]]
    }

    fn shrink(&mut self) {
        self.values.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

/// The prepared texts. What a measure does not look at is not kept.
#[derive(Debug)]
pub(super) struct Reference<S> {
    pub(super) alphabet: Alphabet,
    length: usize,
    texts: Sequences<S>,
    /// The texts with their tokens sorted and joined by spaces.
    sorted: Sequences<S>,
    tokens: Sequences<Token>,
    vocabulary: HashMap<Box<str>, u32, RandomState>,
}

impl<S: Symbol> Reference<S> {
    pub(super) fn new(collected: Collected, measure: Measure) -> Self {
        let (mut texts, mut sorted) = (Sequences::new(), Sequences::new());
        let mut all_tokens = Sequences::new();
        let mut vocabulary: HashMap<Box<str>, u32, RandomState> = HashMap::default();
        let mut places: Vec<Range<usize>> = Vec::new();
        for text in collected.texts() {
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
        Reference {
            length: collected.ends.len(),
            alphabet: collected.alphabet,
            texts,
            sorted,
            tokens: all_tokens,
            vocabulary,
        }
    }

    /// How many texts there are.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    #[inline]
    pub(super) fn text(&self, index: usize) -> &[S] {
        self.texts.get(index)
    }

    #[inline]
    pub(super) fn tokens(&self, index: usize) -> Tokens<'_, S> {
        Tokens {
            sorted: self.sorted.get(index),
            different: self.tokens.get(index),
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
    /// Whether no token stands twice.
    pub(super) fn all_differ(self) -> bool {
        joined_length(self.different.iter()) == self.sorted.len()
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
