//! Blocks of 64 texts with symbol counts, which bound the number of symbols that a record has in common with each
//! of 64 texts at once.
//!
//! Symbols fall into classes. For each class, a block stores how often symbols of this class occur in the first
//! and in the second half of each text. Both counts share one byte, because loading the counts of a large
//! reference for every record takes longer than adding them up.
//!
//! To compute the number of symbols that a record has in common with each text of a block, regardless of order,
//! one vector minimum and one vector addition are then enough for each class of the record; other classes are not
//! read. A second, tighter bound uses the halves: the first half of a text can only match a beginning of the
//! record, and the second half only the rest.
//!
//! The texts of a block have almost the same length. So a required score is converted to one required count for
//! the whole block, and no division is needed for a single text.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::alphabet::Symbol;
use super::parallel;
use super::sequences::Sequences;

/// Number of texts in a block: the number of bytes in the widest vectors.
pub(super) const LANES: usize = 64;

/// Number of classes of symbols. The most frequent symbols have a class of their own.
const CLASSES: usize = 64;

/// A saturated count, which means this number or any larger number.
pub(super) const SATURATED: u8 = u8::MAX;

/// A saturated count of one half of a text, which means this number or any larger number.
const HALF_SATURATED: u8 = 15;
/// Number of bits of the count of one half.
const HALF_BITS: u32 = 4;

/// A count for each text of a block.
pub(super) type LaneCounts = [u8; LANES];

/// The class of a symbol; `None` if no text of the reference has the symbol.
fn class<S: Symbol>(symbol: S) -> Option<usize> {
    symbol
        .number()
        .checked_sub(1)
        .map(|number| number % CLASSES)
}

/// The symbol counts of the texts of a reference, in blocks.
#[derive(Debug, Default)]
pub(super) struct TextBlocks {
    /// Number of texts.
    texts: usize,
    /// For each block, the range of `lengths` that contains the lengths of its texts.
    ranges: Vec<Range<usize>>,
    /// The distinct lengths of the texts of each block, in ascending order.
    lengths: Vec<u32>,
    /// For each block and class, the counts of each text: the first half in the lower four bits, the second
    /// half in the upper four. Either count saturates at [`HALF_SATURATED`].
    counts: Vec<[LaneCounts; CLASSES]>,
}

impl TextBlocks {
    /// Counts the symbols of texts that are sorted by length.
    pub(super) fn new<S: Symbol>(texts: &Sequences<S>) -> TextBlocks {
        let mut blocks = TextBlocks {
            texts: texts.len(),
            ..TextBlocks::default()
        };
        for first in (0..texts.len()).step_by(LANES) {
            let last = texts.len().min(first + LANES);
            let mut lengths: Vec<u32> = Vec::with_capacity(LANES);
            let mut counts = [[0; LANES]; CLASSES];
            for (lane, position) in (first..last).enumerate() {
                let text = texts.get(position);
                lengths.push(text.len() as u32);
                let (first, second) = text.split_at(text.len() / 2);
                count(first, lane, 0, &mut counts);
                count(second, lane, HALF_BITS, &mut counts);
            }
            lengths.sort_unstable();
            lengths.dedup();
            let start = blocks.lengths.len();
            blocks.lengths.append(&mut lengths);
            blocks.ranges.push(start..blocks.lengths.len());
            blocks.counts.push(counts);
        }
        blocks
    }

    /// Number of blocks.
    pub(super) fn len(&self) -> usize {
        self.counts.len()
    }

    /// The distinct lengths of the texts of a block, in ascending order.
    #[inline]
    pub(super) fn lengths(&self, block: usize) -> &[u32] {
        &self.lengths[self.ranges[block].clone()]
    }

    /// The positions of the texts of a block.
    #[inline]
    pub(super) fn positions(&self, block: usize) -> Range<usize> {
        let first = block * LANES;
        first..self.texts.min(first + LANES)
    }
}

/// Counts the symbols of one half of the text in a lane.
fn count<S: Symbol>(half: &[S], lane: usize, shift: u32, counts: &mut [LaneCounts; CLASSES]) {
    for class in half.iter().filter_map(|symbol| class(*symbol)) {
        let count = &mut counts[class][lane];
        if (*count >> shift) & HALF_SATURATED < HALF_SATURATED {
            *count += 1 << shift;
        }
    }
}

/// The counts of the first and of the second half of a text.
#[inline(always)]
fn halves(counts: u8) -> (u8, u8) {
    (counts & HALF_SATURATED, counts >> HALF_BITS)
}

/// An upper bound of a count.
#[inline(always)]
fn upper_bound(count: u8, saturated: bool) -> u8 {
    if saturated { SATURATED } else { count }
}

/// How often each class of symbols occurs in a record.
#[derive(Debug, Default)]
pub(super) struct SymbolCounts {
    /// The classes that occur, each with its count; a count saturates at [`SATURATED`].
    counts: Vec<(usize, u8)>,
    /// The symbols in order; empty if there are more than a count can hold.
    occurrences: Vec<Occurrence>,
}

