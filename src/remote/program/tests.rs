//! Runs real programs, which answer, crash, hang, lie and buffer.

use std::io::Cursor;
use std::num::NonZeroU16;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::{Answered, Program, ProgramAnswer, Surroundings};
use crate::dataset::{Dataset, LoadedRecords, TextRecord, TextStream};
use crate::error::{BadRecord, Cause, Died, Error, TimedOut};
use crate::limit::{Limit, Permits};
use crate::remote::{RecordReply, SendAs};
use crate::stop::Cancel;

/// The records `{"n":0}`, `{"n":1}` and so on. The record number `BAD` is not UTF-8.
pub(super) fn records(count: usize) -> LoadedRecords {
    let line = |number: usize| match number {
        BAD => b"\xff\n".to_vec(),
        number => format!("{{\"n\":{number}}}\n").into_bytes(),
    };
    let lines: Vec<u8> = (0..count).flat_map(line).collect();
    LoadedRecords::of(&TextStream::new("numbers.jsonl", Cursor::new(lines))).expect("records")
}

pub(super) const BAD: usize = 7;

/// A shell script as a program. For each record, it sets `n` to the number of the record and does `body`. It may use the
/// functions `answer`, which writes twice the number, and `first`, which succeeds the first time that it is called with
/// the number `n` by any process.
fn shell(folder: &Path, body: &str) -> Program {
    let script = format!(
        "cd {}; echo $$ >> started\n\
         answer() {{ echo $((2 * n)); }}\n\
         first() {{ mkdir seen.$n 2> /dev/null; }}\n\
         while read -r line; do n=${{line#*:}}; n=${{n%\\}}*}}; {body}; done",
        folder.display()
    );
    Program::new("sh").arguments(["-c".to_owned(), script])
}

pub(super) fn started(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("started")).map_or(0, |started| started.lines().count())
}

/// A temporary folder, and a program that runs this script in it.
pub(super) fn in_folder(body: &str) -> (tempfile::TempDir, Program) {
    let folder = tempfile::tempdir().expect("a folder");
    let program = shell(folder.path(), body);
    (folder, program)
}

pub(super) type Outcome = Result<f64, String>;

/// The answers for this number of records, with this number of workers, and how many failed for each type of reason.
pub(super) fn outcomes(
    program: &Program,
    count: usize,
    workers: usize,
) -> Result<Vec<Outcome>, Error> {
    run(program, count, workers, &Cancel::new())
}

fn run(
    program: &Program,
    count: usize,
    workers: usize,
    stop: &Cancel,
) -> Result<Vec<Outcome>, Error> {
    let records = records(count);
    program.answer(&records, stop, |answers| {
        read_all(answers, workers, &|_| {})
    })?
}

