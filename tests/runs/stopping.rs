//! No matter when a run is stopped or halted, it returns the answer for the first records of the dataset.

use std::collections::HashSet;
use std::io::Write as _;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use crate::order_sensitive::{List, NaiveSum};
use manyhands::aggregation::{Aggregator, canonical_bytes};
use manyhands::dataset::{Dataset, Position, ReadOutcome};
use manyhands::error::{BadRecord, Cause, Skipped};
use manyhands::prelude::*;
use manyhands::report::End;
use manyhands::stop::Cancel;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum OnExecutor {
    Sequential,
    Stealing(usize),
    Queue(usize),
    Ambient,
}

impl OnExecutor {
    fn executor(&self) -> Box<dyn Executor> {
        match self {
            OnExecutor::Sequential => Box::new(Sequential),
            OnExecutor::Stealing(threads) => Box::new(WorkStealing::new(*threads)),
            OnExecutor::Queue(workers) => Box::new(TaskQueue::new(*workers)),
            OnExecutor::Ambient => Box::new(WorkStealing::ambient()),
        }
    }
}

fn on_executor() -> impl Strategy<Value = OnExecutor> {
    prop_oneof![
        1 => Just(OnExecutor::Sequential),
        4 => (1..=16_usize).prop_map(OnExecutor::Stealing),
        4 => (1..=16_usize).prop_map(OnExecutor::Queue),
        1 => Just(OnExecutor::Ambient),
    ]
}

#[derive(Clone, Debug)]
enum Stop {
    /// The task of this record cancels the run.
    At(u64),
    /// Another thread cancels the run once this many records have been started.
    After(u64),
    Never,
}

#[derive(Clone, Debug)]
struct Case {
    records: u64,
    on: OnExecutor,
    when: Stop,
    /// The indices of a few records that take far longer than the others.
    slow: HashSet<u64>,
    /// Consecutive records that take far longer than the others.
    stretch: Range<u64>,
    /// The index of a record that is not done until the run is cancelled.
    waits: Option<u64>,
    /// If this number is n, one in n records fails, one in n is skipped, and one in 2n panics.
    failing: u64,
}

fn case() -> impl Strategy<Value = Case> {
    (0..6000_u64, on_executor(), 7..2000_u64).prop_flat_map(|(records, on, failing)| {
        let index = 0..records.max(1);
        let when = prop_oneof![
            4 => index.clone().prop_map(Stop::At),
            4 => index.clone().prop_map(Stop::After),
            1 => Just(Stop::Never),
        ];
        let slow = proptest::collection::hash_set(index.clone(), 0..8);
        let stretch = (index, 0..24_u64);
        (when, slow, stretch).prop_map(move |(when, slow, (start, length))| Case {
            records,
            on: on.clone(),
            when,
            slow,
            stretch: start..start + length,
            waits: None,
            failing,
        })
    })
}

/// The task of one run.
#[derive(Clone)]
struct Scoring {
    case: Case,
    cancel: Cancel,
    started: Arc<AtomicU64>,
    /// Number of records that were started after the run had been cancelled.
    late: Arc<AtomicU64>,
}

impl Scoring {
    fn of(case: &Case, cancel: &Cancel) -> Self {
        Scoring {
            case: case.clone(),
            cancel: cancel.clone(),
            started: Arc::default(),
            late: Arc::default(),
        }
    }

    fn number(&self, number: u64) -> Result<f64, Cause> {
        self.started.fetch_add(1, SeqCst);
        if self.cancel.is_cancelled() {
            self.late.fetch_add(1, SeqCst);
        }
        let case = &self.case;
        if matches!(case.when, Stop::At(at) if at == number) {
            self.cancel.cancel();
        }
        if case.slow.contains(&number) || case.stretch.contains(&number) {
            thread::sleep(Duration::from_micros(400));
        }
        let began = Instant::now();
        while case.waits == Some(number)
            && !self.cancel.is_cancelled()
            && began.elapsed() < Duration::from_secs(30)
        {
            thread::sleep(Duration::from_millis(1));
        }
        score(case.failing, number)
    }
}

fn score(failing: u64, number: u64) -> Result<f64, Cause> {
    match number {
        n if n % (2 * failing) == failing / 2 => panic!("{n} panics"),
        n if n % failing == failing - 1 => Err("it fails".into()),
        n if n % failing == failing - 2 => Err(Skipped::new("it needs no score").into()),
        n => Ok((n as f64).sin() * 1e3),
    }
}

impl Task<usize> for Scoring {
    type Score = f64;
    type Error = Cause;

    fn score(&self, record: &usize) -> Result<f64, Cause> {
        self.number(*record as u64)
    }
}

