//! These tests check the steps in which a run reads its dataset and passes on its scores, and when it asks a worker
//! to pause. A dataset, a sink and an executor record the calls that they receive.

use std::ops::{ControlFlow, Range};
use std::sync::Mutex;

use manyhands::dataset::{Dataset, LentRecord, Position, ReadOutcome};
use manyhands::error::BadRecord;
use manyhands::execution::{Flow, Work};
use manyhands::prelude::*;
use manyhands::report::End;
use manyhands::sink::{RecordOutcome, Room, Sink};

/// An aggregator that counts like [`Count`], but is not commutative.
#[derive(Clone, Default)]
struct CountInOrder(u64);

impl<S> Aggregator<S> for CountInOrder {
    type Output = u64;

    fn observe(&mut self, _: u64, _: &S) {
        self.0 += 1;
    }

    fn merge(&mut self, later: Self) {
        self.0 += later.0;
    }

    fn finish(self) -> u64 {
        self.0
    }
}

/// An executor that follows a script: it runs ranges of units for given workers, all on one thread, and records what
/// each call returns.
struct Scripted {
    workers: usize,
    script: Vec<(usize, Range<usize>)>,
    answers: Mutex<Vec<Flow>>,
}

impl Scripted {
    fn new(workers: usize, script: impl IntoIterator<Item = (usize, Range<usize>)>) -> Self {
        Scripted {
            workers,
            script: script.into_iter().collect(),
            answers: Mutex::default(),
        }
    }

    fn answers(self) -> Vec<Flow> {
        self.answers.into_inner().expect("nothing panics here")
    }
}

impl Executor for Scripted {
    fn workers(&self) -> usize {
        self.workers
    }

    fn execute(&self, work: &Work<'_>) {
        for (worker, units) in &self.script {
            let answer = work.run(*worker, units.clone());
            self.answers
                .lock()
                .expect("nothing panics here")
                .push(answer);
        }
    }
}

/// A dataset whose parts have no records. It records which parts were read together.
struct Empty {
    parts: usize,
    stream: bool,
    may_wait_with_records: bool,
    reads: Mutex<Vec<Range<usize>>>,
}

impl Empty {
    fn parts(parts: usize) -> Self {
        Empty {
            parts,
            stream: false,
            may_wait_with_records: false,
            reads: Mutex::default(),
        }
    }

    fn stream(may_wait_with_records: bool) -> Self {
        Empty {
            stream: true,
            may_wait_with_records,
            ..Empty::parts(usize::MAX)
        }
    }

    /// Runs this dataset on an executor, and returns the maximum number of parts in a step.
    fn step(self, executor: &dyn Executor, commutative: bool) -> usize {
        let pipeline = Pipeline::new(&self, |_: &()| ()).executor(executor);
        let count = match commutative {
            true => pipeline.aggregate(Count::new()).expect("a run").value,
            false => {
                pipeline
                    .aggregate(CountInOrder::default())
                    .expect("a run")
                    .value
            }
        };
        assert_eq!(count, 0);
        let reads = self.reads.into_inner().expect("nothing panics here");
        let mut next = 0;
        for parts in &reads {
            assert_eq!(parts.start, next, "parts were left out, or read twice");
            next = parts.end;
        }
        assert!(self.stream || next == self.parts);
        reads.iter().map(Range::len).max().expect("a step")
    }
}

impl Dataset for Empty {
    type Record<'a> = ();

    fn parts(&self) -> usize {
        self.parts
    }

    fn is_stream(&self) -> bool {
        self.stream
    }

    fn may_wait_with_records(&self) -> bool {
        self.may_wait_with_records
    }

    fn read<V>(&self, parts: Range<usize>, _: V) -> Result<ReadOutcome, Error>
    where
        V: FnMut(Position, Result<&(), BadRecord>) -> ControlFlow<()>,
    {
        self.reads.lock().expect("nothing panics here").push(parts);
        Ok(ReadOutcome {
            ended: self.stream,
            ..ReadOutcome::default()
        })
    }
}

#[test]
fn a_step_is_a_fraction_of_the_dataset_within_bounds() {
    for (parts, step) in [
        (1, 1),
        (64, 64),
        (1_000, 64),
        (64 * 512, 64),
        (65 * 512, 65),
        (100_000, 195),
        (1_024 * 512, 1_024),
        (2_000_000, 1_024),
    ] {
        assert_eq!(
            Empty::parts(parts).step(&Sequential, true),
            step,
            "{parts} parts"
        );
    }
    // If the aggregator is not commutative, each block has a partial of its own, and a step is one block.
    for (parts, step) in [(5, 1), (1_024, 1), (2_048, 2), (10_240, 10), (10_241, 11)] {
        assert_eq!(
            Empty::parts(parts).step(&Sequential, false),
            step,
            "{parts} parts"
        );
    }
}