/// A symbol of a record, by its class.
#[derive(Clone, Copy, Debug)]
struct Occurrence {
    class: usize,
    /// Number of symbols of the same class before this symbol. The number is capped, so that a saturated count of
    /// a text is larger.
    before: u8,
    /// Number of symbols of the same class from this symbol on, including this symbol. The number is capped, so
    /// that a saturated count of a text is at least as large.
    remaining: u8,
}

impl SymbolCounts {
    /// Replaces the counts with those of another record.
    pub(super) fn set<S: Symbol>(&mut self, text: &[S]) {
        let mut counts = [0u8; CLASSES];
        for class in text.iter().filter_map(|symbol| class(*symbol)) {
            counts[class] = counts[class].saturating_add(1);
        }
        self.counts.clear();
        let present = counts.into_iter().enumerate();
        self.counts.extend(present.filter(|(_, count)| *count > 0));
        self.occurrences.clear();
        if text.len() > usize::from(SATURATED) {
            return;
        }
        let mut before = [0; CLASSES];
        for class in text.iter().filter_map(|symbol| class(*symbol)) {
            self.occurrences.push(Occurrence {
                class,
                before: before[class].min(HALF_SATURATED - 1),
                remaining: (counts[class] - before[class]).min(HALF_SATURATED),
            });
            before[class] += 1;
        }
    }

    /// Bounds the number of symbols in common with every text: regardless of order, and by halves.
    pub(super) fn overlap_with_all(&self, blocks: &TextBlocks, overlaps: &mut TextOverlaps) {
        let all: Vec<u32> = (0..blocks.len() as u32).collect();
        self.overlap(blocks, &all, &mut overlaps.blocks);
        overlaps.by_halves.resize(blocks.texts, 0);
        overlaps.unordered.resize(blocks.texts, 0);
        for (block, counts) in overlaps.blocks.counts.iter_mut().enumerate() {
            let unordered = *counts;
            self.overlap_by_halves(blocks, block, counts);
            let texts = blocks.positions(block).zip(counts.iter().zip(unordered));
            for (position, (by_halves, unordered)) in texts {
                overlaps.by_halves[position] = *by_halves;
                overlaps.unordered[position] = unordered;
            }
        }
    }

    /// Tightens the counts of [`overlap`](Self::overlap) for one block. For the best split of the record, the
    /// first half of a text is compared with the beginning of the record, and the second half with the rest.
    ///
    /// The result is a valid bound only for longest common subsequences, whose matches do not cross.
    pub(super) fn overlap_by_halves(
        &self,
        blocks: &TextBlocks,
        block: usize,
        counts: &mut LaneCounts,
    ) {
        if self.occurrences.is_empty() {
            return;
        }
        pulp::Arch::new().dispatch(HalvesKernel {
            record: self,
            block: &blocks.counts[block],
            counts,
        });
    }

    /// Bounds the number of symbols that a record has in common with each text of some blocks, regardless of
    /// order: a count is never too small, and [`SATURATED`] means this number or any larger number.
    ///
    /// The results for `selected[i]` are at index `i`.
    pub(super) fn overlap(
        &self,
        blocks: &TextBlocks,
        selected: &[u32],
        overlaps: &mut BlockOverlaps,
    ) {
        let BlockOverlaps { counts, largest } = overlaps;
        if counts.len() < selected.len() {
            counts.resize(selected.len(), [0; LANES]);
            largest.resize(selected.len(), 0);
        }
        let (counts, largest) = (
            &mut counts[..selected.len()],
            &mut largest[..selected.len()],
        );
        let arch = pulp::Arch::new();
        let record = &*self.counts;
        let compute = |(selected, counts, largest): (&[u32], &mut [LaneCounts], &mut [u8])| {
            arch.dispatch(OverlapKernel {
                record,
                blocks,
                selected,
                counts,
                largest,
            });
        };
        if selected.len() < PARALLEL_FROM || !parallel::is_available() {
            return compute((selected, counts, largest));
        }
        let counts = counts.par_chunks_mut(BLOCKS_PER_TASK);
        let largest = largest.par_chunks_mut(BLOCKS_PER_TASK);
        let selected = selected.par_chunks(BLOCKS_PER_TASK);
        let tasks = selected.zip(counts).zip(largest);
        tasks.for_each(|((selected, counts), largest)| compute((selected, counts, largest)));
    }
}

/// Number of blocks from which the threads of the pool share them: some hundred microseconds of work.
const PARALLEL_FROM: usize = 2048;
/// Number of blocks that a thread takes at a time.
const BLOCKS_PER_TASK: usize = 512;

/// The loop over blocks. The source is the same for every processor; its arrays are as wide as vectors.
///
/// `pulp` has it compiled also for AVX2 and for AVX-512, and selects a version at run time, without `unsafe` here.
struct OverlapKernel<'a> {
    record: &'a [(usize, u8)],
    blocks: &'a TextBlocks,
    selected: &'a [u32],
    counts: &'a mut [LaneCounts],
    largest: &'a mut [u8],
}

