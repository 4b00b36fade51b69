//! The process pool must give the answer of a single process, and its runs must end properly if workers die.

mod answers;
mod deaths;
mod hangs;
mod programs;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output};

use manyhands::Error;
use manyhands::plan::{ExecutorName, Plan, RunOptions};
use serde_json::Value;
use tempfile::TempDir;

use crate::{lives, output_of, sample, send, start, wait_for};

/// Runs the program to its end. Unlike [`crate::run`], it kills the program if it hangs.
fn run(folder: &TempDir, arguments: &[&str]) -> Output {
    output_of(start(folder, arguments))
}

fn kill(id: u32) {
    send(id, "KILL");
}

/// Returns the ids of the running processes that the process `of` has started.
fn children(of: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("there is /proc").flatten() {
        let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name may contain any characters, so the fields after its last parenthesis are read. They are the
        // state and the id of the parent.
        let behind = stat.rsplit(')').next().unwrap_or_default();
        let mut words = behind.split_whitespace();
        if words.next() != Some("Z") && words.next() == Some(&of.to_string()) {
            found.push(id);
        }
    }
    found
}

/// Waits until `parent` has a ready worker other than `other_than`, and returns the id of that worker.
fn worker_of(parent: u32, other_than: Option<u32>) -> u32 {
    wait_for("a worker", || {
        let mut all = children(parent).into_iter();
        all.find(|id| Some(*id) != other_than && is_ready(*id))
    })
}

/// Whether a process is a worker of this program that is ready. A ready worker reads in a second thread.
fn is_ready(id: u32) -> bool {
    let arguments = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let threads = fs::read_dir(format!("/proc/{id}/task")).map_or(0, Iterator::count);
    arguments.ends_with(b"\0worker\0") && threads > 1
}

/// Returns the processor time that a process has used, in hundredths of a second.
fn used(id: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let behind = stat.rsplit(')').next().unwrap_or_default();
    let words: Vec<&str> = behind.split_whitespace().collect();
    words.get(11).map_or(0, |user| user.parse().unwrap_or(0))
}

/// Processor time in hundredths of a second that a ready worker uses before it counts as busy with the endless record.
/// The other records take far less.
const BUSY: u64 = 150;

/// Waits until a worker is busy with the endless record. The time that the worker needs to become ready does not count,
/// since it depends on the machine.
fn wait_until_busy(id: u32) {
    wait_for("a ready process", || is_ready(id).then_some(()));
    let start = used(id);
    wait_for("work", || (used(id) >= start + BUSY).then_some(()));
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        let told = String::from_utf8_lossy(&output.stderr);
        panic!("no report on standard output: {error}\n{told}")
    })
}

/// Returns the part of the report that is the same in two runs of a plan.
fn answer(output: &Output) -> Value {
    let mut report = json(output);
    let report = report.as_object_mut().expect("an object");
    for differs in ["plan", "command", "date", "timing", "machine", "pairs"] {
        report.remove(differs);
    }
    Value::Object(std::mem::take(report))
}

/// Writes a reference and records, one of which keeps a worker busy for longer than any test lasts.
fn slow_match(folder: &TempDir, length: usize) {
    // The letters are random, so that no bound rules out the pair and all letters are compared.
    let mut state = 1_u32;
    let mut letters = |count: usize| -> String {
        let letter = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'a' + (state >> 24) as u8 % 26)
        };
        (0..count).map(letter).collect()
    };
    let reference = format!("{}\n{}\n", letters(length), letters(12));
    fs::write(folder.path().join("reference.txt"), reference).expect("a file");
    let lengths = [9, 30, 17, length, 4, 23, 60];
    let lines = lengths.map(|length| format!("{{\"text\": \"{}\"}}\n", letters(length)));
    fs::write(folder.path().join("slow.jsonl"), lines.concat()).expect("a file");
}

/// Arguments of a search in that reference. With this cutoff, the lengths alone show that a short text cannot match
/// the long one.
const SLOW: [&str; 11] = [
    "score",
    "slow.jsonl",
    "--with",
    "match",
    "--against",
    "reference.txt",
    "--measure",
    "levenshtein",
    "--cutoff",
    "0.1",
    "-q",
];

/// Length of a text in letters. Comparing two texts of this length takes minutes.
const ENDLESS: usize = 400_000;

/// A run over a stream that stays open; each score is written at once.
struct Streamed {
    child: Child,
    stdin: Option<ChildStdin>,
    scores: BufReader<ChildStdout>,
}

impl Streamed {
    fn start(folder: &TempDir, further: &[&str]) -> Self {
        let plan = [
            "score",
            "-",
            "--with",
            "sentiment",
            "--scores",
            "-",
            "--json",
            "-q",
        ];
        let pool = ["--executor", "process-pool", "-j", "2"];
        let mut child = start(folder, &[plan.as_slice(), &pool, further].concat());
        Streamed {
            stdin: child.stdin.take(),
            scores: BufReader::new(child.stdout.take().expect("a pipe")),
            child,
        }
    }

    /// Sends this number of further records to the run, and reads all their scores.
    fn score(&mut self, records: usize) {
        let lines = "{\"text\": \"good\"}\n".repeat(records);
        let stdin = self.stdin.as_mut().expect("standard input is open");
        stdin.write_all(lines.as_bytes()).expect("the run reads it");
        for _ in 0..records {
            let mut line = String::new();
            self.scores.read_line(&mut line).expect("a line");
            assert!(line.contains("\"compound\":0.4404"), "{line:?}");
        }
    }

    /// Returns the ids of the worker processes of the run.
    fn workers(&self) -> Vec<u32> {
        children(self.child.id())
    }

    /// Waits for the end of the run, and returns the exit code and the report, which is on standard error.
    fn end(mut self) -> (Option<i32>, Value) {
        let ended = wait_for("the end", || {
            self.child.try_wait().expect("it can be asked")
        });
        drop(self.stdin);
        let mut output = self.child.wait_with_output().expect("it has ended");
        output.stdout = output
            .stderr
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default()
            .to_vec();
        (ended.code(), json(&output))
    }

    /// Closes the input, waits for the end of the run, and asserts that it scored this many records and none failed.
    #[track_caller]
    fn end_with_all_scored(mut self, records: u64) {
        drop(self.stdin.take());
        let (code, report) = self.end();
        assert_eq!(code, Some(0));
        assert_eq!(
            (&report["scored"], &report["failed"]),
            (&records.into(), &0.into())
        );
    }
}

/// Writes a script that can be run as a program. Another process writes the file, because a child that another test
/// starts at that moment inherits the open files of this process. As long as the child had the script open for
/// writing, the script could not be executed.
fn script(folder: &TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("program");
    let written = Command::new("sh")
        .args(["-c", "printf '%s' \"$1\" > \"$0\" && chmod +x \"$0\""])
        .args([path.as_os_str(), format!("#!/bin/sh\n{text}\n").as_ref()])
        .status();
    assert!(written.expect("there is sh").success());
    path
}

fn plan(program: Option<&Path>) -> Plan {
    let mut plan = Plan::new([sample()]);
    plan.executor = ExecutorName::ProcessPool;
    plan.threads = "2".parse().ok();
    plan.program = program.map(Path::to_owned);
    plan
}

fn error_of(plan: &Plan) -> String {
    let opened = plan.open().expect("the sample");
    match opened.run(RunOptions::default()) {
        Err(error @ Error::Process { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}
