//! Every executor gives the same bits, and every record is accounted for.

use std::io::Write as _;
use std::ops::{ControlFlow, Range};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::order_sensitive::{List, NaiveSum};
use manyhands::aggregation::{Aggregator, canonical_bytes};
use manyhands::dataset::{Dataset, LentRecord};
use manyhands::error::{Cause, Failure, Panicked, Skipped};
use manyhands::execution::{Flow, Work};
use manyhands::exit::Exit;
use manyhands::prelude::*;
use manyhands::report::{Finding, SlowRecord};
use manyhands::sink::{InOrder, RecordOutcome, Room, Sink};
use proptest::prelude::*;

/// An executor that runs all units on the calling thread, but assigns them to made-up workers. The sizes of the
/// portions and their workers depend on a seed, so the schedule is repeatable.
struct Dealt {
    workers: usize,
    seed: u64,
}

impl Executor for Dealt {
    fn workers(&self) -> usize {
        self.workers
    }

    fn execute(&self, work: &Work<'_>) {
        let units = work.units();
        let (mut next, mut state) = (0, self.seed | 1);
        while next < units {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let portion = 1 + (state >> 33) as usize % 7;
            let worker = (state >> 50) as usize % work.workers(self.workers);
            let end = units.min(next.saturating_add(portion));
            // A request to pause has no effect. All units run in order on one thread, so no unit is far ahead of its
            // turn.
            if work.run(worker, next..end) == Flow::Stop {
                return;
            }
            next = end;
        }
    }
}

/// An executor that runs all units on the calling thread as the first of several workers, as every executor does if
/// the units are not worth sharing.
struct Alone {
    workers: usize,
}

impl Executor for Alone {
    fn workers(&self) -> usize {
        self.workers
    }

    fn execute(&self, work: &Work<'_>) {
        let _ = work.run(0, 0..work.units());
    }
}

#[test]
fn a_run_that_was_not_shared_says_so() {
    for (records, workers, finding) in [
        (3, 2, Finding::NotShared),
        (3, 16, Finding::NotShared),
        (1, 2, Finding::OneRecord),
        (0, 2, Finding::Empty),
    ] {
        let report = Pipeline::new(&(0..records), |n: &usize| n % 10)
            .executor(&Alone { workers })
            .aggregate(Count::new())
            .expect("it runs");
        let explanation = report.explanation();
        assert_eq!(explanation.finding, finding);
        let alone = "the calling thread did it alone in ";
        let said = explanation.to_string().starts_with(alone);
        assert_eq!(said, finding == Finding::NotShared, "{explanation}");
    }
}

fn executors(seed: u64) -> Vec<Box<dyn Executor>> {
    let mut all: Vec<Box<dyn Executor>> = vec![Box::new(Sequential)];
    all.extend((1..=16).map(|threads| Box::new(WorkStealing::new(threads)) as Box<dyn Executor>));
    all.extend([2, 3, 9].map(|workers| Box::new(TaskQueue::new(workers)) as Box<dyn Executor>));
    all.extend((2..6).map(|workers| Box::new(Dealt { workers, seed }) as Box<dyn Executor>));
    all
}

/// Returns most of the built-in aggregators in one tuple.
fn family() -> impl Aggregator<f64, Output = impl serde::Serialize> {
    let grouped = (Count::new(), Mean::new(), Extrema::new()).by(|score: &f64| score.to_bits() % 5);
    let order = (Extrema::new(), Top::new(5), Bottom::new(5));
    let shape = (Histogram::new(-1.0, 1.0, 8), Quantiles::new());
    (
        Count::new(),
        Sum::new(),
        Mean::new(),
        Variance::new(),
        Moments::new(),
        order,
        shape,
        grouped,
    )
}

