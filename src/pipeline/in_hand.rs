//! How many records have been taken that are not handed on yet, and no more than may be.

#[cfg(all(test, shuttle))]
mod model;
#[cfg(all(test, not(shuttle)))]
mod tests;

use std::time::{Duration, Instant};

use super::run::Run;
use super::worker::Worker;
use crate::aggregation::Aggregator;
use crate::dataset::Dataset;
use crate::stop::Cancel;
use crate::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{Relaxed, SeqCst},
};
use crate::sync::{Condvar, Mutex, lock, wait};
use crate::task::Task;

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

impl<D, T, S, A> Run<'_, '_, D, T, S, A>
where
    D: Dataset + ?Sized,
    T: for<'r> Task<D::Record<'r>, Score = S>,
    A: Aggregator<S>,
{
    /// Waits until so many records may be taken; `false` where none are to be taken any more.
    pub(super) fn has_room(&self, worker: &mut Worker<S, A>, records: u64) -> bool {
        let Some(in_hand) = &self.in_hand else {
            // A worker that is alone has handed on each record before it takes the next one. If that has
            // stopped the run, since the taker is gone, the next one stays with the iterator.
            return !(self.pipeline.dataset.is_stream() && self.is_stopped());
        };
        let mut since = None;
        let room = in_hand.take(records, || {
            since.get_or_insert_with(Instant::now);
            self.settle(worker);
        });
        worker.limited += since.map_or(Duration::ZERO, |since: Instant| since.elapsed());
        // Only now: the room may come from a score whose taker is gone, and has stopped the run. What
        // has to be done all the same is in somebody's hands: of a stream, whatever comes now is later.
        let stopped = self.is_stopped();
        room && !stopped
    }

    /// Whether the token has stopped the run; nothing further is started then.
    fn is_stopped(&self) -> bool {
        let stopped = self.token.is_some_and(Cancel::is_cancelled);
        if stopped {
            self.frontier.stop();
        }
        stopped
    }

    /// So many records need no room any more.
    pub(super) fn give_back(&self, records: u64) {
        if let Some(in_hand) = &self.in_hand {
            in_hand.give_back(records);
        }
    }

    /// Lets nobody wait any longer.
    pub(super) fn close(&self) {
        self.permits.interrupt();
        self.pipeline.dataset.close();
        if let Some(in_hand) = &self.in_hand {
            in_hand.close();
        }
    }
}

/// Ends a run when a worker unwinds, so that nobody waits for what that one had in its hands.
pub(super) struct ClosingOnPanic<F: Fn()>(pub(super) F);

impl<F: Fn()> Drop for ClosingOnPanic<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
