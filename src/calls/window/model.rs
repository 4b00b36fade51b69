//! Tests the window under the model checker, with the thread that reads, the thread that calls, and two workers. It reports
//! a deadlock, so a model that ends has lost no wake-up: in the model, no wait ends by itself.

use std::sync::Arc;
use std::task::Waker;

use super::{CallWindow, Completion, ReadRecord, TakenAnswers};
use crate::calls::slots::{ReadyList, Sleeper};
use crate::dataset::Position;
use crate::journal::KeptAt;
use crate::sync::{Mutex, check_model, lock, thread};

type Window = CallWindow<u64, u64>;

const RECORDS: u64 = 4;
const MOST_RECORDS: usize = 2;

/// Reads the records into the window, some of them with their answers.
fn read(window: &Window, ready: &ReadyList, known: fn(u64) -> bool) {
    for first in (0..RECORDS).step_by(3) {
        let at = |index| Position {
            index,
            ..Position::default()
        };
        let records = first..(first + 3).min(RECORDS);
        let record = |index| ReadRecord {
            at: at(index),
            record: Ok(index),
            bytes: 1,
            answer: known(index).then_some(index * 100),
        };
        let mut read = records.map(record).collect();
        if !window.push(&mut read, || ready.wake()) {
            break;
        }
    }
    window.end(None);
    ready.wake();
}

/// Answers the records, the later ones first. After `most` answers, the budget is spent.
fn call(window: &Window, ready: &ReadyList, most: u64) {
    let sleeper = Arc::new(Sleeper::default());
    let driver = Waker::from(Arc::clone(&sleeper));
    let mut answered = 0;
    let mut next = Vec::new();
    loop {
        ready.take(&mut next);
        if window.is_closed() {
            return;
        }
        let mut completions = Vec::new();
        let sight = window.take_fresh(usize::MAX, |key, record| {
            if answered < most {
                answered += 1;
                completions.insert(
                    0,
                    Completion {
                        key,
                        outcome: Ok(*record * 10),
                        kept: Some(KeptAt(answered)),
                        in_flight: std::time::Duration::ZERO,
                    },
                );
            }
        });
        window.complete(&mut completions);
        if sight.ended || answered == most {
            return window.close(false);
        }
        if ready.set_driver(&driver) {
            sleeper.sleep();
        }
    }
}

/// Visits records until there are no more, and notes their indices and outcomes. Only every second wait for the disk is
/// long enough.
fn visit(window: &Window, visited: &Mutex<Vec<(u64, u64)>>, waits: &Mutex<u64>, most: usize) {
    let confirm = |_| {
        let mut waits = lock(waits);
        *waits += 1;
        Ok(*waits % 2 == 0)
    };
    while let TakenAnswers::Records(records) = window.take_done(most, || false, confirm) {
        for record in records {
            let outcome = record.outcome.and_then(Result::ok);
            lock(visited).push((record.at.index, outcome.expect("an answer")));
        }
        window.visited();
    }
}

/// Runs all threads, and returns what was visited.
fn run(unordered: bool, known: fn(u64) -> bool, most: u64, closes: bool) -> Vec<(u64, u64)> {
    let window = Arc::new(Window::new(MOST_RECORDS, 1, unordered));
    let ready = Arc::new(ReadyList::default());
    let visited = Arc::new(Mutex::new(Vec::new()));
    let waits = Arc::new(Mutex::new(0));
    let mut threads = Vec::new();
    {
        let (window, ready) = (Arc::clone(&window), Arc::clone(&ready));
        threads.push(thread::spawn(move || read(&window, &ready, known)));
    }
    {
        let (window, ready) = (Arc::clone(&window), Arc::clone(&ready));
        threads.push(thread::spawn(move || {
            call(&window, &ready, most);
        }));
    }
    for most in [1, 2] {
        let (window, visited) = (Arc::clone(&window), Arc::clone(&visited));
        let waits = Arc::clone(&waits);
        threads.push(thread::spawn(move || {
            visit(&window, &visited, &waits, most);
        }));
    }
    if closes {
        window.close(true);
        ready.wake();
    }
    for thread in threads {
        thread.join().unwrap();
    }
    let mut visited = std::mem::take(&mut *lock(&visited));
    visited.sort_unstable();
    visited
}

#[test]
fn every_record_is_visited_once_with_its_answer() {
    check_model(|| {
        let all: Vec<_> = (0..RECORDS).map(|index| (index, index * 10)).collect();
        assert_eq!(run(false, |_| false, u64::MAX, false), all);
    });
}

#[test]
fn records_whose_answers_are_known_are_visited_without_a_call() {
    check_model(|| {
        let all: Vec<_> = (0..RECORDS).map(|index| (index, index * 100)).collect();
        assert_eq!(run(false, |_| true, u64::MAX, false), all);
        let visited = run(false, |index| index != 1, u64::MAX, false);
        assert_eq!(visited, [(0, 0), (1, 10), (2, 200), (3, 300)]);
    });
}

#[test]
fn unordered_records_are_numbered_as_they_are_answered() {
    check_model(|| {
        let visited = run(true, |_| false, u64::MAX, false);
        assert!(visited.iter().map(|(index, _)| *index).eq(0..RECORDS));
        let mut answers: Vec<_> = visited.iter().map(|(_, answer)| *answer).collect();
        answers.sort_unstable();
        assert!(answers.into_iter().eq((0..RECORDS).map(|index| index * 10)));
    });
}

#[test]
fn a_spent_budget_ends_all_threads_after_the_answers() {
    check_model(|| {
        let visited = run(false, |_| false, 2, false);
        assert_eq!(visited, [(0, 0), (1, 10)]);
    });
}

#[test]
fn a_close_ends_all_threads() {
    check_model(|| {
        run(false, |_| false, u64::MAX, true);
    });
}
