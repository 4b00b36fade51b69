//! The records that were taken from the dataset and have not been visited: those that wait for their call, those whose call
//! is in flight, and those that are answered.

#[cfg(all(test, shuttle))]
mod model;
#[cfg(all(test, not(shuttle)))]
mod tests;
mod visiting;

pub(super) use visiting::{AnsweredEntry, TICK, TakenAnswers};

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::dataset::Position;
use crate::error::{BadRecord, Cause, Error};
use crate::journal::KeptAt;
use crate::sync::{Condvar, Mutex, lock, wait};

/// The most bytes of records that are outstanding, unless these are fewer records than calls may be in flight.
const MOST_BYTES: usize = 16 << 20;

/// A record that has been read.
pub(super) struct ReadRecord<O, S> {
    pub(super) at: Position,
    pub(super) record: Result<O, BadRecord>,
    pub(super) bytes: usize,
    /// The answer that an earlier run has kept. No call is made for the record if there is one.
    pub(super) answer: Option<S>,
}

/// The place of a record in the window. It is used again after the record has been visited.
pub(super) type Key = usize;

/// The outstanding records, shared by the thread that reads, the thread that calls, and the workers that visit.
pub(super) struct CallWindow<O, S> {
    state: Mutex<WindowState<O, S>>,
    /// Notified when there is room for records.
    room: Condvar,
    /// Notified when a record can be visited, and when there are no more.
    done: Condvar,
    most_records: usize,
    most_in_flight: usize,
    unordered: bool,
}

struct WindowState<O, S> {
    entries: Vec<Option<WindowEntry<O, S>>>,
    free: Vec<Key>,
    /// The records that have no call yet, in their order.
    fresh: VecDeque<Key>,
    /// The records that are visited next: all of them in their order, or the answered ones as they were answered.
    next: VecDeque<Key>,
    bytes: usize,
    /// Number of records that were taken to be visited.
    taken: u64,
    /// Number of reads that are visiting records.
    visiting: usize,
    /// Whether the dataset has been read to its end, or the run is over.
    ended: bool,
    /// Whether no more records are answered.
    closed: bool,
    /// Up to where kept answers are known to be on the disk.
    on_disk: Option<KeptAt>,
    /// Whether a worker waits until more of them are on the disk.
    is_confirming: bool,
    /// The error with which reading the dataset ended.
    error: Option<Error>,
    /// The first error of the memory.
    failure: Option<Error>,
    /// Whether there was an error of the memory.
    has_failed: bool,
}

/// An outstanding record.
struct WindowEntry<O, S> {
    at: Position,
    record: Result<Arc<O>, BadRecord>,
    bytes: usize,
    outcome: Option<Result<S, Cause>>,
    /// Where the outcome was kept. It is not visited before it is on the disk.
    kept: Option<KeptAt>,
    in_flight: Duration,
}

/// What became of a record's calls.
pub(super) struct Completion<S> {
    pub(super) key: Key,
    pub(super) outcome: Result<S, Cause>,
    /// Where the outcome was kept, if it was.
    pub(super) kept: Option<KeptAt>,
    /// The time in flight of all its calls.
    pub(super) in_flight: Duration,
}

/// The state of the window as the thread that calls sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WindowSight {
    /// Whether the dataset has been read to its end.
    pub(super) ended: bool,
    /// Whether the reader waits for room.
    pub(super) is_full: bool,
}

impl<O, S> WindowState<O, S> {
    fn outstanding(&self) -> usize {
        self.entries.len() - self.free.len()
    }
}

impl<O, S> CallWindow<O, S> {
    /// At most `most_records` records are outstanding. If `unordered`, records are visited as they are answered.
    pub(super) fn new(most_records: usize, most_in_flight: usize, unordered: bool) -> Self {
        CallWindow {
            state: Mutex::new(WindowState {
                entries: Vec::new(),
                free: Vec::new(),
                fresh: VecDeque::new(),
                next: VecDeque::new(),
                bytes: 0,
                taken: 0,
                visiting: 0,
                ended: false,
                closed: false,
                on_disk: None,
                is_confirming: false,
                error: None,
                failure: None,
                has_failed: false,
            }),
            room: Condvar::new(),
            done: Condvar::new(),
            most_records,
            most_in_flight,
            unordered,
        }
    }

    fn is_full(&self, state: &WindowState<O, S>) -> bool {
        let records = state.outstanding();
        let too_many_bytes = state.bytes >= MOST_BYTES && records >= self.most_in_flight;
        records >= self.most_records || too_many_bytes
    }

    /// Whether there is room for enough records to make it worth waking the reader. There always is before calls lack
    /// records.
    fn has_much_room(&self, state: &WindowState<O, S>) -> bool {
        let spare = self.most_records.saturating_sub(self.most_in_flight) / 2;
        let least = spare.min(self.most_records / 4);
        state.outstanding() <= self.most_records - least && !self.is_full(state)
    }

