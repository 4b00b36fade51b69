//! The simulation, held against the executors' own code, against what no schedule can do, and against
//! times that can be worked out by hand.

use std::time::Duration;

use proptest::prelude::*;

use super::Gains;
use super::costs::Costs;
use super::simulation::{Crew, Portion, Ran};
use crate::execution::{Executor, Flow, TaskQueue, Work, WorkStealing, execute_by};
use crate::measure::bounds::bound;
use crate::measure::comparison::Estimate;
use crate::measure::record_times::{Recorded, Stretch};
use crate::measure::why::{Ceiling, Prediction};
use crate::measure::{Options, compare};
use crate::sync::{Mutex, into_inner, lock};

/// The calling thread goes on alone for so long at least …
const ALONE: f64 = 10e-6;
/// … and to the end if it thinks that is no further away.
const NOT_WORTH_IT: f64 = 50e-6;

fn recorded(times: impl IntoIterator<Item = f64>) -> Recorded {
    let stretch = |seconds| Stretch { units: 1, seconds };
    Recorded {
        stretches: times.into_iter().map(stretch).collect(),
        ..Recorded::default()
    }
}

fn run(workers: usize, costs: &Costs, recorded: &Recorded) -> (Ran, Vec<Portion>) {
    let mut portions = Vec::new();
    let slowdown = &|_| 1.0;
    let crew = Crew {
        workers,
        costs,
        slowdown,
    };
    let ran = crew.run(&recorded.stretches, &mut |portion| portions.push(portion));
    (ran, portions)
}

fn free(workers: usize, recorded: &Recorded) -> f64 {
    run(workers, &Costs::default(), recorded).0.time
}

#[test]
fn equal_records_are_shared_equally() {
    let recorded = recorded(vec![1e-6; 1_000_000]);
    for workers in [2, 3, 8, 64] {
        let time = free(workers, &recorded);
        let least = bound(&recorded.figures(), workers).least;
        assert!(
            time >= least && time < least * 1.02 + 2.0 * ALONE,
            "{workers}: {time} for {least}"
        );
    }
}

#[test]
fn one_giant_record_is_all_that_counts() {
    for place in [0, 500, 999] {
        let mut times = vec![20e-6; 1000];
        times[place] = 1.0;
        let time = free(16, &recorded(times));
        assert!((1.0..1.03).contains(&time), "at {place}: {time}");
    }
}

#[test]
fn what_is_not_worth_it_wakes_nobody() {
    let costs = Costs {
        first: 1.0,
        each: 1.0,
        latency: 1.0,
        end: 1.0,
        ..Costs::default()
    };
    let (ran, portions) = run(8, &costs, &recorded([1e-6; 40]));
    assert!((ran.time - 40e-6).abs() < 1e-12 && ran.workers == 1);
    assert!(portions.iter().all(|portion| portion.worker == 0));
}

#[test]
fn what_it_costs_is_added() {
    let known = recorded([100e-6; 5]);
    let costs = Costs {
        first: 3e-6,
        each: 5e-6,
        latency: 7e-6,
        end: 11e-6,
        ..Costs::default()
    };
    // The first alone; four workers wake: 0 after 3 + 15, 1 after 3 + 5 + 7, then 20, 25. The last of
    // them is done after 100 + 25 + 100.
    let (ran, portions) = run(4, &costs, &known);
    assert!((ran.time - 236e-6).abs() < 1e-9, "{ran:?}");
    assert_eq!(ran.workers, 4);
    let order: Vec<usize> = portions.iter().map(|portion| portion.worker).collect();
    assert_eq!(order, [0, 1, 0, 2, 3]);
    // One that waits for all waits for whom it has woken for nothing.
    let nobody_left = Costs {
        waits_for_all: true,
        first: 1.0,
        each: 1.0,
        ..Costs::default()
    };
    assert!(run(4, &nobody_left, &known).0.time >= 4.0);
}

#[test]
fn the_queue_serves_one_at_a_time() {
    let recorded = recorded(vec![200e-6; 2000]);
    let costs = Costs {
        taking: 100e-6,
        ..Costs::default()
    };
    // However many take: 2,000 portions of one record each.
    let (ran, portions) = run(1000, &costs, &recorded);
    assert_eq!(portions.len(), 2000);
    assert!(ran.time >= 1999.0 * 100e-6, "{ran:?}");
}

#[test]
fn everything_takes_longer_while_the_cores_share() {
    let recorded = recorded([1.0, 1.0, 3.0]);
    let costs = Costs::default();
    // One second alone, then two at work at half the speed each until the shorter is done after two more,
    // and the rest of the longer at full speed.
    let slowdown = &|active: usize| active as f64;
    let crew = Crew {
        workers: 2,
        costs: &costs,
        slowdown,
    };
    let ran = crew.run(&recorded.stretches, &mut |_| {});
    assert!((ran.time - 5.0).abs() < 1e-9, "{ran:?}");
}

#[test]
fn gains_between_those_measured() {
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
    let gains = Gains::of(&[copies(4, 2.5), copies(1, 1.01), other, copies(2, 1.5)]);
    assert_eq!(gains.measured_to(), 4);
    let slowdowns = [1, 2, 3, 4].map(|threads| gains.slowdown(threads));
    assert_eq!(slowdowns, [1.0, 2.0 / 1.5, 3.0 / 2.0, 4.0 / 2.5]);
    assert_eq!(Gains::of(&[]).slowdown(1), 1.0);
    // One of the copies had no core for a while.
    assert_eq!(Gains::of(&[copies(2, 0.8)]).slowdown(2), 2.0);
}

