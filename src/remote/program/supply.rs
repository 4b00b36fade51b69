//! The records of a run, read by a thread of its own and taken by the workers.
//!
//! A worker must never wait for a record while its process may answer, so no worker reads the dataset itself.
//!
//! The thread that reads also looks for the answers of earlier runs, because equal records must get theirs in their order.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::Duration;

use super::entry::{Entry, bytes_of};
use crate::dataset::{Dataset, Position, RecordCopies, TextRecord, reading_ranges};
use crate::error::{BadRecord, Error};
use crate::journal::AnswerMemory;
use crate::remote::ProgramAnswer;
use crate::sync::atomic::{AtomicBool, Ordering::Relaxed};
use crate::sync::{Condvar, Mutex, lock, wait, wait_at_most};

/// The most records that wait to be taken.
const MOST_RECORDS: usize = 4096;
/// The most bytes of records that wait to be taken.
const MOST_BYTES: usize = 4 << 20;
/// The most records that are passed on together.
const TOGETHER: usize = 64;
/// Number of bytes from which records are passed on together. They share their memory, which is freed with the last of
/// them.
const TOGETHER_BYTES: usize = 64 << 10;

/// Records that have been read and that no worker has taken.
#[derive(Debug, Default)]
pub(super) struct Supply {
    state: Mutex<SupplyState>,
    /// Notified when records arrive, and when there are no more.
    arrived: Condvar,
    /// Notified when records have been taken.
    room: Condvar,
    /// Whether the error ends the run at once, because it concerns the answers of earlier runs.
    is_urgent: AtomicBool,
}

#[derive(Debug, Default)]
struct SupplyState {
    records: VecDeque<Entry>,
    /// Number of bytes that these records hold.
    bytes: usize,
    /// Whether the dataset has been read to its end, or the run is over.
    ended: bool,
    /// Whether the run is over.
    closed: bool,
    error: Option<Error>,
}

/// Records that are passed on together.
#[derive(Default)]
struct ReadRecords {
    records: Vec<(Position, Result<Option<ProgramAnswer>, BadRecord>)>,
    /// The records that are not bad.
    copies: RecordCopies,
    /// Number of bytes of the answers of earlier runs.
    answers: usize,
}

impl ReadRecords {
    /// Adds a record, with the answer that an earlier run has kept for it.
    fn add(
        &mut self,
        at: Position,
        record: Result<&TextRecord<'_>, BadRecord>,
        answer: Option<ProgramAnswer>,
    ) {
        self.answers += answer.as_ref().map_or(0, bytes_of);
        let record = record.map(|record| {
            self.copies.add(record);
            answer
        });
        self.records.push((at, record));
    }

    fn is_full(&self) -> bool {
        self.records.len() >= TOGETHER || self.copies.bytes() + self.answers >= TOGETHER_BYTES
    }

    fn take(&mut self) -> Vec<Entry> {
        self.answers = 0;
        let mut copies = self.copies.take();
        let records = self.records.drain(..);
        let entries = records.filter_map(|(at, record)| {
            Some(match record {
                Ok(None) => Entry::new(at, Ok(copies.next()?)),
                Ok(Some(answer)) => Entry::answered(at, copies.next()?, answer),
                Err(bad) => Entry::new(at, Err(Box::new(bad))),
            })
        });
        entries.collect()
    }
}

/// What a worker gets from the supply.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Records,
    /// No record has arrived, or none that may be taken.
    Nothing,
    /// There will be no more records.
    Ended,
}

impl Supply {
    /// Reads all records of the dataset, and looks in `memory` for the answer to each of them.
    pub(super) fn feed<D>(&self, records: &D, memory: Option<&dyn AnswerMemory<ProgramAnswer>>)
    where
        D: for<'r> Dataset<Record<'r> = TextRecord<'r>>,
    {
        /// Ends the supply, also if reading panics, so that no worker waits for a record.
        struct Ending<'s>(&'s Supply);

