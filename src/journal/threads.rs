//! Numbers for threads, so that each thread uses a part of its own of what all share.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The number of parts into which shared values are divided.
pub(super) const PARTS: usize = if cfg!(shuttle) { 2 } else { 64 };

/// A value that has its cache lines for itself.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct ThreadsApart<T>(pub(super) T);

/// Makes a value for each part.
pub(super) fn apart<T: Default>(parts: usize) -> Box<[ThreadsApart<T>]> {
    (0..parts).map(|_| ThreadsApart::default()).collect()
}

/// The part of this thread.
pub(super) fn part_of_thread() -> usize {
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: Cell<usize> = const { Cell::new(usize::MAX) };
    }

    NUMBER.with(|number| {
        if number.get() == usize::MAX {
            number.set(STARTED.fetch_add(1, Relaxed));
        }
        number.get() % PARTS
    })
}
