//! Records whose hash is computed as a run reads them.

use std::ops::{ControlFlow, Range};

use crate::dataset::{Dataset, LentRecord, Position, ReadOutcome, TextRecord, TextSource};
use crate::error::{BadRecord, Error, Place};
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
    type Record<'a> = TextRecord<'a>;

    fn parts(&self) -> usize {
        self.dataset.parts()
    }

    fn is_stream(&self) -> bool {
        self.dataset.is_stream()
    }

    fn may_wait_with_records(&self) -> bool {
        self.dataset.may_wait_with_records()
    }

    fn close(&self) {
        self.dataset.close();
    }

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

    fn size(&self, parts: Range<usize>) -> u64 {
        self.dataset.size(parts)
    }

    fn lend<'r>(&self, record: &'r TextRecord<'_>) -> Option<LentRecord<'r>> {
        self.dataset.lend(record)
    }

    fn place(&self, position: Position) -> Option<Place> {
        self.dataset.place(position)
    }

    fn index_in_input(&self, index: u64) -> u64 {
        self.dataset.index_in_input(index)
    }
}
