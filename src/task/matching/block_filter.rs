//! Finds the texts that may be among the best matches of a record, block by block.
//!
//! For each length of text, the needed score is converted to a number of symbols that the text must have in common
//! with the record. If all texts of a block have fewer, one comparison is enough to skip the block. The most
//! promising blocks are searched first, so that a high score is needed from the beginning.
//!
//! Several threads may search the blocks. If the needed score rises, it rises for all threads at once. In the end,
//! the needed score and the texts that reach it do not depend on which thread searched which block, or when.

use std::ops::Range;

use super::blocks::{BlockOverlaps, LaneCounts, SymbolCounts, TextBlocks};
use super::bounds::PairBound;
use super::parallel::{self, Helpers, ScratchPool};
use super::required_overlap::RequiredOverlap;
use super::simd::LANES;
use super::top_scores::{JUST_BELOW, TopScores};
use super::{Measure, Pairs};

/// Number of blocks that are searched before the others.
const TRIED_FIRST: usize = 16;
/// Number of picked texts from which these texts are compared. With a smaller number, more comparisons would have
/// empty lanes.
const MIN_COMPARED: usize = 32;

/// A record for which matches are to be found.
#[derive(Clone, Copy, Debug)]
pub(super) struct FilterQuery<'a> {
    pub(super) measure: Measure,
    pub(super) cutoff: f64,
    /// Number of matches that are wanted.
    pub(super) wanted: usize,
    /// Number of symbols of the record.
    pub(super) length: usize,
    pub(super) symbols: &'a SymbolCounts,
}

impl FilterQuery<'_> {
    fn required_overlap(&self) -> RequiredOverlap {
        RequiredOverlap::new(self.measure, self.length, self.cutoff * JUST_BELOW)
    }
}

/// Appends the scores of the texts at some positions. A score below the given cutoff may be replaced by any number
/// below the cutoff.
pub(super) type ScoreTexts<'a, D> = dyn Fn(&mut D, &[u32], f64, &mut Vec<f64>) + Sync + 'a;

/// Finds the texts that may be among the best; its memory is reused from record to record.
#[derive(Debug, Default)]
pub(super) struct BlockFilter {
    overlaps: BlockOverlaps,
    /// The blocks with a text whose length allows the cutoff.
    selected: Vec<u32>,
    candidates: BlockCandidates,
}

/// The texts that one thread has picked and found.
#[derive(Debug, Default)]
struct BlockCandidates {
    /// Positions of texts that are still to be compared.
    picked: Vec<u32>,
    scores: Vec<f64>,
    /// Positions of texts that may be among the best, each with its score.
    finalists: Vec<(u32, f64)>,
    pairs: Pairs,
}

/// The state of a thread that searches blocks.
struct BlockThread<D> {
    candidates: BlockCandidates,
    required: RequiredOverlap,
    scratch: D,
}

/// The state of a search that all its threads share.
struct BlockSearch<'a, D> {
    query: FilterQuery<'a>,
    blocks: &'a TextBlocks,
    selected: &'a [u32],
    overlaps: &'a BlockOverlaps,
    score_texts: &'a ScoreTexts<'a, D>,
    top: TopScores,
}

