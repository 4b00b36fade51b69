//! What of a reference may be among the best matches of a record, found block by block.
//!
//! The score that is needed becomes, for each length, the least number of symbols in common; blocks
//! whose texts all have less are passed over with one comparison. The blocks that promise most are
//! looked into first, so that a high score is needed from the beginning.
//!
//! Several threads may look into the blocks. The score that is needed rises for all of them at once,
//! and in the end it is the same whoever has looked into which of them and when; so are the texts that
//! reach it.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::blocks::{Blocks, Classes, Counts, FULL, Shared};
use super::bounds::Pair;
use super::side_by_side::SIDES;
use super::split::{self, Others};
use super::{Measure, Pairs};
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

/// How many texts are weighed together, at least: so many that the last of them are few.
const TOGETHER: usize = 32;

/// Where a thread takes what it needs to weigh texts, and gives it back.
///
/// Functions are called through pointers here: compiled for each measure, what shares the work among
/// threads would be there many times over.
#[derive(Clone, Copy)]
pub(super) struct Desks<'a, D> {
    pub(super) take: &'a (dyn Fn() -> D + Sync),
    pub(super) give_back: &'a (dyn Fn(D) + Sync),
}

/// Appends the scores of the texts at some places, at a cutoff or with anything below it where they
/// are less.
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
    pairs: Pairs,
}

/// A thread that looks into blocks.
struct Looking<D> {
    hand: Hand,
    needed: Needed,
    desk: D,
}

/// What threads look into together.
struct Sifting<'a, D> {
    sought: Sought<'a>,
    blocks: &'a Blocks,
    among: &'a [u32],
    shared: &'a Shared,
    weigh: &'a Weigh<'a, D>,
    best: Best,
}

impl Sieve {
    /// Finds the texts that may be among the best, the [finalists](Self::finalists); returns how
    /// many texts were weighed, and what ruled out the others.
    ///
    /// No text is left out that reaches the cutoff and as many others do not exceed.
    pub(super) fn sift<D: Send>(
        &mut self,
        sought: Sought<'_>,
        blocks: &Blocks,
        desks: Desks<'_, D>,
        weigh: &Weigh<'_, D>,
    ) -> Pairs {
        let mut pairs = Pairs::default();
        let mut needed = Needed::new(sought);
        self.among.clear();
        for block in 0..blocks.len() {
            match needed.among(blocks.lengths(block)) {
                Some(_) => self.among.push(block as u32),
                None => pairs.skipped.lengths += blocks.places(block).len() as u64,
            }
        }
        let classes = sought.classes;
        classes.in_common(blocks, &self.among, &mut self.shared);
        let mut own = Looking {
            hand: std::mem::take(&mut self.hand).emptied(pairs),
            needed,
            desk: (desks.take)(),
        };
        let mut sifting = Sifting {
            sought,
            blocks,
            among: &self.among,
            shared: &self.shared,
            weigh,
            best: Best::starting_at(sought.cutoff * BELOW, sought.wanted),
        };
        let floor = sifting.try_most_promising(&mut own);
        // They come once more, each in its turn.
        sifting.best = Best::starting_at(floor, sought.wanted);
        let others = Others {
            begin: || Looking {
                hand: Hand::default(),
                needed: Needed::new(sought),
                desk: (desks.take)(),
            },
            end: |mut other: Looking<D>| {
                sifting.weigh_all(&mut other);
                (desks.give_back)(other.desk);
                other.hand
            },
        };
        let look_into = |looking: &mut Looking<D>, which: usize| sifting.look_into(looking, which);
        let others = split::go(self.among.len(), &mut own, look_into, others);
        sifting.weigh_all(&mut own);
        (desks.give_back)(own.desk);
        let mut hand = own.hand;
        others.into_iter().for_each(|other| hand.take_in(other));
        let floor = sifting.best.floor();
        hand.finalists.retain(|(_, score)| *score >= floor);
        self.hand = hand;
        self.hand.pairs
    }

    /// The places of the texts that may be among the best.
    pub(super) fn finalists(&self) -> impl Iterator<Item = u32> {
        self.hand.finalists.iter().map(|(place, _)| *place)
    }
}

