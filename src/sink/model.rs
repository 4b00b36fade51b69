//! Scores in order under every order of steps that the model checker comes up with.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use super::{InOrder, Room};
use crate::sync::{Condvar, Mutex, check_model, lock, thread, wait};

/// The records each piece covers, in order: pieces of one record and of two.
const PIECES: [std::ops::Range<u64>; 7] = [0..1, 1..3, 3..4, 4..5, 5..7, 7..8, 8..9];
/// Bytes that may wait: two are too many.
const ROOM: usize = 1;

/// Fails in place of the write of this record's bytes.
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

/// What the workers of a model share.
struct Run {
    sink: InOrder<Out>,
    /// The next piece to hand out, in increasing order as executors do.
    next: Mutex<usize>,
    /// Pieces whose call has returned.
    returned: Mutex<BTreeSet<usize>>,
    failed: Mutex<usize>,
    resting: Mutex<()>,
    room: Condvar,
}

impl Run {
    fn work(&self) {
        while let Some(piece) = self.take() {
            let records = PIECES[piece].clone();
            let earliest = (0..piece).all(|before| lock(&self.returned).contains(&before));
            let bytes = records.clone().map(|record| record as u8).collect();
            let room = self.sink.write(records, bytes);
            lock(&self.returned).insert(piece);
            match room {
                Ok(Room::Full) => {
                    assert!(!earliest, "piece {piece} was told to rest in its turn");
                    let mut resting = lock(&self.resting);
                    // After a failure nobody has to wait: the run is over.
                    while self.sink.waiting_bytes() > ROOM && *lock(&self.failed) == 0 {
                        resting = wait(&self.room, resting);
                    }
                }
                Ok(Room::Free) => self.call_back(),
                Err(_) => {
                    *lock(&self.failed) += 1;
                    return self.call_back();
                }
            }
        }
    }

    fn take(&self) -> Option<usize> {
        let mut next = lock(&self.next);
        let piece = *next;
        *next += 1;
        (piece < PIECES.len()).then_some(piece)
    }

    fn call_back(&self) {
        let _resting = lock(&self.resting);
        self.room.notify_all();
    }
}

/// Has three workers write all pieces; returns what was written and how many calls failed.
fn write_all(fails_at: Option<u8>) -> (io::Result<Out>, usize) {
    let out = Out {
        bytes: Vec::new(),
        fails_at,
    };
    let run = Arc::new(Run {
        sink: InOrder::with_room(out, ROOM),
        next: Mutex::new(0),
        returned: Mutex::default(),
        failed: Mutex::new(0),
        resting: Mutex::new(()),
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
        panic!("a worker is still at it");
    };
    let failed = *lock(&run.failed);
    (run.sink.finish(), failed)
}

#[test]
fn every_piece_is_written_once_and_in_order() {
    check_model(|| {
        let (out, failed) = write_all(None);
        assert_eq!(out.unwrap().bytes, (0..9).collect::<Vec<u8>>());
        assert_eq!(failed, 0);
    });
}

#[test]
fn nothing_is_written_after_a_failure_which_is_told_once() {
    check_model(|| {
        let (out, failed) = write_all(Some(3));
        assert_eq!(failed, 1);
        if let Ok(out) = out {
            assert_eq!(out.bytes, [0, 1, 2]);
        }
    });
}
