//! Runs real programs, with a memory that has the answers of earlier runs and notes what happens.

mod stopped;

use std::collections::{HashMap, VecDeque};
use std::io::{Cursor, Read};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::tests::{
    BAD, Outcome, assert_all_but, buffering, in_folder, outcomes, read_all, records, started,
};
use super::{Program, ProgramAnswer, Surroundings};
use crate::dataset::{Dataset, LoadedRecords, TextRecord, TextStream};
use crate::error::Error;
use crate::journal::{AnswerMemory, KeptAt};
use crate::limit::{Limit, Permits};
use crate::remote::SendAs;
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

#[test]
fn a_second_run_takes_every_answer_over_and_starts_no_process() {
    for workers in [1, 3] {
        let (folder, program) = in_folder("echo $n >> sent; answer");
        let memory = NotedAnswers::default();
        let found = run(&program, &memory, 3000, workers).expect("it works");
        assert_all_but(&found, 3000, &[], "");
        memory.assert_kept(all_but(3000, &[]));
        assert_eq!(sent(folder.path()).len(), 2999);
        let before = started(folder.path());

        let memory = memory.next(|_| true);
        let again = run(&program, &memory, 3000, workers).expect("it works");
        assert_eq!(again, found);
        assert_eq!(started(folder.path()), before);
        let notes = memory.notes();
        let looked = notes.happened.iter().filter_map(|happened| match happened {
            Happened::Looked(index, found) => found.then_some(*index as usize),
            _ => None,
        });
        assert!(looked.eq(all_but(3000, &[])), "each once, in order");
        assert!(
            notes.kept.is_empty(),
            "what was taken over is not kept again"
        );
        assert!(!notes.steps.contains_key("wait"));
    }
}

#[test]
fn only_records_without_an_answer_are_sent() {
    for workers in [1, 3] {
        let (folder, program) = in_folder("echo $n >> sent; answer");
        let memory = NotedAnswers::default();
        let found = run(&program, &memory, 2000, workers).expect("it works");
        sent(folder.path());
        // Some of the runs of records with an answer are longer than what a slot takes at once.
        let is_known =
            |index: u64| index < 700 && index.is_multiple_of(2) || index > 800 && index != 1900;
        let memory = memory.next(is_known);
        let again = run(&program, &memory, 2000, workers).expect("it works");
        assert_eq!(again, found);
        let others: Vec<_> = all_but(2000, &[])
            .filter(|number| !is_known(*number as u64))
            .collect();
        assert_eq!(sent(folder.path()), others);
        memory.assert_kept(others.into_iter());
    }
}

#[test]
fn a_failed_record_is_asked_again() {
    let body = "echo $n >> sent; case $n in 50) echo '{\"error\": \"no text\"}';; 60) exit 3;; *) answer;; esac";
    let (folder, program) = in_folder(body);
    let memory = NotedAnswers::default();
    let found = run(&program, &memory, 200, 2).expect("it works");
    memory.assert_kept(all_but(200, &[50, 60]));
    sent(folder.path());
    let memory = memory.next(|_| true);
    let again = run(&program, &memory, 200, 2).expect("it works");
    assert_eq!(again, found);
    let mut asked = sent(folder.path());
    asked.dedup();
    assert_eq!(asked, [50, 60]);
    assert_eq!(memory.kept(), [0; 0]);
}

#[test]
fn a_record_is_visited_only_after_its_answer_is_on_the_disk() {
    for (workers, early_ends) in [(1, 0), (1, 3), (3, 5)] {
        let (_folder, program) = in_folder("answer");
        let memory = NotedAnswers {
            early_ends,
            ..NotedAnswers::default()
        };
        // Each visit is checked.
        let found = run(&program, &memory, 300, workers).expect("it works");
        assert_all_but(&found, 300, &[], "");
        let notes = memory.notes();
        let place = |wanted: Happened| {
            let mut happened = notes.happened.iter();
            happened.position(|happened| *happened == wanted)
        };
        for index in all_but(300, &[]).map(|number| number as u64) {
            let kept = place(Happened::Kept(index)).expect("kept");
            let visited = place(Happened::Visited(index)).expect("visited");
            let place = notes.kept.iter().position(|(kept, ..)| *kept == index);
            let until = place.expect("kept") as u64 + 1;
            let on_disk = notes.happened[kept..visited]
                .iter()
                .any(|happened| matches!(happened, Happened::OnDisk(place) if *place >= until));
            // Another worker may have waited for a later place before this answer was kept, but not for this one.
            assert!(on_disk, "record {index}");
        }
        assert!(early_ends == 0 || notes.steps["wait"] > early_ends);
    }
}

