//! These tests check the rounds, the answers and the verdicts in comparisons of executors.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use manyhands::measure::{Comparison, Measurement, Options, SCHEMA, compare, compare_plan};
use manyhands::plan::{ExecutorName, Plan};
use manyhands::prelude::*;

use super::options;

fn two() -> [Box<dyn Executor>; 2] {
    [Box::new(WorkStealing::new(2)), Box::new(TaskQueue::new(2))]
}

fn numbers(task: impl Fn(&usize) -> u64 + Sync) -> Comparison {
    let executors = two();
    let executors: Vec<&dyn Executor> = executors.iter().map(|one| &**one).collect();
    compare(&(0..2000), task, &executors, &options()).expect("a comparison")
}

/// Does some work that the compiler cannot optimise away.
fn work(n: &usize) -> u64 {
    (0..200).fold(*n as u64, |sum, step| {
        sum.wrapping_mul(31).rotate_left(7) ^ step
    })
}

#[test]
fn every_configuration_has_a_turn_in_every_round() {
    let comparison = numbers(work);
    let names: Vec<_> = comparison
        .measurements
        .iter()
        .map(|one| (one.executor.as_str(), one.threads))
        .collect();
    assert_eq!(
        names,
        [("sequential", 1), ("work-stealing", 2), ("task-queue", 2)]
    );
    for one in &comparison.measurements {
        let rounds: Vec<_> = one.turns.iter().map(|turn| turn.round).collect();
        assert_eq!(rounds, [0, 1, 2], "{}", one.executor);
        assert!(one.wall.minimum > 0.0 && one.wall.minimum <= one.wall.median);
        assert!(one.wall.low <= one.wall.median && one.wall.median <= one.wall.high);
        assert!(one.speed_up.low <= one.speed_up.value && one.speed_up.value <= one.speed_up.high);
        let product = one.efficiency.value * one.threads as f64;
        assert!((product - one.speed_up.value).abs() < 1e-9);
        assert!(!one.cold.first_run.is_zero());
    }
    let base = &comparison.measurements[0];
    assert_eq!(
        (base.speed_up.low, base.speed_up.value, base.speed_up.high),
        (1.0, 1.0, 1.0)
    );
    assert_eq!(
        (comparison.workload.records, comparison.workload.failed),
        (2000, 0)
    );
    assert!(comparison.agrees() && !comparison.took.is_zero());
    let costs: Vec<_> = comparison
        .costs
        .iter()
        .map(|cost| cost.executor.as_str())
        .collect();
    assert_eq!(costs, ["work-stealing", "task-queue"]);
}

#[test]
fn a_task_with_different_answers_has_no_times() {
    let calls = AtomicU64::new(0);
    let comparison = numbers(|_| calls.fetch_add(1, Relaxed));
    assert!(!comparison.agrees());
    assert!(comparison.measurements.is_empty() && comparison.analysis.ceilings.is_empty());
    let first = &comparison.disagreements[0];
    assert_eq!(
        (first.executor.as_str(), first.threads, first.round),
        ("work-stealing", 2, None)
    );
    assert_ne!(first.digest, comparison.workload.digest);
    let verdict = comparison.verdict();
    assert!(
        verdict.starts_with("The answers differ: the digest of work-stealing on 2 threads is "),
        "{verdict}"
    );
}

#[test]
fn an_answer_that_changes_late_is_reported_with_its_round() {
    // The first runs call the task 6,000 times in all. After 15,000 calls, all scores are different.
    let calls = AtomicU64::new(0);
    let comparison = numbers(|n| {
        if calls.fetch_add(1, Relaxed) >= 15_000 {
            1
        } else {
            *n as u64 + 2
        }
    });
    assert_eq!(comparison.disagreements.len(), 1);
    assert!(comparison.disagreements[0].round.is_some());
}

#[test]
fn failures_are_part_of_the_answer() {
    let executors = two();
    let executors: Vec<&dyn Executor> = executors.iter().map(|one| &**one).collect();
    let odd = fallible(|n: &usize| {
        if n.is_multiple_of(2) {
            Ok(*n)
        } else {
            Err("odd")
        }
    });
    let comparison = compare(&(0..100), odd, &executors, &options()).expect("a comparison");
    assert_eq!(
        (comparison.workload.records, comparison.workload.failed),
        (100, 50)
    );
    assert!(comparison.agrees());
    // Which records fail depends on the order of the calls. Different records fail on different executors.
    let calls = AtomicU64::new(0);
    let some = fallible(|n: &usize| match calls.fetch_add(1, Relaxed) % 101 {
        0 => Err("unlucky"),
        _ => Ok(*n),
    });
    let comparison = compare(&(0..1000), some, &executors, &options()).expect("a comparison");
    assert!(!comparison.agrees());
}

#[test]
fn a_comparison_of_no_records_is_no_error() {
    let none: [f64; 0] = [];
    let root = |x: &f64| x.sqrt();
    let comparison = compare(&none, root, &[&TaskQueue::new(2)], &options()).expect("a comparison");
    assert_eq!(
        (comparison.workload.records, comparison.measurements.len()),
        (0, 0)
    );
    assert_eq!(comparison.verdict(), "There are no records.");
}

