//! Runs whose answers are kept and taken over.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::sleep;

use super::notebook::{BrokenPart, Notebook, NotebookDisk};
use crate::calls::surroundings::CallSurroundings;
use crate::calls::{
    AsyncTask, Awaited, AwaitedRecord, CallError, CallTally, Calls, fallible_async,
};
use crate::dataset::{Dataset, Position};
use crate::error::{BadRecord, Error};
use crate::stop::{Cancel, StopReason};
use crate::sync::atomic::{AtomicU64, Ordering::SeqCst};
use crate::sync::{Mutex, into_inner, lock};

/// What became of each visited record: its index, and its score if it has one.
type Visits = Vec<(u64, Option<u64>)>;

/// A run that keeps its answers in a notebook.
struct KeepingRun<'a> {
    calls: Calls,
    records: Vec<u64>,
    notebook: &'a Notebook,
    /// Number of threads that visit the answers.
    threads: usize,
    stop: Cancel,
}

/// What came of such a run.
struct KeptRun {
    /// In the order of the indices.
    visits: Visits,
    tally: CallTally,
    stopped: Option<StopReason>,
}

impl<'a> KeepingRun<'a> {
    fn new(calls: Calls, records: u64, notebook: &'a Notebook) -> Self {
        KeepingRun {
            calls,
            records: (0..records).collect(),
            notebook,
            threads: 1,
            stop: Cancel::new(),
        }
    }

    fn threads(self, threads: usize) -> Self {
        KeepingRun { threads, ..self }
    }

    fn run<T>(&self, task: &T) -> Result<KeptRun, Error>
    where
        T: AsyncTask<u64, Score = u64> + Sync,
    {
        let around = CallSurroundings {
            progress: &|_| {},
            watch: &|_| {},
            check: None,
            lend: None,
            bytes: &|_| 8,
            memory: Some(self.notebook),
        };
        let (records, stop) = (&self.records, &self.stop);
        let own = |record: &u64| *record;
        let run = |answers: &Awaited<'_, Vec<u64>, u64, u64>| self.visits(answers);
        let (visits, tally) = self
            .calls
            .answer_in(around, records, own, task, stop, run)?;
        Ok(KeptRun {
            visits: visits?,
            tally,
            stopped: stop.reason(),
        })
    }

    /// Visits all records with their answers.
    fn visits(&self, answers: &Awaited<'_, Vec<u64>, u64, u64>) -> Result<Visits, Error> {
        let visits = Mutex::new(Vec::new());
        let visit = |_: Position, record: Result<&AwaitedRecord<u64, u64>, BadRecord>| {
            let visit = self.visit(record.expect("a good record"));
            lock(&visits).push(visit);
            ControlFlow::Continue(())
        };
        let work = || {
            loop {
                match answers.read(0..7, visit) {
                    Ok(outcome) if outcome.ended => return Ok(()),
                    Ok(_) => {}
                    Err(error) => return Err(error),
                }
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..self.threads).map(|_| scope.spawn(work)).collect();
            let ended = workers.into_iter().map(|worker| worker.join());
            ended
                .map(|ended| ended.expect("no panic"))
                .fold(Ok(()), Result::and)
        })?;
        let mut visits = into_inner(visits);
        visits.sort_unstable();
        Ok(visits)
    }

    fn visit(&self, record: &AwaitedRecord<u64, u64>) -> (u64, Option<u64>) {
        let score = record.take().ok();
        let is_known = self.notebook.earlier.contains_key(record.record());
        assert!(!is_known || record.in_flight().is_zero());
        if score.is_some() && !is_known {
            let place = self.notebook.place(*record.record());
            let place = place.expect("a kept answer");
            let on_disk = self.notebook.on_disk.load(SeqCst);
            assert!(place <= on_disk, "visited too early");
        }
        (record.index(), score)
    }

    fn error(&self, task: &(impl AsyncTask<u64, Score = u64> + Sync)) -> String {
        let error = self.run(task).err().expect("an error");
        error.to_string()
    }
}

