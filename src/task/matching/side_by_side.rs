//! One record compared with several texts at once.
//!
//! One text after the other, every symbol waits for the one before it, for a chain of instructions
//! that depend on each other. Texts side by side do not wait for each other. Vectors would hold their
//! states too, but each lane has a symbol of its own: gathering the masks costs as much as the few
//! instructions that it would save.

use super::alphabet::Symbol;
use super::lcs::{self, zeros};
use super::levenshtein::{self, FIRST};
use super::pattern::{Pattern, WORD};

/// How many texts are compared at once: their states and what points to them fit in registers.
pub(super) const SIDES: usize = 4;

/// How many symbols the table is for: those that one byte can number.
const SYMBOLS: usize = 256;

/// The most masks that a symbol has in the table; longer records are compared one by one.
const WORDS: usize = 4;

/// A record's masks, found by the symbol alone.
#[derive(Debug, Default)]
pub(super) struct SideBySide {
    /// The masks of each symbol in turn; empty where the record has no table.
    masks: Vec<u64>,
}

impl SideBySide {
    /// Takes the masks of a pattern.
    pub(super) fn set<S: Symbol>(&mut self, pattern: &Pattern) {
        self.masks.clear();
        if S::NUMBERS > SYMBOLS || pattern.words > WORDS {
            return;
        }
        self.masks.resize(SYMBOLS * pattern.words, 0);
        for (symbol, masks) in pattern.held() {
            let first = symbol * pattern.words;
            self.masks[first..first + pattern.words].copy_from_slice(masks);
        }
    }

    /// How many symbols the longest common subsequence of the pattern and each of the texts has.
    pub(super) fn lengths<S: Symbol>(
        &self,
        pattern: &Pattern,
        texts: [&[S]; SIDES],
        state: &mut Vec<u64>,
    ) -> [usize; SIDES] {
        let found = match pattern.words {
            1 => self.table::<1>().map(|table| lengths(table, texts)),
            2 => self.table::<2>().map(|table| lengths(table, texts)),
            3 => self.table::<3>().map(|table| lengths(table, texts)),
            4 => self.table::<4>().map(|table| lengths(table, texts)),
            _ => None,
        };
        found.unwrap_or_else(|| texts.map(|text| lcs::length(pattern, text, state)))
    }

    /// Levenshtein's distance of the pattern and each of the texts; `None` for patterns of which the
    /// states would not fit in registers.
    pub(super) fn distances<S: Symbol>(
        &self,
        pattern: &Pattern,
        texts: [&[S]; SIDES],
    ) -> Option<[usize; SIDES]> {
        match (pattern.length, pattern.words) {
            (0, _) => None,
            (length, 1) => self
                .table::<1>()
                .map(|table| distances(table, length, texts)),
            (length, 2) => self
                .table::<2>()
                .map(|table| distances(table, length, texts)),
            _ => None,
        }
    }

    fn table<const W: usize>(&self) -> Option<&[[u64; W]; SYMBOLS]> {
        self.masks.as_chunks().0.first_chunk()
    }
}

#[inline(always)]
fn lengths<const W: usize, S: Symbol>(
    table: &[[u64; W]; SYMBOLS],
    texts: [&[S]; SIDES],
) -> [usize; SIDES] {
    let states = read(table, texts, [!0; W], |state, masks| {
        lcs::step(state, masks, |_| !0);
    });
    states.map(|state| zeros(&state))
}

#[inline(always)]
fn distances<const W: usize, S: Symbol>(
    table: &[[u64; W]; SYMBOLS],
    length: usize,
    texts: [&[S]; SIDES],
) -> [usize; SIDES] {
    let last = 1 << ((length - 1) % WORD);
    let states = read(
        table,
        texts,
        ([FIRST; W], length),
        |(columns, distance), masks| {
            let change = levenshtein::step::<false>(columns, masks, last);
            *distance = distance.wrapping_add_signed(change);
        },
    );
    states.map(|(_, distance)| distance)
}

/// The states after reading all texts, one symbol of each in turn.
#[inline(always)]
fn read<const W: usize, S: Symbol, T: Copy>(
    table: &[[u64; W]; SYMBOLS],
    texts: [&[S]; SIDES],
    first: T,
    take_in: impl Fn(&mut T, &[u64; W]),
) -> [T; SIDES] {
    let together = texts.iter().map(|text| text.len()).min().unwrap_or(0);
    let [one, two, three, four] = texts.map(|text| text.split_at(together));
    let mut states = [first; SIDES];
    let pairs = one.0.iter().zip(two.0).zip(three.0.iter().zip(four.0));
    for ((one, two), (three, four)) in pairs {
        for (state, symbol) in states.iter_mut().zip([one, two, three, four]) {
            take_in(state, &table[symbol.number()]);
        }
    }
    for (state, rest) in states.iter_mut().zip([one.1, two.1, three.1, four.1]) {
        for symbol in rest {
            take_in(state, &table[symbol.number()]);
        }
    }
    states
}
