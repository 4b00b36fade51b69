//! The records that a task has skipped, until the frontier counts them.

/// Skipped records among consecutive records.
#[derive(Clone, Debug)]
pub(super) enum Skips {
    /// The number of skipped records. If the answer covers either all of the consecutive records or none of them, the
    /// number is enough, and no index has to be kept in memory.
    Number(u64),
    /// The indices of the skipped records, in ascending order, because the answer may end after any of them.
    Indices(Vec<u64>),
}

impl Skips {
    /// No skipped records. `may_be_cut` says whether the answer may end between two of the consecutive records.
    pub(super) fn new(may_be_cut: bool) -> Self {
        if may_be_cut {
            Skips::Indices(Vec::new())
        } else {
            Skips::Number(0)
        }
    }

    /// Adds a skipped record. Its index must be greater than those added before.
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

    /// The number of skipped records before record `end`. If only the number is kept, `end` must be the end of the
    /// consecutive records.
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
