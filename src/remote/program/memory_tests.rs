//! Runs real programs, with a memory that has the answers of earlier runs and notes what happens.

mod kept;
mod on_disk;
mod stopped;
mod taken_over;

use std::collections::{HashMap, VecDeque};
use std::io::Read;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use super::tests::{BAD, Outcome, read_all, records};
use super::{Program, ProgramAnswer, Surroundings};
use crate::dataset::{Dataset, TextRecord};
use crate::error::Error;
use crate::journal::{AnswerMemory, KeptAt};
use crate::limit::Permits;
use crate::stop::Cancel;

/// What a memory is asked to do.
#[derive(Clone, Copy, Debug, PartialEq)]
enum MemoryStep {
    Find,
    Keep,
    Wait,
}

/// What has happened, in order.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Happened {
    /// The answer to the record with this index was looked for, and maybe found.
    Looked(u64, bool),
    Kept(u64),
    /// Everything up to this place is on the disk.
    OnDisk(u64),
    Visited(u64),
}

/// Answers that are held in memory.
#[derive(Default)]
struct NotedAnswers {
    notes: Mutex<AnswerNotes>,
    /// How many waits in succession end before the disk has the answers. `usize::MAX`: all of them.
    early_ends: usize,
    /// The step that fails, after it has worked this many times.
    failure: Option<(MemoryStep, usize)>,
}

#[derive(Default)]
struct AnswerNotes {
    /// The answers of earlier runs, for each record by its text.
    known: HashMap<String, VecDeque<ProgramAnswer>>,
    /// The records with their answers that this run has kept, in order.
    kept: Vec<(u64, String, ProgramAnswer)>,
    /// The place of each of these records by its index.
    places: HashMap<u64, u64>,
    /// Everything up to this place is on the disk.
    on_disk: u64,
    happened: Vec<Happened>,
    ended_early: usize,
    steps: HashMap<&'static str, usize>,
}

impl NotedAnswers {
    fn notes(&self) -> MutexGuard<'_, AnswerNotes> {
        self.notes.lock().expect("no panic")
    }

    /// A memory that finds what this one has found and kept, if `which` is true for the index of the record.
    fn next(self, which: impl Fn(u64) -> bool) -> Self {
        let next = NotedAnswers::default();
        let kept = self.notes.into_inner().expect("no panic").kept;
        for (index, text, answer) in kept {
            if which(index) {
                let mut notes = next.notes();
                notes.known.entry(text).or_default().push_back(answer);
            }
        }
        next
    }

    fn step(
        &self,
        step: MemoryStep,
        name: &'static str,
    ) -> Result<MutexGuard<'_, AnswerNotes>, Error> {
        let mut notes = self.notes();
        let done = notes.steps.entry(name).or_default();
        *done += 1;
        match self.failure {
            Some((failing, after)) if failing == step && *done > after => Err(Error::Program {
                message: format!("cannot {name}"),
            }),
            _ => Ok(notes),
        }
    }

    /// Notes a visit, and checks that the answer is on the disk if it was kept.
    fn visit(&self, index: u64) {
        let mut notes = self.notes();
        let place = notes.places.get(&index);
        assert!(
            place.is_none_or(|place| *place <= notes.on_disk),
            "record {index}"
        );
        notes.happened.push(Happened::Visited(index));
    }

    /// Waits until this record is visited.
    fn await_visit(&self, index: u64) {
        while !self.notes().happened.contains(&Happened::Visited(index)) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn kept(&self) -> Vec<u64> {
        let mut kept: Vec<_> = self.notes().kept.iter().map(|(index, ..)| *index).collect();
        kept.sort_unstable();
        kept
    }

    /// Checks that exactly these records were kept, each once and with twice its number.
    fn assert_kept(&self, which: impl Iterator<Item = usize>) {
        let expected: Vec<_> = which.map(|number| number as u64).collect();
        assert_eq!(self.kept(), expected);
        for (index, text, answer) in &self.notes().kept {
            assert_eq!(*text, format!("{{\"n\":{index}}}"));
            assert_eq!(answer.score(), Some(2.0 * *index as f64), "record {index}");
        }
    }
}

