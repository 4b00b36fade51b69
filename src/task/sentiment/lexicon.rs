//! What the scorer knows about each word: its mean valence, and its roles in the rules.
//!
//! The lexicon numbers its words, so that a text becomes a list of two-byte tokens and the rules compare bits
//! instead of strings. The build script makes the tables, so that no program has to build them when it starts.

use super::perfect_hash::{HashSlot, PerfectHash};
pub(super) use super::words::Role;
use super::words::{self, ENTRIES, LexiconEntry};

/// A token of a text in two bytes: the number of its word, whether it contains "n't", and whether it is in
/// upper case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token(u16);

impl Token {
    const WORD: u16 = ENTRIES as u16 - 1;
    const CONTRACTED: u16 = 0x2000;
    const UPPER: u16 = 0x8000;

    /// A token that is not in the lexicon. It is also the placeholder for tokens after the end of a text.
    pub(super) const UNKNOWN: Token = Token(0);
    /// The placeholder for tokens before the start of a text. The rules ignore neighbours that have their own
    /// valence, so this placeholder counts as such a neighbour.
    pub(super) const BEFORE: Token = Token(words::BEFORE);

    /// A token with this word; `upper` if the token is in upper case.
    #[inline]
    pub(super) fn new(word: u16, upper: bool) -> Token {
        Token(word | u16::from(upper) << 15)
    }

    /// Marks the token as containing "n't".
    pub(super) fn contract(&mut self) {
        self.0 |= Token::CONTRACTED;
    }

    #[inline]
    pub(super) fn is_upper(self) -> bool {
        self.0 & Token::UPPER != 0
    }

    #[inline]
    fn word(self) -> u16 {
        self.0 & Token::WORD
    }
}

/// All words with their roles and mean valences.
pub(super) struct Lexicon {
    words: PerfectHash,
    /// The entries, indexed by the number of the word. Words without a valence, except "but", come first.
    entries: [LexiconEntry; ENTRIES],
    /// The smallest number of a word that has a valence or is "but".
    first_significant: u16,
}

// Defines `BUILT_IN`.
include!(concat!(env!("OUT_DIR"), "/sentiment_tables.rs"));

impl Lexicon {
    /// The lexicon of all scorers.
    pub(super) fn shared() -> &'static Lexicon {
        &BUILT_IN
    }

    /// The numbers of the words, by lowercase spelling.
    #[inline]
    pub(super) fn words(&self) -> &PerfectHash {
        &self.words
    }

    /// Whether the rules apply to the token: it has a valence, or it is "but".
    #[inline]
    pub(super) fn is_significant(&self, token: Token) -> bool {
        token.word() >= self.first_significant
    }

    #[inline]
    pub(super) fn mean(&self, token: Token) -> f64 {
        self.entries[usize::from(token.word())].mean
    }

    #[inline]
    pub(super) fn roles(&self, token: Token) -> Role {
        let roles = self.entries[usize::from(token.word())].roles;
        if token.0 & Token::CONTRACTED != 0 {
            roles.and(Role::NEGATES)
        } else {
            roles
        }
    }
}
