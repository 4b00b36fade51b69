//! Why it scales as it does, on the real thing: losses that are there show, and as what they are;
//! ceilings stand beside every cell.

use std::hint::black_box;
use std::thread::sleep;
use std::time::Duration;

use manyhands::execution::Work;
use manyhands::machine::usable_cores;
use manyhands::measure::{Comparison, Losses, Options, compare};
use manyhands::prelude::*;

fn options() -> Options<'static> {
    Options::default().rounds(3).least_turn(0.0)
}

/// Each record is how many microseconds it sleeps: what comes out does not depend on who else is at work
/// on the machine.
fn slept(records: &[u64], executors: &[&dyn Executor]) -> Comparison {
    let task = |micros: &u64| {
        sleep(Duration::from_micros(*micros));
        *micros
    };
    let comparison = compare(records, task, executors, &options()).unwrap();
    assert!(comparison.agrees());
    for losses in &comparison.why.losses {
        let all = shares(losses);
        assert!(all.iter().all(|share| *share >= 0.0), "{losses:?}");
        assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{losses:?}");
    }
    comparison
}

fn shares(losses: &Losses) -> [f64; 5] {
    [
        losses.useful,
        losses.serial,
        losses.imbalance,
        losses.machine,
        losses.scheduling,
    ]
}

fn last(comparison: &Comparison) -> &Losses {
    comparison.why.losses.last().unwrap()
}

#[test]
fn even_records_lose_little() {
    let _alone = crate::alone();
    let comparison = slept(&[1000; 200], &[&TaskQueue::new(4)]);
    let losses = last(&comparison);
    assert!(losses.useful > 0.6, "{losses:?}");
    let sequential = &comparison.why.losses[0];
    assert_eq!(shares(sequential), [1.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn one_long_record_shows_as_imbalance() {
    let _alone = crate::alone();
    let mut records = [1000; 200];
    records[150] = 200_000;
    let comparison = slept(&records, &[&TaskQueue::new(4)]);
    let losses = last(&comparison);
    assert!(losses.imbalance > 0.3, "{losses:?}");
    assert!(losses.serial < 0.2 && losses.scheduling < 0.2, "{losses:?}");
}

/// An executor that has something to do after all records.
struct Tidies(TaskQueue);

impl Executor for Tidies {
    fn workers(&self) -> usize {
        self.0.workers()
    }

    fn execute(&self, work: &Work<'_>) {
        self.0.execute(work);
        sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_long_end_shows_as_serial() {
    let _alone = crate::alone();
    let comparison = slept(&[1000; 200], &[&Tidies(TaskQueue::new(4))]);
    let losses = last(&comparison);
    // 100 ms of some 150, for three of four.
    assert!(losses.serial > 0.3, "{losses:?}");
    assert!(losses.imbalance < 0.2, "{losses:?}");
}

#[test]
fn more_threads_than_cores_show_as_the_machine() {
    let _alone = crate::alone();
    let cores = usable_cores();
    if cores > 4 {
        // As many threads more would take long.
        return;
    }
    let task = |seed: &u64| (0..2_000_u64).fold(*seed, |sum, n| black_box(sum ^ n));
    let records: Vec<u64> = (0..2000).collect();
    let crowd = TaskQueue::new(cores * 4);
    // Where others have the cores too, it may now and then look otherwise.
    let shows = |comparison: &Comparison| {
        let losses = last(comparison);
        let others = [losses.serial, losses.imbalance, losses.scheduling];
        losses.machine > 0.3 && others.iter().all(|other| losses.machine > *other)
    };
    let compared = || compare(&records, task, &[&crowd], &options().rounds(2)).unwrap();
    let mut tries = (0..10).map(|_| compared());
    let comparison = tries
        .find(shows)
        .expect("the machine is most of what is lost");
    let crowded = |warning: &String| warning.contains("threads take turns on");
    assert!(
        comparison.warnings.iter().any(crowded),
        "{:?}",
        comparison.warnings
    );
}

#[test]
fn ceilings_stand_beside_every_number_of_threads() {
    let _alone = crate::alone();
    let executors: [&dyn Executor; 2] = [&TaskQueue::new(3), &WorkStealing::new(2)];
    let comparison = slept(&[100; 50], &executors);
    let ceilings = &comparison.why.ceilings;
    for kernel in ["arithmetic", "memory", "copies"] {
        let of = ceilings.iter().filter(|ceiling| ceiling.kernel == kernel);
        let threads: Vec<usize> = of.clone().map(|ceiling| ceiling.threads).collect();
        // Reading is left out where there is no memory for it.
        if kernel != "memory" || !threads.is_empty() {
            assert_eq!(threads, [1, 2, 3], "{kernel}");
        }
        for ceiling in of {
            assert_eq!(ceiling.turns.len(), 3);
            assert_eq!(ceiling.bytes_per_second.is_some(), kernel == "memory");
            let gain = ceiling.speed_up;
            assert!(gain.low <= gain.value && gain.value <= gain.high);
            assert!(ceiling.threads > 1 || (gain.low, gain.high) == (1.0, 1.0));
        }
    }
    // Copies that sleep do not hinder each other.
    let asleep = ceilings
        .iter()
        .find(|ceiling| ceiling.kernel == "copies" && ceiling.threads == 3);
    let gain = asleep.unwrap().speed_up.value;
    assert!(gain > 1.5, "{gain}");
    let share = comparison.why.ceilings_share;
    assert!(share > 0.0 && share < 1.0, "{share}");
    assert!(comparison.meanwhile.wall > 0.0);
}
