//! Threads of one's own, for work that may wait.

use std::any::Any;
use std::cell::Cell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;
use std::time::Duration;

use rayon::Yield;

use super::Work;
use super::handout::{Handout, Pace};
use crate::machine::Pinning;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use crate::sync::{Condvar, Mutex, MutexGuard, lock, wait};

/// How long a thread of a pool that has found nothing else to do looks away.
const NAP: Duration = Duration::from_micros(200);

/// Shares out units among so many threads, the calling one among them. Where threads cannot be
/// started, those there are do the work.
pub(super) fn share(
    units: Range<usize>,
    workers: usize,
    pace: Pace,
    work: &Work<'_>,
    pinning: Option<&Pinning>,
) {
    let handout = &Handout::new(units, workers, work);
    let rests = &Rests::new();
    // A thread of a pool must not wait for permits or input: others may wait for what it has
    // underneath. It lends a hand to its pool instead, until the others are done.
    let in_pool = rayon::current_thread_index().is_some();
    // And one that is to be kept on a core is not the caller's.
    let spared = pinning.is_some() || in_pool && work.waits();
    let finished = &AtomicUsize::new(0);
    let panic: &Mutex<Option<Panic>> = &Mutex::default();
    let run = |worker, in_pool| {
        let run = || rests.work(handout, worker, pace, in_pool);
        if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
            // The first one counts; what the others say has been printed.
            lock(panic).get_or_insert(payload);
        }
    };
    thread::scope(|scope| {
        let mut started = 0;
        for worker in usize::from(!spared)..workers {
            let thread = thread::Builder::new().name(format!("manyhands-{worker}"));
            let body = move || {
                let _leaving = Leaving(finished);
                if let Some(pinning) = pinning {
                    pinning.pin(worker);
                }
                run(worker, false);
            };
            if thread.spawn_scoped(scope, body).is_ok() {
                started += 1;
            }
        }
        if !spared || started == 0 {
            run(0, in_pool);
        }
        while in_pool && finished.load(SeqCst) < started {
            lend_a_hand();
        }
    });
    let panic = lock(panic).take();
    if let Some(payload) = panic {
        resume_unwind(payload);
    }
}

/// What a panic leaves behind.
type Panic = Box<dyn Any + Send>;

/// Lets a thread of a pool do something for its pool.
fn lend_a_hand() {
    if !matches!(rayon::yield_now(), Some(Yield::Executed)) {
        thread::sleep(NAP);
    }
}

/// Counts a thread as finished, even where it unwinds.
struct Leaving<'a>(&'a AtomicUsize);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Where workers with threads of their own wait until another has gone on.
struct Rests {
    state: Mutex<State>,
    changed: Condvar,
    /// How often a worker has gone on or left.
    calls: AtomicU64,
    /// Whether any waits, so that those who go on need not lock to find out that none does.
    any: AtomicBool,
}

#[derive(Default)]
struct State {
    /// Workers at work.
    awake: usize,
    resting: usize,
}

impl Rests {
    fn new() -> Self {
        Rests {
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
            calls: AtomicU64::new(0),
            any: AtomicBool::new(false),
        }
    }

    fn work(&self, handout: &Handout<'_>, worker: usize, mut pace: Pace, in_pool: bool) {
        lock(&self.state).awake += 1;
        let _awake = Awake(self);
        // From before the portion that ends in a rest: whoever is waited for may have gone on since.
        let calls = Cell::new(self.calls.load(SeqCst));
        loop {
            let went_on = || calls.set(self.go_on());
            match handout.work(worker, pace, went_on) {
                None => return,
                Some(now) => pace = now,
            }
            self.rest(calls.get(), in_pool);
            calls.set(self.calls.load(SeqCst));
        }
    }

    /// Calls back those that rest; returns how often that has been done.
    fn go_on(&self) -> u64 {
        let calls = self.calls.fetch_add(1, SeqCst) + 1;
        if self.any.load(SeqCst) {
            // With the lock held, nobody is between looking and falling asleep.
            let _state = lock(&self.state);
            self.changed.notify_all();
        }
        calls
    }

    /// Waits until another worker has gone on since `calls`, or none is left that could. A thread of a
    /// pool does something else meanwhile: whom it waits for may need the pool.
    fn rest(&self, calls: u64, in_pool: bool) {
        let mut state = lock(&self.state);
        state.awake -= 1;
        state.resting += 1;
        self.any.store(true, SeqCst);
        while self.calls.load(SeqCst) == calls && state.awake > 0 {
            if in_pool {
                drop(state);
                lend_a_hand();
                state = lock(&self.state);
            } else {
                state = wait(&self.changed, state);
            }
        }
        state.awake += 1;
        state.resting -= 1;
        self.any.store(state.resting > 0, SeqCst);
    }
}

/// A worker at work; when it leaves, those that rest look whether any is left to wait for.
struct Awake<'a>(&'a Rests);

impl Drop for Awake<'_> {
    fn drop(&mut self) {
        let mut state: MutexGuard<'_, State> = lock(&self.0.state);
        state.awake -= 1;
        self.0.calls.fetch_add(1, SeqCst);
        self.0.changed.notify_all();
    }
}
