//! The process pool gives the same answer, scores and failures as a run in one process.

use std::fs;
use std::io::Write as _;

use serde_json::Value;
use tempfile::TempDir;

use super::{SLOW, answer, json, run, slow_match};
use crate::{output_of, sample, start};

/// Returns reviews in JSON lines, together with lines that are invalid in every possible way.
fn hostile() -> Vec<u8> {
    let mut lines = Vec::new();
    let sample = fs::read(sample()).expect("the sample");
    for (number, line) in sample.split(|byte| *byte == b'\n').take(600).enumerate() {
        match number {
            40 => lines.extend_from_slice(b"{\"text\": \"cut o"),
            90 => lines.extend_from_slice(b"\n\n  \n[1, 2]"),
            150 => lines.extend_from_slice(b"{\"text\": \"not \xff UTF-8\"}\n{\"text\": \"\xfe\"}"),
            220 => lines.extend_from_slice(br#"{"category": {}, "text": "good"}"#),
            221 => lines.extend_from_slice(br#"{"category": "a", "txt": "no such field"}"#),
            300 => lines.extend_from_slice(br#"{"category": "b", "text": 7}"#),
            301 => {
                let long = "so-so, and then good; ".repeat(20_000);
                lines.extend_from_slice(format!("{{\"text\": \"{long}\"}}").as_bytes());
            }
            599 => lines.extend_from_slice(b"\xff"),
            _ => lines.extend_from_slice(line),
        }
        lines.push(b'\n');
    }
    lines
}

pub(super) fn folder_with_hostile() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("in.jsonl"), hostile()).expect("a file");
    folder
}

/// Runs a plan sequentially, in one process and in three processes, and checks that the answer, the exit code and the
/// scores are the same.
fn assert_same(folder: &TempDir, arguments: &[&str], scores: &str) -> Value {
    let run = |executor: &str, workers: &str| {
        let how = [
            "--json",
            "-q",
            "--force",
            "--executor",
            executor,
            "-j",
            workers,
        ];
        let output = run(folder, &[arguments, &how, &["--scores", scores]].concat());
        let whole = folder.path().join(scores);
        let partial = folder.path().join(format!("{scores}.partial"));
        let written = [&whole, &partial].map(|path| fs::read(path).ok());
        for path in [whole, partial] {
            let _ = fs::remove_file(path);
        }
        (answer(&output), output.status.code(), written)
    };
    let expected = run("sequential", "1");
    assert!(
        expected.2.iter().any(Option::is_some),
        "the sequential run wrote scores"
    );
    for workers in ["1", "3"] {
        let found = run("process-pool", workers);
        assert_eq!(found.0, expected.0);
        assert_eq!(found.1, expected.1);
        assert!(
            found.2 == expected.2,
            "the scores differ with {workers} processes"
        );
    }
    expected.0
}

#[test]
fn the_answer_equals_that_of_one_process() {
    let folder = folder_with_hostile();
    let plan = [
        "score",
        "in.jsonl",
        "--with",
        "sentiment",
        "--by",
        "category",
    ];
    let report = assert_same(
        &folder,
        &[plan.as_slice(), &["--keep", "product,rating", "--top", "7"]].concat(),
        "out.jsonl",
    );
    assert_eq!(
        report["failed"], 8,
        "the test breaks the records that it means to break"
    );
    assert_same(&folder, &plan, "out.csv");
}

#[test]
fn the_same_record_halts_a_run() {
    let folder = folder_with_hostile();
    for on_failure in ["skip:4", "stop", "skip:0.5%"] {
        let arguments = [
            "score",
            "in.jsonl",
            "--with",
            "sentiment",
            "--on-failure",
            on_failure,
        ];
        let report = assert_same(&folder, &arguments, "out.jsonl");
        assert_eq!(report["end"]["how"], "halted");
    }
}

#[test]
fn streams_and_limits_work_in_processes() {
    let folder = folder_with_hostile();
    let score = |executor: &str, further: &[&str]| {
        let how = [
            "--with",
            "sentiment",
            "--json",
            "-q",
            "--executor",
            executor,
        ];
        let plan = ["score", "-", "-j", "2"];
        let mut child = start(&folder, &[plan.as_slice(), &how, further].concat());
        let mut stdin = child.stdin.take().expect("a pipe");
        let writer = std::thread::spawn(move || stdin.write_all(&hostile()));
        let output = output_of(child);
        writer.join().expect("a thread").expect("it is read");
        let mut report = answer(&output);
        (report["digest"].take(), report["failures"].take())
    };
    let expected = score("sequential", &[]);
    assert_eq!(score("process-pool", &[]), expected);
    assert_eq!(score("process-pool", &["--in-flight", "1"]), expected);
    let per_second = ["--rate", "2000"];
    assert_eq!(score("process-pool", &per_second), expected);
    let arguments = ["score", "in.jsonl", "--with", "sentiment", "--rate", "2000"];
    assert_same(&folder, &arguments, "out.jsonl");
}

#[test]
fn the_pairs_of_all_processes_are_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    slow_match(&folder, 50);
    let run = |executor: &str| {
        let output = run(
            &folder,
            &[&SLOW, ["--json", "--executor", executor].as_slice()].concat(),
        );
        json(&output)
    };
    let report = run("process-pool");
    assert_eq!(report["digest"], run("sequential")["digest"]);
    let pairs = &report["pairs"];
    let all =
        pairs["compared"].as_u64().expect("a count") + pairs["skipped"].as_u64().expect("a count");
    assert_eq!(all, 14);
}
