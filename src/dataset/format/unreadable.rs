//! The place after which a text cannot be divided into records.

use crate::error::BadRecord;

/// The reason why a text cannot be divided into records any further. The records before it are not affected.
#[derive(Clone, Debug)]
pub(in crate::dataset) struct Unreadable {
    /// Number of lines of the text before the place at which it cannot be read.
    pub(in crate::dataset) lines_before: u64,
    pub(in crate::dataset) reason: BadRecord,
}
