//! These tests nest runs on every kind of thread. A watchdog ends the process if a run hangs.
//!
//! Each test takes two seconds, or the number of seconds in the environment variable `MANYHANDS_STRESS_SECONDS`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use manyhands::prelude::*;

/// Time after which a round counts as hanging.
const PATIENCE: Duration = Duration::from_secs(60);

fn seconds() -> u64 {
    let seconds = std::env::var("MANYHANDS_STRESS_SECONDS").ok();
    seconds
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(2)
}

/// Runs rounds for the number of seconds that [`seconds`] returns. If a round hangs, it aborts the process.
fn rounds(name: &str, round: impl Fn(u64)) {
    let (number, over) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut last, mut since) = (u64::MAX, Instant::now());
            while !over.load(SeqCst) {
                thread::sleep(Duration::from_millis(20));
                let now = number.load(SeqCst);
                if now != last {
                    (last, since) = (now, Instant::now());
                } else if since.elapsed() > PATIENCE {
                    eprintln!("{name}: round {now} hangs");
                    std::process::abort();
                }
            }
        });
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(seconds()) {
            round(number.load(SeqCst));
            number.fetch_add(1, SeqCst);
        }
        over.store(true, SeqCst);
    });
}

const THREADS: [usize; 6] = [1, 2, 3, 8, 17, 64];

fn sum_of(records: usize) -> f64 {
    (0..records).sum::<usize>() as f64
}

/// Computes the sum of the numbers below `n` in one of many ways, through rayon and our own executors.
fn nested(way: u64, n: usize, same: &dyn Executor, other: &dyn Executor) -> f64 {
    let own = |executor: &dyn Executor| {
        let records = 0..n;
        let run = Pipeline::new(&records, |x: &usize| {
            if *x % 16 == 3 {
                thread::sleep(Duration::from_micros(20));
            }
            *x as f64
        });
        run.executor(executor).aggregate(Sum::new()).unwrap().value
    };
    match way % 9 {
        0 => {
            let (a, b) = rayon::join(|| sum_of(n / 2), || sum_of(n) - sum_of(n / 2));
            a + b
        }
        1 => (0..n).into_par_iter().sum::<usize>() as f64,
        2 => {
            let total = AtomicU64::new(0);
            rayon::scope(|scope| {
                for x in 0..n {
                    let total = &total;
                    scope.spawn(move |_| _ = total.fetch_add(x as u64, SeqCst));
                }
            });
            total.into_inner() as f64
        }
        3 => (0..n)
            .into_par_iter()
            .map(|x| x as f64)
            .aggregate(Sum::new()),
        4 => own(same),
        5 => own(other),
        6 => own(&TaskQueue::new(2)),
        7 => own(&WorkStealing::ambient()),
        _ => own(&Sequential),
    }
}

fn check(outer: &dyn Executor, other: &dyn Executor, seed: u64) {
    let task = |n: &usize| {
        let way = seed.wrapping_mul(0x9E37_79B9).wrapping_add(*n as u64);
        if way.is_multiple_of(23) {
            thread::sleep(Duration::from_micros(200));
        }
        nested(way, *n, outer, other)
    };
    let report = Pipeline::new(&(0..60), task)
        .executor(outer)
        .aggregate(Sum::new());
    let expected: f64 = (0..60).map(sum_of).sum();
    assert_eq!(report.unwrap().value, expected);
}

#[test]
fn nested_runs_end() {
    let _alone = crate::alone();
    let pools: Vec<_> = THREADS.iter().map(|n| WorkStealing::new(*n)).collect();
    let queues: Vec<_> = THREADS.iter().map(|n| TaskQueue::new(*n)).collect();
    let ambient = WorkStealing::ambient();
    rounds("runs inside runs", |round| {
        let at = round as usize % pools.len();
        let pool = &pools[at];
        let next = &pools[(at + 1) % pools.len()];
        check(pool, next, round);
        check(next, pool, round);
        check(&queues[at % 4], pool, round);
        check(pool, &queues[at % 2], round);
        check(&ambient, pool, round);
    });
}

#[test]
fn many_callers_share_an_executor() {
    let _alone = crate::alone();
    let pool = WorkStealing::new(3);
    let queue = TaskQueue::new(3);
    rounds("many callers", |round| {
        thread::scope(|scope| {
            for caller in 0..8 {
                let (pool, queue) = (&pool, &queue);
                scope.spawn(move || match caller % 2 {
                    0 => check(pool, queue, round + caller),
                    _ => check(queue, pool, round + caller),
                });
            }
        });
    });
}

#[test]
fn threads_of_a_pool_may_be_callers() {
    let _alone = crate::alone();
    let pools = [1, 2, 5].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap()
    });
    let (queue, own) = (TaskQueue::new(4), WorkStealing::new(2));
    let ambient = WorkStealing::ambient();
    rounds("threads of a pool", |round| {
        for pool in &pools {
            pool.install(|| {
                rayon::join(
                    || check(&queue, &ambient, round),
                    || {
                        rayon::join(
                            || check(&ambient, &queue, round),
                            || check(&own, &ambient, round),
                        )
                    },
                );
            });
        }
    });
}

#[test]
fn resting_workers_run_other_tasks_of_their_pool() {
    let _alone = crate::alone();
    // The pool has one thread, and a task on another thread needs this thread. The thread of the pool must not wait
    // for that task forever.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
    let pool = pool.build().unwrap();
    rounds("rest in a pool", |_| {
        let queue = TaskQueue::new(3);
        let task = |n: &usize| {
            if *n % 1500 == 500 {
                // This record waits until the other workers have filled the room for scores of later records.
                thread::sleep(Duration::from_millis(40));
                pool.install(|| thread::sleep(Duration::from_micros(100)));
            }
            // The score is so large that only a few scores fit in the room.
            [*n as u8; 1 << 16]
        };
        let run = || {
            Pipeline::new(&(0..3000), task)
                .executor(&queue)
                .aggregate(Count::new())
        };
        assert_eq!(pool.install(run).unwrap().value, 3000);
    });
}

#[test]
fn a_task_queue_allows_a_lock_held_across_rayon() {
    let _alone = crate::alone();
    let queue = TaskQueue::new(8);
    rounds("a lock across rayon", |_| {
        let shared = Mutex::new(0_usize);
        let task = |n: &usize| {
            let mut shared = shared.lock().unwrap();
            let (a, b) = rayon::join(|| *n, || (0..64_usize).into_par_iter().sum::<usize>());
            *shared += a + b - 2016;
        };
        Pipeline::new(&(0..200), task)
            .executor(&queue)
            .aggregate(Count::new())
            .unwrap();
        assert_eq!(shared.into_inner().unwrap(), 19_900);
    });
}
