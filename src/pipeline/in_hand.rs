//! How many records have been taken that are not handed on yet, and no more than may be.

use crate::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{Relaxed, SeqCst},
};
use crate::sync::{Condvar, Mutex, lock, wait};

/// Room for records in hand. Who finds none waits here and not with the executor: an executor calls
/// back whoever rests when another portion is done, and the portion of a worker that waits for more
/// of a stream may never be.
pub(super) struct InHand {
    most: u64,
    taken: AtomicU64,
    /// How many workers wait for room.
    waiting: AtomicUsize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// How often there has been more room while anybody waited.
    calls: u64,
    closed: bool,
}

impl InHand {
    pub(super) fn new(most: u64) -> Self {
        InHand {
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

    /// Room for so many, waited for if need be. Calls `look` before each wait: the worker may hand on
    /// what it holds itself. `false` once it is [closed](InHand::close).
    pub(super) fn take(&self, records: u64, mut look: impl FnMut()) -> bool {
        if self.try_take(records) {
            return true;
        }
        self.waiting.fetch_add(1, SeqCst);
        let taken = loop {
            let calls = lock(&self.state).calls;
            if self.try_take(records) {
                break true;
            }
            look();
            if self.try_take(records) {
                break true;
            }
            let mut state = lock(&self.state);
            while state.calls == calls && !state.closed {
                state = wait(&self.changed, state);
            }
            if state.closed {
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
        // Sequentially consistent also where it fails: with `waiting`, one of the two sides sees the
        // other.
        self.taken.fetch_update(SeqCst, SeqCst, more).is_ok()
    }

    /// So many have been handed on, or were not taken after all.
    pub(super) fn give_back(&self, records: u64) {
        if records == 0 {
            return;
        }
        self.taken.fetch_sub(records, SeqCst);
        if self.waiting.load(SeqCst) > 0 {
            self.call(|state| state.calls += 1);
        }
    }

    /// Nobody waits any longer.
    pub(super) fn close(&self) {
        self.call(|state| state.closed = true);
    }

    #[cold]
    fn call(&self, change: impl FnOnce(&mut State)) {
        change(&mut lock(&self.state));
        self.changed.notify_all();
    }
}