impl Task<TextRecord<'_>> for Scoring {
    type Score = f64;
    type Error = Cause;

    fn score(&self, record: &TextRecord<'_>) -> Result<f64, Cause> {
        self.number(record.parse::<u64>()?)
    }
}

/// A dataset that cancels the run just before it yields the record with the index `end`.
struct Until<'a, D: ?Sized> {
    dataset: &'a D,
    end: u64,
    cancel: &'a Cancel,
}

impl<D: Dataset + ?Sized> Dataset for Until<'_, D> {
    type Record<'r> = D::Record<'r>;

    fn parts(&self) -> usize {
        self.dataset.parts()
    }

    fn read<V>(&self, parts: Range<usize>, mut visit: V) -> Result<ReadOutcome, Error>
    where
        V: FnMut(Position, Result<&D::Record<'_>, BadRecord>) -> ControlFlow<()>,
    {
        self.dataset.read(parts, |at, record| {
            if at.index == self.end {
                self.cancel.cancel();
            }
            visit(at, record)
        })
    }

    fn size(&self, parts: Range<usize>) -> u64 {
        self.dataset.size(parts)
    }
}

/// Returns some of the built-in aggregators in one tuple.
fn family() -> impl Aggregator<f64, Output = impl serde::Serialize> {
    let grouped = (Count::new(), Mean::new()).by(|score: &f64| score.to_bits() % 5);
    let order = (Extrema::new(), Top::new(5));
    (Count::new(), Sum::new(), Variance::new(), order, grouped)
}

/// Returns aggregators whose answers show how the scores were distributed.
fn in_order() -> impl Aggregator<f64, Output = impl serde::Serialize> {
    (List::default(), NaiveSum::<false>::default())
}

/// The parts of a report that do not depend on the clock.
#[derive(Debug, PartialEq)]
struct Facts {
    value: Vec<u8>,
    records: u64,
    scored: u64,
    failed: u64,
    skipped: u64,
    failures: Vec<(u64, String)>,
}

fn facts<V: serde::Serialize>(report: &Report<V>) -> Facts {
    let failures = report.failures.iter();
    Facts {
        value: canonical_bytes(&report.value),
        records: report.records,
        scored: report.scored,
        failed: report.failed,
        skipped: report.skipped,
        failures: failures
            .map(|failure| (failure.index, failure.cause.to_string()))
            .collect(),
    }
}

/// Makes a sequential run over the records before `end`, and returns the facts in its report.
fn sequential<D, A>(dataset: &D, case: &Case, end: u64, aggregator: A) -> Facts
where
    D: Dataset + ?Sized,
    Scoring: for<'r> Task<D::Record<'r>, Score = f64>,
    A: Aggregator<f64, Output: serde::Serialize>,
{
    let case = Case {
        when: Stop::Never,
        slow: HashSet::new(),
        stretch: 0..0,
        waits: None,
        ..case.clone()
    };
    let cancel = Cancel::new();
    let until = Until {
        dataset,
        end,
        cancel: &cancel,
    };
    let scoring = Scoring::of(&case, &cancel);
    let report = Pipeline::new(&until, scoring)
        .executor(&Sequential)
        .cancel(&cancel)
        .aggregate_so_far(aggregator);
    facts(&report.unwrap())
}

/// Runs a case, and cancels it as the case says.
fn stopped<D, A>(dataset: &D, case: &Case, aggregator: A)
where
    D: Dataset + ?Sized,
    Scoring: for<'r> Task<D::Record<'r>, Score = f64>,
    A: Aggregator<f64, Output: serde::Serialize>,
{
    let (cancel, over) = (Cancel::new(), AtomicBool::new(false));
    let scoring = Scoring::of(case, &cancel);
    let (started, late) = (Arc::clone(&scoring.started), Arc::clone(&scoring.late));
    let executor = case.on.executor();
    let report = thread::scope(|scope| {
        if let Stop::After(records) = case.when {
            let (started, over, cancel) = (&started, &over, &cancel);
            scope.spawn(move || {
                while started.load(SeqCst) < records && !over.load(SeqCst) {
                    thread::sleep(Duration::from_micros(20));
                }
                cancel.cancel();
            });
        }
        let report = Pipeline::new(dataset, scoring)
            .executor(&*executor)
            .cancel(&cancel)
            .aggregate_so_far(aggregator.clone());
        over.store(true, SeqCst);
        report.unwrap()
    });
    let facts = facts(&report);
    assert_eq!(facts.scored + facts.failed + facts.skipped, facts.records);
    assert!(facts.scored <= started.load(SeqCst));
    // Each worker may have checked the token just before the cancellation, and may then start one record.
    let late = late.load(SeqCst);
    assert!(
        late <= executor.workers() as u64,
        "{late} records were started after the cancellation"
    );
    match report.end {
        End::Finished => assert_eq!(facts.records, case.records),
        End::Stopped(_) => {
            assert!(!matches!(case.when, Stop::Never));
            assert!(facts.records < case.records, "no record was left out");
        }
        other => panic!("{other:?}"),
    }
    if let (OnExecutor::Sequential, Stop::At(at)) = (&case.on, &case.when) {
        assert!(facts.records == at + 1 || facts.records == case.records);
    }
    let expected = sequential(dataset, case, facts.records, aggregator);
    assert_eq!(facts, expected);
}

