//! Tests that executors which each break one law are reported with that law.

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Barrier, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::{CallWatcher, PAUSING_UNITS, Trial, assert_laws_within};
use crate::execution::{Executor, Flow, Work};

/// An executor that breaks a law.
struct Lawless {
    workers: usize,
    execute: fn(&Work<'_>, usize),
}

impl Executor for Lawless {
    fn workers(&self) -> usize {
        self.workers
    }

    fn execute(&self, work: &Work<'_>) {
        (self.execute)(work, work.workers(self.workers));
    }
}

/// Asserts that an executor is reported with a message that begins with `law`.
#[track_caller]
fn assert_found(workers: usize, law: &str, execute: fn(&Work<'_>, usize)) {
    // The mistakes of these executors do not depend on how much time they are given.
    let patience = Duration::from_millis(300);
    let lawless = Lawless { workers, execute };
    let payload = catch_unwind(|| assert_laws_within(&lawless, patience));
    let payload = payload.expect_err("a broken law was not found");
    let message = payload.downcast_ref::<String>().cloned();
    let message = message.expect("a panic with a formatted message");
    assert!(message.starts_with(law), "{message:?} instead of {law:?}");
}

/// Runs units one by one as worker `worker` until none is left or a call stops.
fn one_by_one(work: &Work<'_>, worker: usize, next: &AtomicUsize) {
    loop {
        let unit = next.fetch_add(1, SeqCst);
        if unit >= work.units() || work.run(worker, unit..unit + 1) == Flow::Stop {
            return;
        }
    }
}

#[test]
fn units_that_are_left_out_are_found() {
    assert_found(1, "law 1: unit 0 was left out", |work, _| {
        if work.units() > 1 {
            let _ = work.run(0, 1..work.units());
        } else if work.units() == 1 {
            let _ = work.run(0, 0..1);
        }
    });
    assert_found(1, "law 1: unit 1 was left out", |work, _| {
        if work.units() > 0 {
            let _ = work.run(0, 0..work.units().div_ceil(2));
        }
    });
}

#[test]
fn units_that_are_run_twice_are_found() {
    assert_found(2, "law 1: unit 0 was run twice", |work, workers| {
        for worker in 0..workers {
            if work.units() > 0 {
                let _ = work.run(worker, 0..work.units());
            }
        }
    });
}

#[test]
fn ranges_that_are_none_are_found() {
    assert_found(1, "law 1: 0..0 is not a range of units", |work, _| {
        let _ = work.run(0, 0..0);
        if work.units() > 0 {
            let _ = work.run(0, 0..work.units());
        }
    });
}

#[test]
fn a_worker_that_is_handed_earlier_units_later_is_found() {
    assert_found(
        1,
        "law 2: worker 0 was handed 0..1 after unit 1",
        |work, _| {
            for unit in (0..work.units().min(2)).rev() {
                let _ = work.run(0, unit..unit + 1);
            }
        },
    );
}

#[test]
fn units_that_were_kept_for_a_worker_are_found() {
    // Worker 0 gets units that were skipped when worker 1 got its units.
    assert_found(
        2,
        "law 2: worker 0 was handed 1..2 after unit",
        |work, workers| {
            let units = work.units();
            if units < 3 || units == usize::MAX || workers < 2 {
                let _ = (units > 0).then(|| work.run(0, 0..units));
                return;
            }
            let _ = work.run(1, 2..units);
            let _ = work.run(0, 0..1);
            let _ = work.run(0, 1..2);
        },
    );
}

#[test]
fn a_worker_too_many_is_found() {
    assert_found(1, "law 3: worker 1 is beyond the 1 workers", |work, _| {
        if work.units() > 0 {
            let _ = work.run(1, 0..work.units());
        }
    });
    // The executor uses its third worker, although the work allows only two.
    assert_found(3, "law 3: worker 2 is beyond the 2 workers", |work, _| {
        let next = AtomicUsize::new(0);
        if work.units() > 0 && work.units() < usize::MAX {
            let _ = work.run(2, 0..work.units());
        } else {
            one_by_one(work, 2, &next);
        }
    });
}

#[test]
fn a_worker_with_two_calls_at_once_is_found() {
    // The test makes both calls itself, because two threads would sometimes make them one after the other.
    let watcher = CallWatcher {
        trial: Trial {
            units: 2,
            stop_at: None,
            at_most: usize::MAX,
            waits: false,
            cost: Duration::ZERO,
            pauses: false,
        },
        workers: 1,
        caller: thread::current().id(),
        patience: Duration::from_secs(60),
        seen: Mutex::default(),
        changed: Condvar::new(),
    };
    assert!(watcher.begins(0, &(0..1)));
    assert!(
        !watcher.begins(0, &(1..2)),
        "the second call was not refused"
    );
    let broken = watcher.seen.into_inner().unwrap().broken;
    assert_eq!(
        broken.as_deref(),
        Some("law 3: worker 0 ran two ranges at once")
    );
}

#[test]
fn a_worker_that_goes_on_after_its_stop_is_found() {
    assert_found(
        1,
        "law 4: worker 0 was handed 1..2 after its own call",
        |work, _| {
            for unit in 0..work.units() {
                let _ = work.run(0, unit..unit + 1);
            }
        },
    );
}

#[test]
fn workers_that_do_not_hear_of_a_stop_are_found() {
    assert_found(2, "law 4: worker", |work, workers| {
        let next = &AtomicUsize::new(0);
        thread::scope(|scope| {
            for worker in 0..workers {
                scope.spawn(move || one_by_one(work, worker, next));
            }
        });
    });
}

#[test]
fn a_worker_that_does_not_pause_is_found() {
    assert_found(2, "law 5: worker", |work, workers| {
        let next = &AtomicUsize::new(0);
        let all = &Barrier::new(workers);
        if work.units() != PAUSING_UNITS {
            return one_by_one(work, 0, next);
        }
        thread::scope(|scope| {
            for worker in 0..workers {
                scope.spawn(move || {
                    all.wait();
                    one_by_one(work, worker, next);
                });
            }
        });
    });
}

/// Runs workers on a rayon pool of two threads. A worker blocks its thread while it pauses.
fn block_while_paused(work: &Work<'_>, workers: usize) {
    let next = &AtomicUsize::new(0);
    let (went_on, changed) = (&Mutex::new((0_u64, false)), &Condvar::new());
    let run = move |worker: usize| {
        let mut seen = went_on.lock().unwrap().0;
        loop {
            let unit = next.fetch_add(1, SeqCst);
            let flow = match unit < work.units() {
                true => work.run(worker, unit..unit + 1),
                false => Flow::Stop,
            };
            let mut state = went_on.lock().unwrap();
            match flow {
                Flow::Go => state.0 += 1,
                Flow::Stop => state.1 = true,
                Flow::Pause => {
                    while state.0 == seen && !state.1 {
                        state = changed.wait(state).unwrap();
                    }
                }
            }
            seen = state.0;
            changed.notify_all();
            if flow == Flow::Stop {
                return;
            }
        }
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build();
    pool.unwrap().scope(|scope| {
        for worker in 0..workers {
            scope.spawn(move |_| run(worker));
        }
    });
}

#[test]
fn a_pause_that_keeps_the_thread_of_a_pool_is_found() {
    assert_found(
        4,
        "law 5: a paused worker keeps a thread",
        |work, workers| {
            if work.waits() || work.units() != PAUSING_UNITS {
                return one_by_one(work, 0, &AtomicUsize::new(0));
            }
            block_while_paused(work, workers);
        },
    );
}

#[test]
fn calls_that_wait_on_the_threads_of_a_pool_are_found() {
    assert_found(1, "law 6: a call that may wait", |work, _| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let next = AtomicUsize::new(0);
        pool.unwrap().install(|| one_by_one(work, 0, &next));
    });
}
