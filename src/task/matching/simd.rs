//! Compares one record with eight texts at once, in SIMD lanes.
//!
//! Each text has a lane of 64 bits in each word of the state. The next symbol differs from lane to lane, so
//! the masks are loaded one by one; the arithmetic on them runs in vectors. The source is the same for every
//! processor; `pulp` has it compiled for AVX2 and AVX-512 too, as in `blocks`. For Levenshtein's distances
//! the vectors are hardly faster than independent scalars.

use pulp::{Simd, WithSimd};

use super::alphabet::Symbol;
use super::lcs::{self, zeros};
use super::pattern::{Pattern, WORD};

/// Number of texts that are compared at once: the number of 64-bit words in the widest vectors.
pub(super) const LANES: usize = 8;

/// Number of symbols in the table: all symbols whose number fits in one byte.
const SYMBOLS: usize = 256;

/// Largest number of masks of a symbol in the table. Longer records are compared with one text at a time.
const WORDS: usize = 4;

/// The masks of a record in a table indexed by symbol.
#[derive(Debug, Default)]
pub(super) struct LaneTable {
    /// The masks of symbol 0, of symbol 1, and so on; empty if the record has no table.
    masks: Vec<u64>,
}

impl LaneTable {
    /// Replaces the table with the masks of a pattern. The table stays empty if the pattern or the alphabet is
    /// too large.
    pub(super) fn set<S: Symbol>(&mut self, pattern: &Pattern) {
        self.masks.clear();
        if S::NUMBERS > SYMBOLS || pattern.words > WORDS {
            return;
        }
        self.masks.resize(SYMBOLS * pattern.words, 0);
        for (symbol, masks) in pattern.present() {
            let first = symbol * pattern.words;
            self.masks[first..first + pattern.words].copy_from_slice(masks);
        }
    }

    /// For each of the texts, the length of the longest common subsequence with the pattern.
    pub(super) fn lengths<S: Symbol>(
        &self,
        pattern: &Pattern,
        texts: [&[S]; LANES],
        state: &mut Vec<u64>,
    ) -> [usize; LANES] {
        let found = match pattern.words {
            1 => self.table::<1>().map(|table| lengths(table, texts)),
            2 => self.table::<2>().map(|table| lengths(table, texts)),
            3 => self.table::<3>().map(|table| lengths(table, texts)),
            4 => self.table::<4>().map(|table| lengths(table, texts)),
            _ => None,
        };
        found.unwrap_or_else(|| texts.map(|text| lcs::length(pattern, text, state)))
    }

    /// Levenshtein's distance between the pattern and each of the texts; `None` if the pattern is empty, has no
    /// table, or is so long that the state would not fit in registers.
    pub(super) fn distances<S: Symbol>(
        &self,
        pattern: &Pattern,
        texts: [&[S]; LANES],
    ) -> Option<[usize; LANES]> {
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

    /// The table, if each symbol has `W` masks.
    fn table<const W: usize>(&self) -> Option<&[[u64; W]; SYMBOLS]> {
        self.masks.as_chunks().0.first_chunk()
    }
}

/// One word of the state of each text.
type LaneWords = [u64; LANES];

/// Reads all texts at the same pace, one symbol of each text at a time.
struct Lockstep<'a, const W: usize, S, T> {
    table: &'a [[u64; W]; SYMBOLS],
    texts: [&'a [S]; LANES],
    states: T,
}

/// The state of an algorithm for all texts, with a lane for each text.
trait LaneStates<const W: usize> {
    /// Advances all lanes by one symbol, given by its masks. A lane whose text has ended is 0 in `alive` and
    /// has empty masks.
    fn advance(&mut self, masks: &[LaneWords; W], alive: &LaneWords);
}

impl<const W: usize, S: Symbol, T: LaneStates<W>> WithSimd for Lockstep<'_, W, S, T> {
    type Output = T;

    #[inline(always)]
    fn with_simd<V: Simd>(self, _: V) -> T {
        let Lockstep {
            table,
            texts,
            mut states,
        } = self;
        let shortest = texts.iter().map(|text| text.len()).min().unwrap_or(0);
        let heads = texts.map(|text| &text[..shortest]);
        for index in 0..shortest {
            let mut masks = [[0; LANES]; W];
            for lane in 0..LANES {
                let found = &table[heads[lane][index].number()];
                for word in 0..W {
                    masks[word][lane] = found[word];
                }
            }
            states.advance(&masks, &[1; LANES]);
        }
        let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        for index in shortest..longest {
            let mut masks = [[0; LANES]; W];
            let mut alive = [0; LANES];
            for lane in 0..LANES {
                if let Some(symbol) = texts[lane].get(index) {
                    let found = &table[symbol.number()];
                    alive[lane] = 1;
                    for word in 0..W {
                        masks[word][lane] = found[word];
                    }
                }
            }
            states.advance(&masks, &alive);
        }
        states
    }
}

/// The state for longest common subsequences, as in `lcs`.
struct LcsLanes<const W: usize>([LaneWords; W]);

