//! Records whose hash is computed as a run reads them.

use std::ops::{ControlFlow, Range};

use crate::dataset::{Dataset, Position, ReadOutcome, TextRecord, TextSource, delegate_to_dataset};
use crate::error::{BadRecord, Error};
use crate::plan::records_hash::{HashOfSome, RecordsHash};

/// A dataset that adds its records to a hash, if there is one.
pub(super) struct HashedRecords<'d> {
    dataset: &'d TextSource,
    hash: Option<&'d RecordsHash>,
}

impl<'d> HashedRecords<'d> {
    pub(super) fn new(dataset: &'d TextSource, hash: Option<&'d RecordsHash>) -> Self {
        HashedRecords { dataset, hash }
    }
}

impl Dataset for HashedRecords<'_> {
    delegate_to_dataset!();

    fn read<V>(&self, parts: Range<usize>, mut visit: V) -> Result<ReadOutcome, Error>
    where
        V: FnMut(Position, Result<&TextRecord<'_>, BadRecord>) -> ControlFlow<()>,
    {
        let Some(hash) = self.hash else {
            return self.dataset.read(parts, visit);
        };
        let mut some = HashOfSome::default();
        let outcome = self.dataset.read(parts, |at, record| {
            some.add(at.index, &record);
            visit(at, record)
        });
        hash.add(some);
        outcome
    }
}
