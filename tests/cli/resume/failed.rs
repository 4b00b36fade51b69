//! Runs that have ended with failed records, which are tried again.

use std::fs;

use tempfile::TempDir;

use crate::{Ran, folder_with, names, read, run, write};

const COMPLETE: &str = "out.jsonl.journal.complete";

/// A program that answers while there is a file `credit`, or if the number of the record is less than 6. It notes what it is
/// asked.
const SCRIPT: &str = "while read -r line; do echo \"$line\" >> asked; n=${line##*:}; n=${n%\\}}; if test -e credit || \
                      test $n -lt 6; then echo $n; else echo '{\"error\":\"no credit\"}'; fi; done";

/// Scores ten records with these options.
fn scored(folder: &TempDir, options: &[&str]) -> Ran {
    let start = ["score", "in.jsonl", "--with", "exec", "-j", "1", "--json"];
    let program = ["--", "sh", "-c", SCRIPT];
    run(folder, &[&start[..], options, &program].concat())
}

/// A folder with ten records.
fn folder() -> TempDir {
    let records: String = (0..10).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    folder_with("in.jsonl", records)
}

#[test]
fn only_the_failed_records_of_a_complete_run_are_paid_again() {
    let folder = folder();
    let outputs = ["-o", "out.jsonl", "--failures", "bad.jsonl"];
    let first = scored(&folder, &outputs);
    assert_eq!(first.code, 1, "{}", first.err);
    let note = format!(
        "note: 4 records have failed; the answers of the others are kept in {COMPLETE}; the same command with --resume tries \
         the failed records again\n"
    );
    assert!(first.err.ends_with(&note), "{}", first.err);
    assert_eq!(read(&folder, "bad.jsonl").lines().count(), 4);

    // The records fail again.
    let resumed = [&outputs[..], &["--resume"]].concat();
    let second = scored(&folder, &resumed);
    assert_eq!(second.code, 1, "{}", second.err);
    assert_eq!(second.json()["resumed"], 6);
    write(&folder, "credit", "");
    let third = scored(&folder, &resumed);
    assert_eq!(third.code, 0, "{}", third.err);
    assert_eq!(third.json()["resumed"], 6);
    assert_eq!(read(&folder, "asked").lines().count(), 18);
    assert_eq!(read(&folder, "bad.jsonl"), "");
    let calm = scored(&folder, &["-o", "calm.jsonl"]);
    assert_eq!(calm.json()["digest"], third.json()["digest"]);
    assert_eq!(read(&folder, "out.jsonl"), read(&folder, "calm.jsonl"));
    assert!(!names(&folder).iter().any(|name| name.contains("journal")));
}

#[test]
fn the_answers_of_a_run_with_failed_records_are_not_destroyed_unasked() {
    let folder = folder();
    let quiet = scored(&folder, &["-o", "out.jsonl", "-q"]);
    assert_eq!(quiet.code, 1, "{}", quiet.err);
    assert!(!quiet.err.contains("note: "), "{}", quiet.err);
    let scores = read(&folder, "out.jsonl");
    let journal = fs::read(folder.path().join(COMPLETE)).expect("it is there");
    let refused = scored(&folder, &["-o", "out.jsonl"]);
    assert_eq!(refused.code, 5, "{}", refused.err);
    let advice = "has the answers of a run in which records have failed, or which was killed at its end, or of another command; try \
                  failed records again with --resume, or start anew with --force";
    assert!(refused.err.contains(COMPLETE), "{}", refused.err);
    assert!(refused.err.contains(advice), "{}", refused.err);
    assert_eq!(read(&folder, "out.jsonl"), scores);
    assert_eq!(
        fs::read(folder.path().join(COMPLETE)).expect("it is there"),
        journal
    );

    write(&folder, "credit", "");
    let anew = scored(&folder, &["-o", "out.jsonl", "--force"]);
    assert_eq!((anew.code, &anew.json()["resumed"]), (0, &0.into()));
    assert!(!names(&folder).iter().any(|name| name.contains("journal")));
}

#[test]
fn a_shard_is_complete_with_its_failed_records() {
    let folder = folder();
    let shard = ["--resume", "--shard", "1/1", "--partial", "part.mh"];
    let ran = scored(&folder, &shard);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.json()["failed"], 4);
    assert!(!names(&folder).iter().any(|name| name.contains("journal")));
}
