//! The laws of `Executor`, checked for every executor with one test.

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
    let _alone = crate::alone();
    for (_, executor) in executors() {
        assert_laws(&*executor);
    }
}

/// An executor that breaks a law.
struct Lawless(fn(usize, &Work<'_>));

impl Executor for Lawless {
    fn workers(&self) -> usize {
        1
    }

    fn execute(&self, work: &Work<'_>) {
        (self.0)(work.units(), work);
    }
}

/// Executors that leave out units, run them twice, go on after a stop, and have too many workers.
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
fn broken_laws_are_found() {
    let _alone = crate::alone();
    std::panic::set_hook(Box::new(|_| {}));
    for lawless in LAWLESS {
        assert!(std::panic::catch_unwind(|| assert_laws(&lawless)).is_err());
    }
}

#[test]
fn an_executor_that_loses_units_is_an_error() {
    let _alone = crate::alone();
    for (lawless, told) in LAWLESS.iter().zip([
        "the executor ran 500 of 1000 units",
        "the executor ran 2000 of 1000 units",
        "",
        "the executor ran 0 of 1000 units",
    ]) {
        let report = Pipeline::new(&(0..1000), |n: &usize| *n as f64)
            .executor(lawless)
            .aggregate(Count::new());
        match report {
            Ok(report) => assert_eq!((report.value, told), (1000, "")),
            Err(error) => assert_eq!(error.to_string(), told),
        }
    }
}

/// Notes the threads on which the records of a run were scored.
fn threads_of(records: usize, threads: usize, cost: Duration) -> HashSet<ThreadId> {
    let seen = Mutex::new(HashSet::new());
    let task = |_: &usize| {
        seen.lock().unwrap().insert(std::thread::current().id());
        if !cost.is_zero() {
            std::thread::sleep(cost);
        }
    };
    let report = Pipeline::new(&(0..records), task)
        .executor(&WorkStealing::new(threads))
        .aggregate(Count::new())
        .unwrap();
    assert_eq!(report.value, records as u64);
    seen.into_inner().unwrap()
}

#[test]
fn few_cheap_records_stay_on_the_calling_thread() {
    let _alone = crate::alone();
    // A busy machine may interrupt a try for longer than the work is worth; not every one of many.
    let alone = HashSet::from([std::thread::current().id()]);
    assert!((0..50).any(|_| threads_of(10, 4, Duration::ZERO) == alone));
}

#[test]
fn dear_records_are_shared_by_all_workers() {
    let _alone = crate::alone();
    // The calling thread begins, then the pool's four go on. A busy machine may keep one of them
    // from its turn in a try; not in every one.
    assert!((0..20).any(|_| threads_of(64, 4, Duration::from_millis(2)).len() == 5));
}

#[test]
fn cheap_records_first_do_not_keep_the_dear_ones_from_the_pool() {
    let _alone = crate::alone();
    let threads = || {
        let seen = Mutex::new(HashSet::new());
        let task = |record: &usize| {
            if *record >= 100 {
                std::thread::sleep(Duration::from_millis(1));
                seen.lock().unwrap().insert(std::thread::current().id());
            }
        };
        Pipeline::new(&(0..400), task)
            .executor(&WorkStealing::new(3))
            .aggregate(Count::new())
            .unwrap();
        seen.into_inner().unwrap().len()
    };
    // A busy machine may keep a thread from its turn in a try; not in every one.
    assert!((0..10).any(|_| threads() >= 3));
}

#[test]
fn nobody_waits_behind_a_dear_record() {
    let _alone = crate::alone();
    const RECORDS: usize = 64;
    let done = Mutex::new(0);
    let all_others = Condvar::new();
    let task = |record: &usize| {
        if *record == 40 {
            // Far dearer than the others: it lasts until they are done.
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
        "a record was queued behind the dear one"
    );
}

#[test]
fn a_task_may_use_rayon_itself() {
    let _alone = crate::alone();
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
    let _alone = crate::alone();
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
    let _alone = crate::alone();
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
    let _alone = crate::alone();
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

/// The places where the workers of an executor may run, each as the kernel tells it.
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
    let _alone = crate::alone();
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
