//! A file that a shard has written, which is unpacked and hashed while it is read.

use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

use super::delimited::RecordEnds;
use crate::error::Error;
use crate::output::scores::ScoresFormat;
use crate::output::written::HashedFile;
use crate::plan::WrittenFile;

/// Number of bytes that are read or unpacked at a time.
const BLOCK: usize = 256 << 10;

/// A file of a shard that is being read.
pub(super) struct ShardSource<'a> {
    path: &'a Path,
    expected: WrittenFile,
    unpacked: UnpackedShard,
    /// The unpacked bytes that have not been taken yet are between `begin` and `end`.
    bytes: Vec<u8>,
    begin: usize,
    end: usize,
}

/// The first bytes of a file, which tell how it is compressed, and the others.
type PackedShard = io::Chain<Cursor<Vec<u8>>, HashedFile>;

enum UnpackedShard {
    Plain(Box<PackedShard>),
    Gzip(Box<flate2::bufread::MultiGzDecoder<BufReader<PackedShard>>>),
    Zstd(Box<zstd::Decoder<'static, BufReader<PackedShard>>>),
}

/// What the first bytes of a file say about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BegunScores {
    /// Scores that can be joined, and their header if they are a table.
    Lines(ScoresFormat, Vec<u8>),
    /// A columnar file. Its format has this name.
    Columnar(&'static str),
    /// Something else.
    Unknown,
}

impl<'a> ShardSource<'a> {
    /// Opens a file of a shard. If it may be compressed, its first bytes decide.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Input`] if it cannot be read, or if it has another length than the shard has written.
    pub(super) fn open(
        path: &'a Path,
        expected: WrittenFile,
        may_be_compressed: bool,
    ) -> Result<Self, Error> {
        let unreadable = |error| Error::unreadable(path, error);
        let mut file = HashedFile::open(path)?;
        let length = file.length().map_err(unreadable)?;
        if length != expected.bytes {
            let reason = format!("it has {length} bytes, not {}", expected.bytes);
            return Err(changed(path, &reason));
        }
        let mut first = Vec::new();
        let begun = file.by_ref().take(4).read_to_end(&mut first);
        begun.map_err(unreadable)?;
        let is_gzip = may_be_compressed && first.starts_with(&[0x1f, 0x8b]);
        let is_zstd = may_be_compressed && first == [0x28, 0xb5, 0x2f, 0xfd];
        let packed = Cursor::new(first).chain(file);
        let unpacked = if is_gzip {
            let packed = BufReader::with_capacity(BLOCK, packed);
            UnpackedShard::Gzip(Box::new(flate2::bufread::MultiGzDecoder::new(packed)))
        } else if is_zstd {
            let packed = BufReader::with_capacity(BLOCK, packed);
            let decoder = zstd::Decoder::with_buffer(packed).map_err(unreadable)?;
            UnpackedShard::Zstd(Box::new(decoder))
        } else {
            UnpackedShard::Plain(Box::new(packed))
        };
        Ok(ShardSource {
            path,
            expected,
            unpacked,
            bytes: vec![0; BLOCK],
            begin: 0,
            end: 0,
        })
    }

    /// Returns the format of a scores file. Nothing may have been taken before. The beginning is not taken.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Input`] if the file cannot be read or unpacked.
    pub(super) fn format(&mut self) -> Result<BegunScores, Error> {
        while self.rest().len() < 8 && self.fill()? {}
        let rest = self.rest();
        let format = match rest {
            [] | [b'{', ..] => return Ok(BegunScores::Lines(ScoresFormat::JsonLines, Vec::new())),
            _ if rest.starts_with(b"record,") => ScoresFormat::Csv,
            _ if rest.starts_with(b"record\t") => ScoresFormat::Tsv,
            _ if rest.starts_with(b"PAR1") => return Ok(BegunScores::Columnar("a Parquet file")),
            _ if rest.starts_with(b"ARROW1") => return Ok(BegunScores::Columnar("an Arrow file")),
            _ => return Ok(BegunScores::Unknown),
        };
        let mut ends = RecordEnds::default();
        loop {
            if let Some(length) = ends.next(self.rest()) {
                let header = self.rest()[..length].to_vec();
                return Ok(BegunScores::Lines(format, header));
            }
            if !self.fill()? {
                return Ok(BegunScores::Unknown);
            }
        }
    }

    /// The unpacked bytes that have been read and not been taken.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.begin..self.end]
    }

    /// Takes this number of bytes.
    pub(super) fn take(&mut self, bytes: usize) {
        self.begin += bytes;
    }

    /// Reads more bytes. Returns `false` if there are none.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Input`] if they cannot be read or unpacked.
    pub(super) fn fill(&mut self) -> Result<bool, Error> {
        self.bytes.copy_within(self.begin..self.end, 0);
        self.end -= self.begin;
        self.begin = 0;
        if self.end == self.bytes.len() {
            // This is a long record, so the room grows with it.
            self.bytes.resize(2 * self.end, 0);
        }
        let room = &mut self.bytes[self.end..];
        loop {
            match self.unpacked.read(room) {
                Ok(read) => {
                    self.end += read;
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.broken(error)),
            }
        }
    }

    /// Reads the file to its end, and checks that it is the file that the shard has written. `wrong` says what is wrong
    /// with its records, if something is.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Input`] if the file or its records are not those that the shard has written, or if the file
    /// cannot be read.
    pub(super) fn finish(self, wrong: Option<String>) -> Result<(), Error> {
        let written = self.unpacked.into_packed().finish(self.path)?;
        match wrong {
            _ if written != self.expected => Err(changed(
                self.path,
                "its bytes are not those that its shard wrote",
            )),
            Some(wrong) => Err(Error::input(
                self.path,
                format!("does not hold the records of its shard: {wrong}; run the shard again"),
            )),
            None => Ok(()),
        }
    }

    /// The error of bytes that cannot be read or unpacked.
    fn broken(&self, error: io::Error) -> Error {
        match &self.unpacked {
            UnpackedShard::Plain(_) => Error::unreadable(self.path, error),
            UnpackedShard::Gzip(_) | UnpackedShard::Zstd(_) => {
                changed(self.path, &format!("it cannot be unpacked: {error}"))
            }
        }
    }
}

/// The error of a file that is not the one that its shard has written.
pub(super) fn changed(path: &Path, reason: &str) -> Error {
    let message = format!("has changed since its shard was scored: {reason}; run the shard again");
    Error::input(path, message)
}

impl UnpackedShard {
    fn into_packed(self) -> HashedFile {
        let packed = match self {
            UnpackedShard::Plain(packed) => *packed,
            UnpackedShard::Gzip(decoder) => decoder.into_inner().into_inner(),
            UnpackedShard::Zstd(decoder) => decoder.finish().into_inner(),
        };
        packed.into_inner().1
    }
}

impl Read for UnpackedShard {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            UnpackedShard::Plain(packed) => packed.read(room),
            UnpackedShard::Gzip(decoder) => decoder.read(room),
            UnpackedShard::Zstd(decoder) => decoder.read(room),
        }
    }
}
