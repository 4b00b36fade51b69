//! A text file, read by byte range: the lines that start in the range, whole.
//!
//! Which lines belong to a range follows from the bytes of the file alone, so ranges can be read
//! in any order by anyone. Files are read with positioned reads into a buffer, not mapped: mapping
//! is unsafe where another program may shorten the file.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use memchr::{memchr, memchr_iter};

use crate::error::Error;

/// The first read past the end of a range, to find the end of its last line, in bytes.
const TAIL_BYTES: usize = 4 << 10;
/// The longest such read, in bytes.
const TAIL_BYTES_MOST: usize = 1 << 20;

/// What some programs write at the beginning of UTF-8 files.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An open text file of known length.
#[derive(Debug)]
pub(super) struct TextFile {
    pub(super) path: Arc<Path>,
    pub(super) length: u64,
    file: File,
}

/// Where one line stands in a buffer, its line ending left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) start: usize,
    pub(super) end: usize,
    /// How many lines of the same buffer stand before it, blank ones counted.
    pub(super) before: u64,
}

/// Memory for the lines of one range, used again for the next.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    lines: Vec<Line>,
    /// The bytes of the whole lines that were fetched.
    region: Range<usize>,
    /// How many lines were fetched, blank ones counted.
    pub(super) line_count: u64,
}

impl TextFile {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let unreadable = |error| Error::unreadable(path, error);
        // Asked before the file is opened: opening a pipe waits for somebody to write to it.
        let metadata = fs::metadata(path).map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(Error::input(path, "is a directory; name the files in it"));
        }
        if !metadata.is_file() {
            return Err(Error::input(
                path,
                "is a pipe or a device; save its contents to a file first, so that all workers can \
                 read it at once",
            ));
        }
        let file = File::open(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        let text = TextFile {
            path: Arc::from(path),
            length,
            file,
        };
        text.check_encoding()?;
        Ok(text)
    }

    /// Refuses what is plainly not UTF-8 text once, instead of record by record.
    fn check_encoding(&self) -> Result<(), Error> {
        let mut first = [0; 2];
        if self.length < 2 {
            return Ok(());
        }
        self.read_exact_at(&mut first, 0)?;
        match first {
            [0xff, 0xfe] | [0xfe, 0xff] => Err(Error::input(
                &self.path,
                "is UTF-16; convert it to UTF-8 first, e.g. with iconv -f UTF-16 -t UTF-8",
            )),
            [0x1f, 0x8b] => Err(Error::input(
                &self.path,
                "is gzip-compressed; unpack it first with gunzip",
            )),
            _ => Ok(()),
        }
    }

    /// Fetches the lines that start in `range`, the last one whole even where it ends beyond.
    pub(super) fn fetch(&self, range: Range<u64>, buffer: &mut Buffer) -> Result<(), Error> {
        buffer.clear();
        // One byte more at the front tells whether a line starts at the very first byte.
        let from = range.start.saturating_sub(1);
        let wanted = usize::try_from(range.end - from).map_err(|_| self.too_long())?;
        buffer.reserve(wanted);
        self.read_exact_at(&mut buffer.bytes[..wanted], from)?;
        let start = if range.start == 0 {
            0
        } else {
            match memchr(b'\n', &buffer.bytes[..wanted - 1]) {
                Some(newline) => newline + 1,
                None => return Ok(()),
            }
        };
        let mut end = wanted;
        let mut tail = TAIL_BYTES;
        while buffer.bytes[end - 1] != b'\n' && from + (end as u64) < self.length {
            let at = from + end as u64;
            let more = tail.min(usize::try_from(self.length - at).unwrap_or(tail));
            buffer.reserve(end + more);
            self.read_exact_at(&mut buffer.bytes[end..end + more], at)?;
            match memchr(b'\n', &buffer.bytes[end..end + more]) {
                Some(newline) => end += newline + 1,
                None => end += more,
            }
            tail = (tail * 2).min(TAIL_BYTES_MOST);
        }
        let mark = range.start == 0 && buffer.bytes[..end].starts_with(BYTE_ORDER_MARK);
        let start = if mark { BYTE_ORDER_MARK.len() } else { start };
        buffer.split(start..end);
        Ok(())
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<(), Error> {
        positioned::read_exact_at(&self.file, bytes, offset).map_err(|error| {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                Error::changed(&self.path)
            } else {
                Error::unreadable(&self.path, error)
            }
        })
    }

    fn too_long(&self) -> Error {
        Error::input(
            &self.path,
            "holds a longer line than this machine can address",
        )
    }
}

impl Buffer {
    /// Larger buffers, left behind by a giant line, are given back instead of kept.
    const KEPT_BYTES: usize = 4 << 20;

    fn clear(&mut self) {
        self.lines.clear();
        self.region = 0..0;
        self.line_count = 0;
    }

    fn reserve(&mut self, length: usize) {
        if self.bytes.len() < length {
            self.bytes.resize(length, 0);
        }
    }

    pub(super) fn is_worth_keeping(&self) -> bool {
        self.bytes.len() <= Self::KEPT_BYTES
    }

    /// The lines that hold more than white space: the records.
    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The bytes fetched; the lines' places count from its start.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.region.clone()]
    }

    fn split(&mut self, region: Range<usize>) {
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

#[cfg(unix)]
mod positioned {
    use std::fs::File;
    use std::io;
    use std::os::unix::fs::FileExt;

    pub(super) fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        file.read_exact_at(bytes, offset)
    }
}

#[cfg(windows)]
mod positioned {
    use std::fs::File;
    use std::io;
    use std::os::windows::fs::FileExt;

    pub(super) fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let mut done = 0;
        while done < bytes.len() {
            match file.seek_read(&mut bytes[done..], offset + done as u64) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
