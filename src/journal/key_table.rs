//! A table by key, on the disk, of the answers that earlier runs have kept.

use std::io;
use std::sync::Arc;

use twox_hash::XxHash3_64;

use super::disk::{JournalDisk, write_all};
use super::format::part;
use super::paged::{Change, PagedFile};
use super::sorting::{KEYED_BYTES, KeyedPlace, Sorting, TAKEN};

/// The length of the pages of the table and of its directory, in bytes. Places in the table are random, so pages are short.
const TABLE_PAGE_BYTES: usize = 4096;
const TABLE_STRIPES: usize = 64;

/// The number of entries to which an entry of the directory leads, on average.
const ENTRIES_OF_BUCKET: u64 = 32;

/// The number of entries that were found to be taken over before the first one of their key notes it.
const NOTED_AT_ONCE: u64 = 8;

/// The number of bytes that are written at once while the table is built.
const WRITTEN_AT_ONCE: usize = 64 << 10;

/// Answers, sorted by the hash of their keys, with a directory by the first bits of the hash. Equal keys are in the
/// order of their records.
pub(super) struct KeyTable {
    entries: PagedFile,
    /// For each value of the first bits, the number of the first entry with at least this value.
    directory: PagedFile,
    /// The number of bits of a hash that are not used by the directory.
    shift: u32,
    filter: KeyFilter,
}

/// What became of an entry that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyClaim {
    /// It was free and now belongs to the caller.
    Taken,
    /// It was taken before.
    WasTaken,
    /// It has another key.
    OtherKey,
}

/// The hash of a key, by which the table is sorted.
pub(super) fn tag_of(key: u128) -> u64 {
    XxHash3_64::oneshot(&key.to_le_bytes())
}

impl KeyTable {
    /// Builds the table of some answers, of which there are `total`. The filter has `filter_bits` bits.
    pub(super) fn build(
        sorting: Sorting,
        total: u64,
        filter_bits: u64,
        scratch: impl Fn() -> io::Result<Arc<dyn JournalDisk>>,
    ) -> io::Result<Self> {
        let buckets = (total / ENTRIES_OF_BUCKET).max(2).next_power_of_two();
        let shift = 64 - buckets.trailing_zeros();
        let mut filter = KeyFilter::new(filter_bits);
        let mut entries = ScratchWriter::new(scratch()?);
        let mut directory = ScratchWriter::new(scratch()?);
        let (mut number, mut next_bucket) = (0_u64, 0);
        sorting.visit(|entry| {
            while next_bucket <= entry.tag >> shift {
                directory.write(&number.to_le_bytes())?;
                next_bucket += 1;
            }
            filter.add(entry.tag);
            number += 1;
            entries.write(&entry.bytes())
        })?;
        for _ in next_bucket..=buckets {
            directory.write(&number.to_le_bytes())?;
        }
        let paged = |writer: ScratchWriter| -> io::Result<PagedFile> {
            Ok(PagedFile::new(
                writer.finish()?,
                TABLE_PAGE_BYTES,
                TABLE_STRIPES,
            ))
        };
        Ok(KeyTable {
            entries: paged(entries)?,
            directory: paged(directory)?,
            shift,
            filter,
        })
    }

    /// Offers the entries of a key to `claim`, in order, until it takes one. It also gets the number of the entry. Entries of
    /// other keys may be among them. Returns the one that was taken.
    pub(super) fn find<E: From<io::Error>>(
        &self,
        tag: u64,
        mut claim: impl FnMut(KeyedPlace, u64) -> Result<KeyClaim, E>,
    ) -> Result<Option<KeyedPlace>, E> {
        if !self.filter.may_have(tag) {
            return Ok(None);
        }
        let bucket = tag >> self.shift;
        let (begin, end) = (self.begin_of(bucket)?, self.begin_of(bucket + 1)?);
        let first = self.first_with(tag, begin, end)?;
        if first == end {
            return Ok(None);
        }
        // So that equal records are found in constant time, the first of them knows how many were taken.
        let taken = self.entry(first)?.taken;
        let mut known = taken;
        let mut found = None;
        for number in first + taken..end {
            let entry = self.entry(number)?;
            if entry.tag != tag {
                break;
            }
            let claimed = claim(entry, number)?;
            if claimed != KeyClaim::OtherKey && number == first + known {
                known += 1;
            }
            if claimed == KeyClaim::Taken {
                found = Some(entry);
                break;
            }
        }
        // Fewer are looked at again, since that takes less time than to write the page of the first one.
        if known >= taken + NOTED_AT_ONCE {
            self.change(first, |entry| entry.taken = entry.taken.max(known))?;
        }
        Ok(found)
    }

