//! A run that has a journal goes on after any interruption, and ends as a calm run would have.

#[cfg(feature = "async")]
mod calls;
mod killed;
#[cfg(unix)]
mod unwritable;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use crate::order_sensitive::{List, NaiveSum};
use manyhands::aggregation::canonical_bytes;
use manyhands::dataset::LentRecord;
use manyhands::error::{Cause, Skipped};
use manyhands::journal::{AnswerJournal, Contents, Resumed, Syncing};
use manyhands::prelude::*;
use manyhands::sink::{RecordOutcome, Room, Sink};
use proptest::prelude::*;
use tempfile::TempDir;

/// A service whose answers differ each time, so they show which of them were taken over.
#[derive(Default)]
struct Oracle {
    asked: AtomicU64,
    /// What it has answered to each question.
    answered: Mutex<HashMap<u64, Vec<f64>>>,
}

impl Oracle {
    fn ask(&self, question: u64) -> f64 {
        let answer = self.asked.fetch_add(1, SeqCst) as f64 + 0.1;
        let mut answered = self.answered.lock().unwrap();
        answered.entry(question).or_default().push(answer);
        answer
    }

    fn asked(&self) -> u64 {
        self.asked.load(SeqCst)
    }
}

/// A folder for a journal.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("run.journal")
    }

    fn open(&self, syncing: Syncing) -> AnswerJournal {
        AnswerJournal::open(self.path(), "the oracle", syncing).unwrap()
    }
}

/// The number of answers that were taken over, and that of the others.
fn counts(journal: &AnswerJournal) -> (u64, u64) {
    let Resumed {
        taken_over, left, ..
    } = journal.resumed();
    (taken_over, left)
}

fn executor(number: usize) -> Box<dyn Executor> {
    match number {
        0 => Box::new(Sequential),
        1 => Box::new(WorkStealing::new(3)),
        2 => Box::new(TaskQueue::new(5)),
        _ => Box::new(WorkStealing::ambient()),
    }
}

/// Asks the oracle for each record until it has been asked this many times.
fn interrupted(place: &Place, records: &[u64], on: usize, oracle: &Oracle, asks: u64) {
    let journal = place.open(Syncing::Seldom);
    let stop = Cancel::new();
    let end = oracle.asked() + asks;
    let task = |record: &u64| {
        let answer = oracle.ask(*record);
        if oracle.asked() >= end {
            stop.cancel();
        }
        answer
    };
    let pipeline = Pipeline::new(records, task).cancel(&stop);
    let executor = executor(on);
    let run = pipeline.executor(&*executor).journal(&journal);
    run.aggregate_so_far(Count::new()).unwrap();
    journal.close().unwrap();
}

/// The scores in order, whatever order the pipeline uses.
fn finished(place: &Place, records: &[u64], on: usize, oracle: &Oracle) -> Vec<(u64, u64)> {
    let journal = place.open(Syncing::Seldom);
    let executor = executor(on);
    let report = Pipeline::new(records, |record: &u64| oracle.ask(*record))
        .executor(&*executor)
        .journal(&journal)
        .aggregate(List::default());
    journal.close().unwrap();
    report.unwrap().value
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Each answer that was given is used, and equal records have answers of their own.
    #[test]
    fn a_run_that_is_stopped_several_times_uses_every_answer_once(
        records in proptest::collection::vec(0..40_u64, 0..600),
        stops in proptest::collection::vec((0..4_usize, 1..200_u64), 0..4),
        on in 0..4_usize,
    ) {
        let place = Place::new();
        let oracle = Oracle::default();
        for (on, asks) in stops {
            interrupted(&place, &records, on, &oracle, asks);
        }
        let scores = finished(&place, &records, on, &oracle);
        prop_assert_eq!(oracle.asked(), records.len() as u64);
        let mut used: HashMap<u64, Vec<f64>> = HashMap::new();
        for (index, score) in scores {
            let question = records[index as usize];
            used.entry(question).or_default().push(f64::from_bits(score));
        }
        let mut answered = oracle.answered.into_inner().unwrap();
        for scores in used.values_mut().chain(answered.values_mut()) {
            scores.sort_by(f64::total_cmp);
        }
        prop_assert_eq!(used, answered);
    }

    /// Whatever order and executor the second run uses, each record keeps the answer that it had, and its place.
    #[test]
    fn a_record_keeps_the_answer_that_it_had(
        records in proptest::collection::vec(0..10_u64, 1..400),
        (first, second) in (0..4_usize, 0..4_usize),
    ) {
        let place = Place::new();
        let oracle = Oracle::default();
        let scores = finished(&place, &records, first, &oracle);
        prop_assert_eq!(finished(&place, &records, second, &oracle), scores);
        prop_assert_eq!(oracle.asked(), records.len() as u64);
    }
}

/// What a sink has received.
#[derive(Default)]
struct Seen(Mutex<BTreeMap<u64, String>>);

