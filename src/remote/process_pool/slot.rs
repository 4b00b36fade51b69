//! A place in a process pool: its worker process, and how long the messages to it should be.

use std::time::Duration;

use super::block::RecordBlock;
use super::process::Process;

/// Number of bytes of text from which the first block is full. One byte means that the block has only one record,
/// since it is unknown how long a record takes.
const FIRST_BYTES: usize = 1;

/// Largest number of bytes of text that a block should have. With longer blocks, processes are woken less often, but the
/// pipe and the caches hold no more than a few of them.
pub(super) const MAX_BYTES: usize = 128 << 10;

/// Time that a process should spend on a block: long compared with the time to send it, and short enough for
/// a user who waits for the run to stop.
const BLOCK_TIME: Duration = Duration::from_millis(2);

/// Largest ratio of the length of a block to the length of the previous block. It is limited because later records
/// may take longer.
const GROWTH: usize = 8;

/// A place for one process at a time. A process that dies is replaced by another one in the same place.
#[derive(Debug, Default)]
pub(super) struct PoolSlot {
    /// Number of the place in the pool, from 0.
    number: usize,
    /// `None` until a process is needed, and after it has died.
    pub(super) process: Option<Process>,
    /// Number of bytes of text that the next block should have.
    bytes: usize,
    /// Empty blocks, whose memory is reused.
    spares: Vec<RecordBlock>,
}

impl PoolSlot {
    pub(super) fn new(number: usize) -> Self {
        PoolSlot {
            number,
            bytes: FIRST_BYTES,
            ..PoolSlot::default()
        }
    }

    /// Number of the place in the pool, from 0.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// An empty block.
    pub(super) fn block(&mut self) -> RecordBlock {
        self.spares.pop().unwrap_or_else(RecordBlock::new)
    }

    /// Keeps the memory of a block that has been answered.
    pub(super) fn recycle(&mut self, mut block: RecordBlock) {
        if block.is_worth_keeping(MAX_BYTES) {
            block.clear();
            self.spares.push(block);
        }
    }

    /// Whether a block is long enough to be sent.
    pub(super) fn is_full(&self, block: &RecordBlock) -> bool {
        block.is_full(self.bytes)
    }

    /// Adjusts the length of blocks after the process has spent the time `took` on a block of `bytes` bytes.
    pub(super) fn adjust(&mut self, bytes: usize, took: Duration) {
        let took = took.as_nanos().max(1);
        let fitting = bytes as u128 * BLOCK_TIME.as_nanos() / took;
        let growth = bytes.max(1).saturating_mul(GROWTH).min(MAX_BYTES);
        self.bytes = usize::try_from(fitting).unwrap_or(growth).clamp(1, growth);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Position;

    #[test]
    fn the_next_block_takes_as_long_as_a_block_should_within_bounds() {
        let mut slot = PoolSlot::new(3);
        assert_eq!((slot.number(), slot.bytes), (3, 1));
        let mut next = |bytes, took| {
            slot.adjust(bytes, took);
            slot.bytes
        };
        assert_eq!(next(1_000, BLOCK_TIME), 1_000);
        assert_eq!(next(1_000, BLOCK_TIME / 4), 4_000);
        assert_eq!(next(1_000, BLOCK_TIME * 4), 250);
        // The length grows at most eightfold, and never beyond the maximum.
        assert_eq!(next(1_000, BLOCK_TIME / 100), 8_000);
        assert_eq!(next(1_000, Duration::from_nanos(1)), 8_000);
        assert_eq!(next(60_000, BLOCK_TIME / 4), MAX_BYTES);
        assert_eq!(next(usize::MAX, Duration::from_nanos(1)), MAX_BYTES);
        // A block has at least one record.
        assert_eq!(next(1_000, Duration::from_secs(3_600)), 1);
        assert_eq!(next(0, BLOCK_TIME), 1);
    }

    #[test]
    fn the_memory_of_a_block_is_reused_unless_a_giant_record_was_in_it() {
        let mut slot = PoolSlot::new(0);
        for (bytes, is_kept) in [(MAX_BYTES, true), (5 * MAX_BYTES, false)] {
            let mut block = slot.block();
            let text = "x".repeat(bytes);
            block.push(Position::default(), Ok(&text));
            slot.recycle(block);
            assert_eq!(slot.spares.len(), usize::from(is_kept), "{bytes} bytes");
            let again = slot.block();
            assert!(again.is_empty(), "the records of the block before are gone");
            assert_eq!((again.bytes(), again.sent()), (0, 0));
            assert_eq!(again.capacity() >= MAX_BYTES, is_kept, "{bytes} bytes");
        }
    }
}