    /// Adds records in their order, and removes them from `records`. Waits while there is no room. Returns false if the run
    /// is over.
    pub(super) fn push(&self, records: &mut Vec<ReadRecord<O, S>>, wake_caller: impl Fn()) -> bool {
        let mut records = records.drain(..).peekable();
        while records.peek().is_some() {
            let mut state = lock(&self.state);
            while !state.ended && self.is_full(&state) {
                state = wait(&self.room, state);
            }
            if state.ended {
                return false;
            }
            let had_fresh = !state.fresh.is_empty();
            let mut has_done = false;
            while !self.is_full(&state)
                && let Some(record) = records.next()
            {
                has_done |= self.add(&mut state, record);
            }
            let wakes = !had_fresh && !state.fresh.is_empty();
            drop(state);
            if wakes {
                wake_caller();
            }
            if has_done {
                self.done.notify_one();
            }
        }
        true
    }

    /// Adds a record, and returns whether it needs no call.
    fn add(&self, state: &mut WindowState<O, S>, read: ReadRecord<O, S>) -> bool {
        let is_done = read.record.is_err() || read.answer.is_some();
        let bytes = read.bytes;
        let entry = WindowEntry {
            at: read.at,
            record: read.record.map(Arc::new),
            bytes,
            outcome: read.answer.map(Ok),
            kept: None,
            in_flight: Duration::ZERO,
        };
        let key = match state.free.pop() {
            Some(key) => {
                state.entries[key] = Some(entry);
                key
            }
            None => {
                state.entries.push(Some(entry));
                state.entries.len() - 1
            }
        };
        state.bytes += bytes;
        if !is_done {
            state.fresh.push_back(key);
        }
        if is_done || !self.unordered {
            state.next.push_back(key);
        }
        is_done
    }

    /// Notes that the dataset has been read to its end, or that reading it ended with an error.
    pub(super) fn end(&self, error: Option<Error>) {
        let mut state = lock(&self.state);
        state.ended = true;
        state.error = state.error.take().or(error);
        drop(state);
        self.done.notify_all();
    }

    /// Takes at most `most` records that have no call yet.
    pub(super) fn take_fresh(&self, most: usize, mut add: impl FnMut(Key, Arc<O>)) -> WindowSight {
        let mut state = lock(&self.state);
        for _ in 0..most.min(state.fresh.len()) {
            let Some(key) = state.fresh.pop_front() else {
                break;
            };
            if let Some(Some(entry)) = state.entries.get(key)
                && let Ok(record) = &entry.record
            {
                add(key, Arc::clone(record));
            }
        }
        WindowSight {
            ended: state.ended && state.fresh.is_empty(),
            is_full: self.is_full(&state),
        }
    }

    /// Sets what became of records, and removes them from `completions`.
    pub(super) fn complete(&self, completions: &mut Vec<Completion<S>>) {
        if completions.is_empty() {
            return;
        }
        let mut state = lock(&self.state);
        for completion in completions.drain(..) {
            if state.closed {
                // The run is over, so the record is not visited.
                continue;
            }
            let Some(Some(entry)) = state.entries.get_mut(completion.key) else {
                continue;
            };
            entry.outcome = Some(completion.outcome);
            entry.kept = completion.kept;
            entry.in_flight = completion.in_flight;
            if self.unordered {
                state.next.push_back(completion.key);
            }
        }
        let is_next_done = state.is_next_done();
        drop(state);
        if is_next_done {
            // If there is work for a second worker, the first one wakes it.
            self.done.notify_one();
        }
    }

    /// Notes that no more records are answered. `discard`: those that wait to be visited are not visited either.
    pub(super) fn close(&self, discard: bool) {
        let mut state = lock(&self.state);
        state.ended = true;
        state.closed = true;
        if discard {
            state.next.clear();
        }
        drop(state);
        self.room.notify_all();
        self.done.notify_all();
    }

    /// Ends the run with an error of the memory, unless there was one before. No more records are visited.
    pub(super) fn fail(&self, error: Error) {
        let mut state = lock(&self.state);
        if !state.has_failed {
            state.has_failed = true;
            state.failure = Some(error);
        }
        drop(state);
        self.close(true);
    }

    /// Whether there was an error of the memory.
    pub(super) fn has_failed(&self) -> bool {
        lock(&self.state).has_failed
    }

    /// Takes the error of the memory, unless a worker has taken it.
    pub(super) fn take_failure(&self) -> Option<Error> {
        lock(&self.state).failure.take()
    }

    /// Whether no more records are answered.
    pub(super) fn is_closed(&self) -> bool {
        lock(&self.state).closed
    }
}
