//! What was written to a file: its length, and a hash of its bytes.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use twox_hash::XxHash3_128;

use crate::error::Error;
use crate::plan::WrittenFile;

impl WrittenFile {
    /// Reads a file, and returns its length and its hash.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Input`] if the file cannot be read, or if the path is not that of a file.
    pub fn of(path: &Path) -> Result<Self, Error> {
        HashedFile::open(path)?.finish(path)
    }
}

/// A file that is hashed while it is read.
#[derive(Debug)]
pub(super) struct HashedFile {
    file: File,
    hasher: FileHasher,
}

/// Number of bytes that are read at a time if they are only hashed.
const READ_BYTES: usize = 256 << 10;

impl HashedFile {
    /// # Errors
    ///
    /// Returns [`Error::Input`] if the file cannot be opened. Also if the path is that of a pipe or a device, because
    /// its bytes can be read only once.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let unreadable = |error| Error::unreadable(path, error);
        // Opening a pipe would wait for its writer.
        if !path.metadata().map_err(unreadable)?.is_file() {
            let message = "is not a file; name a file, because it is read twice";
            return Err(Error::input(path, message));
        }
        let file = File::open(path).map_err(unreadable)?;
        Ok(HashedFile {
            file,
            hasher: FileHasher::default(),
        })
    }

    /// Returns the length of the file in bytes, as the system states it.
    ///
    /// # Errors
    ///
    /// Returns an error if the system does not state it.
    pub(super) fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Reads the rest of the file, and returns what the whole file contains.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Input`] if the file cannot be read.
    pub(super) fn finish(mut self, path: &Path) -> Result<WrittenFile, Error> {
        let mut room = vec![0; READ_BYTES];
        loop {
            match self.read(&mut room) {
                Ok(0) => return Ok(self.hasher.written()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::unreadable(path, error)),
            }
        }
    }
}

impl Read for HashedFile {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(room)?;
        self.hasher.add(&room[..read]);
        Ok(read)
    }
}

/// Counts and hashes the bytes of a file, in their order.
#[derive(Default)]
pub(super) struct FileHasher {
    hasher: XxHash3_128,
    bytes: u64,
}

impl FileHasher {
    /// Adds the next bytes of the file.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.hasher.write(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// Returns the length and the hash of all bytes that were added.
    pub(super) fn written(&self) -> WrittenFile {
        WrittenFile {
            bytes: self.bytes,
            hash: self.hasher.finish_128(),
        }
    }
}

impl fmt::Debug for FileHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileHasher")
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash of no bytes is the one that the definition of XXH3 states.
    #[test]
    fn bytes_are_counted_and_hashed_in_any_pieces() {
        let empty = FileHasher::default().written();
        assert_eq!(
            (empty.bytes, empty.hash),
            (0, 0x99aa_06d3_0147_98d8_6001_c324_468d_497f)
        );
        let bytes: Vec<u8> = (0..10_000_u32).flat_map(u32::to_le_bytes).collect();
        let hash = XxHash3_128::oneshot(&bytes);
        for length in [1, 7, 4096, bytes.len()] {
            let mut hasher = FileHasher::default();
            bytes.chunks(length).for_each(|piece| hasher.add(piece));
            let written = hasher.written();
            assert_eq!((written.bytes, written.hash), (40_000, hash));
        }
    }
}