    /// Takes the entry of this number, if it is free.
    pub(super) fn take(&self, number: u64) -> io::Result<KeyClaim> {
        self.entries
            .with(number * KEYED_BYTES as u64, KEYED_BYTES, |bytes| {
                let place = u64::from_le_bytes(part(bytes, 16));
                if place & TAKEN != 0 {
                    return (KeyClaim::WasTaken, Change::Unchanged);
                }
                bytes[16..24].copy_from_slice(&(place | TAKEN).to_le_bytes());
                (KeyClaim::Taken, Change::Changed)
            })
    }

    fn begin_of(&self, bucket: u64) -> io::Result<u64> {
        self.directory.with(bucket * 8, 8, |bytes| {
            (u64::from_le_bytes(part(bytes, 0)), Change::Unchanged)
        })
    }

    /// The number of the first entry with this hash, or `end`.
    fn first_with(&self, tag: u64, begin: u64, end: u64) -> io::Result<u64> {
        let (mut low, mut high) = (begin, end);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.entry(middle)?.tag < tag {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        if low < end && self.entry(low)?.tag != tag {
            return Ok(end);
        }
        Ok(low)
    }

    fn entry(&self, number: u64) -> io::Result<KeyedPlace> {
        self.entries
            .with(number * KEYED_BYTES as u64, KEYED_BYTES, |bytes| {
                (KeyedPlace::parse(bytes), Change::Unchanged)
            })
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut KeyedPlace)) -> io::Result<()> {
        self.entries
            .with(number * KEYED_BYTES as u64, KEYED_BYTES, |bytes| {
                let mut entry = KeyedPlace::parse(bytes);
                change(&mut entry);
                bytes.copy_from_slice(&entry.bytes());
                ((), Change::Changed)
            })
    }
}

/// Bits in memory that tell of most keys that a table does not have them.
struct KeyFilter {
    words: Box<[u64]>,
}

impl KeyFilter {
    fn new(bits: u64) -> Self {
        KeyFilter {
            words: vec![0; (bits / 64) as usize].into_boxed_slice(),
        }
    }

    /// The two bits of a hash: the word, and the bit in the word. The first bits of the hash choose the bucket in the
    /// table, so other ones are used here.
    fn bits(&self, tag: u64) -> [(usize, u64); 2] {
        [tag, tag >> 25].map(|bits| {
            let bit = bits % (self.words.len() as u64 * 64);
            ((bit / 64) as usize, 1 << (bit % 64))
        })
    }

    fn add(&mut self, tag: u64) {
        for (word, bit) in self.bits(tag) {
            self.words[word] |= bit;
        }
    }

    /// Whether the table may have a key with this hash.
    fn may_have(&self, tag: u64) -> bool {
        let mut bits = self.bits(tag).into_iter();
        bits.all(|(word, bit)| self.words[word] & bit != 0)
    }
}

/// Writes a scratch file from its beginning to its end.
struct ScratchWriter {
    disk: Arc<dyn JournalDisk>,
    held: Vec<u8>,
    at: u64,
}

impl ScratchWriter {
    fn new(disk: Arc<dyn JournalDisk>) -> Self {
        ScratchWriter {
            disk,
            held: Vec::new(),
            at: 0,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.held.extend_from_slice(bytes);
        match self.held.len() >= WRITTEN_AT_ONCE {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        write_all(&*self.disk, &self.held, self.at)?;
        self.at += self.held.len() as u64;
        self.held.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<Arc<dyn JournalDisk>> {
        self.flush()?;
        Ok(self.disk)
    }
}