impl WithSimd for OverlapKernel<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<V: Simd>(self, _: V) {
        let results = self.counts.iter_mut().zip(self.largest);
        for (block, (counts, most)) in self.selected.iter().zip(results) {
            let sum = sum(self.record, &self.blocks.counts[*block as usize]);
            *most = largest(&sum);
            *counts = sum;
        }
    }
}

/// The loop of [`overlap_by_halves`](SymbolCounts::overlap_by_halves) over one block.
struct HalvesKernel<'a> {
    record: &'a SymbolCounts,
    block: &'a [LaneCounts; CLASSES],
    counts: &'a mut LaneCounts,
}

impl WithSimd for HalvesKernel<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<V: Simd>(self, _: V) {
        // At first, the whole record is compared with the second half of each text. Then the symbols of the record
        // are moved to the first half one by one.
        let mut sum = [0u8; LANES];
        for (class, count) in &self.record.counts {
            let texts = &self.block[*class];
            for lane in 0..LANES {
                let (_, second) = halves(texts[lane]);
                sum[lane] += upper_bound(second, second == HALF_SATURATED).min(*count);
            }
        }
        let mut most = sum;
        for symbol in &self.record.occurrences {
            let texts = &self.block[symbol.class];
            for lane in 0..LANES {
                let (first, second) = halves(texts[lane]);
                let gained = u8::from(first > symbol.before);
                let lost = u8::from(second >= symbol.remaining);
                sum[lane] = sum[lane].wrapping_add(gained).wrapping_sub(lost);
                most[lane] = most[lane].max(sum[lane]);
            }
        }
        for (count, most) in self.counts.iter_mut().zip(&most) {
            *count = (*count).min(*most);
        }
    }
}

/// For each text of a block, an upper bound of the number of symbols in common with a record.
#[inline(always)]
fn sum(record: &[(usize, u8)], block: &[LaneCounts; CLASSES]) -> LaneCounts {
    let mut sum = [0u8; LANES];
    for (class, count) in record {
        let texts = &block[*class];
        if *count > HALF_SATURATED {
            for lane in 0..LANES {
                let (first, second) = halves(texts[lane]);
                let saturated = first == HALF_SATURATED || second == HALF_SATURATED;
                let both = upper_bound(first + second, saturated);
                sum[lane] = sum[lane].saturating_add(both.min(*count));
            }
            continue;
        }
        // A saturated count of a text is at least this small count of the record, so it needs no special case.
        // The loop runs over indices, because with iterators the sum would not stay in registers.
        for lane in 0..LANES {
            let (first, second) = halves(texts[lane]);
            sum[lane] = sum[lane].saturating_add((first + second).min(*count));
        }
    }
    sum
}

#[inline(always)]
fn largest(counts: &LaneCounts) -> u8 {
    counts.iter().fold(0, |largest, count| largest.max(*count))
}

/// Upper bounds of the number of symbols that a record has in common with the texts of some blocks.
#[derive(Debug, Default)]
pub(super) struct BlockOverlaps {
    /// For each block, the bounds of its texts.
    pub(super) counts: Vec<LaneCounts>,
    /// For each block, the largest of the bounds of its texts.
    pub(super) largest: Vec<u8>,
}

/// Upper bounds of the number of symbols that a record has in common with each text of a reference, by
/// position.
#[derive(Debug, Default)]
pub(super) struct TextOverlaps {
    blocks: BlockOverlaps,
    /// Bounds of the longest common subsequence, whose matches do not cross.
    pub(super) by_halves: Vec<u8>,
    /// Bounds that hold in any order of the symbols.
    pub(super) unordered: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::super::lcs;
    use super::super::pattern::Pattern;
    use super::*;

    #[test]
    fn vectors_count_as_scalars_do_and_never_too_little() {
        let texts: Vec<Vec<u8>> = (0..150usize)
            .map(|seed| {
                (0..2 * seed)
                    .map(|index| (index * seed % 90 + 1) as u8)
                    .collect()
            })
            .collect();
        let mut sequences = Sequences::<u8>::new();
        texts
            .iter()
            .for_each(|text| sequences.push(|values| values.extend(text)));
        let blocks = TextBlocks::new(&sequences);
        let mut record = SymbolCounts::default();
        let mut pattern = Pattern::new(91);
        for text in &texts {
            record.set(text);
            pattern.set(text.iter().copied());
            let mut overlaps = TextOverlaps::default();
            record.overlap_with_all(&blocks, &mut overlaps);
            for block in 0..blocks.len() {
                let plain = sum(&record.counts, &blocks.counts[block]);
                let mut halves = plain;
                if !record.occurrences.is_empty() {
                    pulp::Scalar::new().vectorize(HalvesKernel {
                        record: &record,
                        block: &blocks.counts[block],
                        counts: &mut halves,
                    });
                }
                for (lane, position) in blocks.positions(block).enumerate() {
                    assert_eq!(overlaps.unordered[position], plain[lane]);
                    assert_eq!(overlaps.by_halves[position], halves[lane]);
                    let length = lcs::length(&pattern, sequences.get(position), &mut Vec::new());
                    assert!(usize::from(halves[lane]) >= length.min(usize::from(SATURATED)));
                }
            }
        }
    }
}
