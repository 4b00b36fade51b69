//! In these tests, a run over a program ends early, or waits for its input.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Output};

use tempfile::TempDir;

use crate::{
    finish, folder_with, names, output_of, read, run, send, start, unfinished, wait_for,
    wait_while_running,
};

/// A shell script that answers each record with 1. It starts a process that holds its pipes, and both ignore signals. If
/// a record contains `stop`, the script computes without end.
const SCRIPT: &str = "trap '' TERM INT HUP
(while :; do sleep 1; done) &
while read -r line; do
    case $line in *stop*) while :; do :; done;; esac
    echo 1
done
while :; do sleep 1; done";

/// The command lines of the processes that have the folder as an argument.
pub(super) fn processes(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().expect("UTF-8");
    let all = fs::read_dir("/proc").expect("there is /proc").flatten();
    // A process that has ended has no command line, even if its parent has not waited for it.
    let lines = all.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(folder)).collect()
}

pub(super) fn wait_for_the_end_of_all(folder: &Path) {
    wait_for("the end of all processes", || {
        processes(folder).is_empty().then_some(())
    });
}

/// Starts a run over standard input.
fn start_run(folder: &TempDir, options: &[&str]) -> Child {
    let path = folder.path().to_str().expect("UTF-8");
    let score = ["score", "-", "--format", "jsonl", "--with", "exec"];
    start(
        folder,
        &[&score, options, &["--", "sh", "-c", SCRIPT, path]].concat(),
    )
}

fn feed(child: &mut Child, lines: &str) {
    let input = child.stdin.as_mut().expect("a pipe");
    input.write_all(lines.as_bytes()).expect("the run reads it");
}

/// Starts a run, waits until it has written three scores and works on records that never end, and sends it a signal.
/// Its input stays open until it has ended.
fn stopped(signal: &str, threads: &str) -> (TempDir, Output) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = start_run(&folder, &["-j", threads, "-o", "out.jsonl"]);
    feed(&mut child, &"{\"n\":1}\n".repeat(3));
    wait_while_running(&mut child, "the scores", || {
        unfinished(&folder).lines().count() == 3
    });
    feed(&mut child, &"{\"n\":\"stop\"}\n".repeat(3));
    // The run has a guard, a program and a child for each of its processes.
    assert!(processes(folder.path()).len() >= 3);
    send(child.id(), signal);
    let input = child.stdin.take();
    let output = output_of(child);
    drop(input);
    wait_for_the_end_of_all(folder.path());
    (folder, output)
}

#[test]
fn a_signal_ends_the_processes_and_keeps_the_first_scores() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        for threads in ["1", "3"] {
            let (folder, output) = stopped(signal, threads);
            assert_eq!(output.status.code(), Some(code), "{output:?}");
            assert_eq!(names(&folder), ["out.jsonl.journal", "out.jsonl.partial"]);
            let scores = (1..=3).map(|record| format!("{{\"record\":{record},\"score\":1.0}}\n"));
            assert_eq!(
                read(&folder, "out.jsonl.partial"),
                scores.collect::<String>()
            );
        }
    }
}

#[test]
fn no_process_outlives_a_killed_run() {
    for threads in ["1", "3"] {
        let (_folder, output) = stopped("KILL", threads);
        assert_eq!(output.status.signal(), Some(9), "{output:?}");
    }
}

#[test]
fn a_deadline_ends_the_processes() {
    for threads in ["1", "3"] {
        let folder = folder_with("in.jsonl", "{\"n\":\"stop\"}\n".repeat(10));
        let path = folder.path().to_str().expect("UTF-8");
        let score = ["score", "in.jsonl", "--with", "exec", "-j", threads];
        let deadline = ["--deadline", "0.3", "--", "sh", "-c", SCRIPT, path];
        let ran = run(&folder, &[&score[..], &deadline].concat());
        assert_eq!(ran.code, 124, "{}", ran.err);
        assert!(
            ran.out.starts_with("0 records scored, then stopped"),
            "{}",
            ran.out
        );
        wait_for_the_end_of_all(folder.path());
    }
}

#[test]
fn a_failure_ends_the_processes_if_it_is_to_stop_the_run() {
    let script = "while read -r line; do echo '{\"error\":\"too hard\"}'; done; sleep 600";
    let folder = folder_with("in.jsonl", "{}\n".repeat(1000));
    let path = folder.path().to_str().expect("UTF-8");
    let score = [
        "score",
        "in.jsonl",
        "--with",
        "exec",
        "-j",
        "2",
        "--on-failure",
        "stop",
    ];
    let ran = run(
        &folder,
        &[&score[..], &["--", "sh", "-c", script, path]].concat(),
    );
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(ran.err.contains("too hard"), "{}", ran.err);
    wait_for_the_end_of_all(folder.path());
}

#[test]
fn scores_of_a_slow_input_are_written_as_they_come() {
    for threads in ["1", "3"] {
        for send in ["json", "text", "array:10"] {
            let script = match send {
                "array:10" => "while read -r line; do echo '[1]'; done",
                _ => "while read -r line; do echo 1; done",
            };
            let folder = tempfile::tempdir().expect("a folder");
            let score = ["score", "-", "--with", "exec", "-o", "-", "-j", threads];
            let program = ["--send", send, "--", "sh", "-c", script];
            let mut child = start(&folder, &[&score[..], &program].concat());
            let mut scores = BufReader::new(child.stdout.take().expect("a pipe"));
            for record in 1..=5 {
                feed(&mut child, "{\"text\":\"x\"}\n");
                let mut line = String::new();
                scores.read_line(&mut line).expect("it writes");
                assert_eq!(line, format!("{{\"record\":{record},\"score\":1.0}}\n"));
            }
            assert_eq!(finish(child).code, 0);
        }
    }
}
