//! The simulation, compared with the executors' own code, with bounds on every schedule, and with times
//! calculated by hand.

use std::time::Duration;

use proptest::prelude::*;

use super::costs::Costs;
use super::simulation::{Assignment, SimulatedRun, Simulation};
use super::{CopySpeedUps, SimulatedExecutor, merge_time, predictions_with};
use crate::execution::{Flow, Work, execute_by};
use crate::machine::Machine;
use crate::measure::analysis::{Ceiling, Prediction};
use crate::measure::bounds::bound;
use crate::measure::comparison::{Comparison, Measurement};
use crate::measure::figures::Estimate;
use crate::measure::record_times::{Recording, Stretch, WORKERS};
use crate::measure::round_results::TurnHistory;
use crate::report::{Timing, WorkerTiming};
use crate::sync::{Mutex, into_inner, lock};

/// Shortest time, in seconds, that the calling thread works alone.
const ALONE: f64 = 10e-6;
/// Largest expected duration of the remaining units, in seconds, that the calling thread finishes alone.
const NOT_WORTH_SHARING: f64 = 50e-6;

fn recording(times: impl IntoIterator<Item = f64>) -> Recording {
    let stretch = |seconds| Stretch { units: 1, seconds };
    Recording {
        stretches: times.into_iter().map(stretch).collect(),
        most_workers: WORKERS,
        ..Recording::default()
    }
}

fn simulate(
    workers: usize,
    costs: &Costs,
    recording: &Recording,
) -> (SimulatedRun, Vec<Assignment>) {
    let mut assignments = Vec::new();
    let slowdown = &|_| 1.0;
    let simulation = Simulation {
        workers,
        costs,
        slowdown,
    };
    let run = simulation.run(&recording.stretches, &mut |one| assignments.push(one));
    (run, assignments)
}

/// The time in seconds with an executor that costs nothing.
fn time_without_costs(workers: usize, recording: &Recording) -> f64 {
    simulate(workers, &Costs::default(), recording).0.time
}

#[test]
fn equal_records_are_shared_equally() {
    let recording = recording(vec![1e-6; 1_000_000]);
    for workers in [2, 3, 8, 64] {
        let time = time_without_costs(workers, &recording);
        let least = bound(&recording.summary(), workers).least;
        assert!(
            time >= least && time < least * 1.02 + 2.0 * ALONE,
            "{workers}: {time} for {least}"
        );
    }
}

#[test]
fn one_giant_record_decides_the_time() {
    for place in [0, 500, 999] {
        let mut times = vec![20e-6; 1000];
        times[place] = 1.0;
        let time = time_without_costs(16, &recording(times));
        assert!((1.0..1.03).contains(&time), "at {place}: {time}");
    }
}

#[test]
fn a_short_run_wakes_no_workers() {
    let costs = Costs {
        first: 1.0,
        each: 1.0,
        latency: 1.0,
        end: 1.0,
        ..Costs::default()
    };
    let (run, assignments) = simulate(8, &costs, &recording([1e-6; 40]));
    assert!((run.time - 40e-6).abs() < 1e-12 && run.workers == 1);
    assert!(assignments.iter().all(|one| one.worker == 0));
}

#[test]
fn costs_are_added() {
    let known = recording([100e-6; 5]);
    let costs = Costs {
        first: 3e-6,
        each: 5e-6,
        latency: 7e-6,
        end: 11e-6,
        ..Costs::default()
    };
    // The first record runs alone, in 100 µs. Then four workers wake: worker 0 after 3 + 15 µs, worker 1 after
    // 3 + 5 + 7 µs, workers 2 and 3 after 20 and 25 µs. The last worker is done after 100 + 25 + 100 µs, and
    // ending takes 11 µs.
    let (run, assignments) = simulate(4, &costs, &known);
    assert!((run.time - 236e-6).abs() < 1e-9, "{run:?}");
    assert_eq!(run.workers, 4);
    let order: Vec<usize> = assignments.iter().map(|one| one.worker).collect();
    assert_eq!(order, [0, 1, 0, 2, 3]);
    // An executor that waits for all workers also waits for those that find no records left.
    let slow_to_wake = Costs {
        waits_for_all: true,
        first: 1.0,
        each: 1.0,
        ..Costs::default()
    };
    assert!(simulate(4, &slow_to_wake, &known).0.time >= 4.0);
}

#[test]
fn the_queue_serves_one_worker_at_a_time() {
    let recording = recording(vec![200e-6; 2000]);
    let costs = Costs {
        taking: 100e-6,
        ..Costs::default()
    };
    // With any number of workers, there are 2,000 assignments of one record.
    let (run, assignments) = simulate(1000, &costs, &recording);
    assert_eq!(assignments.len(), 2000);
    assert!(run.time >= 1999.0 * 100e-6, "{run:?}");
}

