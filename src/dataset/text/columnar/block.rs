//! Records of a columnar file that are decoded together.

use arrow_array::RecordBatch;

use super::nested::MemberWriter;
use super::values::records_of;

/// Consecutive records of a file that are decoded together. The block keeps the decoded columns, and a record is
/// written as JSON only when it is read.
#[derive(Debug, Default)]
pub(super) struct DecodedBlock {
    /// For each stretch of decoded records: the place of its first record in the block, and the writer of its records.
    stretches: Vec<(usize, MemberWriter)>,
    records: usize,
    /// The reason why the next record after those of the block cannot be read. `None` if the block is complete.
    pub(super) broken: Option<String>,
}

impl DecodedBlock {
    /// Appends records.
    pub(super) fn push(&mut self, columns: &RecordBatch) {
        self.stretches.push((self.records, records_of(columns)));
        self.records += columns.num_rows();
    }

    /// Number of records that could be decoded.
    pub(super) fn records(&self) -> usize {
        self.records
    }

    /// Appends a record to `json` as one line of JSON, without a line end.
    #[inline]
    pub(super) fn write(&self, record: usize, json: &mut Vec<u8>) {
        let after = self
            .stretches
            .partition_point(|(first, _)| *first <= record);
        if let Some((first, writer)) = after.checked_sub(1).map(|stretch| &self.stretches[stretch])
        {
            writer.write(record - first, json);
        }
    }
}
