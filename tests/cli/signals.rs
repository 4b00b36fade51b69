//! A run that is stopped by a signal.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Child;

use tempfile::TempDir;

use super::{Ran, names, ran, read, run, sample, send, start, write};

const LINE: &[u8] = b"{\"text\":\"good\"}\n";

const STOPPING: &str = "\nstopping when the records in work are done; once more ends it at once\n";

/// A run over standard input that has written the scores of two records, and waits for more.
fn waiting(folder: &TempDir, arguments: &[&str]) -> Child {
    let all = ["score", "-", "--with", "sentiment", "--scores", "out.jsonl"];
    let mut child = start(folder, &[&all, arguments].concat());
    let input = child.stdin.as_mut().expect("a pipe");
    input.write_all(&LINE.repeat(2)).expect("it reads");
    let is_begun =
        |name: &String| name.starts_with(".manyhands-") && read(folder, name).lines().count() == 2;
    while !names(folder).iter().any(is_begun) {
        let ended = child.try_wait().expect("it can be asked");
        assert_eq!(ended, None, "it ended before the signal");
        std::thread::yield_now();
    }
    child
}

/// What a run comes to that is stopped while its input is open and silent.
fn stopped(folder: &TempDir, signal: &str, arguments: &[&str]) -> Ran {
    let mut child = waiting(folder, arguments);
    send(&child, signal);
    // Not dropped before the run has ended: it is not to end because its input does.
    let input = child.stdin.take();
    let ran = ran(child.wait_with_output());
    drop(input);
    ran
}