#[test]
fn a_step_of_a_stream_is_a_share_of_the_outstanding_records() {
    let step = |may_wait_with_records, workers, commutative| {
        let executor = Scripted::new(workers, [(0, 0..5_000)]);
        Empty::stream(may_wait_with_records).step(&executor, commutative)
    };
    // A single worker must not wait for the next record before it has scored the first.
    assert_eq!(step(true, 1, true), 1);
    assert_eq!(step(true, 1, false), 1);
    assert_eq!(step(false, 1, true), 1_024);
    // If there are several workers, another worker can take the next record.
    assert_eq!(step(true, 2, true), 1_024);
    // If one state observes all records in order, 16,384 records may be outstanding. This is enough for two steps
    // of each worker.
    assert_eq!(step(true, 2, false), 1_024);
    assert_eq!(step(true, 16, false), 512);
    assert_eq!(step(false, 50, false), 163);
    assert_eq!(step(true, 10_000, false), 1);
}

/// A score that is so large that only a few scores may wait for their turn.
#[derive(Clone, Copy)]
struct Large([u8; 64 << 10]);

/// Number of scores of type [`Large`] that may wait for their turn.
const ROOM: usize = (32 << 20) / size_of::<Large>();

/// Runs a script, and returns what its calls returned. If `may_be_stopped`, the run has a token that could stop it.
fn flows(
    executor: Scripted,
    records: usize,
    may_be_stopped: bool,
    aggregator: impl Aggregator<Large, Output = u64>,
) -> Vec<Flow> {
    let cancel = Cancel::new();
    let dataset = 0..records;
    let large = |record: &usize| Large([*record as u8; _]);
    let mut pipeline = Pipeline::new(&dataset, large).executor(&executor);
    if may_be_stopped {
        pipeline = pipeline.cancel(&cancel);
    }
    let count = pipeline.aggregate(aggregator.only(|score: &Large| score.0[0] == score.0[1]));
    assert_eq!(count.expect("a run").value, records as u64);
    executor.answers()
}

/// Returns a script that runs the records one by one, except that the first record is the last to be run.
fn one_by_one(workers: usize, records: usize) -> Scripted {
    let behind = (1..records).map(|record| (1, record..record + 1));
    Scripted::new(workers, behind.chain([(0, 0..1)]))
}

#[test]
fn a_worker_far_ahead_of_the_earliest_record_pauses() {
    let records = ROOM + 3;
    let mut expected = vec![Flow::Go; records];
    // When record `ROOM` is done, the run is `ROOM + 1` records ahead of the first record, which is too far.
    expected[ROOM - 1] = Flow::Pause;
    expected[ROOM] = Flow::Pause;
    expected[ROOM + 1] = Flow::Pause;
    assert_eq!(
        flows(one_by_one(2, records), records, true, Count::new()),
        expected
    );
    // Scores that are aggregated at once do not need room. Partials do not need room either.
    let all_go = vec![Flow::Go; records];
    assert_eq!(
        flows(one_by_one(2, records), records, false, Count::new()),
        all_go
    );
    let flows = flows(
        one_by_one(2, records),
        records,
        true,
        CountInOrder::default(),
    );
    assert_eq!(flows, all_go);
}

#[test]
fn workers_may_be_ahead_by_what_is_in_flight_anyway() {
    const PORTION: usize = 100;
    // Number of records in four portions for each of two workers. There is not enough room for their scores.
    const AHEAD: usize = 4 * 2 * PORTION;
    const { assert!(AHEAD > ROOM) };
    let portions = (PORTION..AHEAD).step_by(PORTION);
    let portions = portions.map(|start| (1, start..start + PORTION));
    let one_more = [(1, AHEAD..AHEAD + 1), (0, 0..PORTION)];
    let executor = Scripted::new(2, portions.chain(one_more));
    let mut expected = vec![Flow::Go; AHEAD / PORTION - 1];
    expected.extend([Flow::Pause, Flow::Go]);
    assert_eq!(flows(executor, AHEAD + 1, true, Count::new()), expected);
}

#[test]
fn a_worker_pauses_while_too_many_failures_wait_to_be_judged() {
    const MOST: usize = 1 << 16;
    let ahead = [(1, 1..MOST + 1), (1, MOST + 1..MOST + 2)];
    // Once the first record is done, all failures are judged, and there is room for the failure of a later record.
    let judged = [(0, 0..1), (1, MOST + 3..MOST + 4), (0, MOST + 2..MOST + 3)];
    let script = ahead.into_iter().chain(judged);
    let executor = Scripted::new(2, script);
    let report = Pipeline::new(
        &(0..MOST + 4),
        fallible(|_: &usize| Err::<(), _>("it fails")),
    )
    .executor(&executor)
    .aggregate(Count::new())
    .expect("a run");
    assert_eq!(report.failed, MOST as u64 + 4);
    assert_eq!(
        executor.answers(),
        [Flow::Go, Flow::Pause, Flow::Go, Flow::Go, Flow::Go]
    );
}

