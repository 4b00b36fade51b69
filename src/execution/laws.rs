//! The laws of an executor, checked.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use super::{Executor, Flow, Work};
use crate::sync::{Mutex, lock};

/// Numbers of units to try: none, one, a few, about as many as a portion, many.
const UNITS: [usize; 7] = [0, 1, 2, 7, 64, 1_000, 20_000];

/// Checks that an executor keeps the laws told at [`Executor`], for many and few units, cheap and
/// dear ones, with and without a stop.
///
/// ```
/// use manyhands::execution::{Sequential, TaskQueue, WorkStealing, assert_laws};
///
/// assert_laws(&Sequential);
/// assert_laws(&WorkStealing::new(3));
/// assert_laws(&TaskQueue::new(3));
/// ```
///
/// # Panics
///
/// Where a law is broken; the message says which.
pub fn assert_laws(executor: &dyn Executor) {
    for units in UNITS {
        for stop_at in [None, Some(0), Some(units / 2)] {
            for (at_most, waits) in [(usize::MAX, false), (2, false), (usize::MAX, true)] {
                let case = Case {
                    units,
                    unbounded: false,
                    stop_at,
                    at_most,
                    waits,
                    cost: Duration::ZERO,
                };
                check(executor, case);
                if units < 100 {
                    let cost = Duration::from_micros(200);
                    check(executor, Case { cost, ..case });
                }
                if stop_at.is_some() {
                    let unbounded = true;
                    check(executor, Case { unbounded, ..case });
                }
            }
        }
    }
}

/// A piece of work to try.
#[derive(Clone, Copy)]
struct Case {
    units: usize,
    /// Whether the executor is told how many there are.
    unbounded: bool,
    stop_at: Option<usize>,
    at_most: usize,
    waits: bool,
    cost: Duration,
}

fn check(executor: &dyn Executor, case: Case) {
    let Case { stop_at, cost, .. } = case;
    let units = if case.unbounded {
        usize::MAX
    } else {
        case.units
    };
    let workers = executor.workers().min(case.at_most);
    let in_pool = rayon::current_thread_index().is_some();
    let busy: Vec<AtomicBool> = (0..workers).map(|_| AtomicBool::new(false)).collect();
    let started: Mutex<Vec<(usize, Range<usize>)>> = Mutex::default();
    let finished = Mutex::new(0);
    let run = |worker: usize, range: Range<usize>| {
        assert!(
            !case.waits || in_pool || rayon::current_thread_index().is_none(),
            "a call that may wait was made by a thread of a pool"
        );
        let Some(busy) = busy.get(worker) else {
            panic!("worker {worker} is beyond the {workers} workers there are");
        };
        assert!(
            !busy.swap(true, SeqCst),
            "worker {worker} ran two ranges at once"
        );
        let mut started_now = lock(&started);
        // Across workers the order of starting cannot be seen from here; of each worker it can.
        let last = started_now.iter().rev().find(|(who, _)| *who == worker);
        assert!(
            last.is_none_or(|(_, last)| last.end <= range.start),
            "worker {worker} was handed {range:?} after later units"
        );
        started_now.push((worker, range.clone()));
        drop(started_now);
        if !cost.is_zero() {
            std::thread::sleep(cost * range.len() as u32);
        }
        *lock(&finished) += 1;
        busy.store(false, SeqCst);
        match stop_at {
            Some(unit) if range.contains(&unit) => Flow::Stop,
            _ => Flow::Go,
        }
    };
    let work = if case.unbounded {
        Work::unbounded(&run)
    } else {
        Work::new(units, &run)
    };
    executor.execute(&work.at_most(case.at_most).waiting(case.waits));
    let mut started = std::mem::take(&mut *lock(&started));
    let finished = *lock(&finished);
    assert_eq!(
        finished,
        started.len(),
        "it returned before all ranges were finished"
    );
    started.sort_by_key(|(_, range)| range.start);
    let mut next = 0;
    for (_, range) in started {
        assert_eq!(
            range.start, next,
            "units were left out, or run twice, at {next}"
        );
        next = range.end;
    }
    match stop_at.filter(|unit| *unit < units) {
        Some(unit) => assert!(
            next > unit,
            "unit {unit} was not run, though units after it were"
        ),
        None => assert_eq!(next, units, "not every unit was run"),
    }
}
