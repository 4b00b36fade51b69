//! Where threads meet: the primitives of the standard library, or in their place those of a model
//! checker that tries many orders of the same steps.
//!
//! What locks, waits or counts across threads takes its primitives from here. Built with
//! `--cfg shuttle` they are the ones of the crate `shuttle`, under which the tests named `model` run.

#[cfg(not(shuttle))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, atomic};

#[cfg(shuttle)]
pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard, atomic};

use std::sync::{PoisonError, TryLockError};

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

/// What is inside, when nobody else has the mutex any more.
pub(crate) fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}
