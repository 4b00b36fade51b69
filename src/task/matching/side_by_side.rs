//! One record compared with several texts at once.
//!
//! Each text has a lane of the states, 64 bits wide. Its next symbol is its own, so that masks are
//! fetched one by one; what is done with them is done in vectors. The loops are the same for every
//! processor, and `pulp` has them compiled for AVX2 and AVX-512 too, as in `blocks`.
//! For Levenshtein's distances they are hardly faster than scalars that do not wait for each other.

use pulp::{Simd, WithSimd};

use super::alphabet::Symbol;
use super::lcs::{self, zeros};
use super::pattern::{Pattern, WORD};

/// How many texts are compared at once: as many words as the widest vectors have.
pub(super) const SIDES: usize = 8;

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

/// A word of each text's state.
type Lanes = [u64; SIDES];

/// Reads texts, one symbol of each in turn.
struct Read<'a, const W: usize, S, T> {
    table: &'a [[u64; W]; SYMBOLS],
    texts: [&'a [S]; SIDES],
    states: T,
}

/// The states of several texts, a lane for each.
trait States<const W: usize> {
    /// Takes in the next symbol of each text, by its masks; those that have ended are 0 in `alive`, and
    /// their masks are empty.
    fn take_in(&mut self, masks: &[Lanes; W], alive: &Lanes);
}

impl<const W: usize, S: Symbol, T: States<W>> WithSimd for Read<'_, W, S, T> {
    type Output = T;

    #[inline(always)]
    fn with_simd<V: Simd>(self, _: V) -> T {
        let Read {
            table,
            texts,
            mut states,
        } = self;
        let together = texts.iter().map(|text| text.len()).min().unwrap_or(0);
        let heads = texts.map(|text| &text[..together]);
        for place in 0..together {
            let mut masks = [[0; SIDES]; W];
            for side in 0..SIDES {
                let found = &table[heads[side][place].number()];
                for word in 0..W {
                    masks[word][side] = found[word];
                }
            }
            states.take_in(&masks, &[1; SIDES]);
        }
        let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        for place in together..longest {
            let mut masks = [[0; SIDES]; W];
            let mut alive = [0; SIDES];
            for side in 0..SIDES {
                if let Some(symbol) = texts[side].get(place) {
                    let found = &table[symbol.number()];
                    alive[side] = 1;
                    for word in 0..W {
                        masks[word][side] = found[word];
                    }
                }
            }
            states.take_in(&masks, &alive);
        }
        states
    }
}

/// For longest common subsequences, as in `lcs`.
struct Common<const W: usize>([Lanes; W]);

impl<const W: usize> States<W> for Common<W> {
    #[inline(always)]
    fn take_in(&mut self, masks: &[Lanes; W], _: &Lanes) {
        let mut carry = [0; SIDES];
        for (state, masks) in self.0.iter_mut().zip(masks) {
            for side in 0..SIDES {
                let before = state[side];
                let matches = before & masks[side];
                let sum = before.wrapping_add(matches).wrapping_add(carry[side]);
                // All that matches is among what was there before.
                carry[side] = (matches | (before & !sum)) >> (WORD - 1);
                state[side] = sum | (before - matches);
            }
        }
    }
}

#[inline(always)]
fn lengths<const W: usize, S: Symbol>(
    table: &[[u64; W]; SYMBOLS],
    texts: [&[S]; SIDES],
) -> [usize; SIDES] {
    let states = Common([[!0; SIDES]; W]);
    let read = pulp::Arch::new().dispatch(Read {
        table,
        texts,
        states,
    });
    std::array::from_fn(|side| zeros(&read.0.map(|word| word[side])))
}

/// For Levenshtein's distances, as in `levenshtein`.
struct Columns<const W: usize> {
    up: [Lanes; W],
    down: [Lanes; W],
    distance: Lanes,
    /// Which bit of the last word is that of the last symbol.
    last: u32,
}

impl<const W: usize> States<W> for Columns<W> {
    #[inline(always)]
    fn take_in(&mut self, masks: &[Lanes; W], alive: &Lanes) {
        let (mut more, mut less) = ([1; SIDES], [0; SIDES]);
        let (mut change_up, mut change_down) = ([0; SIDES], [0; SIDES]);
        for (word, masks) in masks.iter().enumerate() {
            for side in 0..SIDES {
                let (up, down) = (self.up[word][side], self.down[word][side]);
                let matches = masks[side] | less[side];
                let diagonal = ((matches & up).wrapping_add(up) ^ up) | matches | down;
                let right_up = down | !(diagonal | up);
                let right_down = diagonal & up;
                change_up[side] = right_up;
                change_down[side] = right_down;
                let shifted_up = (right_up << 1) | more[side];
                let shifted_down = (right_down << 1) | less[side];
                more[side] = right_up >> (WORD - 1);
                less[side] = right_down >> (WORD - 1);
                self.up[word][side] = shifted_down | !(diagonal | shifted_up);
                self.down[word][side] = diagonal & shifted_up;
            }
        }
        for side in 0..SIDES {
            let up = (change_up[side] >> self.last) & alive[side];
            let down = (change_down[side] >> self.last) & alive[side];
            self.distance[side] = self.distance[side].wrapping_add(up).wrapping_sub(down);
        }
    }
}

#[inline(always)]
fn distances<const W: usize, S: Symbol>(
    table: &[[u64; W]; SYMBOLS],
    length: usize,
    texts: [&[S]; SIDES],
) -> [usize; SIDES] {
    let states = Columns {
        up: [[!0; SIDES]; W],
        down: [[0; SIDES]; W],
        distance: [length as u64; SIDES],
        last: ((length - 1) % WORD) as u32,
    };
    let read = pulp::Arch::new().dispatch(Read {
        table,
        texts,
        states,
    });
    read.distance.map(|distance| distance as usize)
}

#[cfg(test)]
mod tests {
    use super::super::levenshtein as plain;
    use super::*;

    fn text(length: usize, seed: usize) -> Vec<u8> {
        let places = 0..length;
        places
            .map(|place| ((place * place + seed * place) % 7 + 1) as u8)
            .collect()
    }

    fn check<const W: usize>(length: usize) {
        let mut pattern = Pattern::new(SYMBOLS);
        pattern.set(text(length, 3).into_iter());
        let mut sides = SideBySide::default();
        sides.set::<u8>(&pattern);
        let texts: [Vec<u8>; SIDES] = std::array::from_fn(|side| text(9 * side * W, side));
        let texts = texts.each_ref().map(|text| &text[..]);
        let table = sides.table::<W>().expect("a table");
        let states = Common([[!0; SIDES]; W]);
        let scalar = pulp::Scalar::new();
        let common = scalar
            .vectorize(Read {
                table,
                texts,
                states,
            })
            .0;
        let lengths = sides.lengths(&pattern, texts, &mut Vec::new());
        let distances = sides.distances(&pattern, texts);
        for (side, text) in texts.iter().enumerate() {
            let expected = lcs::length(&pattern, text, &mut Vec::new());
            assert_eq!(zeros(&common.map(|word| word[side])), expected);
            assert_eq!(lengths[side], expected);
            let at_most = length.max(text.len());
            let expected = plain::distance::<false, u8>(&pattern, text, at_most, &mut Vec::new());
            assert!(distances.is_none_or(|distances| distances[side] == expected));
        }
        assert_eq!(distances.is_some(), W <= 2);
    }

    #[test]
    fn lanes_give_what_one_text_gives_with_vectors_and_without() {
        check::<1>(1);
        check::<1>(64);
        check::<2>(65);
        check::<2>(100);
        check::<3>(192);
        check::<4>(200);
    }
}