impl<const W: usize> LaneStates<W> for LcsLanes<W> {
    #[inline(always)]
    fn advance(&mut self, masks: &[LaneWords; W], _: &LaneWords) {
        let mut carry = [0; LANES];
        for (state, masks) in self.0.iter_mut().zip(masks) {
            for lane in 0..LANES {
                let before = state[lane];
                let matches = before & masks[lane];
                let sum = before.wrapping_add(matches).wrapping_add(carry[lane]);
                // The carry of the addition: `matches` is a subset of `before`.
                carry[lane] = (matches | (before & !sum)) >> (WORD - 1);
                state[lane] = sum | (before - matches);
            }
        }
    }
}

#[inline(always)]
fn lengths<const W: usize, S: Symbol>(
    table: &[[u64; W]; SYMBOLS],
    texts: [&[S]; LANES],
) -> [usize; LANES] {
    let states = LcsLanes([[!0; LANES]; W]);
    let read = pulp::Arch::new().dispatch(Lockstep {
        table,
        texts,
        states,
    });
    std::array::from_fn(|lane| zeros(&read.0.map(|word| word[lane])))
}

/// The state for Levenshtein's distances, as in `levenshtein`.
struct LevenshteinLanes<const W: usize> {
    up: [LaneWords; W],
    down: [LaneWords; W],
    distance: LaneWords,
    /// The bit of the last symbol in the last word.
    last: u32,
}

impl<const W: usize> LaneStates<W> for LevenshteinLanes<W> {
    #[inline(always)]
    fn advance(&mut self, masks: &[LaneWords; W], alive: &LaneWords) {
        let (mut more, mut less) = ([1; LANES], [0; LANES]);
        let (mut change_up, mut change_down) = ([0; LANES], [0; LANES]);
        for (word, masks) in masks.iter().enumerate() {
            for lane in 0..LANES {
                let (up, down) = (self.up[word][lane], self.down[word][lane]);
                let matches = masks[lane] | less[lane];
                let diagonal = ((matches & up).wrapping_add(up) ^ up) | matches | down;
                let right_up = down | !(diagonal | up);
                let right_down = diagonal & up;
                change_up[lane] = right_up;
                change_down[lane] = right_down;
                let shifted_up = (right_up << 1) | more[lane];
                let shifted_down = (right_down << 1) | less[lane];
                more[lane] = right_up >> (WORD - 1);
                less[lane] = right_down >> (WORD - 1);
                self.up[word][lane] = shifted_down | !(diagonal | shifted_up);
                self.down[word][lane] = diagonal & shifted_up;
            }
        }
        for lane in 0..LANES {
            let up = (change_up[lane] >> self.last) & alive[lane];
            let down = (change_down[lane] >> self.last) & alive[lane];
            self.distance[lane] = self.distance[lane].wrapping_add(up).wrapping_sub(down);
        }
    }
}

#[inline(always)]
fn distances<const W: usize, S: Symbol>(
    table: &[[u64; W]; SYMBOLS],
    length: usize,
    texts: [&[S]; LANES],
) -> [usize; LANES] {
    let states = LevenshteinLanes {
        up: [[!0; LANES]; W],
        down: [[0; LANES]; W],
        distance: [length as u64; LANES],
        last: ((length - 1) % WORD) as u32,
    };
    let read = pulp::Arch::new().dispatch(Lockstep {
        table,
        texts,
        states,
    });
    read.distance.map(|distance| distance as usize)
}

#[cfg(test)]
mod tests {
    use super::super::levenshtein;
    use super::*;

    fn text(length: usize, seed: usize) -> Vec<u8> {
        let symbol = |index| ((index * index + seed * index) % 7 + 1) as u8;
        (0..length).map(symbol).collect()
    }

    fn check<const W: usize>(length: usize) {
        let mut pattern = Pattern::new(SYMBOLS);
        pattern.set(text(length, 3).into_iter());
        let mut table = LaneTable::default();
        table.set::<u8>(&pattern);
        let texts: [Vec<u8>; LANES] = std::array::from_fn(|lane| text(9 * lane * W, lane));
        let texts = texts.each_ref().map(|text| &text[..]);
        let masks = table.table::<W>().expect("a table");
        let states = LcsLanes([[!0; LANES]; W]);
        let scalar = pulp::Scalar::new();
        let common = scalar
            .vectorize(Lockstep {
                table: masks,
                texts,
                states,
            })
            .0;
        let lengths = table.lengths(&pattern, texts, &mut Vec::new());
        let distances = table.distances(&pattern, texts);
        for (lane, text) in texts.iter().enumerate() {
            let expected = lcs::length(&pattern, text, &mut Vec::new());
            assert_eq!(zeros(&common.map(|word| word[lane])), expected);
            assert_eq!(lengths[lane], expected);
            let at_most = length.max(text.len());
            let expected =
                levenshtein::distance::<false, u8>(&pattern, text, at_most, &mut Vec::new());
            assert!(distances.is_none_or(|distances| distances[lane] == expected));
        }
        assert_eq!(distances.is_some(), W <= 2);
    }

    #[test]
    fn each_lane_equals_a_single_comparison_with_and_without_vectors() {
        check::<1>(1);
        check::<1>(64);
        check::<2>(65);
        check::<2>(100);
        check::<3>(192);
        check::<4>(200);
    }
}
