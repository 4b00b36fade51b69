//! How the parts of a dataset are divided among the partials of an aggregator that is not
//! commutative.

use std::ops::Range;

/// The largest number of partials in one run.
const MOST_BLOCKS: usize = 1024;

/// The parts `0..parts` of a dataset, cut into blocks of consecutive parts. Each block has one partial,
/// and the partials merge along a [`MergeTree`](super::MergeTree).
///
/// The blocks depend on the number of parts alone, and their lengths differ by one part at most.
/// The same data therefore gives the same tree on every executor, with any number of threads, and
/// through every interface.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockPartition {
    parts: usize,
    blocks: usize,
}

impl BlockPartition {
    /// Makes one block for each part, or 1024 blocks if there are more than 1024 parts.
    pub(crate) fn into_blocks(parts: usize) -> Self {
        let blocks = parts.min(MOST_BLOCKS);
        BlockPartition { parts, blocks }
    }

    /// Makes one block for each part. This is for commutative aggregators, which do not need larger
    /// blocks.
    pub(crate) fn into_parts(parts: usize) -> Self {
        BlockPartition {
            parts,
            blocks: parts,
        }
    }

    /// Returns the number of blocks.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    /// Returns the parts in some consecutive blocks.
    #[inline]
    pub(crate) fn parts(&self, blocks: Range<usize>) -> Range<usize> {
        if self.blocks == self.parts {
            return blocks;
        }
        self.first_part(blocks.start)..self.first_part(blocks.end)
    }

    /// Returns `block × parts ÷ blocks`, computed so that the product cannot overflow.
    fn first_part(&self, block: usize) -> usize {
        let (each, more) = (self.parts / MOST_BLOCKS, self.parts % MOST_BLOCKS);
        block * each + block * more / MOST_BLOCKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_all_parts_and_are_of_nearly_the_same_length() {
        for parts in [0, 1, 2, 1_023, 1_024, 1_025, 2_048, 10_241, usize::MAX] {
            let partition = BlockPartition::into_blocks(parts);
            let mut next = 0;
            let exact =
                |block| (block as u128 * parts as u128 / partition.blocks() as u128) as usize;
            for block in 0..partition.blocks() {
                let range = partition.parts(block..block + 1);
                assert_eq!((range.start, range.end), (next, exact(block + 1)));
                assert!(range.len().abs_diff(parts / partition.blocks()) <= 1);
                next = range.end;
            }
            assert_eq!(next, parts);
            assert_eq!(partition.parts(0..partition.blocks()), 0..parts);
        }
    }

    #[test]
    fn a_block_of_each_part_is_that_part() {
        assert_eq!(BlockPartition::into_parts(5_000).blocks(), 5_000);
        assert_eq!(BlockPartition::into_parts(5_000).parts(7..4_000), 7..4_000);
    }
}
