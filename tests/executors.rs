//! The laws of `Executor`, checked for every executor with one test.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use manyhands::execution::Flow;
use manyhands::prelude::*;
use proptest::prelude::*;

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
    }
    all
}

/// What an executor did.
#[derive(Default)]
struct Log {
    /// Ranges in the order in which they were started.
    started: Vec<Range<usize>>,
    finished: usize,
}

/// Checks the laws on one run, in which the units of `breaking` break and each unit takes `cost`.
fn check(
    name: &str,
    executor: &dyn Executor,
    units: usize,
    breaking: Option<usize>,
    cost: Duration,
) {
    let log = Mutex::new(Log::default());
    let in_use: Vec<AtomicBool> = (0..executor.workers())
        .map(|_| AtomicBool::new(false))
        .collect();
    executor.execute(units, &|worker, range: Range<usize>| {
        assert!(
            !in_use[worker].swap(true, Ordering::SeqCst),
            "{name}: worker {worker} twice"
        );
        log.lock().unwrap().started.push(range.clone());
        if !cost.is_zero() {
            std::thread::sleep(cost * range.len() as u32);
        }
        log.lock().unwrap().finished += 1;
        in_use[worker].store(false, Ordering::SeqCst);
        match breaking {
            Some(unit) if range.contains(&unit) => Flow::Stop,
            _ => Flow::Go,
        }
    });
    let mut log = log.into_inner().unwrap();
    assert_eq!(
        log.finished,
        log.started.len(),
        "{name}: returned before all was finished"
    );
    log.started.sort_by_key(|range| range.start);
    let mut next = 0;
    for range in &log.started {
        assert_eq!(range.start, next, "{name}: a gap or an overlap at {next}");
        next = range.end;
    }
    match breaking {
        Some(unit) if unit < units => assert!(next > unit, "{name}: unit {unit} was not reached"),
        _ => assert_eq!(next, units, "{name}: not every unit was run"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_executor_keeps_the_laws(
        units in prop_oneof![0_usize..40, 1000_usize..5000],
        breaking in proptest::option::of(0_usize..5000),
        slow in any::<bool>(),
    ) {
        for (name, executor) in executors() {
            let cost = if slow && units < 40 { Duration::from_micros(300) } else { Duration::ZERO };
            check(&name, &*executor, units, breaking, cost);
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
    // A busy machine may interrupt a try for longer than the work is worth; not every one of many.
    let alone = HashSet::from([std::thread::current().id()]);
    assert!((0..50).any(|_| threads_of(10, 4, Duration::ZERO) == alone));
}

#[test]
fn dear_records_are_shared_by_all_workers() {
    // The calling thread begins, then the pool's four go on. A busy machine may keep one of them
    // from its turn in a try; not in every one.
    assert!((0..20).any(|_| threads_of(64, 4, Duration::from_millis(2)).len() == 5));
}

#[test]
fn nobody_waits_behind_a_dear_record() {
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
        executor.execute(0, &|_, _| {
            calls.fetch_add(1, Ordering::SeqCst);
            Flow::Go
        });
        assert_eq!(calls.into_inner(), 0, "{name}");
    }
}
