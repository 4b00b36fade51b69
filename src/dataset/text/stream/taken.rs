//! Records that were taken from the inputs of a stream.

use crate::dataset::format::RecordLayout;
use crate::dataset::text::numbering::Start;

/// Records that were taken together: where they begin, how they are read, and how many bytes were taken with them.
#[derive(Clone, Debug)]
pub(super) struct TakenRecords {
    pub(super) file: usize,
    pub(super) layout: RecordLayout,
    pub(super) start: Start,
    pub(super) bytes: u64,
}