#[test]
fn busy_workers_slow_each_other_down() {
    let recording = recording([1.0, 1.0, 3.0]);
    let costs = Costs::default();
    // One worker is alone for 1 s. Then two workers are busy at half the speed for 2 s, until the shorter
    // record is done. The other worker does the remaining 2 s at full speed.
    let slowdown = &|active: usize| active as f64;
    let simulation = Simulation {
        workers: 2,
        costs: &costs,
        slowdown,
    };
    let run = simulation.run(&recording.stretches, &mut |_| {});
    assert!((run.time - 5.0).abs() < 1e-9, "{run:?}");
}

#[test]
fn speed_ups_of_copies_are_interpolated() {
    let copies = |threads, value| Ceiling {
        kernel: "copies".to_owned(),
        threads,
        speed_up: Estimate {
            value,
            low: value,
            high: value,
        },
        ..Ceiling::default()
    };
    let other = Ceiling {
        kernel: "memory".to_owned(),
        threads: 8,
        ..copies(8, 1.0)
    };
    let speed_ups = CopySpeedUps::of(&[copies(4, 2.5), copies(1, 1.01), other, copies(2, 1.5)]);
    assert_eq!(speed_ups.measured_to(), 4);
    let slowdowns = [1, 2, 3, 4].map(|threads| speed_ups.slowdown(threads));
    assert_eq!(slowdowns, [1.0, 2.0 / 1.5, 3.0 / 2.0, 4.0 / 2.5]);
    assert_eq!(CopySpeedUps::of(&[]).slowdown(1), 1.0);
    // A copy that had no core for a while does not make two threads slower than one.
    assert_eq!(CopySpeedUps::of(&[copies(2, 0.8)]).slowdown(2), 2.0);
}

fn comparison(measured: &[(&str, usize, f64)]) -> Comparison {
    let mut comparison = Comparison::new(
        String::new(),
        Default::default(),
        Default::default(),
        Machine::look(),
    );
    let measurement = |&(executor, threads, median): &(&str, usize, f64)| {
        let mut measurement = Measurement {
            executor: executor.to_owned(),
            threads,
            ..Measurement::default()
        };
        measurement.wall.median = median;
        measurement
    };
    comparison.measurements = measured.iter().map(measurement).collect();
    comparison
}

/// Predictions for made-up times: an executor that costs nothing, and copies that do not slow each other
/// down.
#[test]
fn predictions_of_known_times() {
    let comparison = comparison(&[
        ("sequential", 1, 1.5),
        ("task-queue", 2, 0.75),
        ("work-stealing", 3, 0.5),
    ]);
    let copies = |threads: usize| {
        let mut ceiling = Ceiling {
            kernel: "copies".to_owned(),
            threads,
            ..Ceiling::default()
        };
        ceiling.speed_up.value = threads as f64;
        ceiling
    };
    let mut recording = recording(vec![1e-3; 1000]);
    recording.serial = 0.5;
    let ceilings = [2, 3].map(copies);
    let free = |_: SimulatedExecutor| Costs::default();
    let all = predictions_with(&free, &comparison, &ceilings, 0.0, &recording);
    let of = |name: &str| -> Vec<&Prediction> {
        all.iter().filter(|one| one.executor == name).collect()
    };
    let [sequential] = &of("sequential")[..] else {
        panic!("one prediction for sequential");
    };
    assert!((sequential.ideal - 1.5).abs() < 1e-9);
    assert_eq!(sequential.measured, Some(1.5));
    assert_eq!(of("task-queue").len(), 11);
    let stealing = of("work-stealing");
    let numbers: Vec<usize> = stealing.iter().map(|one| one.workers).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 8, 16, 32, 64, 128, 256, 512, 1024]);
    for one in &stealing {
        assert_eq!(one.on_this_machine.is_some(), one.workers <= 3, "{one:?}");
        assert_eq!(one.measured, (one.workers == 3).then_some(0.5));
        let least = bound(&recording.summary(), one.workers).least;
        assert!(one.ideal >= least - 1e-9, "{one:?} is below {least}");
        assert!(one.ideal <= least + 3e-3, "{one:?} is far above {least}");
        let here = one.on_this_machine.unwrap_or(one.ideal);
        assert!((here - one.ideal).abs() < 1e-9, "{one:?}");
    }
}

#[test]
fn every_further_worker_adds_the_time_to_merge_its_answer() {
    let comparison = comparison(&[("sequential", 1, 1.0), ("task-queue", 2, 1.0)]);
    let recording = recording(vec![1e-3; 3000]);
    let free = |_: SimulatedExecutor| Costs::default();
    let predict = |merge_time| predictions_with(&free, &comparison, &[], merge_time, &recording);
    for (with, without) in predict(0.25).iter().zip(predict(0.0)) {
        let merges = (with.workers - 1) as f64;
        let added = with.ideal - without.ideal;
        assert!((added - 0.25 * merges).abs() < 1e-9, "{with:?} {without:?}");
    }
}

