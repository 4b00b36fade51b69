//! Comparisons held against earlier ones.

use manyhands::measure::{Comparison, Options, Turn, compare};
use manyhands::prelude::*;

/// A comparison of next to no work, whose times the tests put in themselves.
fn comparison() -> Comparison {
    let queue = TaskQueue::new(2);
    let options = Options::default().rounds(1).warm_ups(0).least_turn(0.0);
    let task = |n: &u64| n.wrapping_mul(3);
    let mut comparison =
        compare(&vec![1_u64; 40], task, &[&queue], &options).expect("a comparison");
    for cell in &mut comparison.cells {
        cell.turns = rounds(cell.turns[0], |round| 0.1 + 0.001 * (round % 5) as f64);
        for turn in &mut cell.turns {
            turn.cpu = Some(turn.wall * cell.threads as f64);
        }
    }
    for ceiling in &mut comparison.why.ceilings {
        ceiling.turns = rounds(ceiling.turns[0], |_| 0.01);
    }
    comparison
}

/// Twenty rounds like the one there was, but for the time.
fn rounds(turn: Turn, wall: impl Fn(usize) -> f64) -> Vec<Turn> {
    let mut turns = vec![turn; 20];
    for (round, turn) in turns.iter_mut().enumerate() {
        (turn.round, turn.wall) = (round, wall(round));
    }
    turns
}

/// The queue's times in that comparison are so many times as long.
fn slowed(comparison: &Comparison, times: f64) -> Comparison {
    let mut slowed = comparison.clone();
    for turn in &mut slowed.cells[1].turns {
        turn.wall *= times;
    }
    slowed
}

#[test]
fn a_comparison_held_against_itself_has_not_changed() {
    let then = comparison();
    let mut now = then.clone();
    now.hold_against("itself", &then).expect("the same work");
    let against = now.against.expect("what it was held against");
    assert_eq!(
        (against.name.as_str(), &against.began),
        ("itself", &then.began)
    );
    assert_eq!(against.changed, Vec::<String>::new());
    let cells: Vec<_> = against
        .cells
        .iter()
        .map(|one| (one.executor.as_str(), one.threads))
        .collect();
    assert_eq!(cells, [("sequential", 1), ("task-queue", 2)]);
    for ratio in &against.cells {
        assert!((ratio.time.value - 1.0).abs() < 1e-12 && !ratio.time.differs_from(1.0));
        assert_eq!(ratio.rounds_needed, None);
        // Two runs are never known to be closer than a hundredth.
        assert!(ratio.detectable > 0.02, "{}", ratio.detectable);
    }
    assert_eq!(against.slower_by(0.0).count(), 0);
}

#[test]
fn what_is_slower_beyond_its_interval_is_told_and_nothing_else() {
    let then = comparison();
    for (times, share, told) in [
        (1.30, 0.05, true),
        (1.30, 0.28, false),
        (1.06, 0.05, false),
        (0.50, 0.05, false),
    ] {
        let mut now = slowed(&then, times);
        now.hold_against("then", &then).expect("the same work");
        let against = now.against.expect("what it was held against");
        let slower: Vec<_> = against
            .slower_by(share)
            .map(|one| one.executor.as_str())
            .collect();
        assert_eq!(
            slower,
            if told { vec!["task-queue"] } else { vec![] },
            "{times} {share}"
        );
        assert!((against.cells[1].time.value - times).abs() < 1e-9);
        assert!((against.cells[1].cpu.expect("processor time").value - 1.0).abs() < 1e-9);
    }
}

/// The whole machine takes half as long again for everything on two threads today, the kernel
/// included; and without the kernel that would look like a slower program.
#[test]
fn a_machine_that_is_slower_for_everybody_does_not_show() {
    let then = comparison();
    let mut now = slowed(&then, 1.5);
    let mut kernels = now.why.ceilings.iter_mut();
    let kernel = kernels.find(|one| one.kernel == "arithmetic" && one.threads == 2);
    for turn in &mut kernel.expect("a kernel of arithmetic").turns {
        turn.wall *= 1.5;
    }
    let mut without = now.clone();
    without.why.ceilings.clear();
    now.hold_against("then", &then).expect("the same work");
    let ratio = &now.against.expect("what it was held against").cells[1];
    assert!(
        !ratio.time.differs_from(1.0) && !ratio.time.differs_from(1.5),
        "{ratio:?}"
    );
    let changed = now.warnings.last().expect("a warning");
    assert!(changed.starts_with("beside then: 2 threads of plain arithmetic take 1.50 times"));
    without.hold_against("then", &then).expect("the same work");
    let ratio = &without.against.expect("what it was held against").cells[1];
    assert!(ratio.time.low > 1.05, "{ratio:?}");
}

/// A kernel with twice as much to do, on one thread as on two, says nothing of the machine.
#[test]
fn another_length_of_the_kernel_does_not_matter() {
    let then = comparison();
    let mut now = slowed(&then, 1.3);
    for ceiling in &mut now.why.ceilings {
        ceiling.turns.iter_mut().for_each(|turn| turn.wall *= 2.0);
    }
    now.hold_against("then", &then).expect("the same work");
    let against = now.against.expect("what it was held against");
    assert_eq!(against.changed, Vec::<String>::new());
    assert_eq!(against.slower_by(0.05).count(), 1);
}

#[test]
fn another_machine_is_told() {
    let then = comparison();
    let mut now = then.clone();
    now.machine.cpu = Some("another".to_owned());
    now.machine.governor = None;
    now.machine.load = Some([99.0; 3]);
    now.hold_against("then", &then).expect("the same work");
    let changed = now.against.expect("what it was held against").changed;
    assert!(changed[0].ends_with(" and is another"), "{changed:?}");
    assert_eq!(
        changed.len(),
        1 + usize::from(then.machine.governor.is_some())
    );
}

#[test]
fn other_work_is_refused() {
    let then = comparison();
    let refused = |change: &dyn Fn(&mut Comparison), why: &str| {
        let mut other = then.clone();
        change(&mut other);
        let mut now = then.clone();
        let error = now
            .hold_against("then", &other)
            .expect_err("other work")
            .to_string();
        assert!(error.contains(why), "{error}");
        assert_eq!(now, then, "nothing is put in");
    };
    refused(&|other| other.schema += 1, "save it again");
    refused(
        &|other| other.workload.records += 1,
        "40 records now, 41 then",
    );
    refused(&|other| other.workload.digest.push('0'), "another scorer");
    refused(&|other| other.cells.clear(), "none of these executors");
    refused(
        &|other| other.cells.iter_mut().for_each(|cell| cell.threads += 7),
        "none of these",
    );
    refused(
        &|other| other.disagreements.push(Default::default()),
        "differ",
    );
}

#[test]
fn a_comparison_comes_back_from_json_as_it_was() {
    let then = comparison();
    let text = serde_json::to_string(&then).expect("plain data");
    let back: Comparison = serde_json::from_str(&text).expect("the same layout");
    assert_eq!(back, then);
}
