//! Copies the records of a shard.

use std::fmt;

use super::shard_numbers::OtherRecords;

/// Copies the records of one shard, with their numbers in the whole.
pub(super) trait RecordCopier: fmt::Debug {
    /// Appends records to `out`. `bytes` are the next bytes of the scores file. Returns how many of them were copied. The
    /// others are the beginning of a record, and come again with the bytes that follow them.
    ///
    /// # Errors
    ///
    /// Returns what is wrong if these are not the records of the shard.
    fn copy(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<usize, OtherRecords>;

    /// Checks that all records of the shard were copied.
    ///
    /// # Errors
    ///
    /// Returns what is wrong if records are missing.
    fn finish(&self) -> Result<(), OtherRecords>;
}
