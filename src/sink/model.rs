//! Tests the writing of scores in order under the model checker, which tries many orders of the threads'
//! steps.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use super::{InOrder, Room};
use crate::sync::{Condvar, Mutex, check_model, lock, thread, wait};

/// The records of each block, in order. A block has one record or two records.
const BLOCKS: [std::ops::Range<u64>; 7] = [0..1, 1..3, 3..4, 4..5, 5..7, 7..8, 8..9];
/// The number of bytes that may wait for their turn; two bytes are too many.
const ROOM: usize = 1;

/// A destination that fails instead of writing the bytes of record `fails_at`.
struct Out {
    bytes: Vec<u8>,
    fails_at: Option<u8>,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.fails_at.is_some_and(|record| bytes.contains(&record)) {
            return Err(io::Error::other("full"));
        }
        self.bytes.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The state that the workers of a model share.
struct SharedRun {
    sink: InOrder<Out>,
    /// The number of the next block to hand out. Blocks are handed out in increasing order, as executors do
    /// with units.
    next: Mutex<usize>,
    /// The blocks whose call of `write` has returned.
    returned: Mutex<BTreeSet<usize>>,
    failed: Mutex<usize>,
    pausing: Mutex<()>,
    room: Condvar,
}

impl SharedRun {
    fn work(&self) {
        while let Some(block) = self.take() {
            let records = BLOCKS[block].clone();
            let earliest = (0..block).all(|before| lock(&self.returned).contains(&before));
            let bytes = records.clone().map(|record| record as u8).collect();
            let room = self.sink.write(records, bytes);
            lock(&self.returned).insert(block);
            match room {
                Ok(Room::Full) => {
                    assert!(!earliest, "block {block} was refused in its turn");
                    let mut pausing = lock(&self.pausing);
                    // After a failure no worker waits, because the run is over.
                    while self.sink.waiting_bytes() > ROOM && *lock(&self.failed) == 0 {
                        pausing = wait(&self.room, pausing);
                    }
                }
                Ok(Room::Free) => self.resume(),
                Err(_) => {
                    *lock(&self.failed) += 1;
                    return self.resume();
                }
            }
        }
    }

    fn take(&self) -> Option<usize> {
        let mut next = lock(&self.next);
        let block = *next;
        *next += 1;
        (block < BLOCKS.len()).then_some(block)
    }

    fn resume(&self) {
        let _pausing = lock(&self.pausing);
        self.room.notify_all();
    }
}

/// Lets three workers write all blocks. Returns what was written, and how many calls failed.
fn write_all(fails_at: Option<u8>) -> (io::Result<Out>, usize) {
    let out = Out {
        bytes: Vec::new(),
        fails_at,
    };
    let run = Arc::new(SharedRun {
        sink: InOrder::with_room(out, ROOM),
        next: Mutex::new(0),
        returned: Mutex::default(),
        failed: Mutex::new(0),
        pausing: Mutex::new(()),
        room: Condvar::new(),
    });
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let run = Arc::clone(&run);
            thread::spawn(move || run.work())
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
    let Ok(run) = Arc::try_unwrap(run) else {
        panic!("a worker is still running");
    };
    let failed = *lock(&run.failed);
    (run.sink.finish(), failed)
}

#[test]
fn every_block_is_written_once_and_in_order() {
    check_model(|| {
        let (out, failed) = write_all(None);
        assert_eq!(out.unwrap().bytes, (0..9).collect::<Vec<u8>>());
        assert_eq!(failed, 0);
    });
}

#[test]
fn nothing_is_written_after_a_failure_which_is_returned_once() {
    check_model(|| {
        let (out, failed) = write_all(Some(3));
        assert_eq!(failed, 1);
        if let Ok(out) = out {
            assert_eq!(out.bytes, [0, 1, 2]);
        }
    });
}
