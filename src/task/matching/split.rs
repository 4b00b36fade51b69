//! When the search of one record is shared among threads.
//!
//! Only inside a rayon pool, so that a plain loop over records stays on its thread. There it costs next
//! to nothing to offer: rayon cuts work into as many pieces as there are threads, and whoever offers
//! them does them itself, one after the other, where all others have records of their own.

use std::ops::Range;
use std::time::{Duration, Instant};

use rayon::prelude::*;

/// A thread goes on alone for this long; what is left then is likely worth the some ten
/// microseconds that it takes to wake another one.
const ALONE: Duration = Duration::from_micros(200);
/// So many steps are done between two looks at the clock.
const STEPS: usize = 32;
/// A piece has at least so many steps.
const LEAST: usize = 8;

/// Whether there are threads to share with.
pub(super) fn is_possible() -> bool {
    rayon::current_thread_index().is_some() && rayon::current_num_threads() > 1
}

/// How threads take part that come later.
pub(super) struct Others<B, E> {
    /// What each needs for its steps …
    pub(super) begin: B,
    /// … and what that comes to.
    pub(super) end: E,
}

/// Takes `step` for each number below `steps`, in order on this thread with `own`; from when that has
/// taken a while in any order on all threads of the pool. Returns what the others come to.
pub(super) fn go<T: Send, R: Send>(
    steps: usize,
    own: &mut T,
    step: impl Fn(&mut T, usize) + Sync,
    others: Others<impl Fn() -> T + Sync, impl Fn(T) -> R + Sync>,
) -> Vec<R> {
    let mut go_on = |steps: Range<usize>| steps.for_each(|number| step(own, number));
    if !is_possible() {
        go_on(0..steps);
        return Vec::new();
    }
    let (began, mut done) = (Instant::now(), 0);
    while done < steps && began.elapsed() < ALONE {
        let end = steps.min(done + STEPS);
        go_on(done..end);
        done = end;
    }
    let rest = (done..steps).into_par_iter().with_min_len(LEAST);
    let ends = rest.fold(&others.begin, |mut other, number| {
        step(&mut other, number);
        other
    });
    ends.map(&others.end).collect()
}
