//! Texts in blocks, ordered by length, with what bounds many of them at once.
//!
//! A block holds, for each class of symbols, how often it stands in either half of each of its texts,
//! side by side: both counts in one byte, because what is read of a large reference for every record
//! takes longer to fetch than to add up.
//! What a record has in common with all texts of a block, order left out, then takes one wide
//! minimum and one wide addition for each class that the record holds; classes it does not hold are
//! not read. A second, finer count heeds that what stands in the first half of a text matches what
//! stands further ahead in the record. Texts of a block have the same length, or nearly, so that the score that is needed
//! becomes one count that is needed, and no text is divided by.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::alphabet::Symbol;
use super::sequences::Sequences;

/// How many texts a block has: as many bytes as the widest vectors there are.
pub(super) const LANES: usize = 64;

/// How many classes symbols fall into. The most frequent symbols have one of their own.
const CLASSES: usize = 64;

/// A count that has stopped: it stands for itself and all that is more.
pub(super) const FULL: u8 = u8::MAX;

/// The count of one half that has stopped: it stands for itself and all that is more.
const MANY: u8 = 15;
const HALF_BITS: u32 = 4;

/// For each text of a block, a count.
pub(super) type Counts = [u8; LANES];

/// Which class a symbol is in; none where no text has it.
fn class<S: Symbol>(symbol: S) -> Option<usize> {
    symbol
        .number()
        .checked_sub(1)
        .map(|number| number % CLASSES)
}

/// The texts of a reference in blocks.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// How many texts there are.
    texts: usize,
    /// For each block, where its lengths are.
    runs: Vec<Range<usize>>,
    /// The different lengths in each block, ascending.
    lengths: Vec<u32>,
    /// For each class, how often it stands in the first half of each text, and times 16 how often in
    /// the second half. Either count stops at [`MANY`].
    counts: Vec<[Counts; CLASSES]>,
}

impl Blocks {
    pub(super) fn of<S: Symbol>(texts: &Sequences<S>) -> Blocks {
        let mut blocks = Blocks {
            texts: texts.len(),
            ..Blocks::default()
        };
        for first in (0..texts.len()).step_by(LANES) {
            let last = texts.len().min(first + LANES);
            let mut lengths: Vec<u32> = Vec::with_capacity(LANES);
            let mut counts = [[0; LANES]; CLASSES];
            for (lane, place) in (first..last).enumerate() {
                let text = texts.get(place);
                lengths.push(text.len() as u32);
                let (first, second) = text.split_at(text.len() / 2);
                count(first, lane, 0, &mut counts);
                count(second, lane, HALF_BITS, &mut counts);
            }
            lengths.sort_unstable();
            lengths.dedup();
            let run = blocks.lengths.len();
            blocks.lengths.append(&mut lengths);
            blocks.runs.push(run..blocks.lengths.len());
            blocks.counts.push(counts);
        }
        blocks
    }

    /// How many blocks there are.
    pub(super) fn len(&self) -> usize {
        self.counts.len()
    }

    /// The different lengths of the texts of a block, ascending.
    #[inline]
    pub(super) fn lengths(&self, block: usize) -> &[u32] {
        &self.lengths[self.runs[block].clone()]
    }

    /// The places of the texts of a block.
    #[inline]
    pub(super) fn places(&self, block: usize) -> Range<usize> {
        let first = block * LANES;
        first..self.texts.min(first + LANES)
    }
}

/// Counts the symbols of a half of a text that has this lane.
fn count<S: Symbol>(half: &[S], lane: usize, shift: u32, counts: &mut [Counts; CLASSES]) {
    for class in half.iter().filter_map(|symbol| class(*symbol)) {
        let count = &mut counts[class][lane];
        if (*count >> shift) & MANY < MANY {
            *count += 1 << shift;
        }
    }
}

/// How often a class stands in the first half of a text, and how often in the second.
#[inline(always)]
fn halves(counts: u8) -> (u8, u8) {
    (counts & MANY, counts >> HALF_BITS)
}