#[test]
fn the_verdict_prefers_an_executor_that_is_detectably_faster() {
    let comparison = numbers(work);
    let measurement = |executor: &str, low: f64, value: f64, high: f64| {
        let mut one = comparison.measurements[0].clone();
        one.executor = executor.to_owned();
        (one.speed_up.low, one.speed_up.value, one.speed_up.high) = (low, value, high);
        one
    };
    let sure = measurement("sure", 1.8, 1.9, 2.0);
    let lucky = measurement("lucky", 0.5, 2.5, 9.0);
    let slow = measurement("slow", 0.4, 0.5, 0.6);
    let verdict = |others: &[&Measurement]| {
        let mut comparison = comparison.clone();
        comparison.measurements.truncate(1);
        comparison
            .measurements
            .extend(others.iter().copied().cloned());
        comparison.verdict()
    };
    let text = verdict(&[&sure, &lucky, &slow]);
    assert!(text.starts_with("sure on 1 thread is 1.90"), "{text}");
    let text = verdict(&[&lucky, &slow]);
    let none = "No detectable difference: the best, lucky on 1 thread";
    assert!(text.starts_with(none), "{text}");
    let text = verdict(&[&slow]);
    assert!(text.starts_with("Nothing is faster"), "{text}");
}

#[test]
fn a_confidence_outside_0_to_1_is_refused() {
    let compared = |options: &Options<'_>| {
        let queue = TaskQueue::new(2);
        compare(&(0..100), |n: &usize| *n, &[&queue], options)
    };
    for confidence in [0.0, 1.0, -0.5, 95.0, f64::NAN] {
        let refused = compared(&options().confidence(confidence))
            .map(|_| ())
            .map_err(|error| error.to_string());
        let message = refused.expect_err("no comparison");
        let expected = "the confidence of an interval is between 0 and 1";
        assert!(message.contains(expected), "{message}");
    }
    let comparison = compared(&options()).expect("a comparison");
    let turns = comparison.measurements.iter().flat_map(|one| &one.turns);
    assert!(turns.clone().count() == 6 && turns.clone().all(|turn| turn.runs == 1));
}

#[test]
fn a_stream_is_refused() {
    let stream = manyhands::dataset::Records::new(0..10_usize);
    let refused = compare(&stream, |n: &usize| *n, &[], &options());
    let message = refused.map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(
        message,
        Err("cannot measure: a stream can be read only once; load it into memory first".to_owned())
    );
}

#[test]
fn a_comparison_of_a_plan_survives_json() {
    let plan = Plan::new([concat!(env!("CARGO_MANIFEST_DIR"), "/data/reviews.jsonl")]);
    let opened = plan
        .open()
        .and_then(|opened| opened.load())
        .expect("the sample");
    let threads = "2".parse().expect("two");
    let executors = [
        (ExecutorName::TaskQueue, threads),
        (ExecutorName::Sequential, threads),
    ];
    let comparison =
        compare_plan(&opened, &executors, &options().name("the sample")).expect("a comparison");
    assert_eq!(comparison.measurements.len(), 2);
    assert_eq!(comparison.workload.bytes, Some(opened.bytes()));
    let answer = opened.run(Default::default()).expect("an answer");
    assert_eq!(comparison.workload.digest, answer.digest.to_string());
    let json = serde_json::to_string(&comparison).expect("JSON");
    let read: Comparison = serde_json::from_str(&json).expect("a comparison");
    assert_eq!((read.schema, &read), (SCHEMA, &comparison));
}

#[test]
fn loaded_lines_equal_the_lines_of_the_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::write(
        path("a.jsonl"),
        b"{\"a\":1}\n\n  \n{\"a\":2}\r\n\xff\n{\"a\":3}",
    )
    .expect("a file");
    std::fs::write(path("empty.jsonl"), b"").expect("a file");
    std::fs::write(path("b.jsonl"), b"\xef\xbb\xbf{\"b\":1}\n").expect("a file");
    let files = TextFiles::open(["a.jsonl", "empty.jsonl", "b.jsonl"].map(path)).expect("files");
    let loaded = manyhands::dataset::LoadedRecords::of(&files).expect("lines");
    let seen = |dataset: &dyn Fn(&mut Vec<String>)| {
        let mut seen = Vec::new();
        dataset(&mut seen);
        seen
    };
    fn put<D: for<'a> Dataset<Record<'a> = TextRecord<'a>>>(dataset: &D, seen: &mut Vec<String>) {
        let read = dataset.read(0..dataset.parts(), |at, line| {
            let place = dataset.place(at).map(|place| place.to_string());
            seen.push(format!(
                "{} {place:?} {:?}",
                at.index,
                line.map(TextRecord::as_str)
            ));
            ControlFlow::Continue(())
        });
        assert!(read.is_ok());
    }
    let of_files = seen(&|seen| put(&files, seen));
    assert_eq!(of_files.len(), 5);
    assert_eq!(of_files, seen(&|seen| put(&loaded, seen)));
    assert_eq!(
        (loaded.len(), loaded.bytes(), loaded.is_empty()),
        (5, 28, false)
    );
}
