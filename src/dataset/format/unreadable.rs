//! The place from which on a text cannot be cut into records.

use crate::error::BadRecord;

/// Why a text cannot be cut into records from one of its records on. The records before it are not affected.
#[derive(Clone, Debug)]
pub(in crate::dataset) struct Unreadable {
    /// Number of lines of the text before the place at which it cannot be read.
    pub(in crate::dataset) lines_before: u64,
    pub(in crate::dataset) reason: BadRecord,
}
