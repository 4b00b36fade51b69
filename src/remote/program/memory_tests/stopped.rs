//! Runs that end early, and runs whose records take long: what they keep.

use std::ops::ControlFlow;
use std::time::Duration;

use super::{NotedAnswers, run_over, sent};
use crate::dataset::Dataset;
use crate::remote::Program;
use crate::remote::program::Surroundings;
use crate::remote::program::tests::{in_folder, records};
use crate::stop::Cancel;

/// A folder, and a script in Perl that notes each number in the file `sent` there, and answers in large blocks.
fn noting_and_buffering() -> (tempfile::TempDir, Program) {
    let folder = tempfile::tempdir().expect("a folder");
    let script = format!(
        "open F, '>>', '{}/sent'; while (<STDIN>) {{ /(\\d+)/; syswrite F, \"$1\\n\"; print 2 * $1, \"\\n\" }}",
        folder.path().display()
    );
    (folder, Program::new("perl").arguments(["-e", &script]))
}

/// Checks that exactly the records that were sent were kept, and returns their number.
fn assert_kept_as_sent(memory: &NotedAnswers, folder: &tempfile::TempDir) -> usize {
    let sent = sent(folder.path());
    memory.assert_kept(sent.iter().copied());
    sent.len()
}

/// Runs the program over this number of records. Each worker reads answers until there are no more, or this number of
/// times.
fn read_answers(
    program: &Program,
    memory: &NotedAnswers,
    count: usize,
    workers: usize,
    times: usize,
    stop: &Cancel,
) {
    let surroundings = Surroundings {
        encode: &|record, line| {
            line.extend_from_slice(record.as_str().as_bytes());
            Ok(())
        },
        permits: None,
        progress: &|_| {},
        memory: Some(memory),
    };
    let records = records(count);
    let read = program.answer_in(surroundings, &records, stop, |answers| {
        let work = || {
            for _ in 0..times {
                let read = answers.read(0..1, |_, _| ControlFlow::Continue(()));
                if read.expect("no error").ended {
                    break;
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(work);
            }
        });
    });
    read.expect("no error");
}

/// Stops a run over many records when the program has noted this many of them.
fn stopped(folder: &tempfile::TempDir, program: &Program, noted: usize, workers: usize) {
    const COUNT: usize = 300_000;
    let memory = NotedAnswers::default();
    let stop = Cancel::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let lines = || std::fs::read(folder.path().join("sent")).unwrap_or_default();
            while lines().iter().filter(|byte| **byte == b'\n').count() < noted {
                std::thread::sleep(Duration::from_millis(2));
            }
            stop.cancel();
        });
        read_answers(program, &memory, COUNT, workers, usize::MAX, &stop);
    });
    let kept = assert_kept_as_sent(&memory, folder);
    assert!(kept >= noted && kept < COUNT - 1, "{kept}");
}

#[test]
fn records_in_progress_are_kept_when_a_run_is_stopped() {
    for workers in [1, 3] {
        for body in [
            "echo $n >> sent; answer",
            "echo $n >> sent; sleep 0.03; answer",
        ] {
            let (folder, program) = in_folder(body);
            stopped(&folder, &program, 1, workers);
            stopped(&folder, &program, 50, workers);
        }
        let (folder, program) = noting_and_buffering();
        stopped(&folder, &program, 1000, workers);
    }
}

#[test]
fn records_in_progress_are_kept_when_no_more_answers_are_wanted() {
    for (folder, program) in [
        in_folder("echo $n >> sent; sleep 0.01; answer"),
        noting_and_buffering(),
    ] {
        for workers in [1, 3] {
            let memory = NotedAnswers::default();
            read_answers(&program, &memory, 1000, workers, 10, &Cancel::new());
            assert!(assert_kept_as_sent(&memory, &folder) >= 9);
        }
    }
}

/// A program whose records take long is not one that holds its answers back.
#[test]
fn answers_count_soon_although_a_record_takes_long() {
    const COUNT: usize = 60;
    let (folder, program) = in_folder("echo $n >> sent; sleep 0.03; answer");
    let memory = NotedAnswers::default();
    let stop = Cancel::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            memory.await_visit(0);
            stop.cancel();
        });
        let records = records(COUNT);
        run_over(&program, &memory, &records, 1, None, &stop).expect("no error");
    });
    let kept = assert_kept_as_sent(&memory, &folder);
    assert!(kept < COUNT - 1, "{kept}");
}
