//! Every score written out in the order of the records, from bounded memory.

#[cfg(all(test, shuttle))]
mod model;

use std::io::{self, Write};
use std::ops::Range;
use std::time::Duration;

use crate::error::Failure;
use crate::sync::{Mutex, MutexGuard, into_inner, lock, try_lock_for};
use crate::turns::Turns;

/// Takes the score of every record, in the order of the records.
///
/// Rendering happens on the workers, in parallel; only the bytes are put in order.
pub trait Sink<S>: Sync {
    /// Appends what is to be written for one record to `bytes`.
    fn render(&self, index: u64, score: Result<&S, &Failure>, bytes: &mut Vec<u8>);

    /// Takes the bytes of consecutive records. Calls come in any order; together they cover every
    /// record once. Must not wait for another call: what is ahead of its turn is kept, and when too
    /// much is kept, the answer says so.
    ///
    /// # Errors
    ///
    /// Where they cannot be written; the run then ends with [`Error::Output`](crate::Error).
    fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> io::Result<Room>;

    /// Is told that the run was halted by failures: the answer ends before this record. Pieces never
    /// go across it.
    fn end_at(&self, record: u64) {
        let _ = record;
    }
}

/// Whether a sink has room for more that comes before its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// It has.
    Free,
    /// It has not: whoever comes with more before its turn should do something else.
    Full,
}

/// Bytes that may wait for their turn, in total, before those that bring them are told to rest.
const WAITING_BYTES: usize = 64 << 20;

/// Writes pieces to `out` in the order of the records they belong to.
///
/// A piece that comes before its turn is kept in memory: 64 MiB in total, and what each worker
/// still has in its hands when they are full.
#[derive(Debug)]
pub struct InOrder<W> {
    state: Mutex<State<W>>,
    most: usize,
}

#[derive(Debug)]
struct State<W> {
    /// Gone once it has been taken: nothing more is written.
    out: Option<W>,
    turns: Turns<Vec<u8>>,
    /// How many records have been written as a whole, and how many bytes they have.
    records: u64,
    bytes: u64,
    /// What comes from this record on is dropped.
    end: u64,
    waiting_bytes: usize,
    /// `out` has failed: nothing more is written.
    broken: bool,
}

impl<W: Write> InOrder<W> {
    /// Writes to `out`, which should not need to be buffered: pieces are large.
    pub fn new(out: W) -> Self {
        Self::with_room(out, WAITING_BYTES)
    }

    /// Writes to `out`, and keeps about this many bytes at the most.
    pub fn with_room(out: W, bytes: usize) -> Self {
        let state = State {
            out: Some(out),
            turns: Turns::new(),
            records: 0,
            bytes: 0,
            end: u64::MAX,
            waiting_bytes: 0,
            broken: false,
        };
        InOrder {
            state: Mutex::new(state),
            most: bytes,
        }
    }

    /// Takes the piece of some records; writes it if it is their turn, and what waited for it.
    ///
    /// # Errors
    ///
    /// Where `out` fails, and pieces that come later are dropped; and where a piece comes whose turn
    /// is over, as when one `InOrder` is used for two runs.
    pub fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> io::Result<Room> {
        let mut state = self.lock();
        if state.broken || state.out.is_none() || records.start >= state.end {
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
            state.broken = written.is_err();
            return written.map(|()| Room::Free);
        }
        Ok(if state.waiting_bytes > self.most {
            Room::Full
        } else {
            Room::Free
        })
    }

    /// Writes nothing from this record on. Pieces never go across it.
    pub fn end_at(&self, record: u64) {
        let mut state = self.lock();
        state.end = state.end.min(record);
    }

    /// How many bytes wait for their turn.
    pub fn waiting_bytes(&self) -> usize {
        self.lock().waiting_bytes
    }

    /// What was written to, flushed.
    ///
    /// # Errors
    ///
    /// If `out` fails, or pieces still wait for one that has not come.
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

    /// What was written to, flushed, and how many records from the first on it has: for a run that ended
    /// before its time. What still waits for its turn is dropped.
    ///
    /// # Errors
    ///
    /// If `out` fails.
    pub fn finish_so_far(self) -> io::Result<(W, u64)> {
        let mut written = into_inner(self.state).take().ok_or_else(taken)?;
        written.out.flush()?;
        Ok((written.out, written.records))
    }

    /// Takes what was written to, while the run may still be going on: pieces that come later are dropped.
    /// `None` if it has been taken before, or a write that has begun does not return within `patience`.
    pub fn take(&self, patience: Duration) -> Option<Written<W>> {
        try_lock_for(&self.state, patience)?.take()
    }

    fn lock(&self) -> MutexGuard<'_, State<W>> {
        lock(&self.state)
    }
}

/// What an [`InOrder`] has written.
#[derive(Debug)]
#[non_exhaustive]
pub struct Written<W> {
    /// What was written to. It is not flushed, and if a write has failed the beginning of a piece may stand
    /// behind the records that count.
    pub out: W,
    /// How many records from the first on were written as a whole.
    pub records: u64,
    /// How many bytes those records have.
    pub bytes: u64,
    /// The record, from 0, that never came although later ones did.
    pub missing: Option<u64>,
}

fn taken() -> io::Error {
    io::Error::other("the output has been taken before")
}

impl<W: Write> State<W> {
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

impl<W> State<W> {
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