impl KeptRun {
    /// Number of records with a score.
    fn scored(&self) -> u64 {
        let scores = self.visits.iter().filter_map(|(_, score)| *score);
        scores.count() as u64
    }
}

/// Counts its calls, and answers with the double.
async fn doubled(calls: &AtomicU64, record: u64) -> u64 {
    calls.fetch_add(1, SeqCst);
    sleep(Duration::from_micros(record * 7_919 % 500)).await;
    record * 2
}

fn doubles(records: u64) -> Visits {
    (0..records).map(|index| (index, Some(index * 2))).collect()
}

#[test]
fn a_second_run_makes_no_call_and_gives_the_same_outcomes() {
    const RECORDS: u64 = 2_000;
    for unordered in [false, true] {
        for threads in [1, 3] {
            let calls = AtomicU64::new(0);
            let task = async |record: &u64| doubled(&calls, *record).await;
            let limits = || Calls::in_flight(50).outstanding(100).unordered(unordered);
            let first = Notebook::default();
            let run = KeepingRun::new(limits(), RECORDS, &first).threads(threads);
            let before = run.run(&task).expect("a run");
            assert_eq!(calls.load(SeqCst), RECORDS);

            let second = first.reopened();
            let run = KeepingRun::new(limits(), RECORDS, &second).threads(threads);
            let after = run.run(&task).expect("a run");
            assert_eq!(calls.load(SeqCst), RECORDS);
            assert_eq!(after.scored(), before.scored());
            assert_eq!((after.scored(), after.tally.calls), (RECORDS, 0));
            assert_eq!(after.tally.time_in_flight, Duration::ZERO);
            assert_eq!(after.stopped, None);
            assert!(lock(&second.looked_up).iter().copied().eq(0..RECORDS));
            assert!(lock(&second.kept).is_empty() && second.waits.load(SeqCst) == 0);
            if !unordered {
                assert_eq!(before.visits, doubles(RECORDS));
                assert_eq!(after.visits, doubles(RECORDS));
            }
        }
    }
}

#[test]
fn only_unknown_records_are_called_and_only_they_are_limited() {
    const RECORDS: u64 = 6_000;
    for unordered in [false, true] {
        // These are 10 records at 100 calls per second. All records would take a minute.
        let mut notebook = Notebook::default();
        let known = (0..RECORDS).filter(|record| record % 600 != 599);
        notebook.earlier = known.map(|record| (record, record * 2)).collect();
        let calls = AtomicU64::new(0);
        let task = async |record: &u64| {
            assert_eq!(record % 600, 599);
            doubled(&calls, *record).await
        };
        let limits = Calls::in_flight(1).per_second(100.0).unordered(unordered);
        let began = Instant::now();
        let run = KeepingRun::new(limits, RECORDS, &notebook);
        let kept = run.run(&task).expect("a run");
        assert!(began.elapsed() < Duration::from_secs(20));
        assert_eq!((kept.scored(), kept.tally.calls), (RECORDS, 10));
        assert_eq!(kept.tally.most_in_flight, 1);
        let called = lock(&notebook.kept).clone();
        let unknown = (0..10).map(|number| number * 600 + 599);
        assert!(
            called
                .into_iter()
                .eq(unknown.map(|index| (index, index * 2)))
        );
        if !unordered {
            assert_eq!(kept.visits, doubles(RECORDS));
        }
    }
}

#[test]
fn failures_are_called_again() {
    let is_broken = AtomicU64::new(1);
    let calls = AtomicU64::new(0);
    let task = fallible_async(async |record: &u64| {
        calls.fetch_add(1, SeqCst);
        match record % 10 == 3 && is_broken.load(SeqCst) == 1 {
            true => Err(CallError::new("busy")),
            false => Ok(record * 2),
        }
    });
    let first = Notebook::default();
    let run = KeepingRun::new(Calls::in_flight(8).retries(0), 100, &first);
    let kept = run.run(&task).expect("a run");
    assert_eq!((kept.scored(), kept.visits.len()), (90, 100));
    assert_eq!(lock(&first.kept).len(), 90);

    is_broken.store(0, SeqCst);
    let second = first.reopened();
    let run = KeepingRun::new(Calls::in_flight(8), 100, &second);
    let kept = run.run(&task).expect("a run");
    assert_eq!((kept.visits, kept.tally.calls), (doubles(100), 10));
    assert_eq!(calls.load(SeqCst), 110);
}