        impl Drop for Ending<'_> {
            fn drop(&mut self) {
                lock(&self.0.state).ended = true;
                self.0.arrived.notify_all();
            }
        }

        let _ending = Ending(self);
        let mut failed = None;
        let find = |record: Result<&TextRecord<'_>, &BadRecord>| {
            let (Some(memory), Ok(record)) = (memory, record) else {
                return Ok(None);
            };
            memory.find(record).map_err(|error| failed = Some(error))
        };
        let fed = self.feed_all(records, find);
        let is_urgent = failed.is_some();
        lock(&self.state).error = failed.or(fed.err());
        self.is_urgent.store(is_urgent, Relaxed);
    }

    /// Reads records until the end, until the run is over, or until the answer to a record cannot be looked for.
    fn feed_all<D, F>(&self, records: &D, mut find: F) -> Result<(), Error>
    where
        F: FnMut(Result<&TextRecord<'_>, &BadRecord>) -> Result<Option<ProgramAnswer>, ()>,
        D: for<'r> Dataset<Record<'r> = TextRecord<'r>>,
    {
        for parts in reading_ranges(records, TOGETHER) {
            let mut read = ReadRecords::default();
            let mut is_open = true;
            let outcome = records.read(parts, |at, record| {
                let Ok(answer) = find(record.as_ref().map(|record| *record)) else {
                    is_open = false;
                    return ControlFlow::Break(());
                };
                if let Ok(record) = &record
                    && !read.copies.fits(record)
                {
                    is_open = self.push(&mut read);
                }
                read.add(at, record, answer);
                if read.is_full() {
                    is_open &= self.push(&mut read);
                }
                match is_open {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            })?;
            if !is_open || !self.push(&mut read) || outcome.ended {
                break;
            }
        }
        Ok(())
    }

    /// Passes records on. Waits while there are too many. Returns false if the run is over.
    fn push(&self, read: &mut ReadRecords) -> bool {
        let read = read.take();
        let mut state = lock(&self.state);
        while !state.closed && (state.records.len() >= MOST_RECORDS || state.bytes >= MOST_BYTES) {
            state = wait(&self.room, state);
        }
        state.bytes += read.iter().map(Entry::held_bytes).sum::<usize>();
        state.records.extend(read);
        let is_open = !state.closed;
        drop(state);
        self.arrived.notify_all();
        is_open
    }

    /// Takes at most `most` records, and further ones that have the answer of an earlier run, at most `most_answered`. They
    /// are consecutive.
    pub(super) fn take(
        &self,
        most: usize,
        most_answered: usize,
        mut add: impl FnMut(Entry),
    ) -> Taken {
        let mut state = lock(&self.state);
        if state.records.is_empty() {
            return match state.ended {
                true => Taken::Ended,
                false => Taken::Nothing,
            };
        }
        let (mut left, mut left_answered) = (most, most_answered);
        let fits = |entry: &&Entry| {
            let left = match entry.is_taken_over {
                true => &mut left_answered,
                false => &mut left,
            };
            let fits = *left > 0;
            *left -= usize::from(fits);
            fits
        };
        let count = state.records.iter().take_while(fits).count();
        if count == 0 {
            return Taken::Nothing;
        }
        let mut bytes = 0;
        for entry in state.records.drain(..count) {
            bytes += entry.held_bytes();
            add(entry);
        }
        state.bytes -= bytes;
        drop(state);
        self.room.notify_one();
        Taken::Records
    }

    /// Whether the run can go on.
    ///
    /// # Errors
    ///
    /// Returns an error, once, if the answers of earlier runs could not be looked for. The records before are not taken
    /// any more.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self.is_urgent.load(Relaxed) {
            true => self.take_error().map_or(Ok(()), Err),
            false => Ok(()),
        }
    }

    /// Takes the error with which reading the dataset ended, if there is one. The records before it can still be taken.
    pub(super) fn take_error(&self) -> Option<Error> {
        lock(&self.state).error.take()
    }

    /// Waits until a record arrives, but at most this time.
    pub(super) fn wait(&self, at_most: Duration) {
        let state = lock(&self.state);
        if state.records.is_empty() && !state.ended {
            drop(wait_at_most(&self.arrived, state, at_most));
        }
    }

    /// Ends the supply, because the run is over.
    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        state.ended = true;
        state.records.clear();
        state.bytes = 0;
        drop(state);
        self.arrived.notify_all();
        self.room.notify_all();
    }
}
