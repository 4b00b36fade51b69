//! Numbers the code points that occur in a reference, so that they can index a table.

use std::cmp::Reverse;
use std::collections::HashMap;

use foldhash::fast::RandomState;

/// A code point, stored as its number in an [`Alphabet`]: in one byte if the alphabet is small, otherwise in four
/// bytes.
///
/// Number 0 represents every code point that does not occur in the reference. Two such code points may differ, so
/// 0 never matches 0.
pub(super) trait Symbol: Copy + Eq + Send + Sync + 'static {
    /// Number of symbols that the type can represent.
    const NUMBERS: usize;
    fn from_number(number: usize) -> Self;
    fn number(self) -> usize;
}

impl Symbol for u8 {
    const NUMBERS: usize = 1 << 8;
    fn from_number(number: usize) -> Self {
        number as u8
    }
    fn number(self) -> usize {
        usize::from(self)
    }
}

impl Symbol for u32 {
    // Unicode has about 1.1 million code points.
    const NUMBERS: usize = 1 << 21;
    fn from_number(number: usize) -> Self {
        number as u32
    }
    fn number(self) -> usize {
        self as usize
    }
}

/// The number of the space, which joins tokens.
pub(super) const SPACE: usize = 1;

/// The code points that occur in a reference, with their numbers.
#[derive(Debug)]
pub(super) struct Alphabet {
    ascii: [u32; 128],
    others: HashMap<char, u32, RandomState>,
    /// For each number, how often the code point with this number has occurred.
    counts: Vec<u64>,
}

impl Alphabet {
    pub(super) fn new() -> Self {
        let mut alphabet = Alphabet {
            ascii: [0; 128],
            others: HashMap::default(),
            counts: vec![0],
        };
        alphabet.add(" ");
        alphabet
    }

    /// Counts the code points of a text, and numbers the code points that have no number yet. Returns the length
    /// of the text in code points.
    pub(super) fn add(&mut self, text: &str) -> usize {
        let mut length = 0;
        for c in text.chars() {
            let number = match self.ascii.get_mut(c as usize) {
                Some(number) => number,
                None => self.others.entry(c).or_default(),
            };
            if *number == 0 {
                *number = self.counts.len() as u32;
                self.counts.push(0);
            }
            self.counts[*number as usize] += 1;
            length += 1;
        }
        length
    }

    /// Renumbers the code points in the order of descending frequency; the space keeps its number.
    pub(super) fn rank(&mut self) {
        let mut order: Vec<usize> = (SPACE + 1..self.size()).collect();
        // Sorting is stable: if code points are equally frequent, the one that occurred first stays first.
        order.sort_by_key(|number| Reverse(self.counts[*number]));
        let mut ranks: Vec<u32> = (0..self.size() as u32).collect();
        for (rank, number) in (SPACE as u32 + 1..).zip(order) {
            ranks[number] = rank;
        }
        for number in self.ascii.iter_mut().chain(self.others.values_mut()) {
            *number = ranks[*number as usize];
        }
        self.counts = vec![0; self.counts.len()];
    }

    /// Number of symbols, including symbol 0.
    pub(super) fn size(&self) -> usize {
        self.counts.len()
    }

    /// The number of a code point; 0 if it does not occur in the reference.
    fn number(&self, c: char) -> usize {
        let known = self.ascii.get(c as usize).or_else(|| self.others.get(&c));
        known.map_or(0, |number| *number as usize)
    }

    /// Appends the symbols of a text.
    pub(super) fn encode<S: Symbol>(&self, text: &str, symbols: &mut Vec<S>) {
        symbols.extend(text.chars().map(|c| S::from_number(self.number(c))));
    }
}
