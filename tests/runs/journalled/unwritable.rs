//! An error of the journal ends the run with this error.

use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::*;

/// Names the folder in which the child works.
const FOLDER: &str = "MANYHANDS_FULL_DISK";

#[test]
fn a_journal_that_cannot_be_created_is_an_error() {
    let place = Place::new();
    let path = place.0.path().join("no folder/run.journal");
    let opened = AnswerJournal::open(path, "", Syncing::Seldom);
    assert!(matches!(opened.unwrap_err(), Error::Destination { .. }));
    std::fs::write(place.path(), "this is no journal\n").unwrap();
    let opened = AnswerJournal::open(place.path(), "", Syncing::Seldom);
    assert!(matches!(opened.unwrap_err(), Error::Input { .. }));
}

/// This is no test by itself: the test below starts it as a process of its own, which may write only small files.
#[test]
fn child_without_room() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    for (number, syncing) in [Syncing::AtOnce, Syncing::Seldom].into_iter().enumerate() {
        for on in 0..4 {
            let path = Path::new(&folder).join(format!("{number}-{on}.journal"));
            let journal = AnswerJournal::open(path, "", syncing).unwrap();
            let seen = Seen::default();
            let executor = executor(on);
            let task = |number: &usize| {
                if syncing == Syncing::Seldom && number.is_multiple_of(1_000) {
                    thread::sleep(Duration::from_millis(2));
                }
                *number as f64
            };
            let error = Pipeline::new(&(0..1_000_000), task)
                .executor(&*executor)
                .on_failure(OnFailure::SKIP)
                .journal(&journal)
                .scores(&seen)
                .aggregate_so_far(Count::new())
                .unwrap_err();
            assert!(matches!(&error, Error::Destination { .. }), "{error}");
            assert!(error.to_string().contains("cannot be written"), "{error}");
            for (index, seen) in seen.taken() {
                assert_eq!(seen, format!("{:x}", (index as f64).to_bits()));
            }
            journal.close().unwrap_err();
        }
    }
}

#[test]
fn a_full_disk_ends_the_run_and_no_record_fails_because_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let child = Command::new("sh")
        .arg("-c")
        .arg("trap '' XFSZ; ulimit -f 64; exec \"$0\" --exact journalled::unwritable::child_without_room")
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
}

/// A score of which serde writes less than it needs to read it.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u64),
}

#[test]
fn a_score_that_cannot_be_read_again_ends_the_run() {
    let place = Place::new();
    let journal = place.open(Syncing::Seldom);
    let error = Pipeline::new(&(0..10), |number: &usize| Untagged::Number(*number as u64))
        .journal(&journal)
        .aggregate(Count::new())
        .unwrap_err();
    assert!(
        error.to_string().contains("cannot be read again"),
        "{error}"
    );
}

#[test]
fn a_kept_score_of_another_type_ends_the_run() {
    let place = Place::new();
    finished(&place, &[1, 2], 0, &Oracle::default());
    let journal = place.open(Syncing::Seldom);
    let error = Pipeline::new(&[1, 2], |_: &u64| String::new())
        .journal(&journal)
        .aggregate(Count::new())
        .unwrap_err();
    assert!(error.to_string().contains("cannot be read"), "{error}");
}
