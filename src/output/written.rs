//! What was written to a file: its length, and a hash of its bytes.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

use crate::error::Error;

/// The length of a file, and a hash of its bytes as they are on the disk. Two files with equal values are taken for
/// the same file, whatever their names are.
///
/// ```
/// use manyhands::output::WrittenFile;
///
/// let written = WrittenFile { bytes: 13, hash: 255 };
/// let json = r#"{"bytes":13,"hash":"000000000000000000000000000000ff"}"#;
/// assert_eq!(serde_json::to_string(&written)?, json);
/// assert_eq!(serde_json::from_str::<WrittenFile>(json)?, written);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WrittenFile {
    /// Length of the file in bytes.
    pub bytes: u64,
    /// The hash XXH3-128 of these bytes. Formats that people read contain it as 32 hexadecimal digits.
    #[serde(with = "hexadecimal")]
    pub hash: u128,
}

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
            let message = "is not a file; write the scores to a file, because they are read twice";
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

/// The form of a hash in serialized data.
mod hexadecimal {
    use serde::de::{Deserialize, Deserializer, Error, Unexpected};
    use serde::ser::Serializer;

    /// Number of digits of a hash.
    const DIGITS: usize = 32;

    pub(super) fn serialize<S: Serializer>(hash: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.collect_str(&format_args!("{hash:0width$x}", width = DIGITS)),
            false => serializer.serialize_u128(*hash),
        }
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<u128, D::Error> {
        if !deserializer.is_human_readable() {
            return u128::deserialize(deserializer);
        }
        let text = String::deserialize(deserializer)?;
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_hash = text.len() == DIGITS && text.bytes().all(is_digit);
        let hash = is_hash.then(|| u128::from_str_radix(&text, 16).ok());
        hash.flatten().ok_or_else(|| {
            let expected = "a hash of 32 hexadecimal digits in small letters";
            Error::invalid_value(Unexpected::Str(&text), &expected)
        })
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

    #[test]
    fn only_the_form_that_is_written_is_read() {
        let hash = "0123456789abcdef0123456789abcdef";
        let read = |hash: &str| {
            serde_json::from_str::<WrittenFile>(&format!("{{\"bytes\":1,\"hash\":\"{hash}\"}}"))
        };
        assert_eq!(
            read(hash).expect("a hash").hash,
            0x0123_4567_89ab_cdef_0123_4567_89ab_cdef
        );
        for wrong in [
            &hash[1..],
            &format!("0{hash}"),
            &hash.to_uppercase(),
            &hash.replace('0', "+"),
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let written = WrittenFile {
            bytes: 1,
            hash: u128::MAX,
        };
        let bytes = postcard::to_stdvec(&written).expect("memory");
        assert_eq!(postcard::from_bytes::<WrittenFile>(&bytes), Ok(written));
    }
}
