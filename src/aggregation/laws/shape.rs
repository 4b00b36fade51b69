//! How the records of one check are shared out, and how the states merge.

use std::fmt;

use super::super::hashing::{STEP, draw};

/// The most parts in a partition: enough for trees of every small shape.
const MOST_PARTS: usize = 24;
/// One state in so many travels as bytes before it is merged.
const TRAVELS_ONE_IN: usize = 4;

/// How records were shared out among states, and how those were merged.
pub(super) struct Shape {
    seed: u64,
    /// The records of each part; there is at least one part, and some are empty.
    pub parts: Vec<Vec<usize>>,
    /// As many merges as leave one state, or none where one state sees all parts.
    pub merges: Vec<Merge>,
}

/// The state at one place is taken out and merged into another, both counted among the states left
/// at that moment.
pub(super) struct Merge {
    pub from: usize,
    /// Counted without the one taken out.
    pub into: usize,
    pub travel: Travel,
}

/// How a state comes to the one that it is merged into.
pub(super) enum Travel {
    /// As it is.
    Stays,
    /// As bytes, loaded by a state that has seen nothing …
    LoadedByFresh,
    /// … or by the one that it is merged into.
    LoadedByOther,
    /// Both as bytes.
    BothLoaded,
}

impl Shape {
    /// Runs of consecutive records, merged in index order.
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

    /// Any records, in any order, merged in any order.
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

    /// The parts alone.
    pub(super) fn unmerged(mut self) -> Shape {
        self.merges.clear();
        self
    }
}

impl Merge {
    fn new(from: usize, into: usize, random: &mut SplitMix64) -> Merge {
        let travel = match random.below(3 * TRAVELS_ONE_IN) {
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
        // Longer than this, nobody reads it, and the seed says the same.
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

/// The numbers of SplitMix64 one after the other.
pub(super) struct SplitMix64(pub u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        let number = draw(self.0, 0);
        self.0 = self.0.wrapping_add(STEP);
        number
    }

    /// A number from 0 up to, not including, `end`, which is not 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(super) fn shuffle<T>(&mut self, deck: &mut [T]) {
        for left in (1..deck.len()).rev() {
            deck.swap(left, self.below(left + 1));
        }
    }
}
