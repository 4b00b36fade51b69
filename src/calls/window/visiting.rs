//! The side of the window at which the workers take the answered records.

use std::sync::Arc;
use std::time::Duration;

use super::{CallWindow, Key, WindowEntry, WindowState};
use crate::dataset::Position;
use crate::error::{BadRecord, Cause, Error};
use crate::journal::KeptAt;
use crate::sync::{MutexGuard, lock, wait_at_most};

/// The longest time after which a worker looks again whether the run was stopped.
pub(in crate::calls) const TICK: Duration = Duration::from_millis(10);

/// A record that is visited.
pub(in crate::calls) struct AnsweredEntry<O, S> {
    /// Where the record is. If the window is unordered, its index is the number of records that were visited before it.
    pub(in crate::calls) at: Position,
    /// The index of the record in the dataset.
    pub(in crate::calls) index: u64,
    pub(in crate::calls) record: Result<Arc<O>, BadRecord>,
    pub(in crate::calls) bytes: usize,
    pub(in crate::calls) outcome: Option<Result<S, Cause>>,
    pub(in crate::calls) in_flight: Duration,
}

/// What a worker gets from the window.
pub(in crate::calls) enum TakenAnswers<O, S> {
    /// Records, in consecutive order unless the window is unordered. [`CallWindow::visited`] must be called afterwards.
    Records(Vec<AnsweredEntry<O, S>>),
    /// There are no more records.
    Ended,
}

impl<O, S> WindowState<O, S> {
    /// The entry of this record, if it is done.
    fn done(&self, key: Key) -> Option<&WindowEntry<O, S>> {
        let entry = self.entries[key].as_ref();
        entry.filter(|entry| entry.record.is_err() || entry.outcome.is_some())
    }

    /// Whether the record that is visited next is done. Its answer may not be on the disk yet.
    pub(super) fn is_next_done(&self) -> bool {
        self.next
            .front()
            .is_some_and(|key| self.done(*key).is_some())
    }

    /// Up to where answers must be on the disk before all of those that are done can be visited. `None` if no record waits
    /// for this, or if a worker waits for the disk already.
    fn must_be_on_disk(&self) -> Option<KeptAt> {
        if self.is_confirming {
            return None;
        }
        let done = self.next.iter().map_while(|key| self.done(*key));
        let greatest = done.filter_map(|entry| entry.kept).max();
        greatest.filter(|kept| Some(*kept) > self.on_disk)
    }
}

impl<O, S> CallWindow<O, S> {
    /// Waits until records can be visited, and takes at most `most`. While there are none, calls `stop` again and again; if
    /// it returns true, there are no more records.
    ///
    /// An answer that was kept is taken only after `confirm` has returned true for its place, or for a later one. `confirm`
    /// is called without a lock. It waits for a short time, and returns false if the place is not on the disk by then.
    pub(in crate::calls) fn take_done(
        &self,
        most: usize,
        stop: impl Fn() -> bool,
        confirm: impl Fn(KeptAt) -> Result<bool, Error>,
    ) -> TakenAnswers<O, S> {
        let mut state = lock(&self.state);
        loop {
            if stop() {
                return TakenAnswers::Ended;
            }
            let records = self.take_ready(&mut state, most);
            if !records.is_empty() {
                state.visiting += 1;
                let has_room = self.has_much_room(&state);
                let has_more = state.is_next_done();
                drop(state);
                if has_room {
                    self.room.notify_one();
                }
                if has_more {
                    self.done.notify_one();
                }
                return TakenAnswers::Records(records);
            }
            if let Some(at) = state.must_be_on_disk() {
                state.is_confirming = true;
                drop(state);
                self.confirm(at, &stop, &confirm);
                state = lock(&self.state);
                continue;
            }
            // A record that another worker visits may still be stopped by nothing but the end of the run.
            let is_over = state.closed || state.ended && state.outstanding() == 0;
            if is_over && state.visiting == 0 && !state.is_next_done() {
                return TakenAnswers::Ended;
            }
            state = wait_at_most(&self.done, state, TICK);
        }
    }

    /// Waits until everything up to there is on the disk, the run is over, or `stop` returns true. Meanwhile, the place
    /// stays the same, although later answers may be kept: a disk that is slower than the calls would never catch up.
    fn confirm(
        &self,
        at: KeptAt,
        stop: &impl Fn() -> bool,
        confirm: &impl Fn(KeptAt) -> Result<bool, Error>,
    ) {
        /// Lets another worker wait for the disk, also if `confirm` panics.
        struct Confirming<'w, O, S>(&'w CallWindow<O, S>);

        impl<O, S> Drop for Confirming<'_, O, S> {
            fn drop(&mut self) {
                lock(&self.0.state).is_confirming = false;
            }
        }

        let _confirming = Confirming(self);
        loop {
            match confirm(at) {
                Ok(true) => {
                    let mut state = lock(&self.state);
                    state.on_disk = state.on_disk.max(Some(at));
                    return;
                }
                Ok(false) => {
                    // Nothing else takes the next record before its answer is on the disk.
                    let is_discarded = !lock(&self.state).is_next_done();
                    if is_discarded || stop() {
                        return;
                    }
                }
                Err(error) => return self.fail(error),
            }
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
            && state
                .done(key)
                .is_some_and(|entry| entry.kept <= state.on_disk)
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
    pub(in crate::calls) fn visited(&self) {
        let mut state = lock(&self.state);
        state.visiting -= 1;
        let wakes = state.visiting == 0 && state.ended;
        drop(state);
        if wakes {
            self.done.notify_all();
        }
    }

    /// Takes the error that has ended the records, if there is one.
    pub(in crate::calls) fn take_error(&self) -> Option<Error> {
        let mut state = lock(&self.state);
        let failure = state.failure.take();
        failure.or_else(|| state.error.take())
    }
}
