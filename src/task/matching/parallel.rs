//! Shares the search for one record among the threads of a rayon pool.
//!
//! Outside of a pool, a loop over records stays on its thread. Inside a pool, it costs almost nothing to offer
//! work: if all other threads are busy with records of their own, the calling thread does all of it.

use std::ops::Range;
use std::time::{Duration, Instant};

use rayon::prelude::*;

/// How long the calling thread works alone. If work is left after that, it is probably worth the roughly ten
/// microseconds that it takes to wake another thread.
const ALONE: Duration = Duration::from_micros(200);
/// Number of steps between two readings of the clock.
const STEPS_PER_LOOK: usize = 32;
/// Smallest number of steps that another thread takes.
const MIN_STEPS: usize = 8;

/// Whether the current thread belongs to a pool of more than one thread.
pub(super) fn is_available() -> bool {
    rayon::current_thread_index().is_some() && rayon::current_num_threads() > 1
}

/// The functions with which threads take scratch memory and put it back.
///
/// The functions are called through pointers, because otherwise the code that shares work among threads would be
/// compiled once for each measure.
#[derive(Clone, Copy)]
pub(super) struct ScratchPool<'a, D> {
    pub(super) take: &'a (dyn Fn() -> D + Sync),
    pub(super) put_back: &'a (dyn Fn(D) + Sync),
}

/// The functions with which other threads take part.
pub(super) struct Helpers<B, E> {
    /// Creates the state of a thread.
    pub(super) begin: B,
    /// Turns the state of a thread into its result.
    pub(super) end: E,
}

/// Calls `step` for each number below `steps`, and returns the results of the helpers.
///
/// The calling thread takes the steps in order, with `own` as its state. After [`ALONE`], the threads of the
/// pool share the rest, in any order.
pub(super) fn run_steps<T: Send, R: Send>(
    steps: usize,
    own: &mut T,
    step: impl Fn(&mut T, usize) + Sync,
    helpers: Helpers<impl Fn() -> T + Sync, impl Fn(T) -> R + Sync>,
) -> Vec<R> {
    let mut run = |steps: Range<usize>| steps.for_each(|number| step(own, number));
    if !is_available() {
        run(0..steps);
        return Vec::new();
    }
    let (began, mut done) = (Instant::now(), 0);
    while done < steps && began.elapsed() < ALONE {
        let end = steps.min(done + STEPS_PER_LOOK);
        run(done..end);
        done = end;
    }
    let rest = (done..steps).into_par_iter().with_min_len(MIN_STEPS);
    let states = rest.fold(&helpers.begin, |mut state, number| {
        step(&mut state, number);
        state
    });
    states.map(&helpers.end).collect()
}