impl BlockFilter {
    /// Finds the texts that may be among the best, the [finalists](Self::finalists). Returns how many texts were
    /// compared, and how many each bound ruled out.
    ///
    /// A text that reaches the cutoff and is among the `wanted` best is never left out.
    pub(super) fn run<D: Send>(
        &mut self,
        query: FilterQuery<'_>,
        blocks: &TextBlocks,
        pool: ScratchPool<'_, D>,
        score_texts: &ScoreTexts<'_, D>,
    ) -> Pairs {
        let mut pairs = Pairs::default();
        let mut required = query.required_overlap();
        self.selected.clear();
        for block in 0..blocks.len() {
            match required.least(blocks.lengths(block)) {
                Some(_) => self.selected.push(block as u32),
                None => pairs.skipped.lengths += blocks.positions(block).len() as u64,
            }
        }
        query
            .symbols
            .overlap(blocks, &self.selected, &mut self.overlaps);
        let mut own = BlockThread {
            candidates: std::mem::take(&mut self.candidates).emptied(pairs),
            required,
            scratch: (pool.take)(),
        };
        let mut search = BlockSearch {
            query,
            blocks,
            selected: &self.selected,
            overlaps: &self.overlaps,
            score_texts,
            top: TopScores::new(query.cutoff * JUST_BELOW, query.wanted),
        };
        let needed = search.try_most_promising(&mut own);
        // The texts that were tried are searched again with the rest of their blocks, so their scores must not
        // count twice.
        search.top = TopScores::new(needed, query.wanted);
        let helpers = Helpers {
            begin: || BlockThread {
                candidates: BlockCandidates::default(),
                required: query.required_overlap(),
                scratch: (pool.take)(),
            },
            end: |mut other: BlockThread<D>| {
                search.compare_all(&mut other);
                (pool.put_back)(other.scratch);
                other.candidates
            },
        };
        let step = |thread: &mut BlockThread<D>, index: usize| search.search_block(thread, index);
        let others = parallel::run_steps(self.selected.len(), &mut own, step, helpers);
        search.compare_all(&mut own);
        (pool.put_back)(own.scratch);
        let mut candidates = own.candidates;
        others.into_iter().for_each(|other| candidates.merge(other));
        let needed = search.top.needed();
        candidates.finalists.retain(|(_, score)| *score >= needed);
        self.candidates = candidates;
        self.candidates.pairs
    }

    /// The positions of the texts that may be among the best.
    pub(super) fn finalists(&self) -> impl Iterator<Item = u32> {
        self.candidates
            .finalists
            .iter()
            .map(|(position, _)| *position)
    }
}

