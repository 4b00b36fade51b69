//! Decoded blocks that workers share.
//!
//! A block has many parts, so that a slow task is shared evenly among the workers, but decoding a block once for each
//! part would be slow. The worker that first needs a block decodes this block. If a second worker needs the same block
//! in the meantime, the second worker decodes one of the next blocks instead of waiting, so all workers decode at the
//! same time.

#[cfg(all(test, shuttle))]
mod model;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::sync::{Condvar, Mutex, lock, wait};

/// Decoded blocks that workers share. Each block has a number.
pub(super) struct SharedBlocks<B> {
    state: Mutex<BlockTable<B>>,
    changed: Condvar,
}

struct BlockTable<B> {
    blocks: BTreeMap<u64, Slot<B>>,
    /// Number of workers that are reading now, and the largest number that was reading at the same time.
    readers: usize,
    most_readers: usize,
}

enum Slot<B> {
    /// A worker is decoding the block.
    Begun,
    Decoded(Arc<B>),
}

impl<B> Default for SharedBlocks<B> {
    fn default() -> Self {
        SharedBlocks {
            state: Mutex::new(BlockTable {
                blocks: BTreeMap::new(),
                readers: 0,
                most_readers: 0,
            }),
            changed: Condvar::new(),
        }
    }
}

impl<B> SharedBlocks<B> {
    /// Counts this worker as reading until the returned value is dropped.
    pub(super) fn begin(&self) -> BlockReader<'_, B> {
        let mut state = lock(&self.state);
        state.readers += 1;
        state.most_readers = state.most_readers.max(state.readers);
        BlockReader(self)
    }
}

impl<B> BlockTable<B> {
    /// The largest number of blocks that are kept: for each worker, one that the worker reads and one ahead.
    fn most(&self) -> usize {
        2 * self.most_readers
    }

    /// Makes room for one more block. The blocks with the lowest numbers are removed first, because workers read blocks
    /// in increasing order. If a worker still reads a removed block, the block stays in memory until then.
    fn make_room(&mut self) {
        while self.blocks.len() >= self.most() {
            let decoded = |(number, slot): (&u64, &Slot<B>)| {
                matches!(slot, Slot::Decoded(_)).then_some(*number)
            };
            let Some(first) = self.blocks.iter().find_map(decoded) else {
                return;
            };
            self.blocks.remove(&first);
        }
    }

    /// The next block after `wanted` that no worker has begun. `None` if there is none before `end`, or if enough later
    /// blocks have been begun.
    fn next_ahead(&self, wanted: u64, end: u64) -> Option<u64> {
        let ahead = self.blocks.range(wanted + 1..).count();
        let next = (wanted + 1..end).find(|number| !self.blocks.contains_key(number));
        next.filter(|_| ahead < self.most_readers)
    }
}

/// A worker that reads blocks.
pub(super) struct BlockReader<'a, B>(&'a SharedBlocks<B>);

impl<B> BlockReader<'_, B> {
    /// Returns the block `wanted`. The calling worker decodes this block if no other worker has begun it. While another
    /// worker decodes this block, the calling worker decodes later blocks before `end`, up to a limit, and then waits.
    ///
    /// # Errors
    ///
    /// Returns an error if the calling worker cannot decode `wanted` or a later block.
    pub(super) fn get<E>(
        &self,
        wanted: u64,
        end: u64,
        decode: impl Fn(u64) -> Result<B, E>,
    ) -> Result<Arc<B>, E> {
        let SharedBlocks { state, changed } = self.0;
        let mut guard = lock(state);
        loop {
            let next = match guard.blocks.get(&wanted) {
                Some(Slot::Decoded(block)) => return Ok(Arc::clone(block)),
                None => wanted,
                Some(Slot::Begun) => match guard.next_ahead(wanted, end) {
                    Some(next) => next,
                    None => {
                        guard = wait(changed, guard);
                        continue;
                    }
                },
            };
            guard.make_room();
            guard.blocks.insert(next, Slot::Begun);
            drop(guard);
            let begun = BegunBlock {
                blocks: self.0,
                number: next,
            };
            let decoded = Arc::new(decode(next)?);
            begun.finish(Arc::clone(&decoded));
            if next == wanted {
                return Ok(decoded);
            }
            guard = lock(state);
        }
    }
}

impl<B> Drop for BlockReader<'_, B> {
    fn drop(&mut self) {
        lock(&self.0.state).readers -= 1;
    }
}

/// A block that a worker has begun to decode. If decoding fails, another worker may begin the block again.
struct BegunBlock<'a, B> {
    blocks: &'a SharedBlocks<B>,
    number: u64,
}

impl<B> BegunBlock<'_, B> {
    fn finish(self, decoded: Arc<B>) {
        let slot = Slot::Decoded(decoded);
        lock(&self.blocks.state).blocks.insert(self.number, slot);
    }
}

impl<B> Drop for BegunBlock<'_, B> {
    fn drop(&mut self) {
        let mut state = lock(&self.blocks.state);
        if let Some(Slot::Begun) = state.blocks.get(&self.number) {
            state.blocks.remove(&self.number);
        }
        drop(state);
        self.blocks.changed.notify_all();
    }
}

impl<B> fmt::Debug for SharedBlocks<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedBlocks").finish_non_exhaustive()
    }
}
