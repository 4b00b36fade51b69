//! What a run has written to its file of failures and to that of the reasons.

use serde::{Deserialize, Serialize};

use super::WrittenFile;

/// What a run has written to its file of failures and to that of the reasons. With this,
/// [`join_failures`](crate::output::join_failures) finds out which records of several such files fit in one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WrittenFailures {
    /// The file with the failed records.
    pub records: WrittenFile,
    /// The file with the reasons.
    pub reasons: WrittenFile,
    /// Whether the file with the failed records is compressed.
    pub(crate) is_compressed: bool,
    /// Length in bytes, before compression, of the header with which the file of the records begins.
    pub(crate) header_bytes: u64,
    /// Hashes of the formats and headers of the failed records. The first one is that of the records in the file, the
    /// others are those of records that were left out.
    pub(crate) heads: Vec<u128>,
}
