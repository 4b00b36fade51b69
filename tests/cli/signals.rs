//! In these tests, a signal stops a run.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;

use tempfile::TempDir;

use super::{
    EXECUTORS, Ran, finish, make_pipe, names, output_of, read, run, sample, send, start,
    start_scoring, unfinished, wait_while_running, write,
};

const LINE: &str = "{\"text\":\"good\"}\n";

const STOPPING: &str =
    "\nstopping once the records in progress are done; a second signal ends the command at once\n";

/// Starts a run, stops it with a signal while its input is open and silent, and returns its result.
fn stopped(folder: &TempDir, signal: &str, arguments: &[&str]) -> Ran {
    let mut child = start_scoring(folder, &LINE.repeat(2), arguments);
    send(child.id(), signal);
    // The input stays open until the program has ended, so only the signal can end it.
    let input = child.stdin.take();
    let ran = finish(child);
    drop(input);
    ran
}

#[test]
fn the_first_signal_stops_a_run_that_waits_for_its_input() {
    for executor in EXECUTORS {
        // The executor sequential has one thread.
        let threads: &[&str] = if executor == "sequential" {
            &["1"]
        } else {
            &["1", "3"]
        };
        for threads in threads {
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
                // The run may end before the message is printed.
                assert_eq!(ran.err.replacen(STOPPING, "", 1), told);
                assert_eq!(names(&folder), ["out.jsonl.partial"]);
                assert_eq!(read(&folder, "out.jsonl.partial").lines().count(), 2);
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_first_signal_stops_a_run_that_waits_for_a_writer_of_a_pipe() {
    for executor in EXECUTORS {
        let folder = tempfile::tempdir().expect("a folder");
        make_pipe(&folder, "pipe");
        let arguments = [
            "score",
            "pipe",
            "--with",
            "sentiment",
            "--scores",
            "out.csv",
        ];
        let mut child = start(
            &folder,
            &[&arguments[..], &["--executor", executor]].concat(),
        );
        // The program handles signals before it writes the header.
        wait_while_running(&mut child, "the header", || !unfinished(&folder).is_empty());
        send(child.id(), "TERM");
        let ran = finish(child);
        assert_eq!(ran.code, 143);
        assert!(
            ran.out.starts_with("0 records scored, then stopped  "),
            "{}",
            ran.out
        );
        // No record was scored, so no partial file is kept.
        assert_eq!(names(&folder), ["pipe"]);
    }
}

#[test]
fn quiet_and_json_runs_report_that_they_were_stopped() {
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
fn a_stopped_run_has_the_digest_of_the_records_it_scored() {
    let folder = tempfile::tempdir().expect("a folder");
    let ran = stopped(&folder, "TERM", &[]);
    write(&folder, "two.jsonl", LINE.repeat(2));
    let whole = run(&folder, &["score", "two.jsonl", "--with", "sentiment"]);
    assert_eq!(ran.digest(), whole.digest());
}

#[test]
fn a_deadline_ends_a_run_whose_input_is_silent() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = start(
        &folder,
        &["score", "-", "--with", "sentiment", "--deadline", "0.05"],
    );
    let input = child.stdin.take();
    let ran = finish(child);
    drop(input);
    assert_eq!(ran.code, 124);
    assert_eq!(
        ran.err,
        "error: stopped before the end: the deadline has passed\n"
    );
}

#[test]
fn the_second_signal_ends_a_run_whose_scores_are_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    // The line is longer than what a pipe can hold.
    let line = format!("{{\"text\":\"{}\"}}\n", "good ".repeat(1 << 20));
    write(&folder, "long.jsonl", line);
    let arguments = ["score", "long.jsonl", "--with", "sentiment"];
    let options = ["--scores", "-", "--keep", "text"];
    let mut child = start(&folder, &[&arguments[..], &options].concat());
    let mut out = child.stdout.take().expect("a pipe");
    let mut told = BufReader::new(child.stderr.take().expect("a pipe"));
    out.read_exact(&mut [0]).expect("it writes");
    send(child.id(), "INT");
    let mut lines = String::new();
    for _ in 0..2 {
        told.read_line(&mut lines).expect("it writes");
    }
    assert_eq!(lines, STOPPING);
    send(child.id(), "TERM");
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
    lines.clear();
    told.read_to_string(&mut lines).expect("it has ended");
    assert_eq!(lines, "\nended by a signal\n");
}

#[test]
fn the_first_signal_ends_a_run_that_only_has_to_print_its_report() {
    let folder = tempfile::tempdir().expect("a folder");
    // The report contains all texts, so it is longer than what a pipe can hold.
    let arguments = ["score", sample(), "--with", "sentiment", "--json"];
    let options = ["--top", "2000", "--scores", "out.jsonl"];
    let mut child = start(&folder, &[&arguments[..], &options].concat());
    let mut out = child.stdout.take().expect("a pipe");
    out.read_exact(&mut [0]).expect("it writes");
    send(child.id(), "INT");
    let ran = finish(child);
    assert_eq!((ran.code, ran.err.as_str()), (130, "\nended by a signal\n"));
    // The scores were complete before the signal.
    assert_eq!(read(&folder, "out.jsonl").lines().count(), 2000);
}

#[test]
fn a_signal_before_the_run_kills_the_program() {
    let folder = tempfile::tempdir().expect("a folder");
    write(&folder, "in.jsonl", LINE);
    // The program waits for the reference, because its input is open and silent.
    let arguments = ["score", "in.jsonl", "--with", "match", "--against", "-"];
    let mut child = start(
        &folder,
        &[&arguments[..], &["--scores", "out.jsonl"]].concat(),
    );
    let input = child.stdin.take();
    send(child.id(), "INT");
    let output = output_of(child);
    drop(input);
    assert_eq!(output.status.signal(), Some(2));
    assert_eq!(names(&folder), ["in.jsonl"]);
}

#[test]
fn a_signal_during_a_run_over_files_keeps_the_first_scores() {
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
    wait_while_running(&mut child, "the first scores", || {
        !unfinished(&folder).is_empty()
    });
    send(child.id(), "INT");
    let ran = finish(child);
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
