//! The results of these tests depend on the clock or on which thread gets a core. The tests run one at a time, so
//! that they do not compete for the cores: each test holds the guard that [`alone`] returns.

mod limits;
mod stress;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits until no other test of this binary runs, and keeps the others waiting until the guard is dropped.
fn alone() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    // A failed test poisons the lock, but the next test may run nevertheless.
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}
