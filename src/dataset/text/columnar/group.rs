//! Divides the records of a columnar file into blocks, whose records are decoded together, and into parts.

use std::ops::Range;

/// Records that a file stores together: a row group of a Parquet file, or a record batch of an Arrow file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordGroup {
    pub(super) records: u64,
    /// Number of records in a block, which are decoded together. The last block may have fewer.
    pub(super) block_records: u64,
}

impl RecordGroup {
    /// Number of blocks.
    pub(super) fn blocks(&self) -> u64 {
        self.records.div_ceil(self.block_records)
    }

    /// The records of a block, counted from the first record of the group.
    pub(super) fn records_of(&self, block: u64) -> Range<u64> {
        let start = block * self.block_records;
        start..start.saturating_add(self.block_records).min(self.records)
    }

    /// Number of parts, if a part has `part_records` records. A part belongs to one block, so the last part of a block
    /// may have fewer.
    pub(super) fn parts(&self, part_records: u64) -> u64 {
        let whole = self.records / self.block_records;
        let rest = self.records % self.block_records;
        let in_whole = self.block_records.div_ceil(part_records);
        whole
            .saturating_mul(in_whole)
            .saturating_add(rest.div_ceil(part_records))
    }

    /// The block to which a part belongs, and the place of the part's first record in the block. All numbers count from
    /// 0, so `part` must be less than the number of parts.
    pub(super) fn block_of(&self, part: u64, part_records: u64) -> (u64, u64) {
        let in_block = self.block_records.div_ceil(part_records);
        (part / in_block, part % in_block * part_records)
    }

    /// The part that contains a record. All numbers count from 0.
    pub(super) fn part_of(&self, record: u64, part_records: u64) -> u64 {
        let in_block = self.block_records.div_ceil(part_records);
        let (block, record) = (record / self.block_records, record % self.block_records);
        block * in_block + record / part_records
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_contain_every_record_once() {
        for (records, block_records, part_records) in [
            (0, 1, 1),
            (1, 1, 1),
            (10, 4, 3),
            (8, 4, 4),
            (9, 4, 7),
            (100, 64, 1),
        ] {
            let group = RecordGroup {
                records,
                block_records,
            };
            let mut next = 0;
            for part in 0..group.parts(part_records) {
                let (block, first) = group.block_of(part, part_records);
                let all = group.records_of(block);
                assert_eq!(all.start + first, next);
                assert!(next < all.end);
                assert_eq!(group.part_of(next, part_records), part);
                next = (next + part_records).min(all.end);
            }
            assert_eq!(next, records);
        }
    }
}
