//! The answers that earlier runs have kept.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::disk::JournalDisk;
use super::fault::{damaged, no_scratch};
use super::format::{BlockEntries, EntryHead, MOST_HEAD_BYTES, part};
use super::key_table::{KeyClaim, KeyTable, tag_of};
use super::paged::{Change, PagedFile};
use super::reading::{JournalReader, ValidBlock};
use super::sizes::TableSizes;
use super::sorting::{KeyedPlace, Sorting, TAKEN};
use super::threads::{PARTS, ThreadsApart, apart, part_of_thread};
use crate::error::Error;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use crate::sync::{Mutex, lock};

/// The number of bytes of a slot of the table by index: the key, and the place of the entry in the journal, which is 0 if
/// there is none.
const SLOT_BYTES: usize = 24;

/// The number of bytes that are read of an entry before its length is known.
const SHORT_ENTRY_BYTES: usize = 64;

/// The table by index has slots for records before this one. Other answers are found by key only. Because of this limit,
/// the table needs at most 1.5 TiB of a file, most of which takes no room on the disk if there are few answers.
const MOST_SLOTS: u64 = 1 << 36;

/// The bytes of a journal that hold answers of earlier runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct EarlierBytes {
    pub(super) salt: u64,
    /// Where the first block begins.
    pub(super) begin: u64,
    /// Where the last block ends.
    pub(super) end: u64,
}

/// The answers that earlier runs have kept, and which of them this run has taken over.
///
/// A slot of the table by index says which answer was kept last for a record. As long as the records are those of the
/// earlier runs, answers are found there. When one is not, a table by key is built of the answers that are left, once.
/// Whether an answer was taken over is noted in one place: in the slot that leads to it, or else in the table by key.
pub(super) struct EarlierAnswers {
    path: PathBuf,
    disk: Arc<dyn JournalDisk>,
    bytes: EarlierBytes,
    sizes: TableSizes,
    journal: PagedFile,
    slots: PagedFile,
    /// The number of slots, which end with the last one that is used.
    slot_count: u64,
    /// The number of answers.
    total: u64,
    /// The number of answers to which no slot leads.
    without_slot: u64,
    taken: Box<[ThreadsApart<AtomicU64>]>,
    all_are_taken: AtomicBool,
    by_key: OnceLock<KeyTable>,
    /// Held by the thread that builds the table by key.
    building: Mutex<()>,
}

impl EarlierAnswers {
    /// Makes the table of an empty journal.
    pub(super) fn new(
        path: &Path,
        disk: &Arc<dyn JournalDisk>,
        bytes: EarlierBytes,
        sizes: TableSizes,
    ) -> Result<Self, Error> {
        let scratch = disk.scratch().map_err(|error| no_scratch(path, &error))?;
        let slot_page = sizes.slots_of_page * SLOT_BYTES;
        Ok(EarlierAnswers {
            path: path.to_owned(),
            disk: Arc::clone(disk),
            bytes,
            sizes,
            journal: PagedFile::new(Arc::clone(disk), sizes.journal_page, sizes.stripes),
            slots: PagedFile::new(scratch, slot_page, sizes.stripes),
            slot_count: 0,
            total: 0,
            without_slot: 0,
            taken: apart(PARTS),
            all_are_taken: AtomicBool::new(false),
            by_key: OnceLock::new(),
            building: Mutex::new(()),
        })
    }

    /// Adds the answers of a block. Each replaces an earlier one of the same record in the table by index. Returns their number.
    pub(super) fn add(&mut self, block: &ValidBlock<'_>) -> Result<u64, Error> {
        let place = |range: Range<usize>| block.payload_at + range.start as u64;
        let entries: Vec<_> = BlockEntries::new(block.payload)
            .map(|(head, range)| (head, place(range)))
            .collect();
        let in_page = self.sizes.slots_of_page as u64;
        let page_of = |index: u64| (index < MOST_SLOTS).then_some(index / in_page);
        // Neighbouring records mostly have neighbouring answers, so a page is looked up once for many of them.
        let mut rest = &entries[..];
        while let Some((head, _)) = rest.first() {
            let page = page_of(head.index);
            let is_in_page = |(head, _): &&(EntryHead, u64)| page_of(head.index) == page;
            let (together, others) = rest.split_at(rest.iter().take_while(is_in_page).count());
            match page {
                Some(page) => self.add_to_page(page, together)?,
                None => self.without_slot += together.len() as u64,
            }
            rest = others;
        }
        let added = entries.len() as u64;
        self.total += added;
        Ok(added)
    }

