//! These tests check what the analysis of a comparison contains, regardless of the measured times.

use manyhands::execution::Work;
use manyhands::machine::usable_cores;
use manyhands::measure::{Comparison, Losses, compare};
use manyhands::prelude::*;

use super::options;

fn compared(executors: &[&dyn Executor]) -> Comparison {
    let numbers: Vec<u64> = (0..300).collect();
    let task = |n: &u64| (0..2_000).fold(*n, |sum, one| std::hint::black_box(sum ^ one));
    let comparison = compare(&numbers, task, executors, &options()).expect("a comparison");
    assert!(comparison.agrees());
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

#[test]
fn losses_and_efficiency_of_every_configuration_add_up_to_1() {
    let comparison = compared(&[&TaskQueue::new(3), &WorkStealing::new(2)]);
    let analysis = &comparison.analysis;
    assert_eq!(analysis.losses.len(), comparison.measurements.len());
    for (losses, measurement) in analysis.losses.iter().zip(&comparison.measurements) {
        assert_eq!(losses.executor, measurement.executor);
        let all = shares(losses);
        assert!(all.iter().all(|share| *share >= 0.0), "{losses:?}");
        assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{losses:?}");
        let efficiency = measurement.efficiency.value.clamp(0.0, 1.0);
        assert!((losses.useful - efficiency).abs() < 1e-9, "{losses:?}");
    }
    assert_eq!(shares(&analysis.losses[0]), [1.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn there_are_ceilings_for_every_number_of_threads() {
    let comparison = compared(&[&TaskQueue::new(3), &WorkStealing::new(2)]);
    let ceilings = &comparison.analysis.ceilings;
    for kernel in ["arithmetic", "memory", "copies"] {
        let of_kernel = ceilings.iter().filter(|ceiling| ceiling.kernel == kernel);
        let threads: Vec<usize> = of_kernel.clone().map(|ceiling| ceiling.threads).collect();
        // The kernel that reads memory is left out if the machine has little free memory.
        if kernel != "memory" || !threads.is_empty() {
            assert_eq!(threads, [1, 2, 3], "{kernel}");
        }
        for ceiling in of_kernel {
            assert_eq!(ceiling.turns.len(), 3);
            assert_eq!(ceiling.bytes_per_second.is_some(), kernel == "memory");
            let speed_up = ceiling.speed_up;
            assert!(speed_up.low <= speed_up.value && speed_up.value <= speed_up.high);
            let is_one = (speed_up.low, speed_up.high) == (1.0, 1.0);
            assert!(ceiling.threads > 1 || is_one);
        }
    }
    let share = comparison.analysis.ceilings_share;
    assert!(share > 0.0 && share < 1.0, "{share}");
    assert!(!comparison.meanwhile.wall.is_zero());
}

#[test]
fn timelines_predictions_and_bounds_cover_every_configuration() {
    let comparison = compared(&[&TaskQueue::new(2), &WorkStealing::new(3)]);
    let analysis = &comparison.analysis;
    let timelines: Vec<_> = analysis
        .timelines
        .iter()
        .map(|one| (one.executor.as_str(), one.workers.len()))
        .collect();
    let expected = [("sequential", 1), ("task-queue", 2), ("work-stealing", 3)];
    assert_eq!(timelines, expected);
    for measurement in &comparison.measurements {
        let mut predictions = analysis.predictions.iter();
        let prediction = predictions
            .find(|one| one.executor == measurement.executor && one.workers == measurement.threads);
        let prediction = prediction.expect("a prediction");
        assert_eq!(prediction.measured, Some(measurement.wall.median));
        assert!(prediction.on_this_machine.is_some());
        let mut bounds = analysis.bounds.iter();
        let bound = bounds.find(|bound| bound.threads == measurement.threads);
        let bound = bound.expect("a bound");
        // The bound and the prediction are computed from the same recorded times.
        assert!(
            prediction.ideal >= bound.least * (1.0 - 1e-9),
            "{prediction:?} is below {bound:?}"
        );
    }
    let records = analysis.records.as_ref().expect("times of the records");
    let total = records.work + records.serial;
    let median = comparison.measurements[0].wall.median;
    assert!((total / median - 1.0).abs() < 1e-9, "{total} {median}");
}

#[test]
fn an_executor_of_the_caller_has_no_predictions() {
    struct Plain;
    impl Executor for Plain {
        fn name(&self) -> &str {
            "plain"
        }
        fn workers(&self) -> usize {
            1
        }
        fn execute(&self, work: &Work<'_>) {
            work.run(0, 0..work.units());
        }
    }
    let comparison = compared(&[&Plain]);
    assert_eq!(comparison.measurements[1].executor, "plain");
    let predictions = comparison.analysis.predictions.iter();
    let names: Vec<&str> = predictions.map(|one| one.executor.as_str()).collect();
    assert_eq!(names, ["sequential"]);
}

#[test]
fn more_threads_than_hardware_threads_are_a_warning() {
    let comparison = compared(&[&TaskQueue::new(usable_cores() * 4)]);
    let allowed = comparison.machine.allowed.map(|all| all.hardware_threads);
    // A core has one or two hardware threads, so four threads for each usable core are too many. If the machine is
    // unknown, each usable core counts as one hardware thread.
    if allowed.is_none_or(|hardware| usable_cores() * 4 > hardware) {
        let warnings = &comparison.warnings;
        let is_there = |warning: &String| warning.contains("threads take turns on");
        assert!(warnings.iter().any(is_there), "{warnings:?}");
    }
}