/// The whole of it: predictions of a comparison, and what they are held against.
#[test]
fn a_comparison_is_predicted() {
    let numbers: Vec<u64> = (0..300).collect();
    let task = |n: &u64| (0..2_000).fold(*n, |sum, one| std::hint::black_box(sum ^ one));
    let (queue, pool) = (TaskQueue::new(2), WorkStealing::new(3));
    let executors: [&dyn Executor; 2] = [&queue, &pool];
    let options = Options::default().rounds(2).warm_ups(0).least_turn(0.0);
    let why = compare(&numbers, task, &executors, &options).unwrap().why;
    let of = |name: &str| -> Vec<&Prediction> {
        why.predictions
            .iter()
            .filter(|one| one.executor == name)
            .collect()
    };
    assert_eq!(of("sequential").len(), 1);
    assert_eq!(of("task-queue").len(), 11);
    let stealing = of("work-stealing");
    let numbers: Vec<usize> = stealing.iter().map(|one| one.workers).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 8, 16, 32, 64, 128, 256, 512, 1024]);
    for one in &stealing {
        assert_eq!(
            (one.here.is_some(), one.measured.is_some()),
            (one.workers <= 3, one.workers == 3)
        );
        let bound = why
            .bounds
            .iter()
            .find(|bound| bound.threads == one.workers)
            .unwrap();
        assert!(one.ideal >= bound.least * (1.0 - 1e-9), "{one:?} {bound:?}");
    }
    assert!(stealing[1].ideal < 0.8 * stealing[0].ideal, "{stealing:?}");
}

#[test]
fn executors_of_others_are_not_predicted() {
    struct Plain;
    impl Executor for Plain {
        fn workers(&self) -> usize {
            1
        }
        fn execute(&self, work: &Work<'_>) {
            work.run(0, 0..work.units());
        }
    }
    let options = Options::default().rounds(1).warm_ups(0).least_turn(0.0);
    let why = compare(&(0..10), |n: &usize| *n, &[&Plain], &options)
        .unwrap()
        .why;
    let names: Vec<&str> = why
        .predictions
        .iter()
        .map(|one| one.executor.as_str())
        .collect();
    assert_eq!(names, ["sequential"]);
}

proptest! {
    #[test]
    fn one_worker_takes_what_the_records_take(times in prop::collection::vec(0.0..1e-3, 0..300)) {
        let recorded = recorded(times);
        prop_assert!((free(1, &recorded) - recorded.work()).abs() < 1e-9);
    }

    #[test]
    fn within_the_bounds(
        cheap in 1e-7..1e-4_f64,
        shape in prop::collection::vec(0.0..1.0_f64, 1..400),
        workers in 1_usize..200,
    ) {
        // Heavy tails: the dearest are a thousand times as dear as most.
        let recorded = recorded(shape.iter().map(|u| cheap / (1.001 - u)));
        let (ran, portions) = run(workers, &Costs::default(), &recorded);
        let bound = bound(&recorded.figures(), workers);
        prop_assert!(ran.time >= bound.least * (1.0 - 1e-9));

        // Portions are what is scheduled greedily, after a beginning alone.
        let time = |portion: &Portion| -> f64 {
            recorded.stretches[portion.units.clone()].iter().map(|one| one.seconds).sum()
        };
        let dearest = portions.iter().map(time).fold(0.0, f64::max);
        prop_assert!(ran.time <= bound.greedy + ALONE + NOT_WORTH_IT + 2.0 * dearest);
    }

    #[test]
    fn every_unit_is_handed_out_once_and_in_order(
        times in prop::collection::vec(0.0..1e-3, 0..300),
        together in 1_usize..50,
        workers in 1_usize..50,
    ) {
        let stretch = |seconds: f64| Stretch { units: together, seconds };
        let recorded = Recorded {
            stretches: times.iter().copied().map(stretch).collect(),
            ..Recorded::default()
        };
        let costs = Costs { step: 1e-7, taking: 1e-8, first: 1e-5, each: 1e-6, ..Costs::default() };
        let (_, portions) = run(workers, &costs, &recorded);
        let mut next = 0;
        for portion in portions {
            prop_assert_eq!(portion.units.start, next);
            prop_assert!(portion.worker < workers && !portion.units.is_empty());
            next = portion.units.end;
        }
        prop_assert_eq!(next, recorded.units());
    }

    /// The executors' own loops, by the same clock: as long as the others sleep, worker 0 is handed the
    /// same portions.
    #[test]
    fn portions_are_those_of_the_executors(
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

        // Worker 0 is the last to be woken, and the others need a second more.
        let costs = Costs { latency: 1.0, ..Costs::default() };
        let recorded = recorded(nanos.iter().map(|&nanos| nanos as f64 / 1e9));
        let (_, portions) = run(workers, &costs, &recorded);
        let simulated: Vec<_> = portions.into_iter().map(|portion| portion.units).collect();
        prop_assert_eq!(into_inner(handed), simulated);
    }
}