/// Writes a file with a line for each record of a case. Every seventeenth line is not valid.
fn file(case: &Case) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut lines = String::new();
    for number in 0..case.records {
        match number % 17 {
            16 => lines.push_str("{\"torn\n"),
            _ => lines.push_str(&format!("{number}\n")),
        }
    }
    file.write_all(lines.as_bytes()).unwrap();
    file
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_stopped_run_answers_for_a_beginning(case in case()) {
        let range = 0..case.records as usize;
        stopped::<Range<usize>, _>(&range, &case, family());
        stopped::<Range<usize>, _>(&range, &case, in_order());
        let slice: Vec<usize> = range.collect();
        stopped::<Vec<usize>, _>(&slice, &case, family());
    }

    #[test]
    fn a_stopped_run_over_files_answers_for_a_beginning(case in case(), part_bytes in 20..4000_u64) {
        let file = file(&case);
        let lines = TextFiles::open([file.path()]).unwrap().with_part_bytes(part_bytes);
        stopped::<TextFiles, _>(&lines, &case, family());
        stopped::<TextFiles, _>(&lines, &case, in_order());
    }

    #[test]
    fn a_run_is_halted_by_the_same_failure_everywhere(
        case in case(),
        on_failure in prop_oneof![
            Just(OnFailure::Stop),
            (0..20_u64).prop_map(|at_most| OnFailure::Skip { at_most }),
            (0.0..0.02_f64).prop_map(|at_most| OnFailure::SkipShare { at_most }),
        ],
    ) {
        let case = Case { when: Stop::Never, ..case };
        let range = 0..case.records as usize;
        halted::<Range<usize>, _>(&range, &case, on_failure, family(), true);
        halted::<Range<usize>, _>(&range, &case, on_failure, in_order(), false);
        let file = file(&case);
        let lines = TextFiles::open([file.path()]).unwrap().with_part_bytes(700);
        halted::<TextFiles, _>(&lines, &case, on_failure, family(), true);
    }
}

/// Runs a case until there are too many failures. If `exactly`, the run must end at the same record as a sequential
/// run, which every commutative aggregator requires.
fn halted<D, A>(dataset: &D, case: &Case, on_failure: OnFailure, aggregator: A, exactly: bool)
where
    D: Dataset + ?Sized,
    Scoring: for<'r> Task<D::Record<'r>, Score = f64>,
    A: Aggregator<f64, Output: serde::Serialize>,
{
    let cancel = Cancel::new();
    let run = |executor: &dyn Executor| {
        let scoring = Scoring::of(case, &cancel);
        let report = Pipeline::new(dataset, scoring)
            .executor(executor)
            .on_failure(on_failure)
            .aggregate_so_far(aggregator.clone())
            .unwrap();
        let facts = facts(&report);
        let failure = match report.end {
            End::Finished => None,
            End::Halted(failure) => Some(failure.index),
            other => panic!("{other:?}"),
        };
        (facts, failure)
    };
    let (base, by) = run(&Sequential);
    let (facts, failure) = run(&*case.on.executor());
    assert_eq!(failure, by);
    assert!(failure.is_none_or(|index| index < facts.records));
    if exactly {
        assert_eq!(facts, base);
    }
    let expected = sequential(dataset, case, facts.records, aggregator);
    assert_eq!(facts, expected);
}

/// The first records of a portion may be cheap and a later record slow. A cancelled run must not wait for the end of
/// such a portion, although other workers are far ahead of it.
#[test]
fn a_stop_waits_for_no_portion() {
    for on in [OnExecutor::Stealing(3), OnExecutor::Queue(3)] {
        let case = Case {
            records: 300_000,
            on,
            when: Stop::After(280_000),
            slow: HashSet::new(),
            stretch: 0..0,
            waits: Some(50_000),
            failing: 10_000,
        };
        let range = 0..case.records as usize;
        stopped::<Range<usize>, _>(&range, &case, family());
        stopped::<Range<usize>, _>(&range, &case, in_order());
    }
}

/// A score that counts how many scores exist at the same time.
struct Live<'a> {
    alive: &'a AtomicU64,
    _weight: [u8; 4096],
}

