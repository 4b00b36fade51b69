//! How the records of one check are divided, and how the states merge.

use std::fmt;

use super::super::hashing::{STEP, draw};

/// The largest number of parts in a partition. It is enough for trees of every small shape.
const MOST_PARTS: usize = 24;
/// On average, a state is saved as bytes and loaded before one in this many merges.
const TRAVEL_INTERVAL: usize = 4;

/// How records are divided among states, and how the states merge.
pub(super) struct Shape {
    seed: u64,
    /// The records of each part. There is at least one part, and parts may be empty.
    pub parts: Vec<Vec<usize>>,
    /// The merges, in order: enough to leave one state, or none if the parts are not to be merged.
    pub merges: Vec<Merge>,
}

/// One merge. States are numbered among the states that are left at that time.
pub(super) struct Merge {
    /// The state that is taken out.
    pub from: usize,
    /// The state that it is merged into, numbered without the state that was taken out.
    pub into: usize,
    pub travel: Travel,
}

/// How a state reaches the state that it is merged into.
pub(super) enum Travel {
    /// It is merged directly.
    Stays,
    /// It is saved as bytes, which are loaded by a state that has observed nothing.
    LoadedByFresh,
    /// It is saved as bytes, which are loaded by the state that it is merged into.
    LoadedByOther,
    /// Both states are saved as bytes and loaded.
    BothLoaded,
}

impl Shape {
    /// Returns a shape in which parts are consecutive records that are merged in index order.
    pub(super) fn cut(records: usize, seed: u64, random: &mut SplitMix64) -> Shape {
        let parts = 1 + random.below(MOST_PARTS);
        let mut cuts: Vec<usize> = (1..parts).map(|_| random.below(records + 1)).collect();
        cuts.extend([0, records]);
        cuts.sort_unstable();
        let parts = cuts.windows(2).map(|cut| (cut[0]..cut[1]).collect());
        let parts: Vec<_> = parts.collect();
        let merges = (2..=parts.len()).rev().map(|left| {
            let into = random.below(left - 1);
            Merge::new(into + 1, into, random)
        });
        Shape {
            seed,
            merges: merges.collect(),
            parts,
        }
    }

    /// Returns a shape in which parts contain any records in any order, and are merged in any
    /// order.
    pub(super) fn deal(records: usize, seed: u64, random: &mut SplitMix64) -> Shape {
        let mut deck: Vec<usize> = (0..records).collect();
        random.shuffle(&mut deck);
        let mut parts = vec![Vec::new(); 1 + random.below(MOST_PARTS)];
        for record in deck {
            let part = random.below(parts.len());
            parts[part].push(record);
        }
        let merges = (2..=parts.len()).rev().map(|left| {
            let (from, into) = (random.below(left), random.below(left - 1));
            Merge::new(from, into, random)
        });
        Shape {
            seed,
            merges: merges.collect(),
            parts,
        }
    }

    /// Returns the shape without its merges.
    pub(super) fn unmerged(mut self) -> Shape {
        self.merges.clear();
        self
    }
}

impl Merge {
    fn new(from: usize, into: usize, random: &mut SplitMix64) -> Merge {
        let travel = match random.below(3 * TRAVEL_INTERVAL) {
            0 => Travel::LoadedByFresh,
            1 => Travel::LoadedByOther,
            2 => Travel::BothLoaded,
            _ => Travel::Stays,
        };
        Merge { from, into, travel }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records: usize = self.parts.iter().map(Vec::len).sum();
        write!(
            out,
            "seed {}, {records} records in {} parts",
            self.seed,
            self.parts.len()
        )?;
        // A longer list would be unreadable, and the seed gives the same information.
        if records <= 64 {
            write!(out, " {:?}", self.parts)?;
            if !self.merges.is_empty() {
                write!(out, ", merged {:?}", self.merges)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Merge {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let as_bytes = match self.travel {
            Travel::Stays => "",
            Travel::LoadedByFresh | Travel::LoadedByOther => " as bytes",
            Travel::BothLoaded => " (both as bytes)",
        };
        write!(out, "{}{as_bytes} into {}", self.from, self.into)
    }
}

/// The numbers of SplitMix64, one after the other.
pub(super) struct SplitMix64(pub u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        let number = draw(self.0, 0);
        self.0 = self.0.wrapping_add(STEP);
        number
    }

    /// Returns a number that is at least 0 and less than `end`. `end` must not be 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(super) fn shuffle<T>(&mut self, deck: &mut [T]) {
        for left in (1..deck.len()).rev() {
            deck.swap(left, self.below(left + 1));
        }
    }
}
