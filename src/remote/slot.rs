//! A place in a process pool: its worker process, if there is one now, and what is known about its pace.

use std::time::Duration;

use super::block::Block;
use super::process::Process;
use super::process_pool::Supervised;
use crate::error::Error;

/// Bytes of text in the first message: one record, since nothing is known about its price.
const FIRST_BYTES: usize = 1;
/// Bytes of text in a message at most. It is less than 128 KiB, from which on memory comes fresh from
/// the system each time.
const MOST_BYTES: usize = 64 << 10;
/// Time that a process should be at a message: long beside what it takes to send it, and no longer
/// than the user who stops a run may wait.
const MESSAGE: Duration = Duration::from_millis(2);
/// A message is at most this many times the last one, since the records to come may be dearer.
const GROWTH: usize = 8;

/// A place for one process at a time: one that dies is replaced by another.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// Which one of the pool it is, from 0.
    number: usize,
    /// None until it is needed, and after it has died.
    pub(super) process: Option<Process>,
    /// Bytes of text that the next message is to have.
    bytes: usize,
    /// Memory for messages.
    spares: Vec<Block>,
}

impl Slot {
    pub(super) fn new(number: usize) -> Self {
        Slot {
            number,
            bytes: FIRST_BYTES,
            ..Slot::default()
        }
    }

    /// Which one of the pool it is, from 0.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// The process, which is started if there is none; none if the run is to stop.
    pub(super) fn process(&mut self, pool: &Supervised<'_>) -> Result<Option<&mut Process>, Error> {
        if self.process.is_none() {
            self.process = pool.start_one(self.number)?;
        }
        Ok(self.process.as_mut())
    }

    /// Memory for the next message.
    pub(super) fn block(&mut self) -> Block {
        self.spares.pop().unwrap_or_else(Block::new)
    }

    /// Takes back the memory of a message.
    pub(super) fn keep(&mut self, mut block: Block) {
        if block.is_worth_keeping(MOST_BYTES) {
            block.clear();
            self.spares.push(block);
        }
    }

    /// Whether a message is as long as it should be.
    pub(super) fn is_full(&self, block: &Block) -> bool {
        block.is_full(self.bytes)
    }

    /// Learns how long a message took.
    pub(super) fn pace(&mut self, bytes: usize, took: Duration) {
        let took = took.as_nanos().max(1);
        let fitting = bytes as u128 * MESSAGE.as_nanos() / took;
        let growth = bytes.max(1).saturating_mul(GROWTH).min(MOST_BYTES);
        self.bytes = usize::try_from(fitting).unwrap_or(growth).clamp(1, growth);
    }
}
