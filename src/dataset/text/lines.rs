//! Bytes cut into lines: how every format of one record a line finds its records.

use std::collections::TryReserveError;
use std::ops::Range;

use memchr::memchr_iter;

use crate::error::BadRecord;

/// The longest record, in bytes without its line ending, unless a dataset is given another limit.
pub const MAX_RECORD_BYTES: u64 = 16 << 20;

/// What some programs write at the beginning of UTF-8 files.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes at the beginning of a text that tell whether it is plainly not UTF-8.
pub(super) const TELLING_BYTES: usize = 2;

/// What a text is, and what to do about it, if its first bytes tell that it is plainly not UTF-8.
/// Asked once, so that such a file is not refused record by record.
pub(super) fn other_encoding(first: &[u8]) -> Option<&'static str> {
    match first {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            Some("is UTF-16; convert it to UTF-8 first, e.g. with iconv -f UTF-16 -t UTF-8")
        }
        [0x1f, 0x8b, ..] => Some("is gzip-compressed; unpack it first with gunzip"),
        _ => None,
    }
}

/// Without the byte-order mark that it may begin with.
pub(super) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// The message about a line that is within the limit and does not fit in memory.
pub(super) const OUT_OF_MEMORY: &str =
    "holds a line that does not fit in memory; lower the limit (--max-record)";

/// The limit to the length of a record.
///
/// Whether a line is longer follows from its bytes alone. Of a longer line only the beginning is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordLimit {
    bytes: usize,
}

impl RecordLimit {
    pub(super) fn new(bytes: u64) -> Self {
        RecordLimit {
            bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
        }
    }

    /// Whether a line of this many bytes, its ending left out, is too long to be a record.
    pub(super) fn excludes(self, bytes: usize) -> bool {
        bytes > self.bytes
    }

    /// The bytes of a line that are kept. A line that has this many is too long to be a record, even if
    /// a byte-order mark and a carriage return are among them.
    pub(super) fn kept(self) -> usize {
        self.bytes.saturating_add(BYTE_ORDER_MARK.len() + 2)
    }

    /// The failure of a record that is too long.
    pub(super) fn too_long(self) -> BadRecord {
        let message = format!(
            "expected a record of at most {} bytes, found a longer one; if it is meant to be that \
             long, raise the limit (--max-record)",
            self.bytes
        );
        BadRecord::new(message, None)
    }
}

impl Default for RecordLimit {
    fn default() -> Self {
        Self::new(MAX_RECORD_BYTES)
    }
}

/// Where one line stands in a buffer, its line ending left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) start: usize,
    pub(super) end: usize,
    /// How many lines of the same buffer stand before it, blank ones counted.
    pub(super) before: u64,
}

/// Memory for lines that are taken together, used again for the next.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    lines: Vec<Line>,
    /// The bytes of the lines that were taken; all lines are whole, but for one at the end that is too
    /// long to be a record.
    region: Range<usize>,
    /// How many lines were taken, blank ones counted.
    pub(super) line_count: u64,
    pub(super) limit: RecordLimit,
}

/// Room for bytes at this place.
///
/// # Errors
///
/// If there is no memory left for it.
pub(super) fn room_in(
    bytes: &mut Vec<u8>,
    place: Range<usize>,
) -> Result<&mut [u8], TryReserveError> {
    if let Some(more) = place.end.checked_sub(bytes.len()) {
        // Twice as much as there was, or where that is too much just as much as is needed.
        let reserved = bytes.try_reserve(more);
        reserved.or_else(|_| bytes.try_reserve_exact(more))?;
        bytes.resize(place.end, 0);
    }
    Ok(&mut bytes[place])
}

impl Buffer {
    /// Larger buffers, left behind by a giant line, are given back instead of kept.
    const KEPT_BYTES: usize = 4 << 20;

    /// Begins anew, with this limit to the lines that come.
    pub(super) fn clear(&mut self, limit: RecordLimit) {
        self.lines.clear();
        self.region = 0..0;
        self.line_count = 0;
        self.limit = limit;
    }

    /// Room for bytes at this place, to be split once they are there.
    pub(super) fn room(&mut self, place: Range<usize>) -> Result<&mut [u8], TryReserveError> {
        room_in(&mut self.bytes, place)
    }

    /// Takes these bytes in place of its own, and gives those back.
    pub(super) fn exchange(&mut self, bytes: &mut Vec<u8>) {
        std::mem::swap(&mut self.bytes, bytes);
    }

    pub(super) fn is_worth_keeping(&self) -> bool {
        self.bytes.len() <= Self::KEPT_BYTES
    }