impl<D> Sifting<'_, D> {
    /// The score that the best texts of the most promising blocks reach, or a little less.
    fn try_most_promising(&self, looking: &mut Looking<D>) -> f64 {
        let Looking { hand, desk, .. } = looking;
        for which in most_promising(self.sought, self.blocks, self.among, self.shared) {
            let (block, mut counts) = self.block(which);
            self.heed_order(block, &mut counts);
            let places = self.blocks.places(block);
            let largest = counts.iter().fold(0, |largest, count| largest.max(*count));
            let reach = reaching(&counts, places.len(), largest);
            pick(&reach, places, &mut hand.picked);
        }
        (self.weigh)(desk, &hand.picked, self.best.floor(), &mut hand.scores);
        hand.scores.iter().for_each(|score| self.best.offer(*score));
        hand.picked.clear();
        self.best.floor()
    }

    /// Picks what a block has that may be among the best, and weighs what has been picked once it is
    /// enough.
    fn look_into(&self, looking: &mut Looking<D>, which: usize) {
        let Looking { hand, needed, .. } = looking;
        let (block, mut counts) = self.block(which);
        let places = self.blocks.places(block);
        let texts = places.len();
        needed.raise(self.best.floor());
        let Some(least) = needed.among(self.blocks.lengths(block)) else {
            hand.pairs.skipped.lengths += texts as u64;
            return;
        };
        if self.shared.largest[which] < least {
            hand.pairs.skipped.symbols += texts as u64;
            return;
        }
        let left = how_many(&reaching(&counts, texts, least));
        self.heed_order(block, &mut counts);
        let before = hand.picked.len();
        pick(&reaching(&counts, texts, least), places, &mut hand.picked);
        let new = hand.picked.len() - before;
        hand.pairs.compared += new as u64;
        hand.pairs.skipped.halves += (left - new) as u64;
        hand.pairs.skipped.symbols += (texts - left) as u64;
        if hand.picked.len() >= TOGETHER {
            let whole_groups = hand.picked.len() / SIDES * SIDES;
            self.weigh_first(looking, whole_groups);
        }
    }

    fn block(&self, which: usize) -> (usize, Counts) {
        (self.among[which] as usize, self.shared.counts[which])
    }

    fn heed_order(&self, block: usize, counts: &mut Counts) {
        // Jaro's matches may cross.
        if !matches!(self.sought.measure, Measure::Jaro | Measure::JaroWinkler) {
            let classes = self.sought.classes;
            classes.in_common_by_halves(self.blocks, block, counts);
        }
    }

    fn weigh_all(&self, looking: &mut Looking<D>) {
        self.weigh_first(looking, looking.hand.picked.len());
    }

    /// Weighs so many of the texts that have been picked, and keeps those that may be among the best.
    fn weigh_first(&self, looking: &mut Looking<D>, texts: usize) {
        let Looking { hand, desk, .. } = looking;
        hand.scores.clear();
        let floor = self.best.floor();
        (self.weigh)(desk, &hand.picked[..texts], floor, &mut hand.scores);
        for (place, score) in hand.picked.drain(..texts).zip(&hand.scores) {
            if *score >= self.best.floor() {
                hand.finalists.push((place, *score));
                self.best.offer(*score);
            }
        }
    }
}

impl Hand {
    fn emptied(mut self, pairs: Pairs) -> Self {
        self.picked.clear();
        self.scores.clear();
        self.finalists.clear();
        Hand { pairs, ..self }
    }

    fn take_in(&mut self, other: Hand) {
        self.finalists.extend(other.finalists);
        self.pairs += other.pairs;
    }
}

/// Which in `among` are the blocks whose best text promises most, best first.
fn most_promising(
    sought: Sought<'_>,
    blocks: &Blocks,
    among: &[u32],
    shared: &Shared,
) -> impl Iterator<Item = usize> {
    let mut first: Vec<(f64, usize)> = Vec::with_capacity(TRIED + 1);
    for (which, block) in among.iter().enumerate() {
        let length = blocks.lengths(*block as usize)[0] as usize;
        let largest = usize::from(shared.largest[which]).min(length);
        let most = pair(sought.length, length, largest).most(sought.measure);
        if most < sought.cutoff * BELOW {
            continue;
        }
        let rank = first.partition_point(|(other, _)| *other >= most);
        if rank < TRIED {
            first.truncate(TRIED - 1);
            first.insert(rank, (most, which));
        }
    }
    first.into_iter().map(|(_, which)| which)
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