#[test]
fn an_executor_that_does_not_run_every_unit_once_is_an_error() {
    let run = |script: Vec<(usize, Range<usize>)>| {
        let executor = Scripted::new(2, script);
        let pipeline = Pipeline::new(&(0..10), |record: &usize| *record).executor(&executor);
        match pipeline.aggregate(Count::new()) {
            Ok(report) => Ok(report.value),
            Err(Error::Executor { ran, units }) => Err((ran, units)),
            Err(other) => panic!("another error: {other}"),
        }
    };
    assert_eq!(run(vec![(0, 0..4), (1, 4..10)]), Ok(10));
    assert_eq!(run(vec![(1, 4..10), (0, 0..4)]), Ok(10));
    assert_eq!(run(vec![]), Err((0, 10)));
    assert_eq!(run(vec![(0, 0..4)]), Err((4, 10)));
    assert_eq!(run(vec![(0, 0..4), (1, 5..10)]), Err((9, 10)));
    // The number of units is right, but one unit is run twice and another unit is not run at all.
    assert_eq!(run(vec![(0, 0..4), (1, 5..10), (0, 5..6)]), Err((10, 10)));
    // The script uses a third worker, although there are only two.
    assert_eq!(run(vec![(0, 0..4), (2, 4..10)]), Err((4, 10)));
}

#[test]
fn a_share_of_failures_is_judged_once_more_at_the_end() {
    let run = |failing: usize, at_most: f64| {
        let task = fallible(|record: &usize| match *record < failing {
            true => Err("it fails"),
            false => Ok(()),
        });
        let report = Pipeline::new(&(0..10), task)
            .executor(&Sequential)
            .on_failure(OnFailure::SkipShare { at_most })
            .aggregate_so_far(Count::new())
            .expect("a run");
        assert_eq!((report.records, report.value), (10, 10 - failing as u64));
        match report.end {
            End::Finished => None,
            End::Halted(failure) => Some(failure.index),
            other => panic!("it ended otherwise: {other:?}"),
        }
    };
    // During the run, the share is computed relative to at least 1000 records. At the end, it is computed relative to
    // the actual number of records.
    assert_eq!(run(0, 0.0), None);
    assert_eq!(run(2, 0.2), None);
    assert_eq!(run(3, 0.2), Some(2));
    assert_eq!(run(10, 1.0), None);
}

/// A sink that remembers which records were written together.
#[derive(Default)]
struct WrittenBlocks {
    bytes_a_record: usize,
    written: Mutex<Vec<Range<u64>>>,
}

impl Sink<()> for WrittenBlocks {
    fn render(
        &self,
        _: u64,
        _: RecordOutcome<'_, ()>,
        _: Option<LentRecord<'_>>,
        bytes: &mut Vec<u8>,
    ) {
        bytes.resize(bytes.len() + self.bytes_a_record, b'x');
    }

    fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> std::io::Result<Room> {
        assert_eq!(
            bytes.len() as u64,
            (records.end - records.start) * self.bytes_a_record as u64
        );
        self.written
            .lock()
            .expect("nothing panics here")
            .push(records);
        Ok(Room::Free)
    }
}

/// A slow run passes on its scores more often, depending on the clock, so a block may be shorter than the limit. A
/// unit test in `src` checks the exact length of a block.
#[test]
fn blocks_follow_one_another_and_none_is_too_long() {
    let blocks = |bytes_a_record, on_failure, failing: &[usize]| {
        let sink = WrittenBlocks {
            bytes_a_record,
            ..WrittenBlocks::default()
        };
        let task = fallible(|record: &usize| match failing.contains(record) {
            true => Err("it fails"),
            false => Ok(()),
        });
        Pipeline::new(&(0..10), task)
            .executor(&Sequential)
            .on_failure(on_failure)
            .scores(&sink)
            .aggregate(Count::new())
            .expect("a run");
        let written = sink.written.into_inner().expect("nothing panics here");
        let mut next = 0;
        for records in &written {
            assert_eq!(records.start, next);
            assert!(records.end > records.start);
            next = records.end;
        }
        assert_eq!(next, 10);
        written
    };
    let longest =
        |written: &[Range<u64>]| written.iter().map(|block| block.end - block.start).max();
    let (skip, some) = (OnFailure::SKIP, OnFailure::Skip { at_most: 5 });
    blocks(1, skip, &[3, 4]);
    // A block is written as soon as it has 256 KiB.
    assert!(longest(&blocks(100 << 10, skip, &[])) <= Some(3));
    assert!(longest(&blocks(128 << 10, skip, &[2])) <= Some(2));
    assert_eq!(longest(&blocks(256 << 10, skip, &[9])), Some(1));
    // If a failure may halt the run, a block ends after each failure.
    let failing = [0, 3, 4, 9];
    for block in blocks(1, some, &failing) {
        let inside = block.start..block.end - 1;
        assert!(
            failing
                .iter()
                .all(|failed| !inside.contains(&(*failed as u64)))
        );
    }
}
