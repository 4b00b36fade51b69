//! A text prepared for being compared with many others.

use super::alphabet::Symbol;
use super::pattern::Pattern;

/// A text and its bit masks.
#[derive(Debug)]
pub(super) struct PreparedText<S> {
    pub(super) symbols: Vec<S>,
    pub(super) pattern: Pattern,
    /// The pattern of the reversed text, if a measure needs it.
    pub(super) reversed: Option<Pattern>,
}

impl<S: Symbol> PreparedText<S> {
    /// The empty text over an alphabet of this size, with or without the reversed pattern.
    pub(super) fn new(alphabet: usize, reversed: bool) -> Self {
        PreparedText {
            symbols: Vec::new(),
            pattern: Pattern::new(alphabet),
            reversed: reversed.then(|| Pattern::new(alphabet)),
        }
    }

    /// Replaces the text with another one, whose symbols `write` appends.
    pub(super) fn set(&mut self, write: impl FnOnce(&mut Vec<S>)) {
        self.symbols.clear();
        write(&mut self.symbols);
        self.pattern.set(self.symbols.iter().copied());
        if let Some(reversed) = &mut self.reversed {
            reversed.set(self.symbols.iter().rev().copied());
        }
    }

    /// Number of symbols.
    pub(super) fn length(&self) -> usize {
        self.symbols.len()
    }

    /// Allocated memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let reversed = self.reversed.as_ref().map_or(0, Pattern::bytes);
        self.symbols.capacity() * size_of::<S>() + self.pattern.bytes() + reversed
    }
}