/// A count, or any number where it has stopped.
#[inline(always)]
fn known(count: u8, stopped: bool) -> u8 {
    if stopped { FULL } else { count }
}

/// How often which classes of symbols stand in a record.
#[derive(Debug, Default)]
pub(super) struct Classes {
    held: Vec<(usize, u8)>,
    /// The symbols in order; empty where there are more than a count can hold.
    steps: Vec<Step>,
}

/// A symbol of a record.
#[derive(Clone, Copy, Debug)]
struct Step {
    class: usize,
    /// How many of its class stand before it.
    before: u8,
    /// And how many from here on, itself counted. Neither is so many that a count which has stopped
    /// would be less than it stands for.
    ahead: u8,
}

impl Classes {
    pub(super) fn set<S: Symbol>(&mut self, text: &[S]) {
        let mut counts = [0u8; CLASSES];
        for class in text.iter().filter_map(|symbol| class(*symbol)) {
            counts[class] = counts[class].saturating_add(1);
        }
        self.held.clear();
        let held = counts.into_iter().enumerate();
        self.held.extend(held.filter(|(_, count)| *count > 0));
        self.steps.clear();
        if text.len() > usize::from(FULL) {
            return;
        }
        let mut before = [0; CLASSES];
        for class in text.iter().filter_map(|symbol| class(*symbol)) {
            self.steps.push(Step {
                class,
                before: before[class].min(MANY - 1),
                ahead: (counts[class] - before[class]).min(MANY),
            });
            before[class] += 1;
        }
    }

    /// Sets for every text, by its index, how much is in common with it, by halves and without regard
    /// to order.
    pub(super) fn in_common_with_all(&self, blocks: &Blocks, common: &mut Common) {
        let all: Vec<u32> = (0..blocks.len() as u32).collect();
        self.in_common(blocks, &all, &mut common.shared);
        common.by_halves.resize(blocks.texts, 0);
        common.crossing.resize(blocks.texts, 0);
        for (block, counts) in common.shared.counts.iter_mut().enumerate() {
            let crossing = *counts;
            self.in_common_by_halves(blocks, block, counts);
            let texts = blocks.places(block).zip(counts.iter().zip(crossing));
            for (place, (by_halves, crossing)) in texts {
                common.by_halves[place] = *by_halves;
                common.crossing[place] = crossing;
            }
        }
    }

    /// As [`in_common`](Self::in_common) for one block, but closer: what the halves of a text have in common with a beginning
    /// of the record and with what is left of it, for the best of all beginnings. Not more than
    /// `counts`; for longest common subsequences alone, which cannot cross.
    pub(super) fn in_common_by_halves(&self, blocks: &Blocks, block: usize, counts: &mut Counts) {
        if self.steps.is_empty() {
            return;
        }
        pulp::Arch::new().dispatch(ByHalves {
            classes: self,
            block: &blocks.counts[block],
            counts,
        });
    }

    /// Works out how many symbols a record has in common with each text of the blocks in `among`, if
    /// order is left out; never less than that, and [`FULL`] is any number from there on. For each
    /// block there is also the largest.
    ///
    pub(super) fn in_common(&self, blocks: &Blocks, among: &[u32], shared: &mut Shared) {
        shared.counts.resize(blocks.len(), [0; LANES]);
        shared.largest.resize(blocks.len(), 0);
        pulp::Arch::new().dispatch(InCommon {
            held: &self.held,
            blocks,
            among,
            shared,
        });
    }
}

/// The loop over blocks, the same code for every processor: its arrays are as wide as vectors are.
///
/// `pulp` has it compiled once more for AVX2 and for AVX-512, and picks at run time, without `unsafe`
/// on this side.
struct InCommon<'a> {
    held: &'a [(usize, u8)],
    blocks: &'a Blocks,
    among: &'a [u32],
    shared: &'a mut Shared,
}

impl WithSimd for InCommon<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<V: Simd>(self, _: V) {
        for block in self.among {
            let block = *block as usize;
            let counts = sum(self.held, &self.blocks.counts[block]);
            self.shared.largest[block] = largest(&counts);
            self.shared.counts[block] = counts;
        }
    }
}

