//! Where workers wait for records, and are called.

use std::sync::PoisonError;
use std::time::Duration;

use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst, fence};
use crate::sync::{Condvar, Mutex, MutexGuard, lock};

/// How long records may gather before somebody looks again. Some ten times what it costs to be woken.
const NAP: Duration = Duration::from_micros(50);

/// How soundly a worker rests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// For a short while, and only a worker that leaves calls: records are coming, and should come
    /// together.
    Nap,
    /// Until somebody calls, be it for one record.
    Sleep,
}

/// The workers that wait.
pub(super) struct Waiting {
    rest: Mutex<Rest>,
    bell: Condvar,
    /// How many wait and have not been called: what `rest` says, to be read without the lock.
    uncalled: AtomicUsize,
    /// How many of those sleep.
    asleep: AtomicUsize,
    /// There is nothing more to wait for. Not as many calls as there are workers waiting: one that
    /// comes just then and leaves again would take the call of one that sleeps.
    over: AtomicBool,
}

#[derive(Default)]
struct Rest {
    napping: usize,
    asleep: usize,
    /// Never more than the two together.
    called: usize,
}

impl Waiting {
    pub(super) fn new() -> Self {
        Waiting {
            rest: Mutex::default(),
            bell: Condvar::new(),
            uncalled: AtomicUsize::new(0),
            asleep: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        }
    }

    /// Rests until called, or until there is something to look for.
    ///
    /// Who lays a record down looks for sleepers without a fence between the two, because that
    /// would be most of what a record costs. A sleeper that has just lain down can so be missed.
    /// It looks once more after a nap: by then whoever did not see it has its record in sight.
    pub(super) fn wait(&self, depth: Depth, stirs: impl Fn() -> bool) {
        self.change(lock(&self.rest), |rest| *rest.of(depth) += 1);
        fence(SeqCst);
        if !stirs() {
            self.nap();
            if depth == Depth::Sleep && !stirs() {
                self.sleep();
            }
        }
        self.change(lock(&self.rest), |rest| {
            *rest.of(depth) -= 1;
            rest.called = rest.called.saturating_sub(1);
        });
    }

    fn nap(&self) {
        let rest = lock(&self.rest);
        let woken = self
            .bell
            .wait_timeout_while(rest, NAP, |rest| self.rests(rest));
        drop(woken.unwrap_or_else(PoisonError::into_inner));
    }

    fn sleep(&self) {
        let woken = self
            .bell
            .wait_while(lock(&self.rest), |rest| self.rests(rest));
        drop(woken.unwrap_or_else(PoisonError::into_inner));
    }

    /// Calls one that waits: nobody is pulling any more.
    pub(super) fn call_one(&self) {
        fence(SeqCst);
        if self.uncalled.load(Relaxed) > 0 {
            self.call();
        }
    }

    /// Calls one that sleeps: a record lies ready.
    #[inline]
    pub(super) fn call_sleeper(&self) {
        if self.asleep.load(Relaxed) > 0 {
            self.call();
        }
    }

    /// Calls all: there is nothing more to wait for, from now on.
    pub(super) fn call_all(&self) {
        let rest = lock(&self.rest);
        self.over.store(true, SeqCst);
        drop(rest);
        self.bell.notify_all();
    }

    /// Whether all have been called.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(SeqCst)
    }

    fn rests(&self, rest: &Rest) -> bool {
        rest.called == 0 && !self.is_over()
    }

    #[cold]
    fn call(&self) {
        self.change(lock(&self.rest), |rest| {
            rest.called = (rest.called + 1).min(rest.napping + rest.asleep);
        });
        self.bell.notify_one();
    }

    fn change(&self, mut rest: MutexGuard<'_, Rest>, change: impl FnOnce(&mut Rest)) {
        change(&mut rest);
        let uncalled = rest.napping + rest.asleep - rest.called;
        self.uncalled.store(uncalled, Relaxed);
        self.asleep.store(uncalled.min(rest.asleep), Relaxed);
    }
}

impl Rest {
    fn of(&mut self, depth: Depth) -> &mut usize {
        match depth {
            Depth::Nap => &mut self.napping,
            Depth::Sleep => &mut self.asleep,
        }
    }
}
