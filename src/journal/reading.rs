//! Reads the blocks of a journal one after the other.

use std::io;

use memchr::memmem;
use twox_hash::XxHash3_64;

use super::described::DescribedRun;
use super::disk::{JournalDisk, read_full};
use super::encoded::decode;
use super::format::{BlockEntries, BlockHeader, BlockPlace, HEADER_BYTES, MAGIC, part};

/// The number of bytes that are read at once.
const WINDOW_BYTES: u64 = 256 << 10;

/// Reads blocks up to the first byte that is not valid.
pub(super) struct JournalReader<'a> {
    disk: &'a dyn JournalDisk,
    salt: u64,
    /// Where the next block begins.
    at: u64,
    /// Where the last block ends at the latest.
    end: u64,
    window: Vec<u8>,
    /// The offset of the first byte of the window.
    window_at: u64,
}

/// A block whose hashes are right.
pub(super) struct ValidBlock<'a> {
    /// The offset of the first entry.
    pub(super) payload_at: u64,
    /// The entries.
    pub(super) payload: &'a [u8],
    /// The run that the answers behind the block belong to, if the block says it. It then has no entries.
    pub(super) run: Option<DescribedRun>,
}

impl<'a> JournalReader<'a> {
    /// Reads the blocks between `at` and `end`.
    pub(super) fn new(disk: &'a dyn JournalDisk, salt: u64, at: u64, end: u64) -> Self {
        JournalReader {
            disk,
            salt,
            at,
            end,
            window: Vec::new(),
            window_at: at,
        }
    }

    /// The end of the blocks that were read.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Reads the next block, if there is a valid one.
    pub(super) fn next(&mut self) -> io::Result<Option<ValidBlock<'_>>> {
        let Some(header) = self.header_at(self.at)? else {
            return Ok(None);
        };
        let payload_at = self.at + HEADER_BYTES as u64;
        let length = header.length as usize;
        if self.end - payload_at < u64::from(header.length) {
            return Ok(None);
        }
        let payload = self.load(payload_at, length)?;
        let is_whole = payload.len() == length && XxHash3_64::oneshot(payload) == header.hash;
        let is_description = header.entries == 0 && length > 0;
        let run: Option<DescribedRun> = match is_whole && is_description {
            true => decode(payload),
            false => None,
        };
        let is_read = match is_description {
            true => run.is_some(),
            false => is_whole && BlockEntries::are(payload, header.entries),
        };
        if !is_read {
            return Ok(None);
        }
        self.at = payload_at + length as u64;
        let entry_bytes = if is_description { 0 } else { length };
        Ok(Some(ValidBlock {
            payload_at,
            payload: self.load(payload_at, entry_bytes)?,
            run,
        }))
    }

    fn header_at(&mut self, at: u64) -> io::Result<Option<BlockHeader>> {
        let salt = self.salt;
        if self.end - at < HEADER_BYTES as u64 {
            return Ok(None);
        }
        let bytes = self.load(at, HEADER_BYTES)?;
        if bytes.len() < HEADER_BYTES {
            return Ok(None);
        }
        Ok(BlockHeader::parse(&part(bytes, 0), BlockPlace { salt, at }))
    }

    /// The bytes from this offset on: that number of bytes, or fewer if the file has become shorter.
    fn load(&mut self, at: u64, length: usize) -> io::Result<&[u8]> {
        let begin = at.wrapping_sub(self.window_at);
        let held = self.window.len() as u64;
        if begin > held || held - begin < length as u64 {
            let wanted = WINDOW_BYTES.min(self.end - at).max(length as u64);
            self.window.resize(wanted as usize, 0);
            self.window_at = at;
            let read = read_full(self.disk, &mut self.window, at)?;
            self.window.truncate(read);
        }
        let begin = (at - self.window_at) as usize;
        let end = self.window.len().min(begin + length);
        Ok(&self.window[begin..end])
    }

    /// The greatest offset of which a block behind the invalid byte says that everything before it was on the disk. `None`
    /// if no block is found there.
    pub(super) fn claimed_behind(&mut self) -> io::Result<Option<u64>> {
        let mut claimed = None;
        let mut at = self.at;
        while self.end - at >= HEADER_BYTES as u64 {
            let length = WINDOW_BYTES.min(self.end - at) as usize;
            let bytes = self.load(at, length)?;
            let found: Vec<usize> = memmem::find_iter(bytes, &MAGIC).collect();
            if bytes.len() < HEADER_BYTES {
                break;
            }
            // A header that begins in the last bytes is found in the next ones.
            let step = bytes.len() - (HEADER_BYTES - 1);
            for begin in found.into_iter().filter(|begin| *begin < step) {
                if let Some(header) = self.header_at(at + begin as u64)? {
                    claimed = claimed.max(Some(header.on_disk));
                }
            }
            at += step as u64;
        }
        Ok(claimed)
    }
}
