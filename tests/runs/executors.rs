//! One test checks the laws of `Executor` for every executor. Further tests cover single executors.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use manyhands::execution::{Flow, Work, assert_laws};
use manyhands::prelude::*;

fn executors() -> Vec<(String, Box<dyn Executor>)> {
    let mut all: Vec<(String, Box<dyn Executor>)> = vec![
        ("sequential".to_owned(), Box::new(Sequential)),
        ("ambient".to_owned(), Box::new(WorkStealing::ambient())),
    ];
    for threads in [1, 2, 3, 4, 7, 16] {
        all.push((
            format!("{threads} threads"),
            Box::new(WorkStealing::new(threads)),
        ));
        all.push((
            format!("a queue of {threads} workers"),
            Box::new(TaskQueue::new(threads)),
        ));
        all.push((
            format!("{threads} pinned threads"),
            Box::new(WorkStealing::new(threads).pinned()),
        ));
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build();
    all.push((
        "a given pool".to_owned(),
        Box::new(WorkStealing::on(Arc::new(pool.unwrap()))),
    ));
    all
}

#[test]
fn every_executor_keeps_the_laws() {
    for (_, executor) in executors() {
        assert_laws(&*executor);
    }
}

/// An executor with one worker that runs the units with a given function, which breaks a law.
struct Lawless(fn(usize, &Work<'_>));

impl Executor for Lawless {
    fn workers(&self) -> usize {
        1
    }

    fn execute(&self, work: &Work<'_>) {
        (self.0)(work.units(), work);
    }
}

/// Four executors: the first leaves out units, the second runs units twice, the third runs units in the wrong order,
/// and the fourth uses more workers than it has.
const LAWLESS: [Lawless; 4] = [
    Lawless(|units, work| _ = work.run(0, 0..units / 2)),
    Lawless(|units, work| {
        work.run(0, 0..units);
        work.run(0, 0..units);
    }),
    Lawless(|units, work| {
        (0..units)
            .rev()
            .for_each(|unit| _ = work.run(0, unit..unit + 1))
    }),
    Lawless(|units, work| _ = work.run(1, 0..units)),
];

#[test]
fn an_executor_that_loses_units_is_an_error() {
    for (lawless, error) in LAWLESS.iter().zip([
        "the executor ran 500 of 1000 units",
        "the executor ran 2000 of 1000 units",
        "",
        "the executor ran 0 of 1000 units",
    ]) {
        let report = Pipeline::new(&(0..1000), |n: &usize| *n as f64)
            .executor(lawless)
            .aggregate(Count::new());
        match report {
            Ok(report) => assert_eq!((report.value, error), (1000, "")),
            Err(found) => assert_eq!(found.to_string(), error),
        }
    }
}

/// A place where threads wait until a given number of threads have arrived.
#[derive(Default)]
struct Meeting {
    threads: Mutex<HashSet<ThreadId>>,
    came: Condvar,
}

impl Meeting {
    /// Waits until `threads` threads have arrived here. It stops waiting after a minute.
    fn wait_for(&self, threads: usize) {
        let mut here = self.threads.lock().unwrap();
        here.insert(std::thread::current().id());
        self.came.notify_all();
        let waited = self
            .came
            .wait_timeout_while(here, Duration::from_secs(60), |here| here.len() < threads);
        drop(waited.unwrap());
    }

    /// Returns the number of threads that have arrived here.
    fn threads(self) -> usize {
        self.threads.into_inner().unwrap().len()
    }
}

/// Runs `records` records on a pool of `threads` threads, and returns the number of threads of the pool that scored a
/// record. On the threads of the pool, each record waits until every thread of the pool is scoring a record. On the
/// calling thread, each record from number `slow_from` on takes 500 µs.
fn threads_that_meet(records: usize, threads: usize, slow_from: usize) -> usize {
    let (meeting, here) = (Meeting::default(), std::thread::current().id());
    let task = |record: &usize| {
        if std::thread::current().id() != here {
            meeting.wait_for(threads);
        } else if *record >= slow_from {
            std::thread::sleep(Duration::from_micros(500));
        }
    };
    let report = Pipeline::new(&(0..records), task)
        .executor(&WorkStealing::new(threads))
        .aggregate(Count::new())
        .unwrap();
    assert_eq!(report.value, records as u64);
    meeting.threads()
}

#[test]
fn slow_records_are_shared_by_all_workers() {
    assert_eq!(threads_that_meet(64, 4, 0), 4);
}

#[test]
fn cheap_records_first_do_not_keep_the_slow_ones_from_the_pool() {
    assert_eq!(threads_that_meet(400, 3, 100), 3);
}

#[test]
fn no_record_waits_behind_a_slow_one() {
    const RECORDS: usize = 64;
    let done = Mutex::new(0);
    let all_others = Condvar::new();
    let task = |record: &usize| {
        if *record == 40 {
            // This record is not done until all other records are done.
            let others = done.lock().unwrap();
            let waited = all_others
                .wait_timeout_while(others, Duration::from_secs(20), |done| *done < RECORDS - 1)
                .unwrap();
            return !waited.1.timed_out();
        }
        std::thread::sleep(Duration::from_millis(1));
        *done.lock().unwrap() += 1;
        all_others.notify_all();
        true
    };
    let report = Pipeline::new(&(0..RECORDS), task)
        .executor(&WorkStealing::new(3))
        .aggregate(Count::new().only(|in_time: &bool| *in_time))
        .unwrap();
    assert_eq!(
        report.value, RECORDS as u64,
        "a record was queued behind the slow one"
    );
}

#[test]
fn a_task_may_use_rayon_itself() {
    let nested = |x: &usize| (0..100_usize).into_par_iter().map(|y| x * y).sum::<usize>() as f64;
    let expected = Pipeline::new(&(0..500), nested)
        .executor(&Sequential)
        .aggregate(Sum::new());
    let expected = expected.unwrap().value;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(3)
        .build()
        .unwrap();
    for executor in [WorkStealing::new(2), pool.install(WorkStealing::ambient)] {
        let run = || {
            Pipeline::new(&(0..500), nested)
                .executor(&executor)
                .aggregate(Sum::new())
        };
        assert_eq!(pool.install(run).unwrap().value, expected);
    }
}

#[test]
fn a_pipeline_may_run_inside_a_task() {
    let executor = WorkStealing::new(3);
    let inner = |records: &usize| {
        let task = |x: &usize| *x as f64;
        let report = Pipeline::new(&(0..*records), task)
            .executor(&executor)
            .aggregate(Sum::new());
        report.unwrap().value
    };
    let report = Pipeline::new(&(0..300), inner)
        .executor(&executor)
        .aggregate(Sum::new())
        .unwrap();
    let expected: usize = (0..300)
        .map(|records: usize| (0..records).sum::<usize>())
        .sum();
    assert_eq!(report.value, expected as f64);
}

#[test]
fn an_executor_without_work_calls_nothing() {
    for (name, executor) in executors() {
        let calls = AtomicUsize::new(0);
        let run = |_, _| {
            calls.fetch_add(1, Ordering::SeqCst);
            Flow::Go
        };
        executor.execute(&Work::new(0, &run));
        assert_eq!(calls.into_inner(), 0, "{name}");
    }
}

#[test]
fn a_given_pool_is_where_the_work_is_done() {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(3)
        .thread_name(|number| format!("given-{number}"))
        .build();
    let executor = WorkStealing::on(Arc::new(pool.unwrap()));
    assert_eq!(executor.workers(), 3);
    let names = Mutex::new(HashSet::new());
    let task = |_: &usize| {
        std::thread::sleep(Duration::from_millis(1));
        let name = std::thread::current().name().map(str::to_owned);
        names.lock().unwrap().insert(name);
    };
    Pipeline::new(&(0..64), task)
        .executor(&executor)
        .aggregate(Count::new())
        .unwrap();
    let mut names = names.into_inner().unwrap();
    names.remove(&std::thread::current().name().map(str::to_owned));
    assert!(!names.is_empty());
    for name in names {
        assert!(name.is_some_and(|name| name.starts_with("given-")));
    }
}

/// Returns the hardware threads on which each worker of an executor may run, as the kernel reports them.
#[cfg(target_os = "linux")]
fn masks(executor: &WorkStealing) -> HashSet<String> {
    let here = std::thread::current().id();
    let masks = Mutex::new(HashSet::new());
    let task = |_: &usize| {
        std::thread::sleep(Duration::from_millis(1));
        if std::thread::current().id() != here {
            let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
            let mut lines = status.lines();
            let list = lines.find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
            masks
                .lock()
                .unwrap()
                .insert(list.unwrap().trim().to_owned());
        }
    };
    Pipeline::new(&(0..64), task)
        .executor(executor)
        .aggregate(Count::new())
        .unwrap();
    masks.into_inner().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn pinned_workers_are_kept_in_one_place_each() {
    let one = masks(&WorkStealing::new(1).pinned());
    assert_eq!(one.len(), 1);
    let started = WorkStealing::new(16);
    started.start().unwrap();
    for executor in [WorkStealing::new(16).pinned(), started.pinned()] {
        let masks = masks(&executor);
        assert!(!masks.is_empty());
        for mask in masks {
            assert!(mask.parse::<usize>().is_ok(), "{mask} is not one place");
        }
    }
}

/// Calls itself until it has used at least `bytes` bytes of stack below `top`, the address of an outer frame.
#[inline(never)]
fn use_stack(top: usize, bytes: usize) -> u64 {
    let frame = std::hint::black_box([1_u8; 512]);
    let here = frame.as_ptr() as usize;
    let deeper = if top.abs_diff(here) < bytes {
        use_stack(top, bytes)
    } else {
        0
    };
    // The frame is read after the recursive call, so the compiler cannot release it before the call.
    deeper + u64::from(std::hint::black_box(&frame)[0])
}

/// Returns a task that recurses until it has used this number of bytes of stack.
fn recursion(bytes: usize) -> impl Fn(&usize) -> u64 {
    move |_| {
        let here = 0_u8;
        use_stack(std::hint::black_box(&here) as *const u8 as usize, bytes)
    }
}

/// Calls `run` on a new thread with a stack of this number of bytes, which plays the part of the main thread.
fn with_stack(bytes: usize, run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(bytes).spawn(run);
    thread.unwrap().join().unwrap();
}

#[test]
fn a_recursion_that_fits_the_main_thread_fits_every_worker() {
    const BYTES: usize = 5 << 20;
    with_stack(8 << 20, || {
        let mut all: Vec<Box<dyn Executor>> = vec![Box::new(Sequential)];
        for threads in [1, 2, 4] {
            all.push(Box::new(WorkStealing::new(threads)));
            all.push(Box::new(WorkStealing::new(threads).pinned()));
            all.push(Box::new(TaskQueue::new(threads)));
            all.push(Box::new(TaskQueue::new(threads).pinned()));
        }
        let records = 0..64;
        for limit in [Limit::none(), Limit::none().budget(64)] {
            for executor in &all {
                let run = Pipeline::new(&records, recursion(BYTES)).executor(&**executor);
                assert_eq!(run.limit(limit).aggregate(Count::new()).unwrap().value, 64);
            }
        }
        let run = Pipeline::new(&records, recursion(BYTES)).aggregate(Count::new());
        assert_eq!(run.unwrap().value, 64);
        let streamed = stream(records.clone()).task(recursion(BYTES)).workers(3);
        assert_eq!(streamed.aggregate(Count::new()).unwrap().value, 64);
        std::thread::scope(|scope| {
            let streamed = stream(records.clone()).task(recursion(BYTES)).workers(3);
            assert_eq!(streamed.iter(scope).count(), 64);
        });
    });
}

#[test]
fn a_caller_may_choose_the_stack_of_the_workers() {
    const STACK: usize = 40 << 20;
    const BYTES: usize = 30 << 20;
    with_stack(STACK, || {
        let executors: [Box<dyn Executor>; 2] = [
            Box::new(WorkStealing::new(2).stack_size(STACK)),
            Box::new(TaskQueue::new(2).stack_size(STACK)),
        ];
        let records = 0..16;
        for executor in executors {
            let run = Pipeline::new(&records, recursion(BYTES)).executor(&*executor);
            assert_eq!(run.aggregate(Count::new()).unwrap().value, 16);
        }
        std::thread::scope(|scope| {
            let streamed = stream(records.clone()).task(recursion(BYTES));
            assert_eq!(
                streamed.workers(2).stack_size(STACK).iter(scope).count(),
                16
            );
        });
    });
}
