//! Starts threads for one run, for work whose calls may wait.

use std::any::Any;
use std::cell::Cell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rayon::Yield;

use super::Work;
use super::handout::Handout;
use super::pace::Pace;
use crate::machine::{Pinning, default_stack_size};
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use crate::sync::{Condvar, Mutex, MutexGuard, lock, wait};

/// How long a thread of a rayon pool sleeps if its pool has no work for it, before it checks again. Rayon has
/// no function that waits for a thread outside the pool and does other work of the pool meanwhile.
const NAP: Duration = Duration::from_micros(200);

/// How an executor starts its threads.
#[derive(Clone, Debug, Default)]
pub(super) struct ThreadOptions {
    /// The hardware threads on which the workers are kept; `None` if workers are not pinned.
    pub(super) pinning: Option<Arc<Pinning>>,
    /// The stack size of each thread, in bytes; `None` for [`default_stack_size`].
    pub(super) stack_size: Option<usize>,
}

impl ThreadOptions {
    pub(super) fn stack_size(&self) -> usize {
        self.stack_size.unwrap_or_else(default_stack_size)
    }
}

/// Runs units on `workers` threads. The calling thread is one of them, unless workers are pinned, or the
/// thread belongs to a rayon pool and calls may wait. If the system refuses to start some of the threads, the
/// other threads do the work.
pub(super) fn run_on_own_threads(
    units: Range<usize>,
    workers: usize,
    pace: Pace,
    work: &Work<'_>,
    options: &ThreadOptions,
) {
    let handout = &Handout::new(units, workers, work);
    let pauses = &Pauses::new();
    // A thread of a rayon pool must not wait for permits or input, because other work of the pool may wait
    // for a call that is further down on the stack of this thread. Instead, it does other work of its pool
    // until the workers are done.
    let in_pool = rayon::current_thread_index().is_some();
    // The calling thread must not be pinned, so if workers are pinned, it is not one of them.
    let caller_is_worker = options.pinning.is_none() && !(in_pool && work.waits());
    let finished = &AtomicUsize::new(0);
    let panic: &Mutex<Option<Payload>> = &Mutex::default();
    let run = |worker, in_pool| {
        let run = || pauses.work(handout, worker, pace, in_pool);
        if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
            // The caller receives the first panic; the panic hook has reported all panics.
            lock(panic).get_or_insert(payload);
        }
    };
    thread::scope(|scope| {
        let mut started = 0;
        for worker in usize::from(caller_is_worker)..workers {
            let thread = thread::Builder::new()
                .name(format!("manyhands-{worker}"))
                .stack_size(options.stack_size());
            let body = move || {
                let _finished = CountOnExit(finished);
                if let Some(pinning) = &options.pinning {
                    pinning.pin(worker);
                }
                run(worker, false);
            };
            if thread.spawn_scoped(scope, body).is_ok() {
                started += 1;
            }
        }
        if caller_is_worker || started == 0 {
            run(0, in_pool);
        }
        while in_pool && finished.load(SeqCst) < started {
            work_for_the_pool();
        }
    });
    let panic = lock(panic).take();
    if let Some(payload) = panic {
        resume_unwind(payload);
    }
}

/// The payload of a panic.
type Payload = Box<dyn Any + Send>;

/// Lets the calling thread of a rayon pool do some work of its pool, or sleep for a moment if there is
/// none.
fn work_for_the_pool() {
    if !matches!(rayon::yield_now(), Some(Yield::Executed)) {
        thread::sleep(NAP);
    }
}

/// Counts a thread as finished, even if it unwinds.
struct CountOnExit<'a>(&'a AtomicUsize);

impl Drop for CountOnExit<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Lets workers pause until another worker has gone on.
struct Pauses {
    state: Mutex<PauseState>,
    changed: Condvar,
    /// How many times a worker has gone on or left.
    went_on: AtomicU64,
    /// Whether any worker is paused. A worker that goes on locks `state` only if this is true.
    any: AtomicBool,
}

#[derive(Default)]
struct PauseState {
    /// The number of workers that are not paused.
    running: usize,
    paused: usize,
}

impl Pauses {
    fn new() -> Self {
        Pauses {
            state: Mutex::default(),
            changed: Condvar::new(),
            went_on: AtomicU64::new(0),
            any: AtomicBool::new(false),
        }
    }

    fn work(&self, handout: &Handout<'_>, worker: usize, mut pace: Pace, in_pool: bool) {
        lock(&self.state).running += 1;
        let _running = Running(self);
        // The counter is read before the portion that may ask to pause, because the worker for which this one
        // waits may go on during that portion.
        let seen = Cell::new(self.went_on.load(SeqCst));
        loop {
            match handout.work(worker, pace, || seen.set(self.go_on())) {
                None => return,
                Some(now) => pace = now,
            }
            self.pause(seen.get(), in_pool);
            seen.set(self.went_on.load(SeqCst));
        }
    }

    /// Wakes the paused workers. Returns how many times a worker has gone on or left so far.
    fn go_on(&self) -> u64 {
        let went_on = self.went_on.fetch_add(1, SeqCst) + 1;
        if self.any.load(SeqCst) {
            // While the lock is held, no worker is between its check and its wait.
            let _state = lock(&self.state);
            self.changed.notify_all();
        }
        went_on
    }

    /// Waits until `went_on` differs from `seen`, or until no worker is running. A thread of a rayon pool
    /// does other work of its pool meanwhile, because the worker for which it waits may need the pool.
    fn pause(&self, seen: u64, in_pool: bool) {
        let mut state = lock(&self.state);
        state.running -= 1;
        state.paused += 1;
        self.any.store(true, SeqCst);
        while self.went_on.load(SeqCst) == seen && state.running > 0 {
            if in_pool {
                drop(state);
                work_for_the_pool();
                state = lock(&self.state);
            } else {
                state = wait(&self.changed, state);
            }
        }
        state.running += 1;
        state.paused -= 1;
        self.any.store(state.paused > 0, SeqCst);
    }
}

/// A running worker. When it leaves, the paused workers check whether any worker is left to wait for.
struct Running<'a>(&'a Pauses);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut state: MutexGuard<'_, PauseState> = lock(&self.0.state);
        state.running -= 1;
        self.0.went_on.fetch_add(1, SeqCst);
        self.0.changed.notify_all();
    }
}
