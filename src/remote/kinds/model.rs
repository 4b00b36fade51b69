//! Tests the kinds of columns under the model checker, which tries many orders of the threads' steps.
//!
//! Under the model checker, waits never time out. It reports a deadlock, so a model that ends has lost no wake-up.

use std::sync::Arc;

use super::{Cause, ColumnKinds, Interrupted, ProgramAnswer};
use crate::stop::Cancel;
use crate::sync::{Mutex, check_model, lock, thread};

/// The answers of consecutive records. Each thread takes one after the other.
const ANSWERS: [&[&str]; 5] = [
    &[r#"{"a":1}"#],
    &[r#"{"b":1}"#, r#"{"a":"x","c":true}"#],
    &[r#"{"b":"x"}"#],
    &[r#"{"c":1,"d":1}"#, r#"{"b":2}"#],
    &[r#"{"d":"x"}"#, r#"{"e":1}"#],
];

/// The largest number of columns, so that the name `d` or `e` comes too late.
const MOST: usize = 3;

fn outcomes(lines: &[&str]) -> Vec<Result<ProgramAnswer, Cause>> {
    lines.iter().map(|line| line.parse()).collect()
}

/// The values of each answer, or the reason why there is none.
fn checked(kinds: &ColumnKinds, first: u64, lines: &[&str]) -> Vec<Result<ProgramAnswer, String>> {
    let mut outcomes = outcomes(lines);
    kinds.check(first, &mut outcomes, || false);
    let outcomes = outcomes.into_iter();
    outcomes
        .map(|outcome| outcome.map_err(|cause| cause.to_string()))
        .collect()
}

/// Takes blocks of answers until there are none, and returns what the checks say.
fn take_all(
    kinds: &ColumnKinds,
    taken: &Mutex<(usize, u64)>,
) -> Vec<(u64, Vec<Result<ProgramAnswer, String>>)> {
    let mut found = Vec::new();
    loop {
        let (first, lines) = {
            let mut taken = lock(taken);
            let Some(&lines) = ANSWERS.get(taken.0) else {
                return found;
            };
            let first = taken.1;
            *taken = (taken.0 + 1, first + lines.len() as u64);
            (first, lines)
        };
        found.push((first, checked(kinds, first, lines)));
    }
}

#[test]
fn threads_find_what_one_thread_finds() {
    check_model(|| {
        let one = take_all(&ColumnKinds::with_at_most(MOST), &Mutex::default());
        assert_eq!(
            one.iter()
                .flat_map(|(_, block)| block)
                .filter(|one| one.is_err())
                .count(),
            5
        );

        let kinds = Arc::new(ColumnKinds::with_at_most(MOST));
        let taken = Arc::new(Mutex::default());
        let threads = [0; 3].map(|_| {
            let (kinds, taken) = (Arc::clone(&kinds), Arc::clone(&taken));
            thread::spawn(move || take_all(&kinds, &taken))
        });
        let mut found = threads.map(|thread| thread.join().unwrap()).concat();
        found.sort_by_key(|(first, _)| *first);
        assert_eq!(found, one);
    });
}

#[test]
fn a_stop_wakes_the_threads_that_wait() {
    check_model(|| {
        let kinds = Arc::new(ColumnKinds::default());
        let stop = Cancel::new();
        // Record 0 never comes.
        let threads = [1, 2].map(|first| {
            let (kinds, stop) = (Arc::clone(&kinds), stop.clone());
            thread::spawn(move || {
                let mut outcomes = outcomes(&["1"]);
                kinds.check(first, &mut outcomes, || stop.is_cancelled());
                assert!(outcomes[0].as_ref().unwrap_err().is::<Interrupted>());
            })
        });
        stop.cancel();
        kinds.interrupt();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}