#[test]
fn a_record_is_visited_only_after_its_answer_is_on_the_disk() {
    // The check is in `KeepingRun::run`.
    for threads in [1, 3] {
        for unordered in [false, true] {
            let calls = AtomicU64::new(0);
            let task = async |record: &u64| doubled(&calls, *record).await;
            let mut notebook = Notebook::default();
            notebook.disk = NotebookDisk::Slow;
            notebook.earlier = (0..100).map(|record| (record * 7, record * 14)).collect();
            let limits = Calls::in_flight(20).outstanding(64).unordered(unordered);
            let run = KeepingRun::new(limits, 1_000, &notebook).threads(threads);
            let kept = run.run(&task).expect("a run");
            assert_eq!((kept.scored(), kept.tally.calls), (1_000, 900));
            assert_eq!(notebook.on_disk.load(SeqCst), 900);
            if !unordered {
                assert_eq!(kept.visits, doubles(1_000));
            }
        }
    }
}

#[test]
fn calls_go_on_while_the_disk_is_waited_for() {
    let mut notebook = Notebook::default();
    notebook.disk = NotebookDisk::Silent;
    let stop = Cancel::new();
    let task = async |record: &u64| {
        if *record == 63 {
            stop.cancel();
        }
        *record
    };
    let mut run = KeepingRun::new(Calls::in_flight(1).outstanding(64), 1_000, &notebook);
    run.stop = stop.clone();
    let kept = run.run(&task).expect("a run");
    // No answer was visited, and there was room for these records only.
    assert_eq!((kept.scored(), kept.tally.calls), (0, 64));
    assert_eq!(lock(&notebook.kept).len(), 64);
}

#[test]
fn a_disk_that_is_slower_than_the_calls_keeps_up_with_them() {
    let mut notebook = Notebook::default();
    notebook.disk = NotebookDisk::Late(Duration::from_millis(40));
    let visited_by = AtomicU64::new(0);
    let task = async |record: &u64| {
        if notebook.on_disk.load(SeqCst) == 0 {
            visited_by.store(*record, SeqCst);
        }
        sleep(Duration::from_millis(1)).await;
        record * 2
    };
    let run = KeepingRun::new(Calls::in_flight(1).outstanding(1_000), 1_000, &notebook);
    let kept = run.run(&task).expect("a run");
    assert_eq!(kept.visits, doubles(1_000));
    // Later answers do not put off the confirmation of the first ones.
    assert!(visited_by.load(SeqCst) < 700, "{visited_by:?}");
}

#[test]
fn a_stopped_run_ends_although_nothing_is_on_the_disk() {
    for threads in [1, 3] {
        let mut notebook = Notebook::default();
        notebook.disk = NotebookDisk::Silent;
        notebook.earlier = (0..5).map(|record| (record, record)).collect();
        let calls = AtomicU64::new(0);
        let task = async |record: &u64| doubled(&calls, *record).await;
        let run = KeepingRun::new(Calls::in_flight(4), 10, &notebook).threads(threads);
        let stop = run.stop.clone();
        let stopping = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            stop.cancel();
        });
        let began = Instant::now();
        let kept = run.run(&task).expect("a run");
        assert!(began.elapsed() < Duration::from_secs(10));
        assert_eq!(kept.stopped, Some(StopReason::Cancelled));
        assert_eq!((kept.scored(), kept.tally.calls), (5, 5));
        stopping.join().expect("a stop");
    }
}

