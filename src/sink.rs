//! Writes every score in the order of the records, from bounded memory.

#[cfg(all(test, shuttle))]
mod model;

use std::io::{self, Write};
use std::ops::Range;
use std::time::Duration;

use crate::dataset::LentRecord;
use crate::error::{Failure, Skipped};
use crate::sync::{Mutex, MutexGuard, lock, try_lock, try_lock_for};
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
/// worker that comes when this memory is full. Only one thread at a time writes to `out`. The others leave their blocks
/// and go on, so they do not wait while `out` compresses.
#[derive(Debug)]
pub struct InOrder<W> {
    /// The destination, or `None` once it has been taken. A thread that holds this lock may lock `state`, but not the
    /// other way round.
    out: Mutex<Option<W>>,
    state: Mutex<InOrderState>,
    most: usize,
}

#[derive(Debug)]
struct InOrderState {
    turns: Turns<Vec<u8>>,
    /// The number of records that have been written completely, and the number of their bytes.
    records: u64,
    bytes: u64,
    /// Blocks from this record on are dropped.
    end: u64,
    waiting_bytes: usize,
    /// Whether `out` has failed or has been taken. If so, nothing more is written.
    is_over: bool,
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
            turns: Turns::new(),
            records: 0,
            bytes: 0,
            end: u64::MAX,
            waiting_bytes: 0,
            is_over: false,
        };
        InOrder {
            out: Mutex::new(Some(out)),
            state: Mutex::new(state),
            most: bytes,
        }
    }

    /// Receives the block of some records. Writes the blocks whose turn it is, unless another thread is writing; that
    /// thread then writes them.
    ///
    /// # Errors
    ///
    /// Returns an error if `out` fails, after which later blocks are dropped, or if the turn of these records is
    /// over, for example because one `InOrder` is used for two runs.
    pub fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> io::Result<Room> {
        let mut state = self.lock();
        if state.is_over || records.start >= state.end {
            return Ok(Room::Free);
        }
        let (first, length) = (records.start, bytes.len());
        let is_due = first == state.turns.next();
        if !state.turns.put(records, bytes) {
            let message = format!("record {} was written before", first + 1);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        state.waiting_bytes += length;
        drop(state);
        let has_written = self.write_due()?;
        Ok(
            match is_due || has_written || self.waiting_bytes() <= self.most {
                true => Room::Free,
                false => Room::Full,
            },
        )
    }

    /// Writes the blocks whose turn it is, unless another thread is writing. Returns whether it has written any.
    fn write_due(&self) -> io::Result<bool> {
        let mut has_written = false;
        // A thread that leaves a block while this thread holds the lock of `out` relies on this thread to write it. The
        // block may come after this thread has found that no block is due, and before it has released the lock.
        while self.has_due()
            && let Some(mut out) = try_lock(&self.out)
        {
            while let Some(out) = &mut *out
                && let Some((records, bytes)) = self.take_due()
            {
                let written = out.write_all(&bytes);
                let mut state = self.lock();
                if written.is_ok() {
                    state.records = records.end;
                    state.bytes += bytes.len() as u64;
                } else {
                    state.is_over = true;
                }
                written?;
                has_written = true;
            }
        }
        Ok(has_written)
    }

    fn has_due(&self) -> bool {
        self.lock().is_due()
    }

    fn take_due(&self) -> Option<(Range<u64>, Vec<u8>)> {
        let mut state = self.lock();
        if !state.is_due() {
            return None;
        }
        let (records, bytes) = state.turns.take()?;
        state.waiting_bytes -= bytes.len();
        Some((records, bytes))
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
        let Some(mut written) = self.take(Duration::MAX) else {
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
        let mut out = try_lock_for(&self.out, patience)?;
        let mut state = self.lock();
        let out = out.take()?;
        state.is_over = true;
        let waits = state.turns.waiting() > 0 && state.turns.next() < state.end;
        Some(Written {
            out,
            records: state.records,
            bytes: state.bytes,
            missing: waits.then(|| state.turns.next()),
        })
    }

    fn lock(&self) -> MutexGuard<'_, InOrderState> {
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

impl InOrderState {
    /// Whether a block waits whose turn it is.
    fn is_due(&self) -> bool {
        !self.is_over && self.turns.next() < self.end && self.turns.is_due()
    }
}
