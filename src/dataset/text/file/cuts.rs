//! Places at which a file can be cut between two shards.

use memchr::memchr2;
use twox_hash::XxHash3_128;

use super::TextFile;
use crate::dataset::format::{Boundaries, ScanState};
use crate::error::Error;

/// The length in bytes of the first read that looks for a line end.
const LINE_BYTES: u64 = 4 << 10;
/// The maximum length in bytes of a read that looks for a line end.
const LINE_BYTES_MOST: u64 = 1 << 20;
/// Number of bytes on each side of a cut that both neighbours hash.
const AROUND_BYTES: u64 = 4 << 10;
/// Number of bytes after a cut from which the state at the cut is guessed.
const GUESS_BYTES: u64 = 1 << 20;

impl TextFile {
    /// Returns the first place, at or after `place`, at which a line of the file begins. It is the end of the file if no
    /// line begins there, and never in the header. The bytes of the file alone determine it.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read.
    pub(in crate::dataset::text) fn line_start(&self, place: u64) -> Result<u64, Error> {
        if place <= self.begin {
            return Ok(self.begin);
        }
        let mut at = place - 1;
        let mut next = LINE_BYTES;
        while at < self.length {
            let bytes = self.bytes_at(at, next)?;
            next = (next * 2).min(LINE_BYTES_MOST);
            let Some(end) = memchr2(b'\n', b'\r', &bytes) else {
                at += bytes.len() as u64;
                continue;
            };
            let after = at + end as u64 + 1;
            // A `\r` and the `\n` after it are one line end.
            let is_pair = bytes[end] == b'\r' && self.bytes_at(after, 1)?.first() == Some(&b'\n');
            return Ok(after + u64::from(is_pair));
        }
        Ok(self.length)
    }

    /// Returns a hash of the bytes around this place.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read.
    pub(in crate::dataset::text) fn hash_around(&self, place: u64) -> Result<u128, Error> {
        let from = place.saturating_sub(AROUND_BYTES);
        let bytes = self.bytes_at(from, place - from + AROUND_BYTES)?;
        Ok(XxHash3_128::oneshot(&bytes))
    }

    /// Returns the state that the file probably has at this place, at which a line begins.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read.
    pub(in crate::dataset::text) fn likely_state(&self, place: u64) -> Result<ScanState, Error> {
        let Boundaries::Quoted(quoted) = self.layout.boundaries() else {
            return Ok(ScanState::Between);
        };
        let bytes = self.bytes_at(place, GUESS_BYTES)?;
        let columns = self.layout.header().map(<[String]>::len);
        Ok(quoted.likely_state(&bytes, columns))
    }

    /// Reads `length` bytes from this place on, or fewer at the end of the file.
    fn bytes_at(&self, place: u64, length: u64) -> Result<Vec<u8>, Error> {
        let length = length.min(self.length.saturating_sub(place));
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        self.read_exact_at(&mut bytes, place)?;
        Ok(bytes)
    }
}