fn scores() -> impl Strategy<Value = Vec<f64>> {
    let score = prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        -1.0..1.0_f64,
        Just(0.1),
        Just(-1e300),
        Just(1e300),
    ];
    proptest::collection::vec(score, 0..3000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn same_bits_on_every_executor(scores in scores(), seed in any::<u64>()) {
        let bits = |executor: &dyn Executor| {
            let report = Pipeline::new(&scores, |score: &f64| *score)
                .executor(executor)
                .aggregate(family())
                .unwrap();
            assert_eq!(report.scored, scores.len() as u64);
            canonical_bytes(&report.value)
        };
        let expected = bits(&Sequential);
        for executor in executors(seed) {
            prop_assert!(bits(&*executor) == expected, "on {} workers", executor.workers());
        }
    }

    #[test]
    fn an_aggregator_that_is_not_commutative_merges_in_order(scores in scores(), seed in any::<u64>()) {
        let list = |executor: &dyn Executor| {
            let pipeline = Pipeline::new(&scores, |score: &f64| *score).executor(executor);
            let report = pipeline.aggregate((List::default(), NaiveSum::<false>::default()));
            let (list, sum) = report.unwrap().value;
            (list, sum.to_bits())
        };
        let expected = list(&Sequential);
        prop_assert_eq!(expected.0.len(), scores.len());
        prop_assert!(expected.0.iter().zip(0..).all(|((index, _), place)| *index == place));
        for executor in executors(seed) {
            prop_assert!(list(&*executor) == expected, "on {} workers", executor.workers());
        }
    }

    #[test]
    fn same_bits_for_every_way_of_cutting_files(
        scores in proptest::collection::vec(-1.0..1.0_f64, 1..300),
        parts in proptest::collection::vec(1_u64..3000, 3),
        cut in any::<proptest::sample::Index>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, scores: &[f64]| {
            let path = folder.path().join(name);
            let mut file = std::fs::File::create(&path).unwrap();
            for score in scores {
                writeln!(file, "{{\"score\": {score:?}}}").unwrap();
            }
            path
        };
        let cut = cut.index(scores.len());
        let whole = vec![write("whole", &scores)];
        let halves = vec![write("one", &scores[..cut]), write("two", &scores[cut..])];
        let task = fallible(|line: &TextRecord<'_>| {
            #[derive(serde::Deserialize)]
            struct Record { score: f64 }
            line.parse::<Record>().map(|record| record.score)
        });
        let in_memory = Pipeline::new(&scores, |score: &f64| *score).executor(&Sequential);
        let expected = canonical_bytes(&in_memory.aggregate(family()).unwrap().value);
        for files in [&whole, &halves] {
            for part_bytes in &parts {
                let dataset = TextFiles::open(files).unwrap().with_part_bytes(*part_bytes);
                for executor in [&Sequential as &dyn Executor, &WorkStealing::new(3)] {
                    let pipeline = Pipeline::new(&dataset, task).executor(executor);
                    let report = pipeline.aggregate(family()).unwrap();
                    prop_assert!(canonical_bytes(&report.value) == expected);
                }
            }
        }
    }
}

#[test]
fn a_rounded_sum_that_claims_to_commute_shows_the_schedule() {
    let scores: Vec<f64> = (0..5000).map(|n| f64::from(n).sin() * 1e3).collect();
    let sum = |executor: &dyn Executor| {
        let pipeline = Pipeline::new(&scores, |score: &f64| *score).executor(executor);
        pipeline
            .aggregate(NaiveSum::<true>::default())
            .unwrap()
            .value
            .to_bits()
    };
    let expected = sum(&Sequential);
    assert!((1..20).any(|seed| sum(&Dealt { workers: 3, seed }) != expected));
}

/// A task that fails on every seventh record and panics on every eleventh record.
fn unreliable(record: &usize) -> Result<f64, String> {
    match record {
        n if n % 11 == 10 => panic!("eleven at {n}"),
        n if n % 7 == 6 => Err(format!("seven at {n}")),
        n => Ok(*n as f64),
    }
}

