//! The task collection: records, addressable as parts.
//!
//! A *part* is a run of consecutive records and the smallest thing an executor hands out. Parts
//! depend on the data alone, never on the number of threads: any worker can read any part, and no
//! thread reads for the others.

mod fields;
mod in_memory;
mod json_lines;
mod lines;
#[expect(dead_code, reason = "the dataset over it is to come")]
mod stream;
pub mod synthetic;
mod texts;

use std::ops::{ControlFlow, Range};
use std::time::Duration;

pub(crate) use fields::kind_of;
pub use fields::{Fields, Values};
pub use json_lines::{JsonLine, JsonLines};
pub use texts::Texts;

use crate::error::{BadRecord, Error, Place};

/// Records, addressable as parts.
///
/// Implemented by slices and vectors (a part is one record), by ranges of integers, and by
/// [`JsonLines`] files (a part is a range of bytes).
pub trait Dataset: Sync {
    /// One record, as it is lent to the task.
    type Record<'a>: ?Sized;

    /// How many parts there are.
    fn parts(&self) -> usize;

    /// Calls `visit` for each record of the parts, in order, until it breaks off; a record that
    /// cannot be read is visited as its [`BadRecord`]. Returns the time spent fetching bytes, zero
    /// where the records are in memory.
    ///
    /// # Errors
    ///
    /// Where the parts cannot be read at all.
    fn read<V>(&self, parts: Range<usize>, visit: V) -> Result<Duration, Error>
    where
        V: FnMut(At, Result<&Self::Record<'_>, BadRecord>) -> ControlFlow<()>;

    /// How much of the dataset the parts are, for progress: bytes for files, records in memory.
    fn extent(&self, parts: Range<usize>) -> u64;

    /// Where a record stands, if it comes from a file.
    fn place(&self, at: At) -> Option<Place> {
        let _ = at;
        None
    }
}

/// Which record is being visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// Index of the record in the whole dataset, from 0.
    pub index: u64,
    /// Which file of the dataset, from 0.
    pub file: usize,
    /// Line in that file, from 1; 0 where there are no lines.
    pub line: u64,
}
