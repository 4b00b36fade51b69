//! Bytes cut into lines: how every format of one record a line finds its records.

use std::ops::Range;
use std::path::Path;

use memchr::memchr_iter;

use crate::error::Error;

/// What some programs write at the beginning of UTF-8 files.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How many bytes at the beginning of a text tell that it is plainly not UTF-8.
pub(super) const TELLING_BYTES: usize = 2;

/// Refuses what is plainly not UTF-8 text once, by its first bytes, instead of record by record.
pub(super) fn check_encoding(path: &Path, first: &[u8]) -> Result<(), Error> {
    match first {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Err(Error::input(
            path,
            "is UTF-16; convert it to UTF-8 first, e.g. with iconv -f UTF-16 -t UTF-8",
        )),
        [0x1f, 0x8b, ..] => Err(Error::input(
            path,
            "is gzip-compressed; unpack it first with gunzip",
        )),
        _ => Ok(()),
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
    /// The bytes of the whole lines that were taken.
    region: Range<usize>,
    /// How many lines were taken, blank ones counted.
    pub(super) line_count: u64,
}

/// Room for bytes at this place.
pub(super) fn room_in(bytes: &mut Vec<u8>, place: Range<usize>) -> &mut [u8] {
    if bytes.len() < place.end {
        bytes.resize(place.end, 0);
    }
    &mut bytes[place]
}

impl Buffer {
    /// Larger buffers, left behind by a giant line, are given back instead of kept.
    const KEPT_BYTES: usize = 4 << 20;

    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.region = 0..0;
        self.line_count = 0;
    }

    /// Room for bytes at this place, to be split once they are there.
    pub(super) fn room(&mut self, place: Range<usize>) -> &mut [u8] {
        room_in(&mut self.bytes, place)
    }

    /// Takes these bytes in place of its own, and gives those back.
    pub(super) fn exchange(&mut self, bytes: &mut Vec<u8>) {
        std::mem::swap(&mut self.bytes, bytes);
    }

    pub(super) fn is_worth_keeping(&self) -> bool {
        self.bytes.len() <= Self::KEPT_BYTES
    }

    /// The lines that hold more than white space: the records.
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
        if begins && self.bytes[region.clone()].starts_with(BYTE_ORDER_MARK) {
            region.start += BYTE_ORDER_MARK.len();
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
            if !line.trim_ascii_start().is_empty() {
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
