//! Locks, condition variables, atomics, channels and threads: those of the standard library, or those of
//! a model checker that tries many orders of the threads' steps.
//!
//! Code that synchronises threads imports these types from here. With `--cfg shuttle`, they come from the
//! crate `shuttle`, under which the tests named `model` run.

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

/// Locks a mutex, even if it is poisoned: panics of tasks are caught and become failures, and the data behind
/// these locks is consistent at every point where a panic may unwind.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks a mutex if it is free, even if it is poisoned, as [`lock`] does.
pub(crate) fn try_lock<T: ?Sized>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(guard)) => Some(guard.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Locks a mutex if it is free or becomes free within `patience`, even if it is poisoned, as [`lock`] does.
pub(crate) fn try_lock_for<T: ?Sized>(
    mutex: &Mutex<T>,
    patience: Duration,
) -> Option<MutexGuard<'_, T>> {
    /// The time between two attempts to lock the mutex.
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

/// Takes the data out of a mutex, even if it is poisoned, as [`lock`] does.
pub(crate) fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Releases the lock, waits for a notification, and locks again. This function may return without a
/// notification.
pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// Like [`wait`], but waits for at most `time`. Under the model checker, this function never times out, so a
/// model that makes progress only by a timeout is reported as a deadlock.
pub(crate) fn wait_at_most<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    time: Duration,
) -> MutexGuard<'a, T> {
    let woken = condvar.wait_timeout(guard, time);
    woken.unwrap_or_else(PoisonError::into_inner).0
}

/// Runs a model under many schedules. Some are random, and the others are chosen by PCT. If a bug needs few
/// context switches, PCT finds it with a probability that does not fall with the length of the model
/// (Burckhardt, Kothari, Musuvathi and Nagarakatte, 2010).
///
/// The environment variable `MODEL_SCHEDULES` sets the number of schedules of each kind. With the default,
/// all models together take a few seconds.
#[cfg(all(test, shuttle))]
pub(crate) fn check_model(model: impl Fn() + Send + Sync + Clone + 'static) {
    const SCHEDULES: usize = 2_000;
    /// The number of context switches that PCT adds to those that waiting threads cause.
    const DEPTH: usize = 3;

    let schedules = std::env::var("MODEL_SCHEDULES").map_or(SCHEDULES, |schedules| {
        schedules.parse().expect("MODEL_SCHEDULES is a number")
    });
    shuttle::check_random(model.clone(), schedules);
    shuttle::check_pct(model, schedules, DEPTH);
}
