//! Records count only when their answers are on the disk, and errors of the disk end the run.

use std::collections::VecDeque;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::{Happened, MemoryStep, NotedAnswers, PausingText, all_but, run, run_over, sent};
use crate::dataset::TextStream;
use crate::remote::program::tests::{assert_all_but, in_folder, records};
use crate::stop::Cancel;

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