    /// Adds answers whose slots are all in this page.
    fn add_to_page(&mut self, page: u64, entries: &[(EntryHead, u64)]) -> Result<(), Error> {
        let page_bytes = self.sizes.slots_of_page * SLOT_BYTES;
        let first = page * self.sizes.slots_of_page as u64;
        let last = entries.iter().map(|(head, _)| head.index).max();
        self.slot_count = self.slot_count.max(last.map_or(0, |last| last + 1));
        let at = first * SLOT_BYTES as u64;
        let replaced = self.slots.with(at, page_bytes, |bytes| {
            let (slots, _) = bytes.as_chunks_mut::<SLOT_BYTES>();
            let mut replaced = 0;
            for (head, place) in entries {
                let slot = &mut slots[(head.index - first) as usize];
                replaced += u64::from(place_in(slot) != 0);
                slot[..16].copy_from_slice(&head.key.to_le_bytes());
                slot[16..].copy_from_slice(&place.to_le_bytes());
            }
            (replaced, Change::Changed)
        });
        self.without_slot += replaced.map_err(|error| no_scratch(&self.path, &error))?;
        Ok(())
    }

    /// Sets the end of the last block that was added.
    pub(super) fn end_at(&mut self, end: u64) {
        self.bytes.end = end;
    }

    /// The number of answers.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// The number of answers that were taken over.
    pub(super) fn taken(&self) -> u64 {
        self.taken.iter().map(|taken| taken.0.load(Relaxed)).sum()
    }

    /// Looks for an answer for a record with this key, as [`Journal::find`](super::Journal::find) does.
    pub(super) fn find(&self, index: u64, key: u128, answer: &mut Vec<u8>) -> Result<bool, Error> {
        if self.all_are_taken.load(Relaxed) {
            return Ok(false);
        }
        let place = match self.take_slot(index, key)? {
            (KeyClaim::Taken, place) => Some(place),
            _ => self.take_by_key(key)?,
        };
        let Some(place) = place else {
            return Ok(false);
        };
        self.taken[part_of_thread()].0.fetch_add(1, Relaxed);
        self.read_answer(place, key, answer)?;
        Ok(true)
    }

    /// Takes the answer of a slot, if it has this key. Returns its place.
    fn take_slot(&self, index: u64, key: u128) -> Result<(KeyClaim, u64), Error> {
        if index >= self.slot_count {
            return Ok((KeyClaim::OtherKey, 0));
        }
        let claim = self
            .slots
            .with(index * SLOT_BYTES as u64, SLOT_BYTES, |slot| {
                let held = place_in(slot);
                let is_other = held == 0 || u128::from_le_bytes(part(slot, 0)) != key;
                if is_other {
                    return ((KeyClaim::OtherKey, 0), Change::Unchanged);
                }
                if held & TAKEN != 0 {
                    return ((KeyClaim::WasTaken, 0), Change::Unchanged);
                }
                slot[16..].copy_from_slice(&(held | TAKEN).to_le_bytes());
                ((KeyClaim::Taken, held), Change::Changed)
            });
        claim.map_err(|error| no_scratch(&self.path, &error))
    }

    /// Whether the slot of a record leads to this place.
    fn is_in_slot(&self, entry: &KeyedPlace) -> Result<bool, Error> {
        if entry.index >= self.slot_count {
            return Ok(false);
        }
        let at = entry.index * SLOT_BYTES as u64;
        let held = self.slots.with(at, SLOT_BYTES, |slot| {
            (place_in(slot) & !TAKEN, Change::Unchanged)
        });
        let held = held.map_err(|error| no_scratch(&self.path, &error))?;
        Ok(held == entry.place)
    }

    /// Takes the first answer with this key that is free. Returns its place.
    fn take_by_key(&self, key: u128) -> Result<Option<u64>, Error> {
        if self.by_key.get().is_none() && self.taken() == self.total {
            // The records after the last answer have none, so the table by key need not be built for them.
            self.all_are_taken.store(true, Relaxed);
            return Ok(None);
        }
        let table = self.by_key()?;
        let found = table.find(tag_of(key), |entry, number| {
            self.claim(table, key, &entry, number)
                .map_err(LookUpError::Run)
        });
        match found {
            Ok(found) => Ok(found.map(|entry| entry.place)),
            Err(LookUpError::Run(error)) => Err(error),
            Err(LookUpError::Scratch(error)) => Err(no_scratch(&self.path, &error)),
        }
    }

    fn claim(
        &self,
        table: &KeyTable,
        key: u128,
        entry: &KeyedPlace,
        number: u64,
    ) -> Result<KeyClaim, Error> {
        if self.is_in_slot(entry)? {
            return Ok(self.take_slot(entry.index, key)?.0);
        }
        if entry.is_taken {
            return Ok(KeyClaim::WasTaken);
        }
        if self.read_head(entry.place)?.key != key {
            return Ok(KeyClaim::OtherKey);
        }
        table
            .take(number)
            .map_err(|error| no_scratch(&self.path, &error))
    }

    /// Returns the table by key. The first thread that needs it builds it, and others wait for it.
    fn by_key(&self) -> Result<&KeyTable, Error> {
        if let Some(table) = self.by_key.get() {
            return Ok(table);
        }
        let _building = lock(&self.building);
        if let Some(table) = self.by_key.get() {
            return Ok(table);
        }
        let table = self.build_by_key()?;
        Ok(self.by_key.get_or_init(|| table))
    }

