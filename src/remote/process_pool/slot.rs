//! A place in a process pool: its worker process, and how long the messages to it should be.

use std::time::Duration;

use super::block::RecordBlock;
use super::process::Process;

/// Number of bytes of text from which the first block is full. One byte means that the block has only one record,
/// since it is unknown how long a record takes.
const FIRST_BYTES: usize = 1;

/// Largest number of bytes of text that a block should have. It is below 128 KiB, the size from which the
/// allocator requests new memory from the system each time.
const MAX_BYTES: usize = 64 << 10;

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
