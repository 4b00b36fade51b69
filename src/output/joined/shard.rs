//! The scores of one shard, and its failed records.

use std::path::Path;

use crate::plan::{WrittenFailures, WrittenFile};

/// The scores file of one shard, and the place of its records in the whole.
#[derive(Clone, Copy, Debug)]
pub struct ShardScores<'a> {
    /// The path of the file.
    pub path: &'a Path,
    /// Number of records of the shard.
    pub records: u64,
    /// Number of records of the whole before the shard.
    pub records_before: u64,
    /// What the shard has written. A file with other bytes is refused.
    pub written: WrittenFile,
    /// How the places in error texts are corrected, if the shard begins inside a file of the input.
    pub first_lines: Option<FirstLines<'a>>,
}

/// The file of failures of one shard and that of its reasons, and the place of its records in the whole.
#[derive(Clone, Copy, Debug)]
pub struct ShardFailures<'a> {
    /// The path of the file with the failed records.
    pub records_path: &'a Path,
    /// The path of the file with the reasons.
    pub reasons_path: &'a Path,
    /// What the shard has written. Files with other bytes are refused.
    pub written: &'a WrittenFailures,
    /// Number of records of the shard, whether they have failed or not.
    pub records: u64,
    /// Number of records of the whole before the shard.
    pub records_before: u64,
    /// How the lines of the reasons are corrected, if the shard begins inside a file of the input.
    pub first_lines: Option<FirstLines<'a>>,
}

/// The records at the beginning of a shard that begins inside a file of the input. The shard has counted the lines of
/// this file from its own beginning.
#[derive(Clone, Copy, Debug)]
pub struct FirstLines<'a> {
    /// The path of the file of the input, as error texts state it.
    pub path: &'a Path,
    /// Number of records, counted from the beginning of the shard, that are in this file.
    pub records: u64,
    /// The number that is added to the lines of this file.
    pub lines_before: u64,
}