    /// Builds the table of the answers that are left. Others may be taken over meanwhile: their slots say so.
    fn build_by_key(&self) -> Result<KeyTable, Error> {
        let scratch = || self.disk.scratch();
        let failed = |error: io::Error| no_scratch(&self.path, &error);
        let mut sorting = Sorting::new(scratch().map_err(failed)?, self.sizes);
        let mut answers = 0;
        let mut add = |entry| {
            answers += 1;
            sorting.add(entry).map_err(failed)
        };
        self.left_in_slots(&mut add)?;
        if self.without_slot > 0 {
            self.without_slots(&mut add)?;
        }
        KeyTable::build(sorting, answers, self.sizes.filter_bits, scratch).map_err(failed)
    }

    /// Passes the answers that have a slot and were not taken over.
    fn left_in_slots(
        &self,
        add: &mut impl FnMut(KeyedPlace) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let in_page = self.sizes.slots_of_page as u64;
        for first in (0..self.slot_count).step_by(self.sizes.slots_of_page) {
            let slots = in_page.min(self.slot_count - first) as usize;
            let at = first * SLOT_BYTES as u64;
            let left = self.slots.with(at, slots * SLOT_BYTES, |bytes| {
                let (slots, _) = bytes.as_chunks::<SLOT_BYTES>();
                let entries = slots.iter().zip(first..).filter_map(|(slot, index)| {
                    let place = place_in(slot);
                    (place != 0 && place & TAKEN == 0).then(|| KeyedPlace {
                        tag: tag_of(u128::from_le_bytes(part(slot, 0))),
                        index,
                        place,
                        ..KeyedPlace::default()
                    })
                });
                (entries.collect::<Vec<_>>(), Change::Unchanged)
            });
            let left = left.map_err(|error| no_scratch(&self.path, &error))?;
            left.into_iter().try_for_each(&mut *add)?;
        }
        Ok(())
    }

    /// Passes the answers that have no slot.
    fn without_slots(
        &self,
        add: &mut impl FnMut(KeyedPlace) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let EarlierBytes { salt, begin, end } = self.bytes;
        let mut reader = JournalReader::new(&*self.disk, salt, begin, end);
        loop {
            let block = reader
                .next()
                .map_err(|error| Error::unreadable(&self.path, error))?;
            let Some(block) = block else {
                break;
            };
            for (head, range) in BlockEntries::new(block.payload) {
                let entry = KeyedPlace {
                    tag: tag_of(head.key),
                    index: head.index,
                    place: block.payload_at + range.start as u64,
                    ..KeyedPlace::default()
                };
                if !self.is_in_slot(&entry)? {
                    add(entry)?;
                }
            }
        }
        match reader.at() < end {
            true => Err(self.changed_at(reader.at())),
            false => Ok(()),
        }
    }

    fn read_head(&self, place: u64) -> Result<EntryHead, Error> {
        let mut bytes = [0; MOST_HEAD_BYTES];
        self.read(place, &mut bytes)?;
        EntryHead::parse(&bytes).ok_or_else(|| self.changed_at(place))
    }

    /// Reads the answer of the entry at this place, which must have this key.
    fn read_answer(&self, place: u64, key: u128, answer: &mut Vec<u8>) -> Result<(), Error> {
        // Most entries are short, so they are read at once.
        let mut bytes = [0; SHORT_ENTRY_BYTES];
        self.read(place, &mut bytes)?;
        let head = EntryHead::parse(&bytes).ok_or_else(|| self.changed_at(place))?;
        let begin = place + head.head_bytes as u64;
        if head.key != key || begin > self.bytes.end || self.bytes.end - begin < head.length {
            return Err(self.changed_at(place));
        }
        let length = head.length as usize;
        answer.clear();
        match bytes[head.head_bytes..].get(..length) {
            Some(short) => answer.extend_from_slice(short),
            None => {
                answer.resize(length, 0);
                self.read(begin, answer)?;
            }
        }
        Ok(())
    }

    fn read(&self, at: u64, bytes: &mut [u8]) -> Result<(), Error> {
        let read = self.journal.read(at, bytes);
        read.map_err(|error| Error::unreadable(&self.path, error))
    }

    fn changed_at(&self, at: u64) -> Error {
        damaged(
            &self.path,
            at,
            "the bytes have been changed since the run began",
        )
    }
}

/// The place of the entry in the journal, and the bit that says whether the answer was taken over.
fn place_in(slot: &[u8]) -> u64 {
    u64::from_le_bytes(part(slot, 16))
}

/// The error of a look-up in the table by key.
enum LookUpError {
    /// The error that ends the run.
    Run(Error),
    /// A temporary file cannot be read or written.
    Scratch(io::Error),
}

impl From<io::Error> for LookUpError {
    fn from(error: io::Error) -> Self {
        LookUpError::Scratch(error)
    }
}