#[test]
fn a_failure_costs_one_record() {
    for executor in executors(1) {
        let report = Pipeline::new(&(0..1000), fallible(unreliable))
            .executor(&*executor)
            .aggregate(Count::new())
            .unwrap();
        let failed = (0..1000).filter(|n| n % 11 == 10 || n % 7 == 6).count() as u64;
        assert_eq!(
            (report.records, report.scored, report.failed),
            (1000, 1000 - failed, failed)
        );
        assert_eq!(report.value, report.scored);
        assert_eq!(report.failures.len(), Report::FAILURES_KEPT);
        let messages: Vec<String> = report.failures[..3]
            .iter()
            .map(Failure::to_string)
            .collect();
        let Some(Panicked { message, place }) = report.failures[1].cause.downcast_ref() else {
            panic!("no panic: {}", report.failures[1]);
        };
        let place = place.as_deref().unwrap();
        assert_eq!(message, "eleven at 10");
        assert!(place.contains("pipeline.rs:"), "{place}");
        let panicked = format!("record 11: the task panicked: eleven at 10, at {place}");
        assert_eq!(
            messages,
            ["record 7: seven at 6", &panicked, "record 14: seven at 13",]
        );
        assert!(
            report
                .failures
                .windows(2)
                .all(|pair| pair[0].index < pair[1].index)
        );
        let records: u64 = report
            .timing
            .workers
            .iter()
            .map(|worker| worker.records)
            .sum();
        assert_eq!(records, 1000);
    }
}

#[test]
fn a_run_that_stops_names_the_first_failure_in_order() {
    let task = fallible(|n: &usize| {
        if n % 50 == 49 {
            Err("fifty")
        } else {
            Ok(*n as f64)
        }
    });
    for executor in executors(2) {
        let report = Pipeline::new(&(0..5000), task)
            .executor(&*executor)
            .on_failure(OnFailure::Stop)
            .aggregate(Sum::new());
        match report {
            Err(Error::Halted { failure, scored }) => {
                assert_eq!(failure.index, 49);
                assert!((49..5000).contains(&scored));
            }
            other => panic!("expected a halt, found {other:?}"),
        }
    }
}

/// A sink that collects a line for each record, in order.
struct Lines(InOrder<Vec<u8>>);

impl Sink<f64> for Lines {
    fn render(
        &self,
        index: u64,
        outcome: RecordOutcome<'_, f64>,
        _: Option<LentRecord<'_>>,
        bytes: &mut Vec<u8>,
    ) {
        let line = match outcome {
            RecordOutcome::Scored(score) => format!("{index} {score}\n"),
            RecordOutcome::Failed(failure) => format!("{index} {failure}\n"),
            RecordOutcome::Skipped(skipped) => format!("{index} {skipped}\n"),
        };
        bytes.extend_from_slice(line.as_bytes());
    }

    fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> std::io::Result<Room> {
        self.0.write(records, bytes)
    }
}

#[test]
fn a_run_whose_records_are_all_skipped_is_a_success() {
    let task = fallible(|_: &usize| Err::<f64, _>(Skipped::new("it needs no score")));
    let report = Pipeline::new(&(0..10), task)
        .on_failure(OnFailure::Stop)
        .aggregate(Count::new())
        .expect("no failure");
    assert_eq!((report.value, report.skipped, report.records), (0, 10, 10));
    assert!(report.failures.is_empty());
    assert_eq!(Exit::of_report(&report), Exit::Success);
}

#[test]
fn scores_are_written_in_order() {
    let lines = |executor: &dyn Executor, records: usize| {
        let lines = Lines(InOrder::new(Vec::new()));
        let task = fallible(|n: &usize| match n % 9 {
            8 => Err(Cause::from("nine")),
            4 => Err(Skipped::new("four").into()),
            _ => Ok(*n as f64),
        });
        Pipeline::new(&(0..records), task)
            .executor(executor)
            .scores(&lines)
            .aggregate(Count::new())
            .unwrap();
        String::from_utf8(lines.0.finish().unwrap()).unwrap()
    };
    for records in [0, 1, 10, 30_000] {
        let expected = lines(&Sequential, records);
        assert_eq!(expected.lines().count(), records);
        for executor in executors(3) {
            assert_eq!(lines(&*executor, records), expected);
        }
    }
}

