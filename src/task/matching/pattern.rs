//! A text as bit masks: for each symbol, its positions in the text.
//!
//! The bit-parallel algorithms start from these masks. Only symbols that occur in the text have their own masks,
//! and an index by symbol leads to these masks, so that a long text over a large alphabet takes little memory.

use super::alphabet::Symbol;

/// Number of positions that one mask covers.
pub(super) const WORD: usize = u64::BITS as usize;

/// A text as bit masks.
#[derive(Debug)]
pub(super) struct Pattern {
    /// Number of symbols of the text.
    pub(super) length: usize,
    /// Number of masks of each symbol; one if the text is empty.
    pub(super) words: usize,
    /// For each symbol of the alphabet, the index of its group of masks. Group 0 is empty; it belongs to all
    /// symbols that do not occur in the text.
    entries: Vec<u32>,
    masks: Vec<u64>,
    /// The symbols that occur in the text.
    present: Vec<usize>,
}

impl Pattern {
    /// The pattern of the empty text.
    pub(super) fn new(alphabet: usize) -> Self {
        Pattern {
            length: 0,
            words: 1,
            entries: vec![0; alphabet],
            masks: vec![0],
            present: Vec::new(),
        }
    }

    /// Replaces the pattern with that of another text over the same alphabet.
    pub(super) fn set<S: Symbol>(&mut self, text: impl ExactSizeIterator<Item = S>) {
        for symbol in self.present.drain(..) {
            self.entries[symbol] = 0;
        }
        self.length = text.len();
        self.words = self.length.div_ceil(WORD).max(1);
        self.masks.clear();
        self.masks.resize(self.words, 0);
        for (index, symbol) in text.enumerate() {
            let number = symbol.number();
            if number == 0 {
                continue;
            }
            if self.entries[number] == 0 {
                self.entries[number] = (self.masks.len() / self.words) as u32;
                self.present.push(number);
                self.masks.resize(self.masks.len() + self.words, 0);
            }
            let first = self.entries[number] as usize * self.words;
            self.masks[first + index / WORD] |= 1 << (index % WORD);
        }
    }

    /// The masks of a symbol, for a pattern of `W` words.
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

    /// Whether a symbol occurs in the text.
    pub(super) fn contains<S: Symbol>(&self, symbol: S) -> bool {
        self.entries[symbol.number()] != 0
    }

    /// The symbols that occur in the text, by number, with their masks.
    pub(super) fn present(&self) -> impl Iterator<Item = (usize, &[u64])> {
        self.present.iter().map(|symbol| {
            let first = self.entries[*symbol] as usize * self.words;
            (*symbol, &self.masks[first..first + self.words])
        })
    }

    /// Allocated memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.entries) + self.masks.capacity() * size_of::<u64>()
    }
}