/// Reads all answers with this number of workers. Calls `visiting` with the index of each record that is visited.
pub(super) fn read_all<D>(
    answers: &Answered<'_, D>,
    workers: usize,
    visiting: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Outcome>, Error>
where
    D: for<'r> Dataset<Record<'r> = TextRecord<'r>>,
{
    let found = Mutex::new(Vec::new());
    let work = |worker: usize| {
        loop {
            let read = answers.read(0..worker + 1, |at, reply| {
                visiting(at.index);
                let outcome = match reply {
                    Ok(reply) => reply
                        .take()
                        .map(|answer| answer.score().unwrap_or(f64::NAN)),
                    Err(bad) => Err(Cause::from(bad)),
                };
                let outcome = outcome.map_err(|cause| {
                    let kind = match () {
                        () if cause.is::<Died>() => "died: ",
                        () if cause.is::<TimedOut>() => "timed out: ",
                        () => "",
                    };
                    format!("{kind}{cause}")
                });
                found.lock().expect("no panic").push((at.index, outcome));
                ControlFlow::Continue(())
            });
            match read {
                Ok(outcome) if outcome.ended => return Ok(()),
                Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|worker| scope.spawn(move || work(worker)))
            .collect();
        let ended = threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"));
        ended.fold(Ok(()), Result::and)
    })?;
    let mut found = found.into_inner().expect("no panic");
    found.sort_by_key(|(index, _)| *index);
    let indices = found.iter().map(|(index, _)| *index);
    assert!(indices.eq(0..found.len() as u64), "each record once");
    Ok(found.into_iter().map(|(_, outcome)| outcome).collect())
}

/// Checks that every record has its answer, except for the bad record and these records, which fail with a message that
/// begins with `reason`.
pub(super) fn assert_all_but(found: &[Outcome], count: usize, failing: &[usize], reason: &str) {
    assert_eq!(found.len(), count);
    for (number, outcome) in found.iter().enumerate() {
        match outcome {
            Ok(answer) => {
                assert_eq!(*answer, 2.0 * number as f64, "record {number}");
                assert!(
                    number != BAD && !failing.contains(&number),
                    "record {number}"
                );
            }
            Err(why) if failing.contains(&number) => {
                assert!(why.starts_with(reason), "record {number}: {why}");
            }
            Err(why) => assert_eq!(number, BAD, "{why}"),
        }
    }
}

/// Runs the script over 200 records with one worker and with three, and checks that all records but these are answered.
fn assert_fails(body: &str, change: impl Fn(Program) -> Program, failing: &[usize], reason: &str) {
    for workers in [1, 3] {
        let (_folder, program) = in_folder(body);
        let found = outcomes(&change(program), 200, workers).expect("it works");
        assert_all_but(&found, 200, failing, reason);
    }
}

#[test]
fn every_record_has_its_answer() {
    for workers in [1, 2, 5] {
        let (folder, program) = in_folder("answer");
        let found = outcomes(&program, 1000, workers).expect("it works");
        assert_all_but(&found, 1000, &[], "");
        assert!(started(folder.path()) <= workers);
    }
    let (folder, program) = in_folder("answer");
    assert_eq!(outcomes(&program, 0, 2).expect("it works"), []);
    assert_eq!(started(folder.path()), 0, "no record, no process");
}

#[test]
fn a_program_that_buffers_its_output_works() {
    // These programs write nothing before they have 4 KiB, or the input ends.
    let sed = Program::new("sed").arguments(["-e", "s/.*://", "-e", "s/}//"]);
    for count in [1, 100, 20_000] {
        for workers in [1, 3] {
            let found = outcomes(&sed, count, workers).expect("it works");
            let right = |(number, outcome): (usize, &Outcome)| match outcome {
                Ok(answer) => *answer == number as f64,
                Err(_) => number == BAD,
            };
            assert_eq!(found.len(), count);
            assert!(
                found.iter().enumerate().all(right),
                "{count} records, {workers} workers"
            );
        }
    }
}

#[test]
fn a_record_that_ends_its_process_fails_alone() {
    let died = "died: the worker process died: exit status 3; it wrote: no more";
    let body = "case $n in 50|51|199) echo no more >&2; exit 3;; esac; answer";
    assert_fails(body, |program| program, &[50, 51, 199], died);
}

#[test]
fn a_record_that_ends_a_program_that_buffers_fails_alone() {
    let script = "$/ = \"\\n\"; while (<STDIN>) { /(\\d+)/; exit 3 if $1 == 50 || $1 == 120; print 2 * $1, \"\\n\" }";
    for workers in [1, 3] {
        let program = Program::new("perl").arguments(["-e", script]);
        let found = outcomes(&program, 200, workers).expect("it works");
        assert_all_but(&found, 200, &[50, 120], "died: ");
    }
}

/// A script in Perl that answers in large blocks, with twice the number of a record. It does `body` first, in which `$n` is
/// the number.
pub(super) fn buffering(body: &str) -> Program {
    let script = format!("while (<STDIN>) {{ /(\\d+)/; $n = $1; {body}; print 2 * $n, \"\\n\" }}");
    Program::new("perl").arguments(["-e", &script])
}

#[test]
fn a_record_without_an_answer_is_found() {
    let without = "died: the worker process died: exit status 0, without an answer";
    let body = "case $n in 50) continue;; esac; answer";
    assert_fails(body, |program| program, &[50], without);
    for workers in [1, 3] {
        let found = outcomes(&buffering("next if $n == 50"), 200, workers).expect("it works");
        assert_all_but(&found, 200, &[50], without);
    }
}

#[test]
fn a_program_that_answers_once_for_many_records_gets_them_one_by_one() {
    let program = Program::new("wc").arguments(["-l"]);
    let found = outcomes(&program, 40, 2).expect("it works");
    for (number, outcome) in found.iter().enumerate() {
        assert!(number == BAD || *outcome == Ok(1.0), "{outcome:?}");
    }
}

#[test]
fn a_run_ends_if_answers_may_belong_to_other_records() {
    // More records follow than are in flight, so their answers were used before the end showed that one is missing.
    let Err(Error::Program { message }) = outcomes(&buffering("next if $n == 50"), 200_000, 1)
    else {
        panic!("the answers were used");
    };
    assert!(
        message.contains("fewer lines than it was sent"),
        "{message}"
    );
}

#[test]
fn a_process_that_is_killed_once_costs_no_record() {
    let body = "case $n in 30|90) first && kill -9 $$;; esac; answer";
    assert_fails(body, |program| program, &[], "");
    let body = "case $n in 30) kill -9 $$;; esac; answer";
    let killed = "died: the worker process died: killed by signal 9";
    assert_fails(body, |program| program, &[30], killed);
}

#[test]
fn an_end_with_status_0_is_a_death_too() {
    let body = "case $n in 40) exit 0;; esac; answer";
    let ended = "died: the worker process died: exit status 0";
    assert_fails(body, |program| program, &[40], ended);
}

/// Once a process has answered everything and its input is closed, its end counts, and not the end of its output.
#[test]
fn a_run_does_not_wait_for_what_a_process_has_left_behind() {
    let body = "case $n in 40) sleep 600 &;; esac; answer";
    let (_folder, program) = in_folder(body);
    let (done, is_done) = std::sync::mpsc::channel();
    let runner = std::thread::spawn(move || {
        let _ = done.send(outcomes(&program, 100, 2));
    });
    let patience = Duration::from_secs(60);
    let found = is_done.recv_timeout(patience).expect("the run ends");
    assert_all_but(&found.expect("it works"), 100, &[], "");
    runner.join().expect("no panic");
}

#[test]
fn output_that_is_no_answer_fails_its_record() {
    let body = "case $n in 60) echo thinking about it;; esac; answer";
    assert_fails(body, |program| program, &[60], "");
    let body = "case $n in 60) head -c 1200000 /dev/zero | tr '\\0' 1;; esac; answer";
    assert_fails(body, |program| program, &[60], "");
    let body = "case $n in 60) exec 1>&-; sleep 600;; esac; answer";
    assert_fails(body, |program| program, &[60], "");
}

/// If the second line comes late, it is taken for the answer to the next record. The line too many is then noticed, and the
/// records since the last verification are sent again.
#[test]
fn a_line_too_many_changes_no_other_answer() {
    for workers in [1, 3] {
        let (_folder, program) = in_folder("case $n in 60|61|130) echo 120;; esac; answer");
        let found = outcomes(&program, 200, workers).expect("it works");
        for (number, outcome) in found.iter().enumerate() {
            match outcome {
                Ok(answer) => assert_eq!(*answer, 2.0 * number as f64, "record {number}"),
                Err(_) => assert!([BAD, 60, 61, 130].contains(&number), "record {number}"),
            }
        }
    }
}

#[test]
fn an_error_that_the_program_reports_fails_the_record() {
    let body = "case $n in 60) echo '{\"error\": \"no text\"}';; *) answer;; esac";
    assert_fails(body, |program| program, &[60], "no text");
    let body = "case $n in 60|70) if first; then echo '{\"error\": \"busy\"}'; else answer; fi;; *) answer;; esac";
    assert_fails(body, |program| program.retries(1), &[], "");
}

/// The blocks that this program writes end within lines. It writes the end of its last answer only at the end of its
/// input, so the first process never writes it.
#[test]
fn the_beginning_of_an_answer_is_no_answer() {
    let script = r#"my $first = mkdir $ARGV[0];
        while (<STDIN>) {
            /(\d+)/;
            $block .= 1000000 + $1 . "\n";
            next if length $block < 1020;
            syswrite STDOUT, substr $block, 0, 1020, "";
            kill 9, $$ if $first && $1 > 1000;
        }
        syswrite STDOUT, $block"#;
    for workers in [1, 3] {
        let folder = tempfile::tempdir().expect("a folder");
        let mark = folder.path().join("mark");
        let program = Program::new("perl").arguments(["-e", script]);
        let program = program.arguments([mark]);
        let found = outcomes(&program, 10_000, workers).expect("it works");
        for (number, outcome) in found.iter().enumerate() {
            match outcome {
                Ok(answer) => assert_eq!(*answer, 1e6 + number as f64, "record {number}"),
                Err(_) => assert_eq!(number, BAD),
            }
        }
    }
}

#[test]
fn the_last_answer_of_a_program_that_ends_well_needs_no_line_end() {
    let script = "local $/; print join \"\\n\", map { 2 * $_ } <STDIN> =~ /(\\d+)/g";
    let program = Program::new("perl").arguments(["-e", script]);
    let found = outcomes(&program, 200, 1).expect("it works");
    assert_all_but(&found, 200, &[], "");
}

#[test]
fn an_answer_is_too_long_from_the_first_byte_on_that_is_too_many() {
    // The lines have 1 MiB, and a byte more, without their ends.
    for (zeros, failing) in [((1 << 20) - 3, &[][..]), ((1 << 20) - 2, &[60])] {
        let body = format!(
            "case $n in 60) printf 120.; head -c {} /dev/zero | tr '\\0' 0; echo;; *) answer;; esac",
            zeros - 1
        );
        assert_fails(&body, |program| program, failing, "died: ");
    }
}

#[test]
fn a_limited_rate_does_not_starve_a_program_that_buffers() {
    // It answers four records together.
    let script = "$| = 1; while (<STDIN>) { /(\\d+)/; push @n, 2 * $1; next if @n < 4; \
                  print map { \"$_\\n\" } @n; @n = () } print map { \"$_\\n\" } @n";
    let program = Program::new("perl").arguments(["-e", script]);
    let rate = Permits::new(&Limit::none().per_second(10_000.0)).expect("a rate");
    let visited = AtomicUsize::new(0);
    visit_all(&program, &records(100), Some(rate), &|_| {}, &visited);
    assert_eq!(visited.into_inner(), 100);
}

/// Visits all records with one worker. Calls `sent` for each record that is sent, and counts those that are visited.
fn visit_all(
    program: &Program,
    records: &LoadedRecords,
    permits: Option<Permits>,
    sent: &(dyn Fn(&TextRecord<'_>) + Sync),
    visited: &AtomicUsize,
) {
    let encode = |record: &TextRecord<'_>, line: &mut Vec<u8>| {
        sent(record);
        line.extend_from_slice(record.as_str().as_bytes());
        Ok(())
    };
    let surroundings = Surroundings {
        encode: &encode,
        permits,
        progress: &|_| {},
        memory: None,
    };
    let count = |_, _: Result<&RecordReply<ProgramAnswer>, BadRecord>| {
        visited.fetch_add(1, Relaxed);
        ControlFlow::Continue(())
    };
    let run = program.answer_in(surroundings, records, &Cancel::new(), |answers| {
        while !answers.read(0..1, count)?.ended {}
        Ok::<_, Error>(())
    });
    run.expect("it starts").expect("it works");
}

/// The process ends before it has answered everything, so nothing but its end tells that the answers are out of step.
#[test]
fn answers_of_a_process_that_dies_after_a_line_too_many_are_not_used() {
    let script = r#"$| = 1; while (<STDIN>) {
        /(\d+)/;
        exit 3 if $1 == 90;
        print "120\n[]\n" if $1 == 60;
        print 2 * $1, "\n"
    }"#;
    for workers in [1, 3] {
        let program = Program::new("perl").arguments(["-e", script]);
        for retries in [0, 1] {
            let program = program.clone().retries(retries);
            let found = outcomes(&program, 200, workers).expect("it works");
            assert_all_but(&found, 200, &[60, 90], "died: ");
        }
    }
}

/// While the first record takes long, further ones are sent. Nevertheless it must become known that the program answers at
/// once, so that the time of a record counts for each record alone.
#[test]
fn a_program_whose_first_answer_takes_long_is_known_to_answer_at_once() {
    let body = "case $n in 0) sleep 1;; 150) sleep 600;; esac; answer";
    let timeout = Duration::from_secs(3);
    assert_fails(
        body,
        |program| program.timeout(timeout),
        &[150],
        "timed out: no answer within 3 s",
    );
}

#[test]
fn a_record_that_waits_to_be_tried_again_does_not_let_others_pile_up() {
    let script = "$| = 1; while (<STDIN>) { print $. == 1 || /first/ ? qq({\"error\": \"busy\"}\\n) : \"1\\n\" }";
    let program = Program::new("perl").arguments(["-e", script]).retries(3);
    const LONG: usize = 1 << 17;
    let rest = format!("{{\"n\":\"{}\"}}\n", "x".repeat(LONG)).repeat(500);
    let lines = format!("{{\"n\":\"first\"}}\n{rest}");
    let records = TextStream::new("long.jsonl", Cursor::new(lines));
    let records = LoadedRecords::of(&records).expect("records");
    let (sent, visited) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let count = |_: &TextRecord<'_>| {
        let held = 1 + sent.fetch_add(1, Relaxed) - visited.load(Relaxed);
        assert!(held * LONG < 40 << 20, "{held} records are held");
    };
    visit_all(&program, &records, None, &count, &visited);
    assert_eq!(visited.into_inner(), 501);
}

