//! Records that were taken from the inputs of a stream.

use crate::dataset::format::{JSON_LINES_LAYOUT, RecordLayout};
use crate::dataset::text::numbering::Start;

/// Records that were taken together: where they begin, how they are read, and how many bytes were taken with them.
#[derive(Clone, Debug)]
pub(super) struct TakenRecords {
    pub(super) file: usize,
    pub(super) layout: RecordLayout,
    pub(super) start: Start,
    pub(super) bytes: u64,
}

impl TakenRecords {
    /// Bytes that were taken without a record.
    pub(super) fn none(file: usize, start: Start, bytes: u64) -> Self {
        TakenRecords {
            file,
            layout: JSON_LINES_LAYOUT.clone(),
            start,
            bytes,
        }
    }
}
