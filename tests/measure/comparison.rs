//! Comparisons of executors, through the library.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use manyhands::measure::{Comparison, Options, SCHEMA, compare, compare_plan};
use manyhands::plan::{ExecutorName, Plan};
use manyhands::prelude::*;

fn options() -> Options<'static> {
    Options::default().rounds(3).least_turn(0.0)
}

fn two() -> [Box<dyn Executor>; 2] {
    [Box::new(WorkStealing::new(2)), Box::new(TaskQueue::new(2))]
}

fn numbers(task: impl Fn(&usize) -> u64 + Sync) -> Comparison {
    let executors = two();
    let executors: Vec<&dyn Executor> = executors.iter().map(|one| &**one).collect();
    compare(&(0..2000), task, &executors, &options()).expect("a comparison")
}

/// Some work that the compiler cannot leave out.
fn work(n: &usize) -> u64 {
    (0..200).fold(*n as u64, |sum, step| {
        sum.wrapping_mul(31).rotate_left(7) ^ step
    })
}

#[test]
fn every_cell_has_a_turn_in_every_round() {
    let comparison = numbers(work);
    let names: Vec<_> = comparison
        .cells
        .iter()
        .map(|cell| (cell.executor.as_str(), cell.threads))
        .collect();
    assert_eq!(
        names,
        [("sequential", 1), ("work-stealing", 2), ("task-queue", 2)]
    );
    for cell in &comparison.cells {
        let rounds: Vec<_> = cell.turns.iter().map(|turn| turn.round).collect();
        assert_eq!(rounds, [0, 1, 2], "{}", cell.executor);
        assert!(cell.wall.minimum > 0.0 && cell.wall.minimum <= cell.wall.median);
        assert!(cell.wall.low <= cell.wall.median && cell.wall.median <= cell.wall.high);
        assert!(
            cell.speed_up.low <= cell.speed_up.value && cell.speed_up.value <= cell.speed_up.high
        );
        let each = cell.efficiency.value * cell.threads as f64;
        assert!((each - cell.speed_up.value).abs() < 1e-9);
        assert!(cell.cold.first_run > 0.0);
    }
    let base = &comparison.cells[0];
    assert_eq!(
        (base.speed_up.low, base.speed_up.value, base.speed_up.high),
        (1.0, 1.0, 1.0)
    );
    assert_eq!(
        (comparison.workload.records, comparison.workload.failed),
        (2000, 0)
    );
    assert!(comparison.agrees() && comparison.took > 0.0);
    let costs: Vec<_> = comparison
        .costs
        .iter()
        .map(|cost| cost.executor.as_str())
        .collect();
    assert_eq!(costs, ["work-stealing", "task-queue"]);
}

#[test]
fn a_task_that_answers_otherwise_each_time_has_no_times() {
    let calls = AtomicU64::new(0);
    let comparison = numbers(|_| calls.fetch_add(1, Relaxed));
    assert!(!comparison.agrees());
    assert!(comparison.cells.is_empty() && comparison.why.ceilings.is_empty());
    let first = &comparison.disagreements[0];
    assert_eq!(
        (first.executor.as_str(), first.threads, first.round),
        ("work-stealing", 2, None)
    );
    assert_ne!(first.digest, comparison.workload.digest);
    let verdict = comparison.verdict();
    assert!(
        verdict.starts_with("The answers differ: work-stealing on 2 threads gave"),
        "{verdict}"
    );
}

#[test]
fn an_answer_that_changes_late_is_found_and_its_round_told() {
    // Once the cold starts are over each run has 2,000 calls; from the 15,000th on all are another.
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
    // Which one fails is decided by who came first: as many failures, but others.
    let calls = AtomicU64::new(0);
    let some = fallible(|n: &usize| match calls.fetch_add(1, Relaxed) % 101 {
        0 => Err("unlucky"),
        _ => Ok(*n),
    });
    let comparison = compare(&(0..1000), some, &executors, &options()).expect("a comparison");
    assert!(!comparison.agrees());
}

#[test]
fn nothing_to_score_is_no_error() {
    let none: [f64; 0] = [];
    let root = |x: &f64| x.sqrt();
    let comparison = compare(&none, root, &[&TaskQueue::new(2)], &options()).expect("a comparison");
    assert_eq!(
        (comparison.workload.records, comparison.cells.len()),
        (0, 0)
    );
    assert_eq!(comparison.verdict(), "There are no records.");
}

