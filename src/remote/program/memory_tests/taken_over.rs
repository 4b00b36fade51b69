//! Answers of earlier runs are taken over, and only the other records are sent.

use std::io::Cursor;

use super::{Happened, NotedAnswers, all_but, run, run_over, sent};
use crate::dataset::{LoadedRecords, TextStream};
use crate::limit::{Limit, Permits};
use crate::remote::program::Program;
use crate::remote::program::tests::{
    Outcome, assert_all_but, buffering, in_folder, records, started,
};
use crate::stop::Cancel;

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