    /// The records: the lines that hold more than white space, and those that are too long to look at.
    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The bytes of the lines, whose places count from its start.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.region.clone()]
    }

    /// Splits a region of the bytes into lines. Where the text begins there, a byte-order mark is
    /// no part of the first one.
    pub(super) fn split(&mut self, mut region: Range<usize>, begins: bool) {
        if begins {
            region.start = region.end - without_mark(&self.bytes[region.clone()]).len();
        }
        let bytes = &self.bytes[region.clone()];
        let mut start = 0;
        let ends = memchr_iter(b'\n', bytes)
            .chain((!bytes.is_empty() && !bytes.ends_with(b"\n")).then_some(bytes.len()));
        for end in ends {
            let line = bytes[start..end]
                .strip_suffix(b"\r")
                .unwrap_or(&bytes[start..end]);
            // The first byte of most lines tells that they are not blank.
            if self.limit.excludes(line.len()) || !line.trim_ascii_start().is_empty() {
                let end = start + line.len();
                self.lines.push(Line {
                    start,
                    end,
                    before: self.line_count,
                });
            }
            self.line_count += 1;
            start = end + 1;
        }
        self.region = region;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(bytes: &[u8], region: Range<usize>, begins: bool, limit: u64) -> Buffer {
        let mut buffer = Buffer::default();
        buffer.clear(RecordLimit::new(limit));
        let room = buffer.room(0..bytes.len()).expect("memory");
        room.copy_from_slice(bytes);
        buffer.split(region, begins);
        buffer
    }

    fn texts(buffer: &Buffer) -> Vec<(&[u8], u64)> {
        let text = |line: &Line| (&buffer.bytes()[line.start..line.end], line.before);
        buffer.lines().iter().map(text).collect()
    }

    #[test]
    fn a_region_is_split_and_nothing_beside_it() {
        let bytes = b"xx\xef\xbb\xbfone\r\n\n \t\ntwo\nxx";
        let buffer = split(bytes, 2..18, true, 100);
        assert_eq!(texts(&buffer), [(&b"one"[..], 0), (b"two", 3)]);
        assert_eq!(buffer.line_count, 4);
        let buffer = split(bytes, 2..18, false, 100);
        assert_eq!(texts(&buffer)[0].0, b"\xef\xbb\xbfone");
        let buffer = split(bytes, 0..0, true, 100);
        assert_eq!((texts(&buffer), buffer.line_count), (vec![], 0));
    }

    #[test]
    fn a_line_is_too_long_from_one_byte_more() {
        let limit = RecordLimit::new(3);
        assert!(!limit.excludes(3));
        assert!(limit.excludes(4));
        // A byte-order mark, three bytes, one more, a carriage return.
        assert_eq!(limit.kept(), 8);
        assert_eq!(RecordLimit::new(u64::MAX).kept(), usize::MAX);
        assert!(RecordLimit::default().excludes((16 << 20) + 1));
        assert!(!RecordLimit::default().excludes(16 << 20));
        let buffer = split(b"    \n   \r\n", 0..10, true, 3);
        assert_eq!(texts(&buffer), [(&b"    "[..], 0)]);
    }

    #[test]
    fn room_is_made_and_what_was_there_stays() {
        let mut bytes = vec![1, 2, 3];
        assert_eq!(room_in(&mut bytes, 1..2).expect("memory"), [2]);
        assert_eq!(room_in(&mut bytes, 1..3).expect("memory"), [2, 3]);
        assert_eq!(bytes.len(), 3);
        assert_eq!(room_in(&mut bytes, 2..5).expect("memory"), [3, 0, 0]);
        assert_eq!(bytes, [1, 2, 3, 0, 0]);
        assert!(room_in(&mut bytes, 0..usize::MAX / 2).is_err());
        assert_eq!(bytes.len(), 5);
    }

    #[test]
    fn a_buffer_that_held_a_giant_line_is_not_kept() {
        let mut buffer = Buffer::default();
        assert!(buffer.is_worth_keeping());
        let _ = buffer.room(0..Buffer::KEPT_BYTES).expect("memory");
        assert!(buffer.is_worth_keeping());
        let mut other = vec![0; Buffer::KEPT_BYTES + 1];
        buffer.exchange(&mut other);
        assert!(!buffer.is_worth_keeping());
        assert_eq!(other.len(), 4 << 20);
    }

    #[test]
    fn a_buffer_is_used_again_from_its_beginning() {
        let mut buffer = split(b"one\ntwo\n", 0..8, true, 2);
        assert_eq!((buffer.lines().len(), buffer.line_count), (2, 2));
        buffer.clear(RecordLimit::new(3));
        assert_eq!((texts(&buffer), buffer.line_count), (vec![], 0));
        assert!(buffer.bytes().is_empty());
        assert!(!buffer.limit.excludes(3));
    }

    #[test]
    fn other_encodings_are_known_by_their_first_two_bytes() {
        for first in [b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b"] {
            assert!(other_encoding(first).is_some());
            assert!(other_encoding(&[first[0], b'x']).is_none());
            assert!(other_encoding(&[b'x', first[1]]).is_none());
            assert!(other_encoding(&first[..1]).is_none());
        }
        assert_eq!(without_mark(b"\xef\xbb\xbfx"), b"x");
        assert_eq!(without_mark(b"\xef\xbbx"), b"\xef\xbbx");
    }
}