/// While a worker waits for the disk, its program receives further records.
#[test]
fn a_slow_disk_does_not_keep_records_from_the_program() {
    let (folder, program) = in_folder("echo $n >> sent; answer");
    let stop = Cancel::new();
    let memory = NotedAnswers {
        early_ends: usize::MAX,
        ..NotedAnswers::default()
    };
    let found = std::thread::scope(|scope| {
        scope.spawn(|| {
            while memory.notes().kept.len() < 199 {
                std::thread::sleep(Duration::from_millis(5));
            }
            stop.cancel();
        });
        run_over(&program, &memory, &records(200), 1, None, &stop).expect("no error")
    });
    // The wait for an answer to come to the disk never ends, so no record counts.
    assert_eq!(found, []);
    assert_eq!(sent(folder.path()).len(), 199);
}

#[test]
fn a_stopped_run_ends_although_the_disk_never_has_an_answer() {
    for workers in [1, 3] {
        let (_folder, program) = in_folder("answer");
        let memory = NotedAnswers {
            early_ends: usize::MAX,
            ..NotedAnswers::default()
        };
        let stop = Cancel::new();
        let found = std::thread::scope(|scope| {
            scope.spawn(|| {
                while memory
                    .notes()
                    .steps
                    .get("wait")
                    .is_none_or(|waits| *waits < 20)
                {
                    std::thread::sleep(Duration::from_millis(5));
                }
                stop.cancel();
            });
            run_over(&program, &memory, &records(100), workers, None, &stop).expect("no error")
        });
        assert_eq!(found, []);
    }
}

/// Runs a program that misbehaves with some records, and a second time with the answers of the first one. Checks that the
/// records that fail are among these, and that all others are kept, each once and with the right answer.
fn assert_keeps(program: &Program, count: usize, may_fail: &[usize]) {
    for workers in [1, 3] {
        let memory = NotedAnswers::default();
        let found = run(program, &memory, count, workers).expect("it works");
        let failed: Vec<_> = (0..count)
            .filter(|number| found[*number].is_err())
            .collect();
        assert_all_but(&found, count, &failed, "");
        assert!(
            failed
                .iter()
                .all(|number| *number == BAD || may_fail.contains(number)),
            "{failed:?}"
        );
        memory.assert_kept(all_but(count, &failed));

        let memory = memory.next(|index| index % 3 > 0);
        let again = run(program, &memory, count, workers).expect("it works");
        let failed: Vec<_> = (0..count)
            .filter(|number| again[*number].is_err())
            .collect();
        assert_all_but(&again, count, &failed, "");
        memory.assert_kept(all_but(count, &failed).filter(|number| number % 3 == 0));
    }
}

#[test]
fn only_right_answers_are_kept_of_a_program_that_misbehaves() {
    for (body, may_fail) in [
        (
            "case $n in 50|51|199) exit 3;; esac; answer",
            &[50, 51, 199][..],
        ),
        ("case $n in 50) continue;; esac; answer", &[50]),
        ("case $n in 60) exit 0;; esac; answer", &[60]),
        (
            "case $n in 60|61|130) echo 120;; esac; answer",
            &[60, 61, 130],
        ),
        (
            "case $n in 60) echo thinking about it;; esac; answer",
            &[60],
        ),
    ] {
        let (_folder, program) = in_folder(body);
        assert_keeps(&program, 200, may_fail);
    }
    let script = r#"$| = 1; while (<STDIN>) {
        /(\d+)/;
        exit 3 if $1 == 90;
        print "120\n[]\n" if $1 == 60;
        print 2 * $1, "\n"
    }"#;
    let program = Program::new("perl").arguments(["-e", script]);
    assert_keeps(&program, 200, &[60, 90]);
}

#[test]
fn only_right_answers_are_kept_of_a_program_that_hangs() {
    let timeout = Duration::from_millis(500);
    let (_folder, program) = in_folder("case $n in 60) sleep 600;; esac; answer");
    assert_keeps(&program.timeout(timeout), 200, &[60]);
}

#[test]
fn only_right_answers_are_kept_of_a_program_that_buffers() {
    assert_keeps(&buffering(""), 200, &[]);
    assert_keeps(
        &buffering("exit 3 if $n == 50 || $n == 120"),
        200,
        &[50, 120],
    );
    assert_keeps(&buffering("next if $n == 50"), 200, &[50]);
    assert_keeps(&buffering("print \"1\\n\" if $n == 50"), 200, &[50]);
    // Its first answers arrive long before it leaves one out, or writes one too many.
    assert_keeps(&buffering("next if $n == 4000"), 5000, &[4000]);
    assert_keeps(&buffering("print \"1\\n\" if $n == 500"), 5000, &[500]);
}

