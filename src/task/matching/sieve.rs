//! What of a reference may be among the best matches of a record, found block by block.
//!
//! The score that is needed becomes, for each length, the least number of symbols in common; blocks
//! whose texts all have less are passed over with one comparison. The blocks that promise most are
//! looked into first, so that a high score is needed from the beginning.

use super::blocks::{Blocks, Classes, Counts, FULL, Shared};
use super::bounds::Pair;
use super::side_by_side::SIDES;
use std::ops::Range;

use super::{Measure, Pairs};

/// How many blocks are looked into before the others.
const TRIED: usize = 16;

/// Times a score: so much below it that rounding at the cutoff cannot take it away.
pub(super) const BELOW: f64 = 1.0 - 1e-9;

/// A record to find matches of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sought<'a> {
    pub(super) measure: Measure,
    pub(super) cutoff: f64,
    pub(super) wanted: usize,
    /// How many symbols the record has, …
    pub(super) length: usize,
    /// … and of which classes.
    pub(super) classes: &'a Classes,
}

/// How many texts are weighed together, at least: so many that the last of them are few.
const TOGETHER: usize = 32;

/// What is kept between two records.
#[derive(Debug, Default)]
pub(super) struct Sieve {
    shared: Shared,
    /// The blocks in which a text can reach the cutoff by its length.
    among: Vec<u32>,
    picked: Vec<u32>,
    scores: Vec<f64>,
    finalists: Vec<(u32, f64)>,
}

impl Sieve {
    /// Finds the texts that may be among the best, the [finalists](Self::finalists); returns how
    /// many texts were weighed, and what ruled out the others.
    ///
    /// `weigh` appends the scores of the texts at some places, at a cutoff or with anything below it
    /// where they are less. No text is left out that reaches the cutoff and as many others do not
    /// exceed.
    pub(super) fn sift(
        &mut self,
        sought: Sought<'_>,
        blocks: &Blocks,
        mut weigh: impl FnMut(&[u32], f64, &mut Vec<f64>),
    ) -> Pairs {
        let mut pairs = Pairs::default();
        let mut needed = Needed::new(sought);
        let Sieve {
            shared,
            among,
            picked,
            scores,
            finalists,
        } = self;
        among.clear();
        for block in 0..blocks.len() {
            match needed.among(blocks.lengths(block)) {
                Some(_) => among.push(block as u32),
                None => pairs.skipped.lengths += blocks.places(block).len() as u64,
            }
        }
        sought.classes.in_common(blocks, among, shared);

        // Jaro's matches may cross.
        let in_order = !matches!(sought.measure, Measure::Jaro | Measure::JaroWinkler);
        let mut best = Best::new(sought);
        picked.clear();
        for block in most_promising(sought, blocks, among, shared) {
            let mut counts = shared.counts[block];
            if in_order {
                let classes = sought.classes;
                classes.in_common_by_halves(blocks, block, &mut counts);
            }
            let places = blocks.places(block);
            let largest = counts.iter().fold(0, |largest, count| largest.max(*count));
            pick(&reaching(&counts, places.len(), largest), places, picked);
        }
        scores.clear();
        weigh(picked, best.floor, scores);
        scores.iter().for_each(|score| best.offer(*score));

        // They come once more, in their places.
        best.scores.clear();
        finalists.clear();
        picked.clear();
        for block in among.iter().map(|block| *block as usize) {
            needed.raise(best.floor);
            let places = blocks.places(block);
            let texts = places.len();
            let Some(least) = needed.among(blocks.lengths(block)) else {
                pairs.skipped.lengths += texts as u64;
                continue;
            };
            if shared.largest[block] < least {
                pairs.skipped.symbols += texts as u64;
                continue;
            }
            let counts = &mut shared.counts[block];
            let mut reach = reaching(counts, texts, least);
            let left = how_many(&reach);
            if in_order {
                sought.classes.in_common_by_halves(blocks, block, counts);
                reach = reaching(counts, texts, least);
            }
            let before = picked.len();
            pick(&reach, places, picked);
            let new = picked.len() - before;
            pairs.compared += new as u64;
            pairs.skipped.halves += (left - new) as u64;
            pairs.skipped.symbols += (texts - left) as u64;
            if picked.len() >= TOGETHER {
                let whole_groups = picked.len() / SIDES * SIDES;
                scores.clear();
                weigh(&picked[..whole_groups], best.floor, scores);
                best.keep(picked.drain(..whole_groups).zip(scores.iter()), finalists);
            }
        }
        scores.clear();
        weigh(picked, best.floor, scores);
        best.keep(picked.drain(..).zip(scores.iter()), finalists);
        finalists.retain(|(_, score)| *score >= best.floor);
        pairs
    }

