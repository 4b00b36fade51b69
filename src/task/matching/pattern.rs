//! A text as bit masks: for each symbol, where in the text it stands.
//!
//! What the bit-parallel algorithms start from. The masks of the symbols that the text holds lie
//! side by side; a symbol finds its masks by way of a number, so that a long text over a large
//! alphabet takes memory for the symbols it holds alone.

use super::alphabet::Symbol;

/// How many places of a text one mask covers.
pub(super) const WORD: usize = u64::BITS as usize;

/// A text as bit masks.
#[derive(Debug)]
pub(super) struct Pattern {
    /// How many symbols the text has.
    pub(super) length: usize,
    /// How many masks each symbol has; one where the text is empty.
    pub(super) words: usize,
    /// For each symbol of the alphabet, which masks are its own; the first are empty, for those
    /// that the text does not hold.
    entries: Vec<u32>,
    masks: Vec<u64>,
    /// The symbols that have masks.
    held: Vec<usize>,
}

impl Pattern {
    /// The pattern of the empty text.
    pub(super) fn new(alphabet: usize) -> Self {
        Pattern {
            length: 0,
            words: 1,
            entries: vec![0; alphabet],
            masks: vec![0],
            held: Vec::new(),
        }
    }

    /// Becomes the pattern of another text over the same alphabet.
    pub(super) fn set<S: Symbol>(&mut self, text: impl ExactSizeIterator<Item = S>) {
        for symbol in self.held.drain(..) {
            self.entries[symbol] = 0;
        }
        self.length = text.len();
        self.words = self.length.div_ceil(WORD).max(1);
        self.masks.clear();
        self.masks.resize(self.words, 0);
        for (place, symbol) in text.enumerate() {
            let number = symbol.number();
            if number == 0 {
                continue;
            }
            if self.entries[number] == 0 {
                self.entries[number] = (self.masks.len() / self.words) as u32;
                self.held.push(number);
                self.masks.resize(self.masks.len() + self.words, 0);
            }
            let first = self.entries[number] as usize * self.words;
            self.masks[first + place / WORD] |= 1 << (place % WORD);
        }
    }

    /// The masks of a symbol, of which the pattern has `W`.
    #[inline(always)]
    pub(super) fn masks_of<const W: usize, S: Symbol>(&self, symbol: S) -> &[u64; W] {
        &self.masks.as_chunks().0[self.entries[symbol.number()] as usize]
    }

    /// The masks of a symbol.
    #[inline(always)]
    pub(super) fn masks<S: Symbol>(&self, symbol: S) -> &[u64] {
        let first = self.entries[symbol.number()] as usize * self.words;
        &self.masks[first..first + self.words]
    }

    /// Whether the text holds a symbol.
    pub(super) fn holds<S: Symbol>(&self, symbol: S) -> bool {
        self.entries[symbol.number()] != 0
    }

    /// The numbers of the symbols that the text holds, and their masks.
    pub(super) fn held(&self) -> impl Iterator<Item = (usize, &[u64])> {
        self.held.iter().map(|symbol| {
            let first = self.entries[*symbol] as usize * self.words;
            (*symbol, &self.masks[first..first + self.words])
        })
    }

    /// How many bytes it has taken.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.entries) + self.masks.capacity() * size_of::<u64>()
    }
}
