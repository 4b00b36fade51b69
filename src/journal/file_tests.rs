//! Journals in files of the system.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::simulated_tests::{answer_of, some_run};
use super::{Journal, JournalCounts, Syncing};
use crate::error::Error;

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jsonl.journal");
    (folder, path)
}

#[test]
fn a_journal_is_created_resumed_and_removed() {
    let (folder, path) = folder();
    let journal = Journal::create(&path, &some_run(), Syncing::AtOnce).unwrap();
    let at = journal.keep(3, 33, b"three").unwrap();
    assert!(journal.wait(at, Duration::MAX).unwrap());
    // A run does not find its own answers.
    assert!(!journal.find(3, 33, &mut Vec::new()).unwrap());
    journal.close().unwrap();
    let text = fs::read(&path).unwrap();
    let line = text.split_inclusive(|byte| *byte == b'\n').next().unwrap();
    let line: serde_json::Value = serde_json::from_slice(line).unwrap();
    assert_eq!(
        (&line["manyhands"], &line["format"]),
        (&"journal".into(), &2.into())
    );

    let journal = Journal::open(&path, &some_run(), Syncing::Seldom).unwrap();
    let mut answer = Vec::new();
    assert!(journal.find(3, 33, &mut answer).unwrap());
    assert_eq!(answer, b"three");
    journal.keep(4, 44, b"four").unwrap();
    let counts = JournalCounts {
        earlier: 1,
        taken_over: 1,
        kept: 1,
    };
    assert_eq!(journal.counts(), counts);
    drop(journal);

    // The answer that was taken over is still in the file.
    let journal = Journal::open(&path, &some_run(), Syncing::AtOnce).unwrap();
    assert_eq!(journal.counts().earlier, 2);
    for (index, key) in [(3, 33), (4, 44)] {
        assert!(journal.find(index, key, &mut answer).unwrap());
        assert!(!journal.find(index, key, &mut answer).unwrap());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    journal.remove().unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    Journal::create(&path, &some_run(), Syncing::AtOnce)
        .unwrap()
        .remove()
        .unwrap();
}

#[test]
fn a_file_in_which_not_even_the_first_line_is_whole_has_no_answers() {
    let (_folder, path) = folder();
    let line = super::format::first_line(1);
    for length in [0, 5, 40, line.len() - 1] {
        fs::write(&path, &line[..length]).unwrap();
        let journal = Journal::open(&path, &some_run(), Syncing::AtOnce).unwrap();
        assert_eq!(journal.counts().earlier, 0);
        journal.keep(3, 33, b"three").unwrap();
        journal.close().unwrap();
        let journal = Journal::open(&path, &some_run(), Syncing::AtOnce).unwrap();
        assert!(journal.find(3, 33, &mut Vec::new()).unwrap());
    }
}

#[test]
fn a_second_run_is_refused_at_once() {
    let (_folder, path) = folder();
    let journal = Journal::create(&path, &some_run(), Syncing::AtOnce).unwrap();
    let began = Instant::now();
    let error = Journal::open(&path, &some_run(), Syncing::AtOnce)
        .err()
        .unwrap();
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(
        error.to_string().contains("another run is using it"),
        "{error}"
    );
    assert!(matches!(error, Error::Destination { .. }), "{error:?}");
    journal.close().unwrap();
    let journal = Journal::open(&path, &some_run(), Syncing::AtOnce).unwrap();
    assert!(Journal::open(&path, &some_run(), Syncing::AtOnce).is_err());
    drop(journal);
    Journal::open(&path, &some_run(), Syncing::AtOnce)
        .unwrap()
        .remove()
        .unwrap();
}

#[test]
fn files_that_are_no_journals_are_refused_and_left_as_they_are() {
    let (folder, path) = folder();
    let format_3 = super::format::first_line(1).replace("\"format\":2", "\"format\":3");
    let cases = [
        ("text,label\n", "is not a journal of manyhands"),
        ("{\"text\":\"precious\"}\n", "is not a journal of manyhands"),
        (&format_3, "has format 3 of journals, written by manyhands"),
    ];
    for (content, expected) in cases {
        fs::write(&path, content).unwrap();
        let error = Journal::open(&path, &some_run(), Syncing::AtOnce)
            .err()
            .unwrap();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(matches!(error, Error::Input { .. }), "{error:?}");
        let error = Journal::create(&path, &some_run(), Syncing::AtOnce)
            .err()
            .unwrap();
        assert!(error.to_string().contains("open it to use them"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
    let error = Journal::open(folder.path(), &some_run(), Syncing::AtOnce)
        .err()
        .unwrap();
    assert!(error.to_string().contains("is not a file"), "{error}");
    let missing = folder.path().join("missing");
    let error = Journal::open(&missing, &some_run(), Syncing::AtOnce)
        .err()
        .unwrap();
    assert!(matches!(&error, Error::Input { .. }), "{error}");
    let error = Journal::create(&missing.join("journal"), &some_run(), Syncing::AtOnce)
        .err()
        .unwrap();
    assert!(error.to_string().contains("create its folder"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn many_threads_keep_and_wait_at_once() {
    const THREADS: u64 = 8;
    const ANSWERS: u64 = 400;

    for syncing in [Syncing::AtOnce, Syncing::Seldom] {
        let (_folder, path) = folder();
        let journal = Journal::create(&path, &some_run(), syncing).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let journal = &journal;
                scope.spawn(move || {
                    for number in (thread..THREADS * ANSWERS).step_by(THREADS as usize) {
                        let at = journal
                            .keep(number, number.into(), &answer_of(number))
                            .unwrap();
                        if number % 50 == 0 {
                            assert!(journal.wait(at, Duration::MAX).unwrap());
                        }
                    }
                });
            }
        });
        assert_eq!(journal.counts().kept, THREADS * ANSWERS);
        journal.close().unwrap();
        let journal = Journal::open(&path, &some_run(), syncing).unwrap();
        let mut answer = Vec::new();
        for number in 0..THREADS * ANSWERS {
            assert!(journal.find(number, number.into(), &mut answer).unwrap());
            assert_eq!(answer, answer_of(number));
        }
        journal.remove().unwrap();
    }
}

/// Prints what keeping and finding cost. Run it with `cargo test --release --lib -- --ignored --nocapture journal_costs`.
#[test]
#[ignore = "it measures times"]
fn journal_costs() {
    const ANSWERS: u64 = 1_000_000;

    for (threads, syncing) in [
        (1, Syncing::Seldom),
        (2, Syncing::Seldom),
        (16, Syncing::Seldom),
    ] {
        let (_folder, path) = folder();
        let journal = Journal::create(&path, &some_run(), syncing).unwrap();
        let timed = |what: &str, act: &(dyn Fn(u64) + Sync)| {
            let began = Instant::now();
            std::thread::scope(|scope| {
                for thread in 0..threads {
                    scope.spawn(move || {
                        let each = ANSWERS / threads;
                        (thread * each..(thread + 1) * each).for_each(act);
                    });
                }
            });
            let wall = began.elapsed();
            let per_answer = wall * threads.min(2) as u32 / ANSWERS as u32;
            println!("{threads} threads: {what}: {wall:?}, {per_answer:?} of a core each");
        };
        let key = |index: u64| u128::from(index) << 64 | u128::from(!index);
        timed("keep", &|index| {
            let _ = journal.keep(index, key(index), &[7; 40]).unwrap();
        });
        let began = Instant::now();
        journal.close().unwrap();
        let bytes = fs::metadata(&path).unwrap().len();
        println!(
            "close: {:?}; {} bytes per answer",
            began.elapsed(),
            bytes as f64 / ANSWERS as f64
        );
        let find = |journal: &Journal, index: u64, key: u128| {
            std::thread_local! { static ANSWER: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) }; }
            ANSWER.with_borrow_mut(|answer| journal.find(index, key, answer).unwrap())
        };
        let opened = || {
            let began = Instant::now();
            let journal = Journal::open(&path, &some_run(), syncing).unwrap();
            println!("open: {:?}", began.elapsed());
            journal
        };
        let journal = opened();
        timed("find in place", &|index| {
            assert!(find(&journal, index, key(index)))
        });
        drop(journal);
        let journal = opened();
        timed("find moved by 1", &|index| {
            assert!(find(&journal, index + 1, key(index)))
        });
        drop(journal);
        let journal = opened();
        timed("find nothing", &|index| {
            assert!(!find(&journal, index, !key(index) ^ 5))
        });
    }
    let (_folder, path) = folder();
    let journal = Journal::create(&path, &some_run(), Syncing::AtOnce).unwrap();
    let began = Instant::now();
    for number in 0..500 {
        let at = journal.keep(number, 1, &[7; 40]).unwrap();
        assert!(journal.wait(at, Duration::MAX).unwrap());
    }
    println!(
        "keep and wait, one by one: {:?} each",
        began.elapsed() / 500
    );
}