#[test]
fn who_is_surely_faster_comes_before_who_may_be() {
    let comparison = numbers(work);
    let cell = |executor: &str, low: f64, value: f64, high: f64| {
        let mut cell = comparison.cells[0].clone();
        cell.executor = executor.to_owned();
        (cell.speed_up.low, cell.speed_up.value, cell.speed_up.high) = (low, value, high);
        cell
    };
    let sure = cell("sure", 1.8, 1.9, 2.0);
    let lucky = cell("lucky", 0.5, 2.5, 9.0);
    let slow = cell("slow", 0.4, 0.5, 0.6);
    let told = |others: &[&manyhands::measure::Cell]| {
        let mut comparison = comparison.clone();
        comparison.cells.truncate(1);
        comparison.cells.extend(others.iter().copied().cloned());
        comparison.verdict()
    };
    let verdict = told(&[&sure, &lucky, &slow]);
    assert!(verdict.starts_with("sure on 1 thread is 1.90"), "{verdict}");
    let verdict = told(&[&lucky, &slow]);
    let none = "No detectable difference: the best, lucky on 1 thread";
    assert!(verdict.starts_with(none), "{verdict}");
    let verdict = told(&[&slow]);
    assert!(verdict.starts_with("Nothing is faster"), "{verdict}");
}

#[test]
fn settings_that_mean_nothing_are_refused_or_none() {
    let compared = |options: &Options<'_>| {
        let queue = TaskQueue::new(2);
        compare(&(0..100), |n: &usize| *n, &[&queue], options)
    };
    for confidence in [0.0, 1.0, -0.5, 95.0, f64::NAN] {
        let mut options = options();
        options.confidence = confidence;
        let refused = compared(&options)
            .map(|_| ())
            .map_err(|error| error.to_string());
        let told = refused.expect_err("no comparison");
        assert!(told.contains("no interval has a confidence of"), "{told}");
    }
    for least in [f64::NAN, -1.0] {
        let comparison = compared(&options().least_turn(least)).expect("a comparison");
        let turns = comparison.cells.iter().flat_map(|cell| &cell.turns);
        assert!(turns.clone().count() == 6 && turns.clone().all(|turn| turn.runs == 1));
    }
}

#[test]
fn a_stream_is_refused() {
    let stream = manyhands::dataset::Records::new(0..10_usize);
    let refused = compare(&stream, |n: &usize| *n, &[], &options());
    let told = refused.map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(
        told,
        Err("cannot measure: a stream can be read once only; load it into memory first".to_owned())
    );
}

#[test]
fn a_plan_is_compared_and_written_down_in_full() {
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
    assert_eq!(comparison.cells.len(), 2);
    assert_eq!(comparison.workload.bytes, Some(opened.bytes()));
    let answer = opened.run(Default::default()).expect("an answer");
    assert_eq!(comparison.workload.digest, answer.digest.to_string());
    let json = serde_json::to_string(&comparison).expect("JSON");
    let read: Comparison = serde_json::from_str(&json).expect("a comparison");
    assert_eq!((read.schema, &read), (SCHEMA, &comparison));
}

#[test]
fn lines_in_memory_are_the_lines_of_the_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::write(
        path("a.jsonl"),
        b"{\"a\":1}\n\n  \n{\"a\":2}\r\n\xff\n{\"a\":3}",
    )
    .expect("a file");
    std::fs::write(path("empty.jsonl"), b"").expect("a file");
    std::fs::write(path("b.jsonl"), b"\xef\xbb\xbf{\"b\":1}\n").expect("a file");
    let files = JsonLines::open(["a.jsonl", "empty.jsonl", "b.jsonl"].map(path)).expect("files");
    let loaded = manyhands::dataset::LoadedLines::of(&files).expect("lines");
    let seen = |dataset: &dyn Fn(&mut Vec<String>)| {
        let mut seen = Vec::new();
        dataset(&mut seen);
        seen
    };
    fn put<D: for<'a> Dataset<Record<'a> = JsonLine<'a>>>(dataset: &D, seen: &mut Vec<String>) {
        let read = dataset.read(0..dataset.parts(), |at, line| {
            let place = dataset.place(at).map(|place| place.to_string());
            seen.push(format!(
                "{} {place:?} {:?}",
                at.index,
                line.map(JsonLine::as_str)
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