    /// The places of the texts that may be among the best.
    pub(super) fn finalists(&self) -> impl Iterator<Item = u32> {
        self.finalists.iter().map(|(place, _)| *place)
    }
}

/// The blocks whose best text promises most, best first.
fn most_promising(
    sought: Sought<'_>,
    blocks: &Blocks,
    among: &[u32],
    shared: &Shared,
) -> impl Iterator<Item = usize> {
    let mut first: Vec<(f64, usize)> = Vec::with_capacity(TRIED + 1);
    for block in among.iter().map(|block| *block as usize) {
        let length = blocks.lengths(block)[0] as usize;
        let largest = usize::from(shared.largest[block]).min(length);
        let most = pair(sought.length, length, largest).most(sought.measure);
        if most < sought.cutoff * BELOW {
            continue;
        }
        let place = first.partition_point(|(other, _)| *other >= most);
        if place < TRIED {
            first.truncate(TRIED - 1);
            first.insert(place, (most, block));
        }
    }
    first.into_iter().map(|(_, block)| block)
}

/// For each text of a block, 1 if it has at least so much in common, else 0.
fn reaching(counts: &Counts, texts: usize, least: u8) -> Counts {
    let mut reach = counts.map(|count| u8::from(count >= least));
    reach[texts..].fill(0);
    reach
}

fn how_many(reach: &Counts) -> usize {
    // There are too few to fill a byte.
    usize::from(reach.iter().sum::<u8>())
}

/// Appends the places of the texts of a block that reach what is needed.
fn pick(reach: &Counts, places: Range<usize>, picked: &mut Vec<u32>) {
    // Most do not, so that eight at a time are looked at.
    for (first, eight) in places.step_by(8).zip(reach.as_chunks().0) {
        let mut left = u64::from_le_bytes(*eight);
        while left != 0 {
            picked.push(first as u32 + left.trailing_zeros() / 8);
            left &= left - 1;
        }
    }
}

fn pair(here: usize, there: usize, common: usize) -> Pair {
    Pair {
        here,
        there,
        distance: (here + there).saturating_sub(2 * common),
    }
}

/// The least number of symbols in common that a score takes.
struct Needed {
    measure: Measure,
    here: usize,
    floor: f64,
    /// For which length …
    there: u32,
    /// … it is this many; more than there are where none will do.
    count: usize,
}

impl Needed {
    fn new(sought: Sought<'_>) -> Self {
        Needed {
            measure: sought.measure,
            here: sought.length,
            floor: sought.cutoff * BELOW,
            there: u32::MAX,
            count: 0,
        }
    }

    fn raise(&mut self, floor: f64) {
        if floor > self.floor {
            self.floor = floor;
            self.there = u32::MAX;
        }
    }

    /// The least for any of these lengths, `None` where none of them will do.
    fn among(&mut self, lengths: &[u32]) -> Option<u8> {
        let counts = lengths.iter().filter_map(|length| self.of(*length));
        counts.min()
    }

    /// The least for a text of this length, starting from that for the length before.
    #[inline]
    fn of(&mut self, length: u32) -> Option<u8> {
        let there = length as usize;
        let most = self.here.min(there);
        if self.there != length {
            let reaches = |count| pair(self.here, there, count).most(self.measure) >= self.floor;
            let mut count = self.count.min(most + 1);
            while count > 0 && reaches(count - 1) {
                count -= 1;
            }
            while count <= most && !reaches(count) {
                count += 1;
            }
            self.there = length;
            self.count = count;
        }
        (self.count <= most).then_some(self.count.min(usize::from(FULL)) as u8)
    }
}

/// The best scores so far, as many as are wanted.
struct Best {
    wanted: usize,
    scores: Vec<f64>,
    /// What is below it need not be looked at.
    floor: f64,
}

impl Best {
    fn new(sought: Sought<'_>) -> Self {
        Best {
            wanted: sought.wanted,
            scores: Vec::new(),
            floor: sought.cutoff * BELOW,
        }
    }

    /// Takes in the scores of some places, and appends those that may be among the best.
    fn keep<'s>(
        &mut self,
        weighed: impl Iterator<Item = (u32, &'s f64)>,
        finalists: &mut Vec<(u32, f64)>,
    ) {
        for (place, score) in weighed {
            if *score >= self.floor {
                finalists.push((place, *score));
                self.offer(*score);
            }
        }
    }

    fn offer(&mut self, score: f64) {
        let place = self.scores.partition_point(|other| *other >= score);
        if place == self.wanted {
            return;
        }
        self.scores.truncate(self.wanted - 1);
        self.scores.insert(place, score);
        if let Some(least) = self.scores.get(self.wanted - 1) {
            self.floor = self.floor.max(least * BELOW);
        }
    }
}
