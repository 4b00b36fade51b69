//! What is refused about journals, and what becomes of them then.

use std::fs;

use tempfile::TempDir;

use super::some_records;
use crate::{folder_with, names, score, write};

const JOURNAL: &str = "out.jsonl.journal";

/// A folder in which a run has left a journal and a partial file.
fn stopped() -> TempDir {
    let folder = folder_with("in.jsonl", some_records(500));
    let early = [
        "--resume",
        "-o",
        "out.jsonl",
        "--rate",
        "1000",
        "--deadline",
        "200ms",
    ];
    let stopped = score(&folder, "in.jsonl", &early);
    assert_eq!(stopped.code, 124, "{}", stopped.err);
    assert_eq!(names(&folder), ["in.jsonl", JOURNAL, "out.jsonl.partial"]);
    folder
}

#[test]
fn what_an_earlier_run_has_left_is_neither_used_nor_destroyed_unasked() {
    let folder = stopped();
    fs::remove_file(folder.path().join("out.jsonl.partial")).expect("it is there");
    let journal = fs::read(folder.path().join(JOURNAL)).expect("it is there");
    let refused = score(&folder, "in.jsonl", &["-o", "out.jsonl"]);
    assert_eq!(refused.code, 5, "{}", refused.err);
    let advice = "is left from a run that ended early; go on from there with --resume, or start anew with --force";
    assert!(refused.err.contains(JOURNAL), "{}", refused.err);
    assert!(refused.err.contains(advice), "{}", refused.err);
    assert_eq!(
        fs::read(folder.path().join(JOURNAL)).expect("it is there"),
        journal
    );

    let anew = score(
        &folder,
        "in.jsonl",
        &["-o", "out.jsonl", "--force", "--json"],
    );
    assert_eq!(
        (anew.code, &anew.json()["resumed"]),
        (0, &0.into()),
        "{}",
        anew.err
    );
    assert_eq!(names(&folder), ["in.jsonl", "out.jsonl"]);
}

#[test]
fn a_run_without_a_journal_starts_anew() {
    let folder = folder_with("in.jsonl", some_records(100));
    let begun = score(
        &folder,
        "in.jsonl",
        &["--resume", "-o", "out.jsonl", "--json"],
    );
    assert_eq!(
        (begun.code, &begun.json()["resumed"]),
        (0, &0.into()),
        "{}",
        begun.err
    );
    let again = score(&folder, "in.jsonl", &["--resume", "-o", "out.jsonl"]);
    assert_eq!(again.code, 5);
    let advice = "out.jsonl: already exists, and there is no journal beside it to go on with: the run that wrote it has ended; \
                  choose another name, or score everything anew with --force";
    assert!(again.err.contains(advice), "{}", again.err);
    let forced = score(
        &folder,
        "in.jsonl",
        &["--resume", "-o", "out.jsonl", "--force"],
    );
    assert_eq!(forced.code, 0, "{}", forced.err);
}

#[test]
fn a_run_that_finds_only_the_scores_of_an_earlier_one_says_that_it_begins_anew() {
    let folder = stopped();
    fs::remove_file(folder.path().join(JOURNAL)).expect("it is there");
    let begun = score(&folder, "in.jsonl", &["--resume", "-o", "out.jsonl"]);
    assert_eq!(begun.code, 0, "{}", begun.err);
    let note = "note: there is no journal beside out.jsonl.partial, so no answers are taken over; a new run begins\n";
    assert!(begun.err.starts_with(note), "{}", begun.err);
    assert_eq!(names(&folder), ["in.jsonl", "out.jsonl"]);
}

#[test]
fn answers_are_kept_beside_a_file_only() {
    let folder = folder_with("in.jsonl", some_records(100));
    for output in [&[][..], &["-o", "-"], &["-o", "/dev/null"]] {
        let refused = score(&folder, "in.jsonl", &[&["--resume"], output].concat());
        assert_eq!(refused.code, 2, "{output:?}: {}", refused.err);
        assert!(refused.err.contains("--resume"), "{}", refused.err);
    }
}

#[test]
fn a_file_that_is_no_journal_or_is_damaged_is_left_alone() {
    let folder = stopped();
    let journal = fs::read(folder.path().join(JOURNAL)).expect("it is there");
    let mut damaged = journal.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    for (bytes, part) in [(b"my notes\n".to_vec(), "journal"), (damaged, "damaged")] {
        write(&folder, JOURNAL, &bytes);
        let refused = score(&folder, "in.jsonl", &["--resume", "-o", "out.jsonl"]);
        assert_eq!(refused.code, 3, "{}", refused.err);
        assert!(refused.err.contains(part), "{}", refused.err);
        assert_eq!(
            fs::read(folder.path().join(JOURNAL)).expect("it is there"),
            bytes
        );
    }
    write(&folder, JOURNAL, &journal);
    let whole = score(&folder, "in.jsonl", &["--resume", "-o", "out.jsonl"]);
    assert_eq!(whole.code, 0, "{}", whole.err);
}
