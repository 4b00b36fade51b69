//! Limits the number of records that have been taken from a dataset and whose scores have not been passed on
//! yet.

#[cfg(all(test, shuttle))]
mod model;
#[cfg(all(test, not(shuttle)))]
mod tests;

use crate::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{Relaxed, SeqCst},
};
use crate::sync::{Condvar, Mutex, lock, wait};

/// The maximum number of outstanding records if scores are passed on in the order of the records and the
/// caller sets no number.
pub(super) const MOST_OUTSTANDING: u64 = 1 << 14;

/// Counts the outstanding records, and lets workers wait for room.
///
/// A worker that finds no room waits here, and does not ask its executor for a pause: an executor resumes
/// a paused worker when another portion has ended, and the portion of a worker that waits for more of a
/// stream may never end.
pub(super) struct Outstanding {
    most: u64,
    taken: AtomicU64,
    /// The number of workers that wait for room.
    waiting: AtomicUsize,
    state: Mutex<OutstandingState>,
    changed: Condvar,
}

#[derive(Default)]
struct OutstandingState {
    /// How many times room has been freed while a worker waited.
    changes: u64,
    is_closed: bool,
}

impl Outstanding {
    pub(super) fn new(most: u64) -> Self {
        Outstanding {
            most,
            taken: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    pub(super) fn most(&self) -> u64 {
        self.most
    }

    /// Takes room for `records` records, and waits if there is not enough. Before each wait, it calls
    /// `before_wait`, in which the worker may pass on records of its own. Returns false if there is not
    /// enough room and [`close`](Outstanding::close) has been called.
    pub(super) fn take(&self, records: u64, mut before_wait: impl FnMut()) -> bool {
        if self.try_take(records) {
            return true;
        }
        self.waiting.fetch_add(1, SeqCst);
        let taken = loop {
            let changes = lock(&self.state).changes;
            if self.try_take(records) {
                break true;
            }
            before_wait();
            if self.try_take(records) {
                break true;
            }
            let mut state = lock(&self.state);
            while state.changes == changes && !state.is_closed {
                state = wait(&self.changed, state);
            }
            if state.is_closed {
                break false;
            }
        };
        self.waiting.fetch_sub(1, Relaxed);
        taken
    }

    fn try_take(&self, records: u64) -> bool {
        let more = |taken: u64| {
            let taken = taken.checked_add(records)?;
            (taken <= self.most).then_some(taken)
        };
        // The update is sequentially consistent even if it fails. Together with `waiting`, this ensures that
        // either this worker sees the room that another worker frees, or the other worker sees that this one
        // waits.
        self.taken.fetch_update(SeqCst, SeqCst, more).is_ok()
    }

    /// Frees the room of `records` records that have been passed on, or that were not taken after all.
    pub(super) fn give_back(&self, records: u64) {
        if records == 0 {
            return;
        }
        self.taken.fetch_sub(records, SeqCst);
        if self.waiting.load(SeqCst) > 0 {
            self.change(|state| state.changes += 1);
        }
    }

    /// Ends all current waits, and makes every later wait end at once.
    pub(super) fn close(&self) {
        self.change(|state| state.is_closed = true);
    }

    #[cold]
    fn change(&self, change: impl FnOnce(&mut OutstandingState)) {
        change(&mut lock(&self.state));
        self.changed.notify_all();
    }
}