#[test]
fn scores_ahead_of_their_turn_are_bounded() {
    const ROOM: usize = 10_000;
    const LINE: usize = 1000;
    const THREADS: usize = 3;

    /// A sink that records the maximum number of bytes that waited for their turn at any time.
    struct Watched {
        lines: InOrder<std::io::Sink>,
        most: AtomicUsize,
    }
    impl Sink<bool> for Watched {
        fn render(
            &self,
            _: u64,
            _: RecordOutcome<'_, bool>,
            _: Option<LentRecord<'_>>,
            bytes: &mut Vec<u8>,
        ) {
            bytes.extend_from_slice(&[b'x'; LINE]);
        }
        fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> std::io::Result<Room> {
            let room = self.lines.write(records, bytes)?;
            self.most
                .fetch_max(self.lines.waiting_bytes(), Ordering::SeqCst);
            Ok(room)
        }
    }
    let sink = Watched {
        lines: InOrder::with_room(std::io::sink(), ROOM),
        most: AtomicUsize::new(0),
    };
    let others = AtomicUsize::new(0);
    let task = |record: &usize| {
        if *record > 0 {
            others.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_micros(200));
            return true;
        }
        // The slow record waits until the room is full and the other workers have paused, that is, until no further
        // record is scored for a while.
        let (mut seen, mut looks) = (0, 0);
        while looks < 4 {
            // The record uses the pool while it waits, which a task may do. If the sink blocked the threads of the
            // pool, this call would never return.
            rayon::join(|| std::thread::sleep(Duration::from_millis(50)), || ());
            let now = others.load(Ordering::SeqCst);
            let full = sink.most.load(Ordering::SeqCst) > ROOM;
            looks = if full && now == seen { looks + 1 } else { 0 };
            seen = now;
            if seen >= 999 {
                return false;
            }
        }
        seen < 500
    };
    // The slow record must not be the first one, because the calling thread scores that one before it wakes the
    // other workers.
    let report = Pipeline::new(&(0..1000), |record: &usize| task(&((record + 999) % 1000)))
        .executor(&WorkStealing::new(THREADS))
        .scores(&sink)
        .aggregate(Count::new().only(|held_back: &bool| *held_back))
        .unwrap();
    assert_eq!(report.value, 1000, "no worker paused");
    let most = sink.most.into_inner();
    // The bytes that waited fill the room, and each worker may have added one block.
    assert!(
        most > ROOM && most < ROOM + THREADS * 64 * LINE,
        "{most} bytes were kept"
    );
}

#[test]
fn scores_that_never_come_are_an_error() {
    let lines = InOrder::new(Vec::new());
    lines.write(0..2, b"ab".to_vec()).unwrap();
    lines.write(3..4, b"d".to_vec()).unwrap();
    let error = lines.finish().unwrap_err().to_string();
    assert_eq!(error, "the scores of record 3 never came");
}

#[test]
fn scores_that_come_twice_are_refused() {
    let lines = InOrder::new(Vec::new());
    lines.write(0..2, b"ab".to_vec()).unwrap();
    let error = lines.write(0..1, b"a".to_vec()).unwrap_err().to_string();
    assert_eq!(error, "record 1 was written before");
    assert_eq!(lines.finish().unwrap(), b"ab");
}

/// An output whose reader closes it after this number of bytes.
struct ClosedAfter(usize);