/// A run without a memory trusts the answers, and ends with an error.
#[test]
fn a_program_that_buffers_is_ended_before_its_answers_are_too_many() {
    const COUNT: usize = 300_000;
    let program = buffering("next if $n == 50");
    outcomes(&program, COUNT, 1).expect_err("answers were used");
    let memory = NotedAnswers::default();
    let found = run(&program, &memory, COUNT, 1).expect("it works");
    assert_all_but(&found, COUNT, &[50], "died: ");
    memory.assert_kept(all_but(COUNT, &[50]));
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

/// The program answers four records when it has read six.
#[test]
fn a_program_that_buffers_is_ended_although_no_record_follows() {
    let script = "$| = 1; while (<STDIN>) { /(\\d+)/; push @n, 2 * $1; next if @n < 6; \
                  print map { \"$_\\n\" } splice @n, 0, 4 } print map { \"$_\\n\" } @n";
    let program = Program::new("perl").arguments(["-e", script]);
    let lines: String = (0..6)
        .map(|number| format!("{{\"n\":{number}}}\n"))
        .collect();
    let (go_on, goes_on) = channel();
    let text = PausingText {
        parts: VecDeque::from([lines.into_bytes()]),
        pauses_before: 0,
        go_on: goes_on,
    };
    let records = TextStream::new("numbers.jsonl", text);
    let memory = NotedAnswers::default();
    let found = std::thread::scope(|scope| {
        scope.spawn(|| {
            memory.await_visit(5);
            drop(go_on);
        });
        run_over(&program, &memory, &records, 1, None, &Cancel::new())
    });
    assert_all_but(&found.expect("it works"), 6, &[], "");
    memory.assert_kept(0..6);
}

#[test]
fn answers_to_lists_of_records_are_kept_one_by_one() {
    let script = "$| = 1; while (<STDIN>) { my @n = /(\\d+)/g; exit 3 if grep { $_ == 50 } @n; \
                  print '[', join(',', map { 2 * $_ } @n), \"]\\n\" }";
    let list = NonZeroU16::new(8).expect("not 0");
    let program = Program::new("perl").arguments(["-e", script]);
    assert_keeps(&program.send(SendAs::Array(list)), 500, &[50]);
}

#[test]
fn an_answer_after_a_failure_is_kept_once() {
    let body = "case $n in 60|70) if first; then echo '{\"error\": \"busy\"}'; else answer; fi;; *) answer;; esac";
    let (_folder, program) = in_folder(body);
    let memory = NotedAnswers::default();
    let found = run(&program.retries(1), &memory, 200, 2).expect("it works");
    assert_all_but(&found, 200, &[], "");
    memory.assert_kept(all_but(200, &[]));
}

#[test]
fn a_process_that_is_replaced_keeps_its_answers() {
    let (_folder, program) = in_folder("answer");
    assert_keeps(&program.restart_after(10), 100, &[]);
}

/// A second token comes only after an hour.
#[test]
fn an_answer_that_is_taken_over_needs_no_permit() {
    let (folder, program) = in_folder("echo $n >> sent; answer");
    let memory = NotedAnswers::default();
    let found = run(&program, &memory, 1000, 1).expect("it works");
    sent(folder.path());
    let memory = memory.next(|index| index != 500);
    let rate = Permits::new(&Limit::none().per_second(1.0 / 3600.0)).expect("a rate");
    let records = records(1000);
    let again = run_over(&program, &memory, &records, 2, Some(rate), &Cancel::new());
    assert_eq!(again.expect("it works"), found);
    assert_eq!(sent(folder.path()), [500]);
}

#[test]
fn an_error_of_the_memory_ends_the_run() {
    for (step, words) in [
        (MemoryStep::Find, "cannot find"),
        (MemoryStep::Keep, "cannot keep"),
        (MemoryStep::Wait, "cannot wait"),
    ] {
        for (workers, after) in [(1, 0), (1, 2), (3, 2)] {
            let (folder, program) = in_folder("answer");
            let memory = NotedAnswers {
                failure: Some((step, after)),
                ..NotedAnswers::default()
            };
            let error = run(&program, &memory, 3000, workers).expect_err(words);
            assert!(error.to_string().contains(words), "{error}");
            let started = std::fs::read_to_string(folder.path().join("started"));
            for process in started.unwrap_or_default().lines() {
                let process = process
                    .parse()
                    .ok()
                    .and_then(rustix::process::Pid::from_raw);
                let process = process.expect("the id of a process");
                assert!(
                    rustix::process::test_kill_process(process).is_err(),
                    "it runs"
                );
            }
        }
    }
}

/// A run does not first wait for the records before the one whose answer could not be looked for.
#[test]
fn an_error_of_the_memory_does_not_wait_for_other_records() {
    let (_folder, program) = in_folder("[ $n = 0 ] || sleep 600; answer");
    let (go_on, goes_on) = channel();
    let text = PausingText {
        parts: VecDeque::from([b"{\"n\":0}\n{\"n\":1}\n".to_vec(), b"{\"n\":2}\n".to_vec()]),
        pauses_before: 1,
        go_on: goes_on,
    };
    let records = TextStream::new("numbers.jsonl", text);
    let memory = NotedAnswers {
        failure: Some((MemoryStep::Find, 2)),
        ..NotedAnswers::default()
    };
    let began = Instant::now();
    let found = std::thread::scope(|scope| {
        scope.spawn(|| {
            memory.await_visit(0);
            std::thread::sleep(Duration::from_millis(200));
            drop(go_on);
        });
        run_over(&program, &memory, &records, 1, None, &Cancel::new())
    });
    let error = found.expect_err("an error");
    assert!(error.to_string().contains("cannot find"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(60));
}

/// The kind of a column is that of its first value, so the failure depends on the record before.
#[test]
fn an_answer_of_another_kind_than_its_column_fails_again() {
    let body = "echo $n >> sent; case $n in 50) echo '{\"score\": \"high\"}';; *) answer;; esac";
    for workers in [1, 3] {
        let (folder, program) = in_folder(body);
        let memory = NotedAnswers::default();
        let found = run(&program, &memory, 200, workers).expect("it works");
        let why = found[50].as_ref().expect_err("another kind");
        assert!(why.contains("expected a number"), "{why}");
        assert_eq!(memory.kept().len(), 199);
        let kept = &memory.notes().kept;
        let (_, _, kept) = kept.iter().find(|(index, ..)| *index == 50).expect("kept");
        assert_eq!(kept.text("score"), Some("high"), "as the program gave it");
        sent(folder.path());
    }
}

#[test]
fn kinds_are_the_same_if_answers_are_taken_over() {
    let body = "echo $n >> sent; case $n in 0|50) echo '{\"score\": \"high\"}';; *) answer;; esac";
    for workers in [1, 3] {
        for part in [0, 1, 2] {
            let (_folder, program) = in_folder(body);
            let memory = NotedAnswers::default();
            let found = run(&program, &memory, 200, workers).expect("it works");
            // The first record has a text, so only the answers that are texts fit.
            assert_eq!(found.iter().filter(|outcome| outcome.is_ok()).count(), 2);
            let memory = memory.next(|index| match part {
                0 => index > 0,
                1 => index == 0,
                _ => true,
            });
            let again = run(&program, &memory, 200, workers).expect("it works");
            let text = |outcomes: &[Outcome]| format!("{outcomes:?}");
            assert_eq!(text(&again), text(&found));
        }
    }
}

#[test]
fn equal_records_have_answers_of_their_own() {
    // Its answers are 1, 2, 3 and so on.
    let script = "$| = 1; print \"$.\\n\" while <STDIN>";
    let program = Program::new("perl").arguments(["-e", script]);
    let lines = "{\"n\":1}\n".repeat(300);
    let records = TextStream::new("equal.jsonl", Cursor::new(lines));
    let records = LoadedRecords::of(&records).expect("records");
    let memory = NotedAnswers::default();
    let stop = Cancel::new();
    let found = run_over(&program, &memory, &records, 1, None, &stop).expect("it works");
    assert_eq!(found.last(), Some(&Ok(300.0)));
    let memory = memory.next(|_| true);
    let again = run_over(&program, &memory, &records, 3, None, &stop).expect("it works");
    assert_eq!(again, found);
}

/// One record has no answer yet, and more have one than a slot takes while it waits.
#[test]
fn a_program_that_buffers_is_not_waited_for_without_end() {
    const COUNT: usize = 40_000;
    let memory = NotedAnswers::default();
    let found = run(&buffering(""), &memory, COUNT, 1).expect("it works");
    let is_asked = |index: u64| index % 10_000 == 100;
    let memory = memory.next(|index| !is_asked(index));
    let again = run(&buffering(""), &memory, COUNT, 1).expect("it works");
    assert_eq!(again.len(), found.len());
    assert_all_but(&again, COUNT, &[], "");
    memory.assert_kept((0..COUNT).filter(|number| is_asked(*number as u64)));
}
