//! Where threads meet: the primitives of the standard library, or in their place those of a model
//! checker that tries many orders of the same steps.
//!
//! What locks, waits or counts across threads takes its primitives from here. Built with
//! `--cfg shuttle` they are the ones of the crate `shuttle`, under which the tests named `model` run.

#[cfg(not(shuttle))]
pub(crate) use std::{
    sync::{Condvar, Mutex, MutexGuard, atomic, mpsc},
    thread,
};

#[cfg(shuttle)]
pub(crate) use shuttle::{
    sync::{Condvar, Mutex, MutexGuard, atomic, mpsc},
    thread,
};

use std::sync::{PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// Locks, whether or not a thread has panicked with the lock in its hands: panics of tasks are caught
/// and go on as failures, and what is kept under our locks is whole at every point that may unwind.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks if nobody else has; poison as in [`lock`].
pub(crate) fn try_lock<T: ?Sized>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(guard)) => Some(guard.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Locks if other threads give the lock back within `patience`; poison as in [`lock`].
pub(crate) fn try_lock_for<T: ?Sized>(
    mutex: &Mutex<T>,
    patience: Duration,
) -> Option<MutexGuard<'_, T>> {
    /// How long a thread sleeps before it tries the lock again.
    const NAP: Duration = Duration::from_millis(1);

    let began = Instant::now();
    loop {
        if let Some(guard) = try_lock(mutex) {
            return Some(guard);
        }
        if began.elapsed() >= patience {
            return None;
        }
        std::thread::sleep(NAP);
    }
}

/// What is inside, when nobody else has the mutex any more.
pub(crate) fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Gives the lock back, and takes it again once notified, or not: it may wake for no reason.
pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// As [`wait`], and for no longer than this. The model checker's never times out, so that a model
/// which needs the time to run out in order to go on is told to be one that hangs.
pub(crate) fn wait_at_most<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    time: Duration,
) -> MutexGuard<'a, T> {
    let woken = condvar.wait_timeout(guard, time);
    woken.unwrap_or_else(PoisonError::into_inner).0
}

/// Runs a model under many schedules: at random, and by PCT, which finds a mistake that takes few
/// changes of thread with a probability that does not fall with the length of the model (Burckhardt,
/// Kothari, Musuvathi and Nagarakatte, 2010).
///
/// `MODEL_SCHEDULES` says how many of each; without it so many that all the models take seconds.
#[cfg(all(test, shuttle))]
pub(crate) fn check_model(model: impl Fn() + Send + Sync + Clone + 'static) {
    const SCHEDULES: usize = 2_000;
    /// Changes of thread that PCT puts in, beside those where a thread waits.
    const DEPTH: usize = 3;

    let schedules = std::env::var("MODEL_SCHEDULES").map_or(SCHEDULES, |schedules| {
        schedules.parse().expect("MODEL_SCHEDULES is a number")
    });
    shuttle::check_random(model.clone(), schedules);
    shuttle::check_pct(model, schedules, DEPTH);
}
