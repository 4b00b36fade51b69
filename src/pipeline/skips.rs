//! The records that a task has skipped, until the frontier counts them.

/// Skipped records among consecutive records.
#[derive(Clone, Debug)]
pub(super) enum Skips {
    /// The number of skipped records. It is enough if the answer covers either all of the consecutive records or none,
    /// and needs no memory for each record.
    Number(u64),
    /// The indices of the skipped records, in ascending order, because the answer may end after any of them.
    Indices(Vec<u64>),
}

impl Skips {
    /// No skipped records. `may_be_cut` says whether the answer may cover only the first of the consecutive records.
    pub(super) fn new(may_be_cut: bool) -> Self {
        if may_be_cut {
            Skips::Indices(Vec::new())
        } else {
            Skips::Number(0)
        }
    }

    /// Adds a record that comes after those that have been added before.
    pub(super) fn add(&mut self, index: u64) {
        match self {
            Skips::Number(number) => *number += 1,
            Skips::Indices(indices) => indices.push(index),
        }
    }

    /// Returns the skipped records, and leaves none.
    pub(super) fn take(&mut self) -> Self {
        let empty = match self {
            Skips::Number(_) => Skips::Number(0),
            Skips::Indices(_) => Skips::Indices(Vec::new()),
        };
        std::mem::replace(self, empty)
    }

    /// The number of skipped records before record `end`, which is where the answer ends or the end of all records.
    pub(super) fn before(&self, end: u64) -> u64 {
        match self {
            Skips::Number(number) => *number,
            Skips::Indices(indices) => indices.partition_point(|index| *index < end) as u64,
        }
    }

    /// The number of indices that are kept in memory.
    pub(super) fn kept(&self) -> u64 {
        match self {
            Skips::Number(_) => 0,
            Skips::Indices(indices) => indices.len() as u64,
        }
    }
}
