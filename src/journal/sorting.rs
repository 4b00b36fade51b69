//! Sorts more entries than memory should hold, with a scratch file.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::sync::Arc;

use super::disk::{JournalDisk, read_full, write_all};
use super::format::part;
use super::sizes::TableSizes;

/// An answer in the table by key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KeyedPlace {
    /// The hash of the key, by which the table is sorted.
    pub(super) tag: u64,
    /// The index of the record that had the answer.
    pub(super) index: u64,
    /// The offset of the entry in the journal.
    pub(super) place: u64,
    /// Whether the answer was taken over. Unused if the answer is in the table by index, which then says it.
    pub(super) is_taken: bool,
    /// The number of entries from this one on of which it is known that they were taken over.
    pub(super) taken: u64,
}

/// The number of bytes of a [`KeyedPlace`] in a file.
pub(super) const KEYED_BYTES: usize = 32;

/// Marks the place of an answer that was taken over. No file is long enough to need the bit.
pub(super) const TAKEN: u64 = 1 << 63;

impl KeyedPlace {
    pub(super) fn bytes(&self) -> [u8; KEYED_BYTES] {
        let place = self.place | if self.is_taken { TAKEN } else { 0 };
        let mut bytes = [0; KEYED_BYTES];
        bytes[..8].copy_from_slice(&self.tag.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.index.to_le_bytes());
        bytes[16..24].copy_from_slice(&place.to_le_bytes());
        bytes[24..].copy_from_slice(&self.taken.to_le_bytes());
        bytes
    }

    pub(super) fn parse(bytes: &[u8]) -> Self {
        let number = |at| u64::from_le_bytes(part(bytes, at));
        KeyedPlace {
            tag: number(0),
            index: number(8),
            place: number(16) & !TAKEN,
            is_taken: number(16) & TAKEN != 0,
            taken: number(24),
        }
    }

    /// Entries are in the order of their tags, then of their records, then of their places in the journal.
    fn order(&self) -> (u64, u64, u64) {
        (self.tag, self.index, self.place)
    }
}

/// Entries of which as many as fit are in memory, and the others in sorted runs in a scratch file.
pub(super) struct Sorting {
    scratch: Arc<dyn JournalDisk>,
    sizes: TableSizes,
    unsorted: Vec<KeyedPlace>,
    /// The number of entries of each run. They are in the scratch file one after the other.
    runs: Vec<u64>,
    end: u64,
}

impl Sorting {
    pub(super) fn new(scratch: Arc<dyn JournalDisk>, sizes: TableSizes) -> Self {
        Sorting {
            scratch,
            sizes,
            unsorted: Vec::new(),
            runs: Vec::new(),
            end: 0,
        }
    }

    pub(super) fn add(&mut self, entry: KeyedPlace) -> io::Result<()> {
        self.unsorted.push(entry);
        match self.unsorted.len() >= self.sizes.sorted_at_once {
            true => self.write_run(),
            false => Ok(()),
        }
    }

    fn write_run(&mut self) -> io::Result<()> {
        self.unsorted.sort_unstable_by_key(KeyedPlace::order);
        let bytes: Vec<u8> = self.unsorted.iter().flat_map(KeyedPlace::bytes).collect();
        write_all(&*self.scratch, &bytes, self.end)?;
        self.end += bytes.len() as u64;
        self.runs.push(self.unsorted.len() as u64);
        self.unsorted.clear();
        Ok(())
    }

    /// Calls `visit` with all entries in order.
    pub(super) fn visit(
        mut self,
        mut visit: impl FnMut(KeyedPlace) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.runs.is_empty() {
            self.unsorted.sort_unstable_by_key(KeyedPlace::order);
            return self.unsorted.into_iter().try_for_each(visit);
        }
        if !self.unsorted.is_empty() {
            self.write_run()?;
        }
        self.unsorted = Vec::new();
        let mut at = 0;
        let mut runs = Vec::new();
        let mut heads = BinaryHeap::new();
        for (number, length) in self.runs.iter().enumerate() {
            let mut run = SortedRun {
                at,
                left: *length,
                at_once: self.sizes.merged_at_once,
                read: Vec::new().into_iter(),
            };
            at += length * KEYED_BYTES as u64;
            if let Some(entry) = run.next(&*self.scratch)? {
                heads.push(Reverse((entry.order(), number)));
            }
            runs.push(run);
        }
        while let Some(Reverse(((tag, index, place), number))) = heads.pop() {
            visit(KeyedPlace {
                tag,
                index,
                place,
                ..KeyedPlace::default()
            })?;
            if let Some(entry) = runs[number].next(&*self.scratch)? {
                heads.push(Reverse((entry.order(), number)));
            }
        }
        Ok(())
    }
}

/// A sorted run that is read from the scratch file.
struct SortedRun {
    at: u64,
    left: u64,
    /// The number of entries that are read at once.
    at_once: u64,
    read: std::vec::IntoIter<KeyedPlace>,
}

impl SortedRun {
    fn next(&mut self, scratch: &dyn JournalDisk) -> io::Result<Option<KeyedPlace>> {
        if self.read.len() == 0 && self.left > 0 {
            let entries = self.left.min(self.at_once);
            let mut bytes = vec![0; entries as usize * KEYED_BYTES];
            if read_full(scratch, &mut bytes, self.at)? < bytes.len() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.at += bytes.len() as u64;
            self.left -= entries;
            let read: Vec<_> = bytes.as_chunks::<KEYED_BYTES>().0.iter().collect();
            let read: Vec<_> = read
                .into_iter()
                .map(|bytes| KeyedPlace::parse(bytes))
                .collect();
            self.read = read.into_iter();
        }
        Ok(self.read.next())
    }
}
