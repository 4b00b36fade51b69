//! Writes every score in the order of the records, from bounded memory.

#[cfg(all(test, shuttle))]
mod model;

use std::io::{self, Write};
use std::ops::Range;
use std::time::Duration;

use crate::dataset::LentRecord;
use crate::error::{Failure, Skipped};
use crate::sync::{Mutex, MutexGuard, into_inner, lock, try_lock_for};
use crate::turns::Turns;

/// Receives the score of every record, or the reason why it has none.
///
/// Scores are rendered on the workers, in parallel. Only the bytes are put in order.
pub trait Sink<S>: Sync {
    /// Appends the text for one record to `bytes`. `record` is the record as it stands in its input. It is `None` if the
    /// dataset does not [lend](crate::Dataset::lend) its records, or if the sink does not
    /// [want](Sink::wants_records) them.
    fn render(
        &self,
        index: u64,
        outcome: RecordOutcome<'_, S>,
        record: Option<LentRecord<'_>>,
        bytes: &mut Vec<u8>,
    );

    /// Whether the sink uses the records that [`render`](Sink::render) receives. By default, the sink does not use
    /// them.
    fn wants_records(&self) -> bool {
        false
    }

    /// Receives a block, which contains the bytes of consecutive records. Blocks come in any order, and
    /// together they cover every record once. A call must not wait for another call. An implementation keeps
    /// blocks that come before their turn, and returns [`Room::Full`] if it keeps too many.
    ///
    /// # Errors
    ///
    /// Returns an error if the bytes cannot be written. The run then ends with
    /// [`Error::Output`](crate::Error).
    fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> io::Result<Room>;

    /// Called when failures have halted the run: the answer ends before this record. No block contains
    /// records both before and after this point.
    fn end_at(&self, record: u64) {
        let _ = record;
    }
}

/// The outcome of one record: scored, failed or skipped.
#[derive(Debug)]
pub enum RecordOutcome<'a, S> {
    /// The record has this score.
    Scored(&'a S),
    /// The record could not be scored.
    Failed(&'a Failure),
    /// The task has skipped the record.
    Skipped(&'a Skipped),
}

impl<S> Clone for RecordOutcome<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for RecordOutcome<'_, S> {}

/// Whether a sink has room for more blocks that come before their turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// There is room.
    Free,
    /// There is no room. A worker pauses instead of scoring more records before their turn.
    Full,
}

/// The number of bytes that may wait for their turn before [`Room::Full`] is returned.
const WAITING_BYTES: usize = 64 << 20;

/// Writes blocks to `out` in the order of their records.
///
/// Blocks that come before their turn are kept in memory: at most 64 MiB in total, plus one block of each
/// worker that comes when this memory is full.
#[derive(Debug)]
pub struct InOrder<W> {
    state: Mutex<InOrderState<W>>,
    most: usize,
}

#[derive(Debug)]
struct InOrderState<W> {
    /// The destination, or `None` once it has been taken. After that, nothing more is written.
    out: Option<W>,
    turns: Turns<Vec<u8>>,
    /// The number of records that have been written completely, and the number of their bytes.
    records: u64,
    bytes: u64,
    /// Blocks from this record on are dropped.
    end: u64,
    waiting_bytes: usize,
    /// Whether `out` has failed. If it has, nothing more is written.
    has_failed: bool,
}

impl<W: Write> InOrder<W> {
    /// Writes to `out`, which needs no buffer of its own, because blocks are large. Each block is passed to `out` in one
    /// call of [`write_all`](Write::write_all).
    pub fn new(out: W) -> Self {
        Self::with_room(out, WAITING_BYTES)
    }

    /// Writes to `out`, and keeps about this many bytes at most.
    pub fn with_room(out: W, bytes: usize) -> Self {
        let state = InOrderState {
            out: Some(out),
            turns: Turns::new(),
            records: 0,
            bytes: 0,
            end: u64::MAX,
            waiting_bytes: 0,
            has_failed: false,
        };
        InOrder {
            state: Mutex::new(state),
            most: bytes,
        }
    }

    /// Receives the block of some records. If it is their turn, writes it and the blocks that waited for it.
    ///
    /// # Errors
    ///
    /// Returns an error if `out` fails, after which later blocks are dropped, or if the turn of these records is
    /// over, for example because one `InOrder` is used for two runs.
    pub fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> io::Result<Room> {
        let mut state = self.lock();
        if state.has_failed || state.out.is_none() || records.start >= state.end {
            return Ok(Room::Free);
        }
        let (first, length) = (records.start, bytes.len());
        let due = first == state.turns.next();
        if !state.turns.put(records, bytes) {
            let message = format!("record {} was written before", first + 1);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        state.waiting_bytes += length;
        if due {
            let written = state.write_due();
            state.has_failed = written.is_err();
            return written.map(|()| Room::Free);
        }
        Ok(if state.waiting_bytes > self.most {
            Room::Full
        } else {
            Room::Free
        })
    }

    /// Writes nothing from this record on. No block may contain records both before and after this point.
    pub fn end_at(&self, record: u64) {
        let mut state = self.lock();
        state.end = state.end.min(record);
    }

    /// The number of bytes that wait for their turn.
    pub fn waiting_bytes(&self) -> usize {
        self.lock().waiting_bytes
    }

    /// Flushes `out`, and returns it.
    ///
    /// # Errors
    ///
    /// Returns an error if `out` fails or has been taken before, or if blocks still wait for a block that has
    /// not arrived.
    pub fn finish(self) -> io::Result<W> {
        let mut state = into_inner(self.state);
        let Some(mut written) = state.take() else {
            return Err(taken());
        };
        if let Some(record) = written.missing {
            let message = format!("the scores of record {} never came", record + 1);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
        }
        written.out.flush()?;
        Ok(written.out)
    }

    /// Takes `out` and the counts, even while a run is in progress; later blocks are dropped. Returns `None`
    /// if `out` has been taken before, or if a write in progress does not return within `patience`.
    pub fn take(&self, patience: Duration) -> Option<Written<W>> {
        try_lock_for(&self.state, patience)?.take()
    }

    fn lock(&self) -> MutexGuard<'_, InOrderState<W>> {
        lock(&self.state)
    }
}

/// What an [`InOrder`] has written.
#[derive(Debug)]
#[non_exhaustive]
pub struct Written<W> {
    /// The destination of the blocks. It is not flushed. If a write has failed, it may contain the beginning
    /// of another block after the `records` that were written completely.
    pub out: W,
    /// The number of records, from the first on, that were written completely.
    pub records: u64,
    /// The number of bytes of those records.
    pub bytes: u64,
    /// The index, from 0, of the record that never arrived although later ones did.
    pub missing: Option<u64>,
}

fn taken() -> io::Error {
    io::Error::other("the output has been taken before")
}

impl<W: Write> InOrderState<W> {
    fn write_due(&mut self) -> io::Result<()> {
        while self.turns.next() < self.end
            && let Some(out) = &mut self.out
            && let Some((records, bytes)) = self.turns.take()
        {
            self.waiting_bytes -= bytes.len();
            out.write_all(&bytes)?;
            self.records = records.end;
            self.bytes += bytes.len() as u64;
        }
        Ok(())
    }
}

impl<W> InOrderState<W> {
    fn take(&mut self) -> Option<Written<W>> {
        let waits = self.turns.waiting() > 0 && self.turns.next() < self.end;
        Some(Written {
            out: self.out.take()?,
            records: self.records,
            bytes: self.bytes,
            missing: waits.then(|| self.turns.next()),
        })
    }
}