#[test]
fn the_first_signal_stops_a_run_that_waits_for_its_input() {
    for executor in ["sequential", "work-stealing", "task-queue", "process-pool"] {
        for threads in ["1", "3"] {
            for (signal, number, code) in [("INT", 2, 130), ("TERM", 15, 143), ("HUP", 1, 129)] {
                let folder = tempfile::tempdir().expect("a folder");
                let ran = stopped(&folder, signal, &["--executor", executor, "-j", threads]);
                assert_eq!(ran.code, code);
                let headline =
                    "2 records scored, then stopped  sentiment of \"text\" in <stdin>, 32 B";
                assert_eq!(ran.out.lines().next(), Some(headline));
                let told = format!(
                    "error: stopped before the end: signal {number}\n  \
                     the scores of the first 2 records are in out.jsonl.partial\n"
                );
                // The run may be over before anybody is told that it is stopping.
                assert_eq!(ran.err.replacen(STOPPING, "", 1), told);
                assert_eq!(names(&folder), ["out.jsonl.partial"]);
                assert_eq!(read(&folder, "out.jsonl.partial").lines().count(), 2);
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn nor_does_a_pipe_that_nobody_has_begun_to_write_to_hold_up_the_end() {
    for executor in ["sequential", "work-stealing", "task-queue", "process-pool"] {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(pipe).status();
        assert!(made.expect("there is mkfifo").success());
        let arguments = [
            "score",
            "pipe",
            "--with",
            "sentiment",
            "--scores",
            "out.csv",
        ];
        let child = start(
            &folder,
            &[&arguments[..], &["--executor", executor]].concat(),
        );
        // The header is written when signals are watched already.
        let is_begun =
            |name: &String| name.starts_with(".manyhands-") && !read(&folder, name).is_empty();
        while !names(&folder).iter().any(is_begun) {
            std::thread::yield_now();
        }
        send(&child, "TERM");
        let ran = ran(child.wait_with_output());
        assert_eq!(ran.code, 143);
        assert!(
            ran.out.starts_with("0 records scored, then stopped  "),
            "{}",
            ran.out
        );
        // Without a single score there is nothing to keep.
        assert_eq!(names(&folder), ["pipe"]);
    }
}

#[test]
fn quiet_and_json_runs_say_that_they_were_stopped_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let ran = stopped(&folder, "INT", &["--quiet", "--json"]);
    assert_eq!(ran.code, 130);
    assert!(
        ran.err
            .starts_with("error: stopped before the end: signal 2\n"),
        "{}",
        ran.err
    );
    let end = serde_json::json!({"how": "stopped", "why": "signal 2"});
    assert_eq!(
        (&ran.json()["end"], &ran.json()["scored"]),
        (&end, &2.into())
    );
}

#[test]
fn the_answer_of_a_run_that_was_stopped_is_that_of_its_records() {
    let folder = tempfile::tempdir().expect("a folder");
    let ran = stopped(&folder, "TERM", &[]);
    write(&folder, "two.jsonl", LINE.repeat(2));
    let whole = run(&folder, &["score", "two.jsonl", "--with", "sentiment"]);
    assert_eq!(ran.digest(), whole.digest());
}

#[test]
fn a_deadline_passes_while_nothing_comes() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = start(
        &folder,
        &["score", "-", "--with", "sentiment", "--deadline", "0.05"],
    );
    let input = child.stdin.take();
    let ran = ran(child.wait_with_output());
    drop(input);
    assert_eq!(ran.code, 124);
    assert_eq!(
        ran.err,
        "error: stopped before the end: the deadline has passed\n"
    );
}

#[test]
fn the_second_signal_ends_a_run_that_is_held_up_by_whoever_reads_its_scores() {
    let folder = tempfile::tempdir().expect("a folder");
    // More than a pipe holds.
    let line = format!("{{\"text\":\"{}\"}}\n", "good ".repeat(1 << 20));
    write(&folder, "long.jsonl", line);
    let arguments = ["score", "long.jsonl", "--with", "sentiment"];
    let options = ["--scores", "-", "--keep", "text"];
    let mut child = start(&folder, &[&arguments[..], &options].concat());
    let mut out = child.stdout.take().expect("a pipe");
    let mut told = BufReader::new(child.stderr.take().expect("a pipe"));
    out.read_exact(&mut [0]).expect("it writes");
    send(&child, "INT");
    let mut lines = String::new();
    for _ in 0..2 {
        told.read_line(&mut lines).expect("it tells");
    }
    assert_eq!(lines, STOPPING);
    send(&child, "TERM");
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
    lines.clear();
    told.read_to_string(&mut lines).expect("it has ended");
    assert_eq!(lines, "\nended by a signal\n");
}

#[test]
fn the_first_signal_ends_a_run_of_which_only_the_report_is_left() {
    let folder = tempfile::tempdir().expect("a folder");
    // A report that is more than a pipe holds, with all the texts.
    let arguments = ["score", sample(), "--with", "sentiment", "--json"];
    let options = ["--top", "2000", "--scores", "out.jsonl"];
    let mut child = start(&folder, &[&arguments[..], &options].concat());
    let mut out = child.stdout.take().expect("a pipe");
    out.read_exact(&mut [0]).expect("it writes");
    send(&child, "INT");
    let ran = ran(child.wait_with_output());
    assert_eq!((ran.code, ran.err.as_str()), (130, "\nended by a signal\n"));
    // The scores were whole before.
    assert_eq!(read(&folder, "out.jsonl").lines().count(), 2000);
}

#[test]
fn a_signal_before_the_run_ends_the_command_as_it_does_any_other() {
    let folder = tempfile::tempdir().expect("a folder");
    write(&folder, "in.jsonl", LINE);
    // The reference is waited for, from an input that is open and silent.
    let arguments = ["score", "in.jsonl", "--with", "match", "--against", "-"];
    let mut child = start(
        &folder,
        &[&arguments[..], &["--scores", "out.jsonl"]].concat(),
    );
    let input = child.stdin.take();
    send(&child, "INT");
    let output = child.wait_with_output().expect("it ends");
    drop(input);
    assert_eq!(output.status.signal(), Some(2));
    assert_eq!(names(&folder), ["in.jsonl"]);
}

#[test]
fn a_signal_during_a_run_over_files_keeps_a_beginning() {
    let folder = tempfile::tempdir().expect("a folder");
    let files: Vec<_> = std::iter::repeat_n(sample(), 300).collect();
    let options = [
        "score",
        "--with",
        "sentiment",
        "--scores",
        "out.jsonl",
        "--json",
    ];
    let mut child = start(&folder, &[&options[..], &files].concat());
    let is_begun = |name: &String| !read(&folder, name).is_empty();
    while !names(&folder).iter().any(is_begun) {
        assert_eq!(child.try_wait().expect("it can be asked"), None);
        std::thread::yield_now();
    }
    send(&child, "INT");
    let ran = ran(child.wait_with_output());
    assert_eq!(ran.code, 130);
    assert_eq!(names(&folder), ["out.jsonl.partial"]);
    let lines = read(&folder, "out.jsonl.partial");
    assert!(lines.lines().count() < 300 * 2000);
    for (number, line) in (1..).zip(lines.lines()) {
        let line: serde_json::Value = serde_json::from_str(line).expect("a whole line");
        assert_eq!(line["record"], number);
    }
    let records = ran.json()["records"].as_u64();
    assert_eq!(records, Some(lines.lines().count() as u64));
}