impl Sink<f64> for Seen {
    fn render(
        &self,
        index: u64,
        outcome: RecordOutcome<'_, f64>,
        _: Option<LentRecord<'_>>,
        _: &mut Vec<u8>,
    ) {
        let seen = match outcome {
            RecordOutcome::Scored(score) => format!("{:x}", score.to_bits()),
            RecordOutcome::Failed(failure) => failure.cause.to_string(),
            RecordOutcome::Skipped(skipped) => skipped.reason.clone(),
        };
        self.0.lock().unwrap().insert(index, seen);
    }

    fn write(&self, _: Range<u64>, _: Vec<u8>) -> io::Result<Room> {
        Ok(Room::Free)
    }
}

impl Seen {
    fn taken(self) -> BTreeMap<u64, String> {
        self.0.into_inner().unwrap()
    }
}

/// Scores that depend on the record alone, with failures and skipped records.
fn score(number: &usize) -> Result<f64, Cause> {
    match number {
        n if n % 97 == 96 => panic!("{n} panics"),
        n if n % 31 == 30 => Err("it fails".into()),
        n if n % 29 == 28 => Err(Skipped::new("it needs no score").into()),
        n => Ok((*n as f64).sin() * 1e3),
    }
}

#[test]
fn a_run_that_goes_on_has_the_bits_of_a_calm_run_in_every_order() {
    type AllSums = (Sum, NaiveSum<false>, List);
    let records = 0..3000_usize;
    let aggregator = AllSums::default;
    let calm_sink = Seen::default();
    let calm = Pipeline::new(&records, fallible(score)).scores(&calm_sink);
    let calm = calm.aggregate(aggregator()).unwrap();
    let calm_sink = calm_sink.taken();
    let calm_any = Pipeline::new(&records, fallible(score)).aggregate(Moments::new());
    let calm_any = canonical_bytes(&calm_any.unwrap().value);
    for on in 0..4 {
        let place = Place::new();
        let executor = executor(on);
        let journal = place.open(Syncing::Seldom);
        let started = AtomicU64::new(0);
        let slow = |number: &usize| {
            if started.fetch_add(1, SeqCst) > 400 {
                thread::sleep(Duration::from_millis(1));
            }
            score(number)
        };
        // The first run ends by its deadline, and the second one by its policy.
        let report = Pipeline::new(&records, fallible(slow))
            .executor(&*executor)
            .deadline(Duration::from_millis(20))
            .journal(&journal)
            .aggregate_so_far(aggregator());
        assert!(!report.unwrap().end.is_finished());
        journal.close().unwrap();
        let journal = place.open(Syncing::Seldom);
        Pipeline::new(&records, fallible(score))
            .executor(&*executor)
            .on_failure(OnFailure::Skip { at_most: 20 })
            .journal(&journal)
            .aggregate(Moments::new())
            .unwrap_err();
        journal.close().unwrap();

        let journal = place.open(Syncing::Seldom);
        let sink = Seen::default();
        let report = Pipeline::new(&records, fallible(score))
            .executor(&*executor)
            .journal(&journal)
            .scores(&sink)
            .aggregate(aggregator())
            .unwrap();
        assert_eq!(canonical_bytes(&report.value), canonical_bytes(&calm.value));
        let numbers = |report: &Report<_>| (report.scored, report.failed, report.skipped);
        assert_eq!(numbers(&report), numbers(&calm));
        assert_eq!(sink.taken(), calm_sink);
        assert!(counts(&journal).0 > 400);
        journal.close().unwrap();

        let journal = place.open(Syncing::Seldom);
        let report = Pipeline::new(&records, fallible(score))
            .executor(&*executor)
            .journal(&journal)
            .aggregate(Moments::new())
            .unwrap();
        assert_eq!(canonical_bytes(&report.value), calm_any);
        assert_eq!(counts(&journal), (report.scored, 0));
    }
}

#[test]
fn records_that_are_new_or_changed_are_scored_and_the_others_may_move() {
    let place = Place::new();
    let oracle = Oracle::default();
    let first: HashMap<_, _> = finished(&place, &[1, 2, 3, 4], 0, &oracle)
        .into_iter()
        .collect();
    let journal = place.open(Syncing::Seldom);
    let report = Pipeline::new(&[9, 4, 3, 7, 1], |record: &u64| oracle.ask(*record))
        .executor(&Sequential)
        .journal(&journal)
        .aggregate(List::default())
        .unwrap();
    let scores: HashMap<_, _> = report.value.into_iter().collect();
    assert_eq!(
        [scores[&1], scores[&2], scores[&4]],
        [first[&3], first[&2], first[&0]]
    );
    assert_eq!((oracle.asked(), counts(&journal)), (6, (3, 1)));
}