impl<'a> Live<'a> {
    fn new(alive: &'a AtomicU64, most: &AtomicU64) -> Self {
        most.fetch_max(alive.fetch_add(1, SeqCst) + 1, SeqCst);
        let _weight = [0; 4096];
        Live { alive, _weight }
    }
}

impl Drop for Live<'_> {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, SeqCst);
    }
}

#[test]
fn a_slow_record_does_not_pile_up_scores() {
    const RECORDS: usize = 100_000;
    for executor in [
        Box::new(WorkStealing::new(3)) as Box<dyn Executor>,
        Box::new(TaskQueue::new(3)),
    ] {
        let (alive, most) = (AtomicU64::new(0), AtomicU64::new(0));
        let task = |record: &usize| {
            if *record == 3000 {
                // This record waits until the other workers have paused.
                let (mut seen, mut looks) = (0, 0);
                while looks < 5 {
                    thread::sleep(Duration::from_millis(40));
                    let now = most.load(SeqCst);
                    looks = if now == seen { looks + 1 } else { 0 };
                    seen = now;
                }
            }
            Live::new(&alive, &most)
        };
        let report = Pipeline::new(&(0..RECORDS), task)
            .executor(&*executor)
            .aggregate(Count::new())
            .unwrap();
        assert_eq!(report.value, RECORDS as u64);
        assert_eq!(alive.into_inner(), 0);
        let most = most.into_inner();
        // 8192 scores fit in the room of 32 MiB, and further scores are in flight.
        assert!(most < 40_000, "{most} scores were held");
    }
}

#[test]
fn a_run_that_is_over_before_the_cancel_is_finished() {
    for on in [
        OnExecutor::Sequential,
        OnExecutor::Stealing(4),
        OnExecutor::Queue(4),
        OnExecutor::Ambient,
    ] {
        let cancel = Cancel::new();
        let last = |record: &usize| {
            if *record == 999 {
                cancel.cancel();
            }
        };
        let report = Pipeline::new(&(0..1000), last)
            .executor(&*on.executor())
            .cancel(&cancel)
            .aggregate_so_far(Count::new())
            .unwrap();
        // The last record need not be the last one to be started, so some records may be left out.
        assert_eq!(report.end.is_finished(), report.records == 1000);
        if let OnExecutor::Sequential = on {
            assert!(report.end.is_finished());
        }
    }
}

/// Prints how long a run continues after it is cancelled. The test requires no particular time, because the time
/// depends on the other programs on the machine.
#[test]
#[ignore = "a measurement: cargo test --test stopping -- --ignored --nocapture"]
fn latency() {
    const TRIES: usize = 200;
    let lines: String = (0..20_000).map(|number| format!("{number}\n")).collect();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(lines.as_bytes()).unwrap();
    let lines = TextFiles::open([file.path()]).unwrap();
    for on in [
        OnExecutor::Stealing(2),
        OnExecutor::Stealing(8),
        OnExecutor::Queue(2),
        OnExecutor::Queue(8),
    ] {
        let executor = on.executor();
        for cheap in [0, 10_000] {
            let pause = |number: u64| {
                if number >= cheap {
                    thread::sleep(Duration::from_millis(1));
                }
            };
            let slice: Vec<u64> = (0..20_000).collect();
            let mut waits = Vec::new();
            for attempt in 0..TRIES {
                let cancel = Cancel::new();
                let wait = thread::scope(|scope| {
                    let canceller = scope.spawn(|| {
                        thread::sleep(Duration::from_micros(15_000 + 37 * attempt as u64));
                        cancel.cancel();
                        Instant::now()
                    });
                    let stealing = |number: &u64| pause(*number);
                    let parsing = fallible(|line: &TextRecord<'_>| line.parse::<u64>().map(pause));
                    let finished = if attempt % 2 == 0 {
                        let run = Pipeline::new(&slice, stealing).executor(&*executor);
                        run.cancel(&cancel).aggregate_so_far(Count::new())
                    } else {
                        let run = Pipeline::new(&lines, parsing).executor(&*executor);
                        run.cancel(&cancel).aggregate_so_far(Count::new())
                    };
                    let end = Instant::now();
                    assert!(!finished.unwrap().end.is_finished());
                    end - canceller.join().unwrap()
                });
                waits.push((attempt % 2, wait));
            }
            for (kind, name) in [(0, "slice"), (1, "file")] {
                let of_kind = waits.iter().filter(|(which, _)| *which == kind);
                let mut times: Vec<_> = of_kind.map(|(_, wait)| *wait).collect();
                times.sort();
                let at = |share: usize| times[times.len() * share / 100];
                println!(
                    "{on:?}, {name}, cheap at first {cheap}: median {:?}, 99th {:?}",
                    at(50),
                    at(99)
                );
            }
        }
    }
}