struct ByHalves<'a> {
    classes: &'a Classes,
    block: &'a [Counts; CLASSES],
    counts: &'a mut Counts,
}

impl WithSimd for ByHalves<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<V: Simd>(self, _: V) {
        // Nothing for the first half, all for the second; then symbol by symbol the other way round.
        let mut sum = [0u8; LANES];
        for (class, count) in &self.classes.held {
            let there = &self.block[*class];
            for lane in 0..LANES {
                let (_, second) = halves(there[lane]);
                sum[lane] += known(second, second == MANY).min(*count);
            }
        }
        let mut most = sum;
        for step in &self.classes.steps {
            let there = &self.block[step.class];
            for lane in 0..LANES {
                let (first, second) = halves(there[lane]);
                let gained = u8::from(first > step.before);
                let lost = u8::from(second >= step.ahead);
                sum[lane] = sum[lane].wrapping_add(gained).wrapping_sub(lost);
                most[lane] = most[lane].max(sum[lane]);
            }
        }
        for (count, most) in self.counts.iter_mut().zip(&most) {
            *count = (*count).min(*most);
        }
    }
}

#[inline(always)]
fn sum(held: &[(usize, u8)], block: &[Counts; CLASSES]) -> Counts {
    let mut sum = [0u8; LANES];
    for (class, count) in held {
        let there = &block[*class];
        if *count > MANY {
            for lane in 0..LANES {
                let (first, second) = halves(there[lane]);
                let stopped = first == MANY || second == MANY;
                let both = known(first + second, stopped);
                sum[lane] = sum[lane].saturating_add(both.min(*count));
            }
            continue;
        }
        // Where the record has few, a count that has stopped is more than that all the same. By number
        // and not by iterators: so the sum stays in registers.
        for lane in 0..LANES {
            let (first, second) = halves(there[lane]);
            sum[lane] = sum[lane].saturating_add((first + second).min(*count));
        }
    }
    sum
}

#[inline(always)]
fn largest(counts: &Counts) -> u8 {
    counts.iter().fold(0, |largest, count| largest.max(*count))
}

/// What a record has in common with the texts of blocks.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) counts: Vec<Counts>,
    pub(super) largest: Vec<u8>,
}

/// What a record has in common with each text of a reference.
#[derive(Debug, Default)]
pub(super) struct Common {
    shared: Shared,
    pub(super) by_halves: Vec<u8>,
    pub(super) crossing: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::super::lcs;
    use super::super::pattern::Pattern;
    use super::*;

    #[test]
    fn counts_are_those_of_scalars_and_never_too_small() {
        let texts: Vec<Vec<u8>> = (0..150usize)
            .map(|seed| {
                (0..2 * seed)
                    .map(|place| (place * seed % 90 + 1) as u8)
                    .collect()
            })
            .collect();
        let mut sequences = Sequences::<u8>::new();
        texts
            .iter()
            .for_each(|text| sequences.push(|values| values.extend(text)));
        let blocks = Blocks::of(&sequences);
        let mut classes = Classes::default();
        let mut pattern = Pattern::new(91);
        for text in &texts {
            classes.set(text);
            pattern.set(text.iter().copied());
            let mut common = Common::default();
            classes.in_common_with_all(&blocks, &mut common);
            for block in 0..blocks.len() {
                let plain = sum(&classes.held, &blocks.counts[block]);
                let mut halves = plain;
                if !classes.steps.is_empty() {
                    pulp::Scalar::new().vectorize(ByHalves {
                        classes: &classes,
                        block: &blocks.counts[block],
                        counts: &mut halves,
                    });
                }
                for (lane, place) in blocks.places(block).enumerate() {
                    assert_eq!(common.crossing[place], plain[lane]);
                    assert_eq!(common.by_halves[place], halves[lane]);
                    let length = lcs::length(&pattern, sequences.get(place), &mut Vec::new());
                    assert!(usize::from(halves[lane]) >= length.min(usize::from(FULL)));
                }
            }
        }
    }
}
