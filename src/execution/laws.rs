//! The laws of an executor, checked.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use super::{Executor, Flow};
use crate::sync::{Mutex, lock};

/// Numbers of units to try: none, one, a few, about as many as a portion, many.
const UNITS: [usize; 7] = [0, 1, 2, 7, 64, 1_000, 20_000];

/// Checks that an executor keeps the laws told at [`Executor`], for many and few units, cheap and
/// dear ones, with and without a stop.
///
/// ```
/// use manyhands::execution::{Sequential, WorkStealing, assert_laws};
///
/// assert_laws(&Sequential);
/// assert_laws(&WorkStealing::new(3));
/// ```
///
/// # Panics
///
/// Where a law is broken; the message says which.
pub fn assert_laws(executor: &dyn Executor) {
    for units in UNITS {
        for stop_at in [None, Some(0), Some(units / 2)] {
            check(executor, units, stop_at, Duration::ZERO);
            if units < 100 {
                check(executor, units, stop_at, Duration::from_micros(200));
            }
        }
    }
}

fn check(executor: &dyn Executor, units: usize, stop_at: Option<usize>, cost: Duration) {
    let workers = executor.workers();
    let busy: Vec<AtomicBool> = (0..workers).map(|_| AtomicBool::new(false)).collect();
    let started: Mutex<Vec<(usize, Range<usize>)>> = Mutex::default();
    let finished = Mutex::new(0);
    executor.execute(units, &|worker, range: Range<usize>| {
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
    });
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
