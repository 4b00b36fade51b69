//! The task collection: records, addressable as parts.
//!
//! A *part* is a run of consecutive records and the smallest thing an executor hands out. Parts
//! depend on the data alone, never on the number of threads: any worker can read any part, and no
//! thread reads for the others.

mod fields;
mod format;
mod in_memory;
mod records;
mod source;
mod stream;
pub mod synthetic;
mod text;
mod texts;

use std::ops::{ControlFlow, Range};
use std::time::Duration;

pub use fields::{FieldValues, Fields};
pub(crate) use format::kind_of;
pub use records::Records;
pub use source::TextSource;
pub use text::{LoadedRecords, MAX_RECORD_BYTES, OpenOptions, TextFiles, TextRecord, TextStream};
pub use texts::Texts;

use crate::error::{BadRecord, Error, Place};

/// Records, addressable as parts.
///
/// Implemented by slices and vectors (a part is one record), by ranges of integers, and by
/// [`TextFiles`] files (a part is a range of bytes).
pub trait Dataset: Sync {
    /// One record, as it is lent to the task.
    type Record<'a>: ?Sized;

    /// How many parts there are; `usize::MAX` for a [stream](Dataset::is_stream).
    fn parts(&self) -> usize;

    /// Whether it is a stream: records that arrive one after the other, nobody knows how many.
    ///
    /// Reading parts of a stream takes up to so many from where they arrive. Which those are follows
    /// from who came first; their indices tell.
    fn is_stream(&self) -> bool {
        false
    }

    /// Whether reading several parts of a stream may wait for the last of them with the first ones in
    /// hand. Who works alone on such a stream takes one at a time.
    fn may_wait_with_records(&self) -> bool {
        false
    }

    /// Lets nobody wait for more of a stream: the run is over. Reads that wait return, and what comes
    /// after them is as at the end of the stream.
    fn close(&self) {}

    /// Calls `visit` for each record of the parts, in order, until it breaks off; a record that
    /// cannot be read is visited as its [`BadRecord`].
    ///
    /// # Errors
    ///
    /// Where the parts cannot be read at all.
    fn read<V>(&self, parts: Range<usize>, visit: V) -> Result<ReadOutcome, Error>
    where
        V: FnMut(Position, Result<&Self::Record<'_>, BadRecord>) -> ControlFlow<()>;

    /// How much of the dataset the parts are, for progress: bytes for files, records in memory. Of a
    /// stream nobody can say.
    fn size(&self, parts: Range<usize>) -> u64 {
        let _ = parts;
        0
    }

    /// How long a record took, if it has been worked on elsewhere before it is visited.
    fn time_elsewhere(&self, record: &Self::Record<'_>) -> Option<Duration> {
        let _ = record;
        None
    }

    /// Where a record stands, if it comes from a file.
    fn place(&self, at: Position) -> Option<Place> {
        let _ = at;
        None
    }
}

/// What reading came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOutcome {
    /// The time spent fetching bytes or waiting for records; zero where they are in memory.
    pub waited: Duration,
    /// Whether a stream has come to its end, or has been [closed](Dataset::close).
    pub ended: bool,
}

/// Which record is being visited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Index of the record in the whole dataset, from 0.
    pub index: u64,
    /// Which file of the dataset, from 0.
    pub file: usize,
    /// Line in that file, from 1; 0 where there are no lines.
    pub line: u64,
    /// Whether bytes were fetched, or records waited for, just before it.
    pub fetched: bool,
}
