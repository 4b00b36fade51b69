//! Ceilings and losses of rounds with made-up times: each loss must appear under its own name.

use std::time::Duration;

use super::*;
use crate::execution::{Executor, Sequential};
use crate::machine::{Machine, Meanwhile};
use crate::measure::comparison::{ColdStart, Measurement};
use crate::measure::figures::{Settings, Turn};
use crate::measure::round_results::{CeilingLevel, KernelKind};
use crate::measure::runnable::{MeasuredRun, Runnable};
use crate::report::{Timing, WorkerTiming};

/// Number of rounds in every history.
const ROUNDS: usize = 7;
/// Time that `sequential` takes, in milliseconds.
const SEQUENTIAL: u64 = 400;
/// Time that the other contender takes, in milliseconds.
const PARALLEL: u64 = 200;

/// A runnable that no test runs.
struct NeverRun;

impl Runnable for NeverRun {
    fn executor(&self) -> &dyn Executor {
        &Sequential
    }

    fn run_on(&self, _executor: &dyn Executor) -> Result<MeasuredRun, Error> {
        Err(Error::Measure("no test runs it".to_owned()))
    }
}

fn contender(executor: &str, threads: usize) -> ReadyContender<'static> {
    ReadyContender {
        executor: executor.to_owned(),
        threads,
        cold: ColdStart::default(),
        runnable: Box::new(NeverRun),
    }
}

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

/// A worker that is busy between these times, in milliseconds.
fn worker(from: u64, until: u64) -> WorkerTiming {
    WorkerTiming::scoring(1, from, until)
}

/// A history with the same turn in every round. A ceiling reports no workers.
fn history(wall: u64, workers: &[WorkerTiming]) -> TurnHistory {
    let turn = |round| Turn {
        round,
        runs: 1,
        wall: ms(wall),
        ..Turn::default()
    };
    let timing = Timing {
        wall: ms(wall),
        workers: workers.to_vec(),
        ..Timing::default()
    };
    let timings = if workers.is_empty() { 0 } else { ROUNDS };
    TurnHistory {
        turns: (0..ROUNDS).map(turn).collect(),
        timings: vec![timing; timings],
    }
}

/// The ceilings and losses of `sequential` and of a queue with four workers. Four copies of the program
/// take `copies` milliseconds.
fn explained(workers: &[WorkerTiming], copies: u64) -> (Vec<Ceiling>, Vec<Losses>) {
    let contenders = [contender("sequential", 1), contender("task-queue", 4)];
    let copies_level = CeilingLevel {
        kind: KernelKind::Copies,
        threads: 4,
    };
    let arithmetic = |threads| CeilingLevel {
        kind: KernelKind::Arithmetic,
        threads,
    };
    let results = RoundResults {
        contenders: vec![
            (
                &contenders[0],
                history(SEQUENTIAL, &[worker(0, SEQUENTIAL)]),
            ),
            (&contenders[1], history(PARALLEL, workers)),
        ],
        ceilings: vec![
            (copies_level, history(copies, &[])),
            (arithmetic(1), history(5, &[])),
            (arithmetic(4), history(10, &[])),
        ],
        meanwhile: Meanwhile::default(),
    };
    let settings = Settings {
        rounds: ROUNDS,
        confidence: 0.95,
        ..Settings::default()
    };
    let mut comparison =
        Comparison::new(String::new(), Default::default(), settings, Machine::look());
    let speed_up = SEQUENTIAL as f64 / PARALLEL as f64;
    for efficiency in [1.0, speed_up / 4.0] {
        let mut measurement = Measurement::default();
        measurement.efficiency.value = efficiency;
        comparison.measurements.push(measurement);
    }
    let ceilings = ceilings::ceilings(&comparison, &results);
    let losses = all_losses(&ceilings, &comparison, &results);
    (ceilings, losses)
}

/// The losses of the queue, as `useful`, `serial`, `imbalance`, `machine` and `scheduling`.
fn losses(workers: &[WorkerTiming], copies: u64) -> [f64; 5] {
    let (_, losses) = explained(workers, copies);
    let [sequential, queue] = &losses[..] else {
        panic!("{losses:?}")
    };
    let shares = |one: &Losses| {
        [
            one.useful,
            one.serial,
            one.imbalance,
            one.machine,
            one.scheduling,
        ]
    };
    assert_eq!(shares(sequential), [1.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!((queue.executor.as_str(), queue.threads), ("task-queue", 4));
    shares(queue)
}

#[track_caller]
fn assert_close(found: [f64; 5], expected: [f64; 5]) {
    let close = |(one, other): (&f64, &f64)| (one - other).abs() < 1e-9;
    let same = found.iter().zip(&expected).all(close);
    assert!(same, "{found:?} instead of {expected:?}");
}

#[test]
fn one_long_record_shows_as_imbalance() {
    let workers = [worker(0, 200), worker(0, 67), worker(0, 67), worker(0, 66)];
    assert_close(losses(&workers, SEQUENTIAL), [0.5, 0.0, 0.5, 0.0, 0.0]);
}

#[test]
fn a_long_end_shows_as_serial_time() {
    let workers = [worker(0, 100); 4];
    assert_close(losses(&workers, SEQUENTIAL), [0.5, 0.375, 0.0, 0.0, 0.125]);
}

#[test]
fn records_that_take_longer_in_parallel_show_as_the_machine_if_copies_do_too() {
    let workers = [worker(0, PARALLEL); 4];
    // Four copies take twice as long as one: the whole loss is attributed to the machine.
    assert_close(losses(&workers, 2 * SEQUENTIAL), [0.5, 0.0, 0.0, 0.5, 0.0]);
    // Four copies take as long as one: the whole loss is attributed to the executor.
    assert_close(losses(&workers, SEQUENTIAL), [0.5, 0.0, 0.0, 0.0, 0.5]);
}

#[test]
fn threads_without_a_core_show_as_the_machine() {
    let mut workers = [worker(0, PARALLEL); 4];
    for worker in &mut workers {
        worker.preempted = ms(100);
        worker.task = ms(100);
    }
    assert_close(losses(&workers, SEQUENTIAL), [0.5, 0.0, 0.0, 0.5, 0.0]);
}

#[test]
fn ceilings_are_multiples_of_one_copy_and_one_copy_of_the_program_is_sequential() {
    let (ceilings, _) = explained(&[worker(0, PARALLEL); 4], 2 * SEQUENTIAL);
    let found: Vec<_> = ceilings
        .iter()
        .map(|one| {
            let speed_up = (one.speed_up.value * 1e9).round() / 1e9;
            (one.kernel.as_str(), one.threads, speed_up)
        })
        .collect();
    let expected = [
        ("arithmetic", 1, 1.0),
        ("arithmetic", 4, 2.0),
        ("copies", 1, 1.0),
        ("copies", 4, 2.0),
    ];
    assert_eq!(found, expected);
    assert_eq!(ceilings[2].turns[0].wall, ms(400));
}
