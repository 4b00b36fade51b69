//! Where workers wait for records, and how they are woken.

use std::sync::PoisonError;
use std::time::Duration;

use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst, fence};
use crate::sync::{Condvar, Mutex, MutexGuard, lock};

/// How long records may gather before a waiting worker checks again: about ten times as long as waking a worker
/// takes.
const NAP: Duration = Duration::from_micros(50);

/// What a worker waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum WaitFor {
    /// Several records. The worker waits for one nap, which ends early only if another worker releases the iterator.
    MoreRecords,
    /// At least one record. The worker waits until it is woken.
    OneRecord,
}

/// The workers that wait for records.
pub(super) struct WaitingWorkers {
    counts: Mutex<WorkerCounts>,
    called: Condvar,
    /// Number of workers that wait and have not been called. It follows from `counts`, but can be read without the
    /// lock.
    uncalled: AtomicUsize,
    /// Number of uncalled workers that sleep.
    asleep: AtomicUsize,
    /// Whether there is nothing more to wait for. One call per waiting worker would not be enough: a worker that
    /// starts to wait at that moment and leaves again would use up the call that was meant for a sleeping worker.
    over: AtomicBool,
}

#[derive(Default)]
struct WorkerCounts {
    napping: usize,
    asleep: usize,
    /// Number of waiting workers that have been called. It never exceeds the sum of `napping` and `asleep`.
    called: usize,
}

impl WaitingWorkers {
    pub(super) fn new() -> Self {
        WaitingWorkers {
            counts: Mutex::default(),
            called: Condvar::new(),
            uncalled: AtomicUsize::new(0),
            asleep: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        }
    }

    /// Waits until this worker is called, or until `is_worth_a_look` returns true.
    ///
    /// A worker that adds a record to the ring checks for sleepers without a fence in between, because most of the
    /// time per record would be spent on the fence. It can therefore miss a worker that has just fallen asleep. For
    /// this reason, a sleeper checks once more after a nap. By then it sees the record of every worker that missed
    /// the sleeper.
    pub(super) fn wait(&self, wait_for: WaitFor, is_worth_a_look: impl Fn() -> bool) {
        self.change(lock(&self.counts), |counts| *counts.of(wait_for) += 1);
        fence(SeqCst);
        if !is_worth_a_look() {
            self.nap();
            if wait_for == WaitFor::OneRecord && !is_worth_a_look() {
                self.sleep();
            }
        }
        self.change(lock(&self.counts), |counts| {
            *counts.of(wait_for) -= 1;
            counts.called = counts.called.saturating_sub(1);
        });
    }

    fn nap(&self) {
        let counts = lock(&self.counts);
        let woken = self
            .called
            .wait_timeout_while(counts, NAP, |counts| self.rests(counts));
        drop(woken.unwrap_or_else(PoisonError::into_inner));
    }

    fn sleep(&self) {
        let woken = self
            .called
            .wait_while(lock(&self.counts), |counts| self.rests(counts));
        drop(woken.unwrap_or_else(PoisonError::into_inner));
    }

    /// Calls one waiting worker, if there is one. Used when another worker has released the iterator.
    pub(super) fn call_one(&self) {
        fence(SeqCst);
        if self.uncalled.load(Relaxed) > 0 {
            self.call();
        }
    }

    /// Calls one sleeping worker, if there is one. Used when a record has arrived.
    #[inline]
    pub(super) fn call_sleeper(&self) {
        if self.asleep.load(Relaxed) > 0 {
            self.call();
        }
    }

    /// Calls all waiting workers, and makes every later wait return at once. Used when no further record will arrive.
    pub(super) fn call_all(&self) {
        let counts = lock(&self.counts);
        self.over.store(true, SeqCst);
        drop(counts);
        self.called.notify_all();
    }

    /// Number of workers that sleep and have not been called.
    #[cfg(all(test, not(shuttle)))]
    pub(super) fn asleep(&self) -> usize {
        self.asleep.load(Relaxed)
    }

    /// Returns true once `call_all` has been called.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(SeqCst)
    }

    /// Returns true while a waiting worker must keep waiting: no worker has been called.
    fn rests(&self, counts: &WorkerCounts) -> bool {
        counts.called == 0 && !self.is_over()
    }

    #[cold]
    fn call(&self) {
        self.change(lock(&self.counts), |counts| {
            counts.called = (counts.called + 1).min(counts.napping + counts.asleep);
        });
        self.called.notify_one();
    }

    fn change(
        &self,
        mut counts: MutexGuard<'_, WorkerCounts>,
        change: impl FnOnce(&mut WorkerCounts),
    ) {
        change(&mut counts);
        let uncalled = counts.napping + counts.asleep - counts.called;
        self.uncalled.store(uncalled, Relaxed);
        self.asleep.store(uncalled.min(counts.asleep), Relaxed);
    }
}

impl WorkerCounts {
    fn of(&mut self, wait_for: WaitFor) -> &mut usize {
        match wait_for {
            WaitFor::MoreRecords => &mut self.napping,
            WaitFor::OneRecord => &mut self.asleep,
        }
    }
}
