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

use memchr::memchr;

use super::lines::{Buffer, TELLING_BYTES, check_encoding};
use crate::error::Error;

/// The first read past the end of a range, to find the end of its last line, in bytes.
const TAIL_BYTES: usize = 4 << 10;
/// The longest such read, in bytes.
const TAIL_BYTES_MOST: usize = 1 << 20;

/// An open text file of known length.
#[derive(Debug)]
pub(super) struct TextFile {
    pub(super) path: Arc<Path>,
    pub(super) length: u64,
    file: File,
}

impl TextFile {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let unreadable = |error| Error::unreadable(path, error);
        // Asked before the file is opened: opening a pipe waits for somebody to write to it.
        if !is_regular(path)? {
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

    fn check_encoding(&self) -> Result<(), Error> {
        let mut first = [0; TELLING_BYTES];
        if self.length < TELLING_BYTES as u64 {
            return Ok(());
        }
        self.read_exact_at(&mut first, 0)?;
        check_encoding(&self.path, &first)
    }

    /// Fetches the lines that start in `range`, the last one whole even where it ends beyond.
    pub(super) fn fetch(&self, range: Range<u64>, buffer: &mut Buffer) -> Result<(), Error> {
        buffer.clear();
        // One byte more at the front tells whether a line starts at the very first byte.
        let from = range.start.saturating_sub(1);
        let wanted = usize::try_from(range.end - from).map_err(|_| self.too_long())?;
        let bytes = buffer.room(0..wanted);
        self.read_exact_at(bytes, from)?;
        let start = if range.start == 0 {
            0
        } else {
            match memchr(b'\n', &bytes[..wanted - 1]) {
                Some(newline) => newline + 1,
                None => return Ok(()),
            }
        };
        let mut complete = bytes.ends_with(b"\n");
        let mut end = wanted;
        let mut tail = TAIL_BYTES;
        while !complete && from + (end as u64) < self.length {
            let at = from + end as u64;
            let more = tail.min(usize::try_from(self.length - at).unwrap_or(tail));
            let bytes = buffer.room(end..end + more);
            self.read_exact_at(bytes, at)?;
            let newline = memchr(b'\n', bytes);
            complete = newline.is_some();
            end += newline.map_or(more, |newline| newline + 1);
            tail = (tail * 2).min(TAIL_BYTES_MOST);
        }
        buffer.split(start..end, range.start == 0);
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

/// Whether a path names a regular file, and not a pipe or a device.
pub(super) fn is_regular(path: &Path) -> Result<bool, Error> {
    let metadata = fs::metadata(path).map_err(|error| Error::unreadable(path, error))?;
    if metadata.is_dir() {
        return Err(Error::input(path, "is a directory; name the files in it"));
    }
    Ok(metadata.is_file())
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