#[test]
fn a_record_that_takes_too_long_fails_and_the_others_go_on() {
    let body = "case $n in 60) sleep 600;; esac; answer";
    let timeout = Duration::from_millis(500);
    assert_fails(
        body,
        |program| program.timeout(timeout),
        &[60],
        "timed out: ",
    );
    let script = "while (<STDIN>) { /(\\d+)/; sleep 600 if $1 == 50; print 2 * $1, \"\\n\" }";
    let program = Program::new("perl")
        .arguments(["-e", script])
        .timeout(timeout);
    let program = program.start_timeout(2 * timeout);
    let found = outcomes(&program, 100, 1).expect("it works");
    assert_all_but(&found, 100, &[50], "timed out: ");
}

#[test]
fn the_time_that_a_process_needs_to_start_is_not_the_time_of_a_record() {
    let (folder, _) = in_folder("");
    let script = format!(
        "sleep 1; {}",
        "while read -r line; do n=${line#*:}; echo $((2 * ${n%\\}}));done"
    );
    let program = Program::new("sh").arguments(["-c".to_owned(), script]);
    drop(folder);
    let program = program.timeout(Duration::from_millis(300));
    let found = outcomes(&program, 20, 1).expect("it works");
    assert_all_but(&found, 20, &[], "");
}