impl AnswerMemory<ProgramAnswer> for NotedAnswers {
    fn find(&self, record: &TextRecord<'_>) -> Result<Option<ProgramAnswer>, Error> {
        let mut notes = self.step(MemoryStep::Find, "find")?;
        let known = notes.known.get_mut(record.as_str());
        let found = known.and_then(VecDeque::pop_front);
        let index = record.position().index;
        notes
            .happened
            .push(Happened::Looked(index, found.is_some()));
        Ok(found)
    }

    fn keep(&self, record: &TextRecord<'_>, answer: &ProgramAnswer) -> Result<KeptAt, Error> {
        let mut notes = self.step(MemoryStep::Keep, "keep")?;
        let index = record.position().index;
        let text = record.as_str().to_owned();
        notes.kept.push((index, text, answer.clone()));
        notes.happened.push(Happened::Kept(index));
        let place = notes.kept.len() as u64;
        notes.places.insert(index, place);
        Ok(KeptAt(place))
    }

    fn wait(&self, at: KeptAt, at_most: Duration) -> Result<bool, Error> {
        let mut notes = self.step(MemoryStep::Wait, "wait")?;
        if notes.ended_early < self.early_ends {
            notes.ended_early += 1;
            drop(notes);
            std::thread::sleep(at_most.min(Duration::from_millis(1)));
            return Ok(false);
        }
        notes.ended_early = 0;
        notes.on_disk = notes.on_disk.max(at.0);
        notes.happened.push(Happened::OnDisk(at.0));
        Ok(true)
    }
}

/// Runs the program over these records with this number of workers.
fn run_over<D>(
    program: &Program,
    memory: &NotedAnswers,
    records: &D,
    workers: usize,
    permits: Option<Permits>,
    stop: &Cancel,
) -> Result<Vec<Outcome>, Error>
where
    D: for<'r> Dataset<Record<'r> = TextRecord<'r>>,
{
    let encode = |record: &TextRecord<'_>, line: &mut Vec<u8>| {
        line.extend_from_slice(record.as_str().as_bytes());
        Ok(())
    };
    let surroundings = Surroundings {
        encode: &encode,
        permits,
        progress: &|_| {},
        memory: Some(memory),
    };
    program.answer_in(surroundings, records, stop, |answers| {
        read_all(answers, workers, &|index| memory.visit(index))
    })?
}

/// Runs the program over this number of records with this number of workers.
fn run(
    program: &Program,
    memory: &NotedAnswers,
    count: usize,
    workers: usize,
) -> Result<Vec<Outcome>, Error> {
    let records = records(count);
    run_over(program, memory, &records, workers, None, &Cancel::new())
}

/// All records below this number, but not these and not the bad one.
fn all_but(count: usize, without: &[usize]) -> impl Iterator<Item = usize> {
    (0..count).filter(move |number| *number != BAD && !without.contains(number))
}

/// The numbers that a program has written to the file `sent`, in order.
fn sent(folder: &Path) -> Vec<usize> {
    let sent = std::fs::read_to_string(folder.join("sent")).unwrap_or_default();
    let numbers = sent.lines().map(|number| number.parse().expect("a number"));
    let mut numbers: Vec<usize> = numbers.collect();
    numbers.sort_unstable();
    std::fs::remove_file(folder.join("sent")).unwrap_or_default();
    numbers
}

/// A text that goes on only when the receiver has received something, or its sender is gone.
struct PausingText {
    parts: VecDeque<Vec<u8>>,
    /// The number of parts that are left when the text pauses.
    pauses_before: usize,
    go_on: Receiver<()>,
}

impl Read for PausingText {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.parts.len() == self.pauses_before {
            let _ = self.go_on.recv();
        }
        let part = self.parts.pop_front().unwrap_or_default();
        buffer[..part.len()].copy_from_slice(&part);
        Ok(part.len())
    }
}
