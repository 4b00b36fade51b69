//! What of a reference may be among the best matches of a record, found block by block.
//!
//! The score that is needed becomes, for each length, the least number of symbols in common; blocks
//! whose texts all have less are passed over with one comparison. The blocks that promise most are
//! looked into first, so that a high score is needed from the beginning.
//!
//! Several threads may look into the blocks. The score that is needed rises for all of them at once,
//! and in the end it is the same whoever has looked into which of them and when; so are the texts that
//! reach it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::Measure;
use super::blocks::{Blocks, Classes, Counts, FULL, Shared};
use super::bounds::Pair;
use super::split::{self, Others};
use crate::sync::{Mutex, lock};

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

/// Where a thread takes what it needs to weigh texts, and gives it back.
///
/// Functions are called through pointers here: compiled for each measure, what shares the work among
/// threads would be there many times over.
#[derive(Clone, Copy)]
pub(super) struct Desks<'a, D> {
    pub(super) take: &'a (dyn Fn() -> D + Sync),
    pub(super) give_back: &'a (dyn Fn(D) + Sync),
}

/// Appends the scores of texts, at a cutoff or with anything below it where they are less.
pub(super) type Weigh<'a, D> = dyn Fn(&mut D, &[u32], f64, &mut Vec<f64>) + Sync + 'a;

/// What is kept between two records.
#[derive(Debug, Default)]
pub(super) struct Sieve {
    shared: Shared,
    /// The blocks in which a text can reach the cutoff by its length.
    among: Vec<u32>,
    hand: Hand,
}

/// What one thread picks, and what it has found.
#[derive(Debug, Default)]
struct Hand {
    picked: Vec<u32>,
    scores: Vec<f64>,
    finalists: Vec<(u32, f64)>,
    weighed: u64,
}

impl Sieve {
    /// Finds the texts that may be among the best, the [finalists](Self::finalists); returns how
    /// many texts were weighed.
    ///
    /// No text is left out that reaches the cutoff and as many others do not exceed.
    pub(super) fn sift<D: Send>(
        &mut self,
        sought: Sought<'_>,
        blocks: &Blocks,
        desks: Desks<'_, D>,
        weigh: &Weigh<'_, D>,
    ) -> u64 {
        let mut needed = Needed::new(sought);
        self.among.clear();
        let all = 0..blocks.len() as u32;
        let reachable = |block: &u32| needed.among(blocks.lengths(*block as usize)).is_some();
        self.among.extend(all.filter(reachable));
        let (among, shared) = (&self.among, &mut self.shared);
        sought.classes.in_common(blocks, among, shared);
        let shared = &self.shared;

        let mut own = (std::mem::take(&mut self.hand), needed, (desks.take)());
        let (hand, _, desk) = &mut own;
        let first = Best::starting_at(sought.cutoff * BELOW, sought.wanted);
        for place in most_promising(sought, blocks, among, shared) {
            let (block, counts) = (among[place] as usize, &shared.counts[place]);
            hand.pick(blocks, block, counts, shared.largest[place]);
            weigh(desk, &hand.picked, first.floor(), &mut hand.scores);
            hand.scores.iter().for_each(|score| first.offer(*score));
        }

        // Jaro's matches may cross.
        let in_order = !matches!(sought.measure, Measure::Jaro | Measure::JaroWinkler);
        let best = Best::starting_at(first.floor(), sought.wanted);
        let look_into = |(hand, needed, desk): &mut (Hand, Needed, D), place: usize| {
            let block = among[place] as usize;
            let floor = best.floor();
            needed.raise(floor);
            let Some(least) = needed.among(blocks.lengths(block)) else {
                return;
            };
            if shared.largest[place] < least {
                return;
            }
            let mut counts = shared.counts[place];
            if in_order {
                sought
                    .classes
                    .in_common_by_halves(blocks, block, &mut counts);
            }
            hand.pick(blocks, block, &counts, least);
            weigh(desk, &hand.picked, floor, &mut hand.scores);
            hand.weighed += hand.picked.len() as u64;
            for (index, score) in hand.picked.iter().zip(&hand.scores) {
                if *score >= floor {
                    hand.finalists.push((*index, *score));
                    best.offer(*score);
                }
            }
        };
        hand.finalists.clear();
        hand.weighed = 0;
        let others = Others {
            begin: || (Hand::default(), Needed::new(sought), (desks.take)()),
            end: |(hand, _, desk)| {
                (desks.give_back)(desk);
                hand
            },
        };
        let others = split::go(among.len(), &mut own, look_into, others);
        let (mut hand, _, desk) = own;
        (desks.give_back)(desk);
        others.into_iter().for_each(|other| hand.take_in(other));
        let floor = best.floor();
        hand.finalists.retain(|(_, score)| *score >= floor);
        hand.finalists.sort_unstable_by_key(|(index, _)| *index);
        self.hand = hand;
        self.hand.weighed
    }