impl std::io::Write for ClosedAfter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or(std::io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_sink_that_fails_ends_the_run() {
    struct Broken(InOrder<ClosedAfter>);
    impl Sink<f64> for Broken {
        fn render(
            &self,
            _: u64,
            _: RecordOutcome<'_, f64>,
            _: Option<LentRecord<'_>>,
            bytes: &mut Vec<u8>,
        ) {
            bytes.extend_from_slice(&[b'x'; 100]);
        }
        fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> std::io::Result<Room> {
            self.0.write(records, bytes)
        }
    }
    for executor in executors(4) {
        let sink = Broken(InOrder::new(ClosedAfter(100_000)));
        let report = Pipeline::new(&(0..100_000), |n: &usize| *n as f64)
            .executor(&*executor)
            .scores(&sink)
            .aggregate(Count::new());
        match report {
            Err(Error::Output(error)) => {
                assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
            }
            other => panic!("expected an output error, found {other:?}"),
        }
    }
}

#[test]
fn progress_adds_up_to_the_whole_extent() {
    for executor in executors(5) {
        let done = Mutex::new(0);
        let dataset = 0..10_000;
        Pipeline::new(&dataset, |n: &usize| *n as f64)
            .executor(&*executor)
            .progress(&|more| *done.lock().unwrap() += more)
            .aggregate(Count::new())
            .unwrap();
        assert_eq!(done.into_inner().unwrap(), dataset.size(0..dataset.parts()));
    }
}

#[test]
fn an_aggregator_that_panics_is_not_hidden() {
    #[derive(Clone)]
    struct Panics;
    impl Aggregator<usize> for Panics {
        type Output = ();
        const COMMUTATIVE: bool = true;
        fn observe(&mut self, _: u64, score: &usize) {
            assert!(*score != 700, "seven hundred");
        }
        fn merge(&mut self, _: Self) {}
        fn finish(self) {}
    }
    let run = |executor: &dyn Executor| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            Pipeline::new(&(0..1000), |n: &usize| *n)
                .executor(executor)
                .aggregate(Panics)
        }))
    };
    for executor in executors(6) {
        assert!(run(&*executor).is_err());
    }
}

#[test]
fn an_aggregator_that_panics_ends_the_run_soon() {
    #[derive(Clone)]
    struct Panics;
    impl Aggregator<()> for Panics {
        type Output = ();
        const COMMUTATIVE: bool = true;
        fn observe(&mut self, index: u64, (): &()) {
            assert!(index != 20, "twenty");
        }
        fn merge(&mut self, _: Self) {}
        fn finish(self) {}
    }
    let scored = AtomicUsize::new(0);
    let task = |_: &usize| {
        std::thread::sleep(Duration::from_millis(1));
        scored.fetch_add(1, Ordering::SeqCst);
    };
    let executor = WorkStealing::new(3);
    let run = || {
        Pipeline::new(&(0..2000), task)
            .executor(&executor)
            .aggregate(Panics)
    };
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
    assert!(scored.into_inner() < 1000);
}

#[test]
fn a_visit_ends_with_a_break() {
    let mut seen = Vec::new();
    let visit = |at: manyhands::dataset::Position, _: Result<&i32, _>| {
        seen.push(at.index);
        if at.index == 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    [1, 2, 3, 4, 5].read(0..5, visit).unwrap();
    assert_eq!(seen, [0, 1, 2]);
}

#[test]
fn the_slowest_record_is_named() {
    let task = |n: &usize| {
        if *n == 700 {
            std::thread::sleep(Duration::from_millis(100));
        }
        *n as f64
    };
    for executor in executors(2) {
        let report = Pipeline::new(&(0..1000), task)
            .executor(&*executor)
            .aggregate(Count::new())
            .unwrap();
        let mut slowest = report.timing.slowest.iter();
        let holds =
            |slow: &SlowRecord| (slow.index..slow.index + u64::from(slow.records)).contains(&700);
        assert!(slowest.any(holds), "{:?}", report.timing.slowest);
        // A worker is busy while it sleeps in the task.
        let busy = report.timing.workers.iter().map(|worker| worker.busy);
        assert!(busy.max() >= Some(Duration::from_millis(100)));
        let shares = report.timing.shares();
        let all: f64 = shares.named().iter().map(|(_, share)| share).sum();
        assert!((all - 1.0).abs() < 1e-9, "{shares:?}");
    }
}
