//! Every score written out in the order of the records, from bounded memory.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::Failure;

/// Takes the score of every record, in the order of the records.
///
/// Rendering happens on the workers, in parallel; only the bytes are put in order.
pub trait Sink<S>: Sync {
    /// Appends what is to be written for one record to `bytes`.
    fn render(&self, index: u64, score: Result<&S, &Failure>, bytes: &mut Vec<u8>);

    /// Takes the bytes of consecutive records. Calls come in any order; together they cover every
    /// record once.
    ///
    /// # Errors
    ///
    /// Where they cannot be written; the run then ends with [`Error::Output`](crate::Error).
    fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> io::Result<()>;

    /// Says that some records will not come after all, because the run ends early.
    fn abandon(&self) {}
}

/// Bytes that may wait for their turn, in total, before the workers that produce them wait too.
const WAITING_BYTES: usize = 64 << 20;

/// Writes pieces to `out` in the order of the records they belong to.
///
/// A piece that comes before its turn waits in memory. When 64 MiB wait, whoever brings a further
/// piece waits until the missing one has come; the worker that owes it is never among them.
#[derive(Debug)]
pub struct InOrder<W> {
    state: Mutex<State<W>>,
    turn: Condvar,
}

#[derive(Debug)]
struct State<W> {
    out: W,
    /// The record whose turn it is.
    next: u64,
    waiting: BTreeMap<u64, (u64, Vec<u8>)>,
    waiting_bytes: usize,
    /// Nothing more is written: `out` has failed, or the run ends early.
    ended: bool,
}

impl<W: Write> InOrder<W> {
    /// Writes to `out`, which should not need to be buffered: pieces are large.
    pub fn new(out: W) -> Self {
        let state = State {
            out,
            next: 0,
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            ended: false,
        };
        InOrder {
            state: Mutex::new(state),
            turn: Condvar::new(),
        }
    }

    /// Takes the piece of some records, writes it if it is their turn, and what waited for it.
    ///
    /// # Errors
    ///
    /// Where `out` fails; pieces that come later are dropped.
    pub fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> io::Result<()> {
        let mut state = self.lock();
        if state.ended {
            return Ok(());
        }
        state.waiting_bytes += bytes.len();
        state.waiting.insert(records.start, (records.end, bytes));
        if records.start == state.next {
            let written = state.write_due();
            state.ended |= written.is_err();
            self.turn.notify_all();
            return written;
        }
        while state.waiting_bytes > WAITING_BYTES && !state.ended && state.next < records.start {
            state = self
                .turn
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// Lets nobody wait any longer: a piece that others wait for will not come.
    pub fn abandon(&self) {
        self.lock().ended = true;
        self.turn.notify_all();
    }

    /// What was written to, after all that could be written was.
    pub fn into_inner(self) -> W {
        self.state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .out
    }

    fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write> State<W> {
    fn write_due(&mut self) -> io::Result<()> {
        while let Some((end, bytes)) = self.waiting.remove(&self.next) {
            self.waiting_bytes -= bytes.len();
            self.next = end;
            self.out.write_all(&bytes)?;
        }
        Ok(())
    }
}