#[test]
fn records_that_failed_or_were_skipped_are_tried_again() {
    let place = Place::new();
    for is_later in [false, true] {
        let journal = place.open(Syncing::AtOnce);
        let task = |number: &usize| match number % 4 {
            0 if !is_later => Err(Cause::from("no answer")),
            1 if !is_later => Err(Skipped::new("not now").into()),
            2 if !is_later => panic!("it breaks"),
            _ => Ok(*number as f64),
        };
        let report = Pipeline::new(&(0..400), fallible(task))
            .journal(&journal)
            .aggregate(Sum::new());
        let report = report.map(|report| (report.value, report.scored, report.failed));
        let expected = match is_later {
            false => (100.0 * 201.0, 100, 200),
            true => (200.0 * 399.0, 400, 0),
        };
        assert_eq!(report.unwrap(), expected);
        assert_eq!(counts(&journal), if is_later { (100, 0) } else { (0, 0) });
        journal.close().unwrap();
    }
}

#[test]
fn another_fingerprint_takes_nothing_over() {
    let place = Place::new();
    let oracle = Oracle::default();
    finished(&place, &[1, 2, 3], 0, &oracle);
    let journal = AnswerJournal::open(place.path(), "another oracle", Syncing::Seldom).unwrap();
    let run = Pipeline::new(&[1, 2, 3], |record: &u64| oracle.ask(*record)).journal(&journal);
    run.aggregate(Count::new()).unwrap();
    assert_eq!((oracle.asked(), counts(&journal)), (6, (0, 3)));
    journal.close().unwrap();
    // The answers under the first fingerprint are still there.
    finished(&place, &[1, 2, 3], 0, &oracle);
    assert_eq!(oracle.asked(), 6);
}

#[test]
fn a_second_run_on_the_same_journal_is_refused() {
    let place = Place::new();
    let journal = place.open(Syncing::Seldom);
    let second = AnswerJournal::open(place.path(), "the oracle", Syncing::Seldom);
    assert!(matches!(second.unwrap_err(), Error::Destination { .. }));
    AnswerJournal::discard(place.path()).unwrap_err();
    // A journal without answers does not stay.
    assert_eq!(journal.close().unwrap(), None);
    assert!(!place.path().exists());
}

/// Without this, a run that goes on would wait for all its records again.
#[test]
fn scores_that_are_taken_over_need_no_permit() {
    let place = Place::new();
    let oracle = Oracle::default();
    let records: Vec<u64> = (0..1000).collect();
    finished(&place, &records[..999], 1, &oracle);
    let journal = place.open(Syncing::Seldom);
    let began = Instant::now();
    let report = Pipeline::new(&records, |record: &u64| oracle.ask(*record))
        .limit(Limit::none().per_second(1.0))
        .journal(&journal)
        .aggregate(Count::new());
    assert_eq!((report.unwrap().value, oracle.asked()), (1000, 1000));
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn records_of_text_are_known_by_their_text() {
    let place = Place::new();
    let files = TextFiles::open(["data/reviews.jsonl"]).unwrap();
    let sentiment = Sentiment::new();
    let asked = AtomicU64::new(0);
    let task = |record: &TextRecord<'_>| {
        asked.fetch_add(1, SeqCst);
        sentiment.score(record.as_str()).compound
    };
    let mut values = Vec::new();
    for _ in 0..2 {
        let journal = place.open(Syncing::Seldom);
        let report = Pipeline::new(&files, task).journal(&journal);
        let report = report.aggregate((Count::new(), Mean::new())).unwrap();
        values.push(canonical_bytes(&report.value));
        assert_eq!(asked.load(SeqCst), report.scored);
        journal.close().unwrap();
    }
    assert_eq!(values[0], values[1]);
}

#[test]
fn many_workers_share_the_syncs_of_paid_scores() {
    let place = Place::new();
    let journal = place.open(Syncing::AtOnce);
    let oracle = Oracle::default();
    let records: Vec<f64> = (0..500).map(f64::from).collect();
    let report = Pipeline::new(&records, |x: &f64| oracle.ask(*x as u64))
        .executor(&TaskQueue::new(32))
        .journal_by(&journal, |x: &f64, contents: &mut Contents| {
            contents.serialize(x);
        })
        .aggregate(Count::new());
    assert_eq!(report.unwrap().value, 500);
    journal.remove().unwrap();
    assert!(!place.path().exists());
}

#[test]
fn a_panic_in_the_contents_is_a_failure_of_its_record() {
    let place = Place::new();
    for limit in [Limit::none(), Limit::none().budget(10)] {
        let journal = place.open(Syncing::Seldom);
        let contents = |number: &usize, contents: &mut Contents| match number {
            7 => panic!("seven has no contents"),
            _ => contents.serialize(number),
        };
        let report = Pipeline::new(&(0..10), |number: &usize| *number as u64)
            .limit(limit)
            .journal_by(&journal, contents)
            .aggregate(Count::new())
            .unwrap();
        assert_eq!((report.scored, report.failed), (9, 1));
        journal.close().unwrap();
    }
}