/// Answers all 8 records at once when the run has just been stopped.
async fn answered_late(record: u64, stop: &Cancel, stopped: &std::sync::Arc<Notify>) -> u64 {
    if record == 7 {
        // The other calls wait by now.
        sleep(Duration::from_millis(20)).await;
        stop.cancel();
        stopped.notify_waiters();
    } else {
        let stopped = std::sync::Arc::clone(stopped);
        // As with a connection, a task of the runtime is on the way.
        let arrived = tokio::spawn(async move { stopped.notified().await });
        arrived.await.expect("an answer");
    }
    record * 2
}

#[test]
fn an_answer_that_arrives_while_the_run_is_stopped_is_kept() {
    let notebook = Notebook::default();
    let run = KeepingRun::new(Calls::in_flight(8), 8, &notebook);
    let stopped = std::sync::Arc::new(Notify::new());
    let task = async |record: &u64| answered_late(*record, &run.stop, &stopped).await;
    let kept = run.run(&task).expect("a run");
    assert_eq!(kept.stopped, Some(StopReason::Cancelled));
    assert_eq!(kept.scored(), 0);
    let mut answers = lock(&notebook.kept).clone();
    answers.sort_unstable();
    assert!(
        answers
            .into_iter()
            .eq((0..8).map(|index| (index, index * 2)))
    );
}

#[test]
fn an_answer_that_cannot_be_kept_after_a_stop_ends_the_run_with_the_error() {
    let mut notebook = Notebook::default();
    notebook.broken = Some((BrokenPart::Keep, 3));
    let run = KeepingRun::new(Calls::in_flight(8), 8, &notebook);
    let stopped = std::sync::Arc::new(Notify::new());
    let task = async |record: &u64| answered_late(*record, &run.stop, &stopped).await;
    assert!(run.error(&task).ends_with("the notebook is broken: Keep"));
    assert_eq!(lock(&notebook.kept).len(), 3);
}

#[test]
fn a_call_that_never_ends_is_dropped_soon_after_a_stop() {
    let notebook = Notebook::default();
    let run = KeepingRun::new(Calls::in_flight(8), 100, &notebook);
    let task = async |record: &u64| match record {
        7 => run.stop.cancel(),
        _ => std::future::pending().await,
    };
    let task = async |record: &u64| {
        task(record).await;
        *record
    };
    let began = Instant::now();
    let kept = run.run(&task).expect("a run");
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!((kept.scored(), kept.tally.calls), (0, 8));
    assert_eq!(*lock(&notebook.kept), [(7, 7)]);
}

#[test]
fn an_error_of_the_memory_ends_the_run() {
    for part in [BrokenPart::Find, BrokenPart::Keep, BrokenPart::Wait] {
        for after in [0, 5] {
            for (unordered, threads) in [(false, 1), (true, 3)] {
                let mut notebook = Notebook::default();
                notebook.broken = Some((part, after));
                notebook.earlier = (0..3).map(|record| (record, record)).collect();
                let calls = AtomicU64::new(0);
                let task = async |record: &u64| doubled(&calls, *record).await;
                let limits = Calls::in_flight(4).outstanding(16).unordered(unordered);
                let run = KeepingRun::new(limits, 100_000, &notebook).threads(threads);
                let error = run.error(&task);
                let message = format!("the notebook is broken: {part:?}");
                assert!(error.ends_with(&message), "{error}");
                // No more are called than may be outstanding.
                assert!(calls.load(SeqCst) < 1_000, "{calls:?}");
            }
        }
    }
}

#[test]
fn answers_that_are_taken_over_do_not_spend_the_budget() {
    let mut notebook = Notebook::default();
    for round in 1..=4 {
        let calls = Calls::in_flight(1).budget(10);
        let control = calls.control();
        let task = async move |record: &u64| {
            control.spend(1);
            record * 2
        };
        let run = KeepingRun::new(calls, 35, &notebook);
        let kept = run.run(&task).expect("a run");
        let (scored, spent, end) = match round {
            4 => (35, 5, None),
            _ => (round * 10, 10, Some(StopReason::Budget)),
        };
        assert_eq!((kept.scored(), kept.tally.spent), (scored, spent));
        assert_eq!(kept.stopped, end);
        assert_eq!(kept.visits, doubles(scored));
        notebook = notebook.reopened();
    }
}
