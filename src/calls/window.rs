//! The records that were taken from the dataset and have not been visited: those that wait for their call, those whose call
//! is in flight, and those that are answered.

#[cfg(all(test, shuttle))]
mod model;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::dataset::Position;
use crate::error::{BadRecord, Cause, Error};
use crate::sync::{Condvar, Mutex, MutexGuard, lock, wait, wait_at_most};

/// The most bytes of records that are outstanding, unless these are fewer records than calls may be in flight.
const MOST_BYTES: usize = 16 << 20;

/// A record that has been read, with its number of bytes.
pub(super) type ReadRecord<O> = (Position, Result<O, BadRecord>, usize);

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
    error: Option<Error>,
}

/// An outstanding record.
struct WindowEntry<O, S> {
    at: Position,
    record: Result<Arc<O>, BadRecord>,
    bytes: usize,
    outcome: Option<Result<S, Cause>>,
    in_flight: Duration,
}

/// A record that is visited.
pub(super) struct AnsweredEntry<O, S> {
    /// Where the record is. If the window is unordered, its index is the number of records that were visited before it.
    pub(super) at: Position,
    /// The index of the record in the dataset.
    pub(super) index: u64,
    pub(super) record: Result<Arc<O>, BadRecord>,
    pub(super) bytes: usize,
    pub(super) outcome: Option<Result<S, Cause>>,
    pub(super) in_flight: Duration,
}

/// What became of a record's calls.
pub(super) struct Completion<S> {
    pub(super) key: Key,
    pub(super) outcome: Result<S, Cause>,
    /// The time in flight of all its calls.
    pub(super) in_flight: Duration,
}

/// What a worker gets from the window.
pub(super) enum TakenAnswers<O, S> {
    /// Records, in consecutive order unless the window is unordered. [`CallWindow::visited`] must be called afterwards.
    Records(Vec<AnsweredEntry<O, S>>),
    /// There are no more records.
    Ended,
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

    /// Whether the record that is visited next is done.
    fn can_visit(&self) -> bool {
        self.next.front().is_some_and(|key| self.is_done(*key))
    }

    fn is_done(&self, key: Key) -> bool {
        self.entries[key]
            .as_ref()
            .is_some_and(|entry| entry.record.is_err() || entry.outcome.is_some())
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
                error: None,
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
    pub(super) fn push(&self, records: &mut Vec<ReadRecord<O>>, wake_caller: impl Fn()) -> bool {
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
            let mut has_bad = false;
            while !self.is_full(&state)
                && let Some((at, record, bytes)) = records.next()
            {
                has_bad |= record.is_err();
                self.add(&mut state, at, record, bytes);
            }
            let wakes = !had_fresh && !state.fresh.is_empty();
            drop(state);
            if wakes {
                wake_caller();
            }
            if has_bad {
                self.done.notify_one();
            }
        }
        true
    }

    fn add(
        &self,
        state: &mut WindowState<O, S>,
        at: Position,
        record: Result<O, BadRecord>,
        bytes: usize,
    ) {
        let is_bad = record.is_err();
        let entry = WindowEntry {
            at,
            record: record.map(Arc::new),
            bytes,
            outcome: None,
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
        if !is_bad {
            state.fresh.push_back(key);
        }
        if is_bad || !self.unordered {
            state.next.push_back(key);
        }
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
            let Some(Some(entry)) = state.entries.get_mut(completion.key) else {
                continue;
            };
            entry.outcome = Some(completion.outcome);
            entry.in_flight = completion.in_flight;
            if self.unordered {
                state.next.push_back(completion.key);
            }
        }
        let can_visit = state.can_visit();
        drop(state);
        if can_visit {
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

    /// Whether no more records are answered.
    pub(super) fn is_closed(&self) -> bool {
        lock(&self.state).closed
    }

    /// Waits until records can be visited, and takes at most `most`. While there are none, calls `stop` again and again; if
    /// it returns true, there are no more records.
    pub(super) fn take_done(&self, most: usize, stop: impl Fn() -> bool) -> TakenAnswers<O, S> {
        /// The time after which `stop` is called again.
        const TICK: Duration = Duration::from_millis(10);

        let mut state = lock(&self.state);
        loop {
            if stop() {
                return TakenAnswers::Ended;
            }
            let records = self.take_ready(&mut state, most);
            if !records.is_empty() {
                state.visiting += 1;
                let has_room = self.has_much_room(&state);
                let has_more = state.can_visit();
                drop(state);
                if has_room {
                    self.room.notify_one();
                }
                if has_more {
                    self.done.notify_one();
                }
                return TakenAnswers::Records(records);
            }
            // A record that another worker visits may still be stopped by nothing but the end of the run.
            let is_over = state.closed || state.ended && state.outstanding() == 0;
            if is_over && state.visiting == 0 {
                return TakenAnswers::Ended;
            }
            state = wait_at_most(&self.done, state, TICK);
        }
    }

    fn take_ready(
        &self,
        state: &mut MutexGuard<'_, WindowState<O, S>>,
        most: usize,
    ) -> Vec<AnsweredEntry<O, S>> {
        let mut records = Vec::new();
        while records.len() < most
            && let Some(&key) = state.next.front()
            && state.is_done(key)
        {
            state.next.pop_front();
            if let Some(entry) = state.entries[key].take() {
                state.bytes -= entry.bytes;
                state.free.push(key);
                let index = match self.unordered {
                    true => state.taken,
                    false => entry.at.index,
                };
                state.taken += 1;
                records.push(AnsweredEntry {
                    at: Position { index, ..entry.at },
                    index: entry.at.index,
                    record: entry.record,
                    bytes: entry.bytes,
                    outcome: entry.outcome,
                    in_flight: entry.in_flight,
                });
            }
        }
        records
    }

    /// Notes that a worker has visited the records that it took.
    pub(super) fn visited(&self) {
        let mut state = lock(&self.state);
        state.visiting -= 1;
        let wakes = state.visiting == 0 && state.ended;
        drop(state);
        if wakes {
            self.done.notify_all();
        }
    }

    /// Takes the error with which reading the dataset ended, if there is one.
    pub(super) fn take_error(&self) -> Option<Error> {
        lock(&self.state).error.take()
    }
}