    /// The texts that may be among the best, in order.
    pub(super) fn finalists(&self) -> impl Iterator<Item = usize> {
        let finalists = self.hand.finalists.iter();
        finalists.map(|(index, _)| *index as usize)
    }
}

impl Hand {
    /// Picks the texts of a block that have at least so much in common.
    fn pick(&mut self, blocks: &Blocks, block: usize, counts: &Counts, least: u8) {
        self.picked.clear();
        self.scores.clear();
        let texts = blocks.texts(block).iter().zip(counts);
        let enough = texts.filter_map(|(text, count)| (*count >= least).then_some(*text));
        self.picked.extend(enough);
    }

    fn take_in(&mut self, other: Hand) {
        self.finalists.extend(other.finalists);
        self.weighed += other.weighed;
    }
}

/// The places in `among` of the blocks whose best text promises most, best first.
fn most_promising(
    sought: Sought<'_>,
    blocks: &Blocks,
    among: &[u32],
    shared: &Shared,
) -> impl Iterator<Item = usize> {
    let mut first: Vec<(f64, usize)> = Vec::with_capacity(TRIED + 1);
    for (place, block) in among.iter().enumerate() {
        let length = blocks.lengths(*block as usize)[0] as usize;
        let largest = usize::from(shared.largest[place]).min(length);
        let most = pair(sought.length, length, largest).most(sought.measure);
        let rank = first.partition_point(|(other, _)| *other >= most);
        if rank < TRIED {
            first.truncate(TRIED - 1);
            first.insert(rank, (most, place));
        }
    }
    first.into_iter().map(|(_, place)| place)
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

/// The best scores so far, as many as are wanted, of all threads.
pub(super) struct Best {
    wanted: usize,
    scores: Mutex<Vec<f64>>,
    /// The bits of what need not be looked at if it is below. It only rises.
    floor: AtomicU64,
}

impl Best {
    pub(super) fn starting_at(floor: f64, wanted: usize) -> Self {
        Best {
            wanted,
            scores: Mutex::default(),
            floor: AtomicU64::new(floor.to_bits()),
        }
    }

    /// What is below it need not be looked at. Others may have raised it since: then a little more is
    /// looked at than need be.
    pub(super) fn floor(&self) -> f64 {
        f64::from_bits(self.floor.load(Relaxed))
    }

    pub(super) fn offer(&self, score: f64) {
        let mut scores = lock(&self.scores);
        let place = scores.partition_point(|other| *other >= score);
        if place == self.wanted {
            return;
        }
        scores.truncate(self.wanted - 1);
        scores.insert(place, score);
        if let Some(least) = scores.get(self.wanted - 1) {
            // Nobody else raises it while the scores are locked.
            let floor = self.floor().max(least * BELOW);
            self.floor.store(floor.to_bits(), Relaxed);
        }
    }
}
