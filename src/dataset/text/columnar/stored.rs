//! The bytes of a columnar file, which can be read at any place.

use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::dataset::text::fault::InputFault;
use crate::dataset::text::handle::FileHandle;
use crate::sync::{Mutex, lock};

/// A file whose bytes can be read at any place.
#[derive(Debug)]
pub(super) struct StoredBytes {
    path: Arc<Path>,
    handle: FileHandle,
    length: u64,
}

impl StoredBytes {
    pub(super) fn new(path: Arc<Path>, handle: FileHandle, length: u64) -> Self {
        StoredBytes {
            path,
            handle,
            length,
        }
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Returns `None` if the file is too short to have this range.
    pub(super) fn check(&self, start: u64, length: u64) -> Option<()> {
        let end = start.checked_add(length)?;
        (end <= self.length).then_some(())
    }

    /// Fills `room` with the bytes that begin at `start`.
    pub(super) fn read_to(&self, start: u64, room: &mut [u8]) -> Result<(), InputFault> {
        self.handle.read_exact_at(&self.path, room, start)
    }

    /// Reads the bytes of this range. Returns `None` if the file has no such range.
    pub(super) fn read(&self, start: u64, length: u64) -> Result<Option<Vec<u8>>, InputFault> {
        if self.check(start, length).is_none() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        bytes.try_reserve_exact(length)?;
        bytes.resize(length, 0);
        self.read_to(start, &mut bytes)?;
        Ok(Some(bytes))
    }

    fn read_some(&self, room: &mut [u8], start: u64) -> Result<usize, InputFault> {
        let left = self.length.saturating_sub(start);
        let length = usize::try_from(left).map_or(room.len(), |left| left.min(room.len()));
        self.read_to(start, &mut room[..length])?;
        Ok(length)
    }
}

/// The bytes of a Parquet file for one use of the decoder. The decoder changes the errors that it receives, so the
/// reason why bytes could not be read is kept here.
#[derive(Clone, Debug)]
pub(super) struct DecodedBytes {
    stored: Arc<StoredBytes>,
    fault: Arc<Mutex<Option<InputFault>>>,
}

impl DecodedBytes {
    pub(super) fn new(stored: &Arc<StoredBytes>) -> Self {
        DecodedBytes {
            stored: Arc::clone(stored),
            fault: Arc::default(),
        }
    }

    /// The reason why bytes could not be read, if there is one.
    pub(super) fn take_fault(&self) -> Option<InputFault> {
        lock(&self.fault).take()
    }

    fn failed(&self, fault: InputFault) -> io::Error {
        *lock(&self.fault) = Some(fault);
        io::Error::other("the file cannot be read")
    }
}

impl Length for DecodedBytes {
    fn len(&self) -> u64 {
        self.stored.length
    }
}

impl ChunkReader for DecodedBytes {
    type T = BufReader<ReaderFrom>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(ReaderFrom {
            bytes: self.clone(),
            next: start,
        }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        match self.stored.read(start, length as u64) {
            Ok(Some(bytes)) => Ok(bytes.into()),
            Ok(None) => Err(ParquetError::EOF(format!(
                "{length} bytes at {start} are beyond the end of the file"
            ))),
            Err(fault) => Err(self.failed(fault).into()),
        }
    }
}

/// Reads a file from one place to its end.
#[derive(Debug)]
pub(super) struct ReaderFrom {
    bytes: DecodedBytes,
    next: u64,
}

impl Read for ReaderFrom {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.stored.read_some(room, self.next);
        let read = read.map_err(|fault| self.bytes.failed(fault))?;
        self.next += read as u64;
        Ok(read)
    }
}
