//! A case describes one run: its records, its executor, and how the run ends.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use manyhands::dataset::LentRecord;
use manyhands::error::{Cause, Skipped};
use manyhands::prelude::*;
use manyhands::sink::{InOrder, RecordOutcome, Room, Sink};

use super::gates::{Gate, Gates};

/// How a run is stopped by something other than its failures.
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    Never,
    /// The run has a deadline that is never reached during the test. It could be stopped, but it is not.
    FarDeadline,
    Deadline(Duration),
    /// The task of this record cancels the run.
    At(u64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    Slice,
    Range,
    Files,
    TextStream,
    Iterator,
}

pub const SOURCES: [Source; 5] = [
    Source::Slice,
    Source::Range,
    Source::Files,
    Source::TextStream,
    Source::Iterator,
];

/// An executor, and the rayon pool in which the run is started, if there is one.
pub struct Setup {
    pub name: String,
    pub executor: Box<dyn Executor>,
    pub pool: Option<rayon::ThreadPool>,
}

pub fn all_setups() -> Vec<Setup> {
    let setup = |name: &str, executor: Box<dyn Executor>, pool: Option<usize>| Setup {
        name: name.to_owned(),
        executor,
        pool: pool.map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().expect("a pool")
        }),
    };
    vec![
        setup("sequential", Box::new(Sequential), None),
        setup("work-stealing 2", Box::new(WorkStealing::new(2)), None),
        setup("work-stealing 8", Box::new(WorkStealing::new(8)), None),
        setup("task-queue 2", Box::new(TaskQueue::new(2)), None),
        setup("task-queue 8", Box::new(TaskQueue::new(8)), None),
        setup("ambient", Box::new(WorkStealing::ambient()), None),
        setup(
            "ambient in a pool of 3",
            Box::new(WorkStealing::ambient()),
            Some(3),
        ),
        setup(
            "task-queue 2 in a pool of 2",
            Box::new(TaskQueue::new(2)),
            Some(2),
        ),
    ]
}

/// The description of one run.
pub struct Case<'s> {
    pub records: u64,
    /// The indices of the records that fail.
    pub failing: BTreeSet<u64>,
    /// The indices of the records that the task skips. None of them is also in `failing`.
    pub skipping: BTreeSet<u64>,
    pub on_failure: OnFailure,
    pub setup: &'s Setup,
    pub source: Source,
    /// The number of bytes in a part of a file.
    pub part_bytes: u64,
    pub limit: Limit,
    pub stop: Stop,
    pub commutative: bool,
    pub gates: Option<Gates>,
    /// The time that the task takes for each record. Records beyond the end of the list take no time.
    pub pauses: Vec<Duration>,
}

impl fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fails = self.gates.as_ref().map(|gates| gates.fails);
        write!(
            f,
            "{} records of which {:?} fail ({fails:?}) and {:?} are skipped, {:?}, {}, {:?}, {}, {:?}, commutative: {}",
            self.records,
            self.failing,
            self.skipping,
            self.on_failure,
            self.setup.name,
            self.source,
            self.limit,
            self.stop,
            self.commutative,
        )
    }
}

/// Returns a line with this number. All lines have the same length, so a part of that length contains one record.
pub fn line(number: u64) -> String {
    format!("{number:>7}\n")
}
pub const LINE_BYTES: u64 = 8;

/// The data that the tasks and the sink of a run share.
pub struct Shared<'c> {
    pub case: &'c Case<'c>,
    pub cancel: Cancel,
    pub halted: Gate,
    pub written: Mutex<Vec<u8>>,
}

impl Shared<'_> {
    fn number(&self, number: u64) -> Result<u64, Cause> {
        let case = self.case;
        if let Some(pause) = case.pauses.get(number as usize) {
            thread::sleep(*pause);
        }
        if let Some(gates) = &case.gates {
            gates.pass(number, &self.halted);
        }
        if matches!(case.stop, Stop::At(record) if record == number) {
            self.cancel.cancel();
        }
        if case.failing.contains(&number) {
            return Err("it fails".into());
        }
        if case.skipping.contains(&number) {
            return Err(Skipped::new("it needs no score").into());
        }
        Ok(number)
    }
}

pub struct Scoring<'s, 'c>(pub &'s Shared<'c>);

impl Task<u64> for Scoring<'_, '_> {
    type Score = u64;
    type Error = Cause;

    fn score(&self, record: &u64) -> Result<u64, Cause> {
        self.0.number(*record)
    }
}

impl Task<usize> for Scoring<'_, '_> {
    type Score = u64;
    type Error = Cause;

    fn score(&self, record: &usize) -> Result<u64, Cause> {
        self.0.number(*record as u64)
    }
}

impl Task<TextRecord<'_>> for Scoring<'_, '_> {
    type Score = u64;
    type Error = Cause;

    fn score(&self, record: &TextRecord<'_>) -> Result<u64, Cause> {
        self.0.number(record.parse::<u64>()?)
    }
}

/// A sink that writes a line for each record.
pub struct Lines<'s, 'c> {
    pub shared: &'s Shared<'c>,
    pub in_order: InOrder<Written<'s>>,
}

pub struct Written<'s>(pub &'s Mutex<Vec<u8>>);

impl Write for Written<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nothing panics here").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink<u64> for Lines<'_, '_> {
    fn render(
        &self,
        index: u64,
        outcome: RecordOutcome<'_, u64>,
        _: Option<LentRecord<'_>>,
        bytes: &mut Vec<u8>,
    ) {
        let line = match outcome {
            RecordOutcome::Scored(_) => format!("{index}\n"),
            RecordOutcome::Failed(failure) => format!("{index} failed as {}\n", failure.index),
            RecordOutcome::Skipped(skipped) => format!("{index} {skipped}\n"),
        };
        bytes.extend_from_slice(line.as_bytes());
    }

    fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> io::Result<Room> {
        self.in_order.write(records, bytes)
    }

    fn end_at(&self, record: u64) {
        self.in_order.end_at(record);
        self.shared.halted.open();
    }
}
