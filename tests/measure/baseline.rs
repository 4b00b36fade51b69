//! These tests compare made-up times with a baseline.

use std::time::Duration;

use manyhands::measure::{Comparison, Options, Turn, compare};
use manyhands::prelude::*;

/// Returns a comparison of executors on very little work, whose times are replaced by made-up times.
fn comparison() -> Comparison {
    let queue = TaskQueue::new(2);
    let options = Options::default()
        .rounds(1)
        .warm_ups(0)
        .least_turn(Duration::ZERO);
    let task = |n: &u64| n.wrapping_mul(3);
    let mut comparison =
        compare(&vec![1_u64; 40], task, &[&queue], &options).expect("a comparison");
    for cell in &mut comparison.measurements {
        cell.turns = rounds(cell.turns[0], |round| 0.1 + 0.001 * (round % 5) as f64);
        for turn in &mut cell.turns {
            turn.cpu = Some(turn.wall * cell.threads as u32);
        }
    }
    for ceiling in &mut comparison.analysis.ceilings {
        ceiling.turns = rounds(ceiling.turns[0], |_| 0.01);
    }
    comparison
}

/// Returns twenty copies of a turn. `wall` gives the time of each round in seconds.
fn rounds(turn: Turn, wall: impl Fn(usize) -> f64) -> Vec<Turn> {
    let mut turns = vec![turn; 20];
    for (round, turn) in turns.iter_mut().enumerate() {
        (turn.round, turn.wall) = (round, Duration::from_secs_f64(wall(round)));
    }
    turns
}

/// Returns the comparison with the times of the task queue multiplied by a factor.
fn slowed(comparison: &Comparison, factor: f64) -> Comparison {
    let mut slowed = comparison.clone();
    for turn in &mut slowed.measurements[1].turns {
        turn.wall = turn.wall.mul_f64(factor);
    }
    slowed
}

#[test]
fn a_comparison_with_itself_shows_no_change() {
    let then = comparison();
    let mut now = then.clone();
    now.compare_to_baseline("itself", &then)
        .expect("the same work");
    let baseline = now.baseline.expect("a baseline");
    assert_eq!(
        (baseline.name.as_str(), &baseline.began),
        ("itself", &then.began)
    );
    assert_eq!(baseline.changed, Vec::<String>::new());
    let cells: Vec<_> = baseline
        .ratios
        .iter()
        .map(|one| (one.executor.as_str(), one.threads))
        .collect();
    assert_eq!(cells, [("sequential", 1), ("task-queue", 2)]);
    for ratio in &baseline.ratios {
        assert!((ratio.time.value - 1.0).abs() < 1e-12 && !ratio.time.differs_from(1.0));
        // Any two measurements are assumed to differ by chance, with a standard deviation of at least 1 %.
        assert!(ratio.detectable > 0.02, "{}", ratio.detectable);
    }
    assert_eq!(baseline.slower_by(0.0).count(), 0);
}

#[test]
fn only_what_is_slower_beyond_its_interval_is_reported() {
    let then = comparison();
    for (factor, share, is_slower) in [
        (1.30, 0.05, true),
        (1.30, 0.28, false),
        (1.06, 0.05, false),
        (0.50, 0.05, false),
    ] {
        let mut now = slowed(&then, factor);
        now.compare_to_baseline("then", &then)
            .expect("the same work");
        let baseline = now.baseline.expect("a baseline");
        let slower: Vec<_> = baseline
            .slower_by(share)
            .map(|one| one.executor.as_str())
            .collect();
        assert_eq!(
            slower,
            if is_slower {
                vec!["task-queue"]
            } else {
                vec![]
            },
            "{factor} {share}"
        );
        assert!((baseline.ratios[1].time.value - factor).abs() < 1e-9);
        assert!((baseline.ratios[1].cpu.expect("processor time").value - 1.0).abs() < 1e-9);
    }
}

/// Everything on two threads, including the arithmetic kernel, takes 1.5 times as long. Without the kernel, the
/// program would seem to be slower.
#[test]
fn a_slower_machine_is_not_a_slower_program() {
    let then = comparison();
    let mut now = slowed(&then, 1.5);
    let mut kernels = now.analysis.ceilings.iter_mut();
    let kernel = kernels.find(|one| one.kernel == "arithmetic" && one.threads == 2);
    for turn in &mut kernel.expect("a kernel of arithmetic").turns {
        turn.wall = turn.wall.mul_f64(1.5);
    }
    let mut without = now.clone();
    without.analysis.ceilings.clear();
    now.compare_to_baseline("then", &then)
        .expect("the same work");
    let ratio = &now.baseline.expect("a baseline").ratios[1];
    assert!(
        !ratio.time.differs_from(1.0) && !ratio.time.differs_from(1.5),
        "{ratio:?}"
    );
    let changed = now.warnings.last().expect("a warning");
    assert!(
        changed.starts_with("compared with then: 2 threads of plain arithmetic take 1.50 times")
    );
    without
        .compare_to_baseline("then", &then)
        .expect("the same work");
    let ratio = &without.baseline.expect("a baseline").ratios[1];
    assert!(ratio.time.low > 1.05, "{ratio:?}");
}

/// If the kernel takes twice as long both on one thread and on two, it was calibrated differently.
#[test]
fn the_calibration_of_the_kernel_does_not_matter() {
    let then = comparison();
    let mut now = slowed(&then, 1.3);
    for ceiling in &mut now.analysis.ceilings {
        ceiling.turns.iter_mut().for_each(|turn| turn.wall *= 2);
    }
    now.compare_to_baseline("then", &then)
        .expect("the same work");
    let baseline = now.baseline.expect("a baseline");
    assert_eq!(baseline.changed, Vec::<String>::new());
    assert_eq!(baseline.slower_by(0.05).count(), 1);
}

#[test]
fn changes_of_the_machine_are_reported() {
    let then = comparison();
    let mut now = then.clone();
    now.machine.cpu = Some("another".to_owned());
    now.machine.governor = None;
    now.machine.load = Some([99.0; 3]);
    now.compare_to_baseline("then", &then)
        .expect("the same work");
    let changed = now.baseline.expect("a baseline").changed;
    assert!(changed[0].ends_with(" and is another"), "{changed:?}");
    assert_eq!(
        changed.len(),
        1 + usize::from(then.machine.governor.is_some())
    );
}

#[test]
fn other_work_is_refused() {
    let then = comparison();
    let refused = |change: &dyn Fn(&mut Comparison), reason: &str| {
        let mut other = then.clone();
        change(&mut other);
        let mut now = then.clone();
        let error = now
            .compare_to_baseline("then", &other)
            .expect_err("other work")
            .to_string();
        assert!(error.contains(reason), "{error}");
        assert_eq!(now, then, "an error changes nothing");
    };
    refused(&|other| other.schema += 1, "save it again");
    refused(
        &|other| other.workload.records += 1,
        "40 records now, 41 then",
    );
    refused(&|other| other.workload.digest.push('0'), "another scorer");
    refused(
        &|other| other.measurements.clear(),
        "none of these executors",
    );
    refused(
        &|other| {
            other
                .measurements
                .iter_mut()
                .for_each(|cell| cell.threads += 7)
        },
        "none of these",
    );
    refused(
        &|other| other.disagreements.push(Default::default()),
        "differ",
    );
}

#[test]
fn a_comparison_survives_json() {
    let then = comparison();
    let text = serde_json::to_string(&then).expect("plain data");
    let back: Comparison = serde_json::from_str(&text).expect("the same layout");
    assert_eq!(back, then);
}