#[test]
fn processes_are_replaced_after_some_records() {
    for workers in [1, 2] {
        let (folder, program) = in_folder("answer");
        let found = outcomes(&program.restart_after(10), 101, workers).expect("it works");
        assert_all_but(&found, 101, &[], "");
        assert!(
            (10..13).contains(&started(folder.path())),
            "{}",
            started(folder.path())
        );
    }
}

#[test]
fn several_records_are_sent_as_a_list() {
    let script = "$| = 1; while (<STDIN>) { my @n = /(\\d+)/g; exit 3 if grep { $_ == 50 } @n; \
                  print '[', join(',', map { 2 * $_ } @n), \"]\\n\" }";
    for (list, workers) in [(1, 1), (8, 1), (64, 2)] {
        let list = NonZeroU16::new(list).expect("not 0");
        let program = Program::new("perl")
            .arguments(["-e", script])
            .send(SendAs::Array(list));
        let found = outcomes(&program, 500, workers).expect("it works");
        assert_all_but(&found, 500, &[50], "died: ");
    }
}

#[test]
fn a_program_that_never_answers_ends_the_run() {
    for (body, words) in [
        (
            "echo ImportError >&2; exit 1",
            "exit status 1; it wrote: ImportError",
        ),
        ("echo loading", "loading"),
        ("exit 0", "exit status 0"),
    ] {
        for workers in [1, 3] {
            let (folder, program) = in_folder(body);
            let error = outcomes(&program, 100, workers).expect_err(body);
            assert!(matches!(error, Error::Program { .. }), "{error}");
            assert!(error.to_string().contains(words), "{error}");
            assert!(started(folder.path()) <= 3 + 3 * workers);
        }
    }
    let error = outcomes(&Program::new("no-such-program"), 1, 1).expect_err("no program");
    assert!(error.to_string().contains("no-such-program"), "{error}");
}

#[test]
fn a_stopped_run_does_not_wait_for_its_processes() {
    let (_folder, program) = in_folder("sleep 600; answer");
    let stop = Cancel::new();
    let began = Instant::now();
    let found = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            stop.cancel();
        });
        run(&program, 100, 2, &stop).expect("no error")
    });
    assert_eq!(found, []);
    assert!(began.elapsed() < Duration::from_secs(60));
}
