//! Each right answer is kept once, whatever the program does with other records.

use std::collections::VecDeque;
use std::num::NonZeroU16;
use std::sync::mpsc::channel;
use std::time::Duration;

use super::{NotedAnswers, PausingText, all_but, run, run_over};
use crate::dataset::TextStream;
use crate::remote::SendAs;
use crate::remote::program::Program;
use crate::remote::program::tests::{BAD, assert_all_but, buffering, in_folder, outcomes};
use crate::stop::Cancel;

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