#[test]
fn the_time_to_merge_is_the_median_over_turns_with_several_workers() {
    let turn = |finish: u64, workers: usize| {
        let worker = WorkerTiming {
            records: 1,
            busy: Duration::from_millis(1),
            until: Duration::from_millis(1),
            ..WorkerTiming::default()
        };
        Timing {
            finish: Duration::from_millis(finish),
            workers: vec![worker; workers],
            ..Timing::default()
        }
    };
    let history = |timings: Vec<Timing>| TurnHistory {
        timings,
        ..TurnHistory::default()
    };
    let sequential = history(vec![turn(10, 1), turn(10, 1)]);
    let parallel = history(vec![turn(13, 4), turn(16, 4), turn(100, 4), turn(11, 1)]);
    let time = merge_time([&sequential, &parallel].into_iter());
    assert!((time - 2e-3).abs() < 1e-9, "{time}");
    assert_eq!(merge_time([&sequential].into_iter()), 0.0);
}

#[test]
fn records_that_wait_and_unknown_executors_are_not_predicted() {
    let comparison = comparison(&[("sequential", 1, 1.0), ("my-executor", 2, 1.0)]);
    let mut recording = recording(vec![1e-3; 1000]);
    let free = |_: SimulatedExecutor| Costs::default();
    let names = |comparison: &Comparison, recording: &Recording| -> Vec<String> {
        let all = predictions_with(&free, comparison, &[], 0.0, recording);
        all.into_iter().map(|one| one.executor).collect()
    };
    assert_eq!(names(&comparison, &recording), ["sequential"]);
    let known = self::comparison(&[("sequential", 1, 1.0), ("task-queue", 2, 1.0)]);
    assert_eq!(names(&known, &recording).len(), 12);
    recording.waits = true;
    assert_eq!(names(&known, &recording), ["sequential"]);
}

proptest! {
    #[test]
    fn one_worker_takes_the_sum_of_the_times(times in prop::collection::vec(0.0..1e-3, 0..300)) {
        let recording = recording(times);
        prop_assert!((time_without_costs(1, &recording) - recording.work()).abs() < 1e-9);
    }

    #[test]
    fn times_are_within_the_bounds(
        shortest in 1e-7..1e-4_f64,
        shape in prop::collection::vec(0.0..1.0_f64, 1..400),
        workers in 1_usize..200,
    ) {
        // A heavy tail: the longest records take up to a thousand times as long as most.
        let recording = recording(shape.iter().map(|u| shortest / (1.001 - u)));
        let (run, assignments) = simulate(workers, &Costs::default(), &recording);
        let bound = bound(&recording.summary(), workers);
        prop_assert!(run.time >= bound.least * (1.0 - 1e-9));

        // After the first records, which run alone, assignments are scheduled greedily.
        let time = |one: &Assignment| -> f64 {
            recording.stretches[one.units.clone()].iter().map(|stretch| stretch.seconds).sum()
        };
        let longest = assignments.iter().map(time).fold(0.0, f64::max);
        prop_assert!(run.time <= bound.greedy + ALONE + NOT_WORTH_SHARING + 2.0 * longest);
    }

    #[test]
    fn every_unit_is_handed_out_once_and_in_order(
        times in prop::collection::vec(0.0..1e-3, 0..300),
        group in 1_usize..50,
        workers in 1_usize..50,
    ) {
        let stretch = |seconds: f64| Stretch { units: group, seconds };
        let recording = Recording {
            stretches: times.iter().copied().map(stretch).collect(),
            ..Recording::default()
        };
        let costs = Costs { step: 1e-7, taking: 1e-8, first: 1e-5, each: 1e-6, ..Costs::default() };
        let (_, assignments) = simulate(workers, &costs, &recording);
        let mut next = 0;
        for one in assignments {
            prop_assert_eq!(one.units.start, next);
            prop_assert!(one.worker < workers && !one.units.is_empty());
            next = one.units.end;
        }
        prop_assert_eq!(next, recording.units());
    }

    /// Runs the executors' own code with the same clock: while the other workers sleep, it hands the same units
    /// to worker 0 as the simulation does.
    #[test]
    fn assignments_are_those_of_the_executors(
        nanos in prop::collection::vec(0_u64..300_000, 1..500),
        workers in 1_usize..40,
    ) {
        let clock = Mutex::new(0_u64);
        let handed = Mutex::new(Vec::new());
        let run_units = |worker: usize, units: std::ops::Range<usize>| {
            assert_eq!(worker, 0);
            *lock(&clock) += nanos[units.clone()].iter().sum::<u64>();
            lock(&handed).push(units);
            Flow::Go
        };
        let now = || Duration::from_nanos(*lock(&clock));
        execute_by(now, &Work::new(nanos.len(), &run_units), workers);

        // The other workers begin a second later than worker 0.
        let costs = Costs { latency: 1.0, ..Costs::default() };
        let recording = recording(nanos.iter().map(|&nanos| nanos as f64 / 1e9));
        let (_, assignments) = simulate(workers, &costs, &recording);
        let simulated: Vec<_> = assignments.into_iter().map(|one| one.units).collect();
        prop_assert_eq!(into_inner(handed), simulated);
    }
}
