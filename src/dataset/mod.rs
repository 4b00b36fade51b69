//! The task collection: the records that are scored, divided into parts that can be read independently.
//!
//! A *part* is a run of consecutive records and the smallest unit that an executor hands out. Parts depend on the
//! data alone, never on the number of threads. Any worker can read any part, and no thread reads on behalf of other
//! threads.
//!
//! Text is handled in two layers. `text` reads bytes (from a file, a part of a file, a stream or memory) and knows
//! their places; [`format`] knows where records begin and end, and reads the fields of a record. `source` opens paths
//! for both uses of text: for records that are scored, and for references with which records are compared.

mod delegated;
mod fields;
mod format;
mod in_memory;
pub(crate) mod non_finite;
#[cfg(any(unix, feature = "async"))]
mod reading_ranges;
mod records;
pub(crate) mod shard;
mod shared_iterator;
mod source;
pub mod synthetic;
mod text;
mod texts;

use std::ops::{ControlFlow, Range};
use std::time::Duration;

pub(crate) use delegated::delegate_to_dataset;
pub use fields::{FieldValue, Fields, NamedValues};
#[cfg(feature = "cli")]
pub(crate) use format::comma_separated;
pub use format::{Delimiter, FormatName};
#[cfg(any(unix, feature = "async"))]
pub(crate) use reading_ranges::reading_ranges;
pub use records::Records;
pub use shard::{Shard, ShardStart, UnknownShard};
pub use source::TextSource;
#[cfg(feature = "parquet")]
pub use text::ColumnarFiles;
pub use text::{
    FieldValues, InputFile, LentRecord, LoadedRecords, MAX_RECORD_BYTES, OpenOptions, RecordBytes,
    TextEncoding, TextFiles, TextRecord, TextStream, UnknownEncoding,
};
pub(crate) use text::{OwnedRecord, RecordCopies, RecordHead, SampleDraw};
pub use texts::{RecordsLeftOut, Texts};

use crate::error::{BadRecord, Error, Place};

/// Records that are scored, divided into parts that can be read independently.
///
/// This trait is implemented by slices and vectors (a part is one record), by ranges of integers, by [`TextFiles`] (a
/// part is a range of bytes), and by streams.
pub trait Dataset: Sync {
    /// One record, as it is lent to the task.
    type Record<'a>: ?Sized;

    /// Number of parts; `usize::MAX` for a [stream](Dataset::is_stream).
    fn parts(&self) -> usize;

    /// Whether the dataset is a stream: its records arrive one after the other, and their number is not known.
    ///
    /// Reading n parts of a stream takes at most n records, in the order in which they arrive. Which records a worker
    /// gets depends on timing; the [`Position`] of each record identifies it.
    fn is_stream(&self) -> bool {
        false
    }

    /// Whether a read of several parts of a stream may wait for the last record while it already holds the first
    /// ones. A worker that works alone on such a stream reads one part at a time.
    fn may_wait_with_records(&self) -> bool {
        false
    }

    /// Ends a stream because the run is over: reads that wait return, and later reads find the end of the stream.
    fn close(&self) {}

    /// Calls `visit` for each record of the parts, in order, until `visit` returns `Break`. For a record that cannot
    /// be read, `visit` receives a [`BadRecord`].
    ///
    /// # Errors
    ///
    /// Returns an error if the parts cannot be read at all.
    fn read<V>(&self, parts: Range<usize>, visit: V) -> Result<ReadOutcome, Error>
    where
        V: FnMut(Position, Result<&Self::Record<'_>, BadRecord>) -> ControlFlow<()>;

    /// The size of the parts, which is used to report progress: the number of bytes for files, the number of records
    /// for data in memory, and 0 for a stream.
    fn size(&self, parts: Range<usize>) -> u64 {
        let _ = parts;
        0
    }

    /// How long scoring the record took, if the record was scored elsewhere before this visit.
    fn time_elsewhere(&self, record: &Self::Record<'_>) -> Option<Duration> {
        let _ = record;
        None
    }

    /// Lends the record that is being visited, with its bytes unchanged, to the [sink](crate::sink::Sink) of the run.
    /// Returns `None` if the records of the dataset are not text.
    fn lend<'r>(&self, record: &'r Self::Record<'_>) -> Option<LentRecord<'r>> {
        let _ = record;
        None
    }

    /// The place of a record, if it comes from a file.
    fn place(&self, position: Position) -> Option<Place> {
        let _ = position;
        None
    }

    /// The index that a record has in the input of the dataset, from 0. It differs from the index of the record only if
    /// the dataset contains some of the records of its input, as a [sample](LoadedRecords::sample) does. Reports and
    /// sinks name records by this index.
    fn index_in_input(&self, index: u64) -> u64 {
        index
    }
}

/// How long a read waited, and whether the stream has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOutcome {
    /// Time spent fetching bytes or waiting for records; zero for records in memory.
    pub waited: Duration,
    /// Whether a stream has ended, or has been [closed](Dataset::close).
    pub ended: bool,
}

/// Identifies the record of a dataset that is visited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Index of the record in the whole dataset, from 0. Indices have no gaps.
    pub index: u64,
    /// Number of the file of the dataset, from 0.
    pub file: usize,
    /// Line in that file in which the record begins, from 1; 0 if the dataset has no lines.
    pub line: u64,
    /// Number of bytes before the record in this line, so that columns within the record can be named as columns of the line.
    /// `None` if the record has several lines in a JSON document, or if the dataset has no lines.
    pub column: Option<u64>,
    /// Whether the dataset fetched bytes or waited for records just before this record.
    pub fetched: bool,
}
