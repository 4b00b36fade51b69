//! What of a reference may be among the best matches of a record, found block by block.
//!
//! The score that is needed becomes, for each length, the least number of symbols in common; blocks
//! whose texts all have less are passed over with one comparison. The blocks that promise most are
//! looked into first, so that a high score is needed from the beginning.

use super::blocks::{Blocks, Classes, FULL, Shared};
use super::bounds::Pair;
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
    /// `weigh` appends the scores of texts, at a cutoff or with anything below it where they are
    /// less. No text is left out that reaches the cutoff and as many others do not exceed.
    pub(super) fn sift(
        &mut self,
        sought: Sought<'_>,
        blocks: &Blocks,
        mut weigh: impl FnMut(&[u32], f64, &mut Vec<f64>),
    ) -> Pairs {
        let mut pairs = Pairs::default();
        let mut needed = Needed::new(sought);
        self.among.clear();
        for block in 0..blocks.len() {
            match needed.among(blocks.lengths(block)) {
                Some(_) => self.among.push(block as u32),
                None => pairs.skipped.lengths += blocks.texts(block).len() as u64,
            }
        }
        let (among, shared) = (&self.among, &mut self.shared);
        sought.classes.in_common(blocks, among, shared);

        let mut first = Best::new(sought);
        for block in most_promising(sought, blocks, among, shared) {
            let largest = shared.largest[block];
            self.picked.clear();
            pick(blocks, shared, block, largest, &mut self.picked);
            self.scores.clear();
            weigh(&self.picked, first.floor, &mut self.scores);
            self.scores.iter().for_each(|score| first.offer(*score));
        }

        // Jaro's matches may cross.
        let in_order = !matches!(sought.measure, Measure::Jaro | Measure::JaroWinkler);
        let mut best = Best::new(sought);
        best.floor = first.floor;
        self.finalists.clear();
        for block in among.iter().map(|block| *block as usize) {
            needed.raise(best.floor);
            let texts = blocks.texts(block).len();
            let Some(least) = needed.among(blocks.lengths(block)) else {
                pairs.skipped.lengths += texts as u64;
                continue;
            };
            if shared.largest[block] < least {
                pairs.skipped.symbols += texts as u64;
                continue;
            }
            let counts = &mut shared.counts[block];
            let left = counts[..texts].iter().filter(|count| **count >= least);
            let left = left.count();
            if in_order {
                sought.classes.in_common_by_halves(blocks, block, counts);
            }
            self.picked.clear();
            pick(blocks, shared, block, least, &mut self.picked);
            self.scores.clear();
            weigh(&self.picked, best.floor, &mut self.scores);
            pairs.compared += self.picked.len() as u64;
            pairs.skipped.halves += (left - self.picked.len()) as u64;
            pairs.skipped.symbols += (texts - left) as u64;
            for (index, score) in self.picked.iter().zip(&self.scores) {
                if *score >= best.floor {
                    self.finalists.push((*index, *score));
                    best.offer(*score);
                }
            }
        }
        self.finalists.retain(|(_, score)| *score >= best.floor);
        self.finalists.sort_unstable_by_key(|(index, _)| *index);
        pairs
    }

    /// The texts that may be among the best, in order.
    pub(super) fn finalists(&self) -> impl Iterator<Item = usize> {
        self.finalists.iter().map(|(index, _)| *index as usize)
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
        let place = first.partition_point(|(other, _)| *other >= most);
        if place < TRIED {
            first.truncate(TRIED - 1);
            first.insert(place, (most, block));
        }
    }
    first.into_iter().map(|(_, block)| block)
}

/// Appends the texts of a block that have at least so much in common.
fn pick(blocks: &Blocks, shared: &Shared, block: usize, least: u8, picked: &mut Vec<u32>) {
    let texts = blocks.texts(block).iter().zip(&shared.counts[block]);
    picked.extend(texts.filter_map(|(text, count)| (*count >= least).then_some(*text)));
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