impl<D> BlockSearch<'_, D> {
    /// Compares the most promising texts, and returns the score that a text needs after that.
    fn try_most_promising(&self, thread: &mut BlockThread<D>) -> f64 {
        let BlockThread {
            candidates,
            scratch,
            ..
        } = thread;
        for index in self.most_promising() {
            let (block, mut counts) = self.block(index);
            self.tighten(block, &mut counts);
            let positions = self.blocks.positions(block);
            let largest = counts.iter().fold(0, |largest, count| largest.max(*count));
            let reaching = reaching(&counts, positions.len(), largest);
            pick(&reaching, positions, &mut candidates.picked);
        }
        let needed = self.top.needed();
        (self.score_texts)(scratch, &candidates.picked, needed, &mut candidates.scores);
        let scores = candidates.scores.iter();
        scores.for_each(|score| self.top.offer(*score));
        candidates.picked.clear();
        self.top.needed()
    }

    /// Picks the texts of a selected block that may be among the best, and compares the picked texts once there
    /// are enough of them.
    fn search_block(&self, thread: &mut BlockThread<D>, index: usize) {
        let BlockThread {
            candidates,
            required,
            ..
        } = thread;
        let (block, mut counts) = self.block(index);
        let positions = self.blocks.positions(block);
        let texts = positions.len();
        required.raise(self.top.needed());
        let Some(least) = required.least(self.blocks.lengths(block)) else {
            candidates.pairs.skipped.lengths += texts as u64;
            return;
        };
        if self.overlaps.largest[index] < least {
            candidates.pairs.skipped.symbols += texts as u64;
            return;
        }
        let by_symbols = number_of(&reaching(&counts, texts, least));
        self.tighten(block, &mut counts);
        let before = candidates.picked.len();
        let reaching = reaching(&counts, texts, least);
        pick(&reaching, positions, &mut candidates.picked);
        let picked = candidates.picked.len() - before;
        candidates.pairs.compared += picked as u64;
        candidates.pairs.skipped.halves += (by_symbols - picked) as u64;
        candidates.pairs.skipped.symbols += (texts - by_symbols) as u64;
        if candidates.picked.len() >= MIN_COMPARED {
            let whole_groups = candidates.picked.len() / LANES * LANES;
            self.compare_first(thread, whole_groups);
        }
    }

    /// A selected block, with bounds of the number of symbols that its texts have in common with the record.
    fn block(&self, index: usize) -> (usize, LaneCounts) {
        (self.selected[index] as usize, self.overlaps.counts[index])
    }

    /// Tightens the counts of a block by counting in the halves of its texts, if the measure allows that.
    fn tighten(&self, block: usize, counts: &mut LaneCounts) {
        // In Jaro's similarity, matches may cross, so the bound by halves does not hold.
        if !matches!(self.query.measure, Measure::Jaro | Measure::JaroWinkler) {
            let symbols = self.query.symbols;
            symbols.overlap_by_halves(self.blocks, block, counts);
        }
    }

    fn compare_all(&self, thread: &mut BlockThread<D>) {
        self.compare_first(thread, thread.candidates.picked.len());
    }

    /// Compares the first `texts` of the texts that have been picked, and keeps those that may be among the
    /// best.
    fn compare_first(&self, thread: &mut BlockThread<D>, texts: usize) {
        let BlockThread {
            candidates,
            scratch,
            ..
        } = thread;
        let BlockCandidates {
            picked,
            scores,
            finalists,
            ..
        } = candidates;
        scores.clear();
        (self.score_texts)(scratch, &picked[..texts], self.top.needed(), scores);
        for (position, score) in picked.drain(..texts).zip(scores) {
            if *score >= self.top.needed() {
                finalists.push((position, *score));
                self.top.offer(*score);
            }
        }
    }

    /// The selected blocks whose best texts have the highest bounds, best first, by their index in
    /// `selected`.
    fn most_promising(&self) -> impl Iterator<Item = usize> + use<D> {
        let query = self.query;
        let mut first: Vec<(f64, usize)> = Vec::with_capacity(TRIED_FIRST + 1);
        for (index, block) in self.selected.iter().enumerate() {
            let length = self.blocks.lengths(*block as usize)[0] as usize;
            let common = usize::from(self.overlaps.largest[index]).min(length);
            let bound = PairBound::new(query.length, length, common).score(query.measure);
            if bound < query.cutoff * JUST_BELOW {
                continue;
            }
            let rank = first.partition_point(|(other, _)| *other >= bound);
            if rank < TRIED_FIRST {
                first.truncate(TRIED_FIRST - 1);
                first.insert(rank, (bound, index));
            }
        }
        first.into_iter().map(|(_, index)| index)
    }
}

impl BlockCandidates {
    /// Returns the same memory without its content, for a search that starts with these counts of pairs.
    fn emptied(mut self, pairs: Pairs) -> Self {
        self.picked.clear();
        self.scores.clear();
        self.finalists.clear();
        BlockCandidates { pairs, ..self }
    }

    fn merge(&mut self, other: BlockCandidates) {
        self.finalists.extend(other.finalists);
        self.pairs += other.pairs;
    }
}

/// For each text of a block, 1 if the text has at least `least` symbols in common with the record, otherwise 0.
fn reaching(counts: &LaneCounts, texts: usize, least: u8) -> LaneCounts {
    let mut reaching = counts.map(|count| u8::from(count >= least));
    reaching[texts..].fill(0);
    reaching
}

/// Counts the ones.
fn number_of(reaching: &LaneCounts) -> usize {
    // The sum of 64 ones fits in a byte.
    usize::from(reaching.iter().sum::<u8>())
}

/// Appends the positions of the texts of a block that are 1 in `reaching`.
fn pick(reaching: &LaneCounts, positions: Range<usize>, picked: &mut Vec<u32>) {
    // Most values are 0, so eight values are tested at a time.
    for (first, eight) in positions.step_by(8).zip(reaching.as_chunks().0) {
        let mut left = u64::from_le_bytes(*eight);
        while left != 0 {
            picked.push(first as u32 + left.trailing_zeros() / 8);
            left &= left - 1;
        }
    }
}
