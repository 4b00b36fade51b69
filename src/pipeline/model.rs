//! Tests the frontier under a model checker, which tries many orders of the threads' steps, and checks what
//! must hold in each of them.
//!
//! `RUSTFLAGS="--cfg shuttle" cargo test --lib --target-dir target/shuttle model`

use std::ops::Range;
use std::sync::Arc;

use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

use super::frontier::{Done, Frontier};
use super::skips::Skips;
use crate::error::{Failure, FailureCount, OnFailure};
use crate::sync::atomic::{AtomicU64, Ordering::SeqCst};
use crate::sync::{Mutex, check_model, lock};

const RECORDS: u64 = 12;
const WORKERS: u64 = 3;
const PORTION: u64 = 2;

#[derive(Clone, Copy, Debug)]
struct Case {
    on_failure: OnFailure,
    /// The records that fail, as a bit set.
    failing: u64,
    /// Whether another thread stops the run.
    stopped: bool,
    /// Whether workers let records that they have done count before their turn.
    commits: bool,
    whole: bool,
}

impl Case {
    fn fails(self, index: u64) -> bool {
        self.failing >> index & 1 == 1
    }

    /// The number of records before `end` that fail.
    fn failed_before(self, end: u64) -> u64 {
        (0..end).filter(|index| self.fails(*index)).count() as u64
    }

    /// The failure that ends the run.
    fn halting(self) -> Option<u64> {
        let mut failed = FailureCount::default();
        (0..RECORDS).find(|index| {
            if !self.fails(*index) {
                return false;
            }
            failed.add(&Failure::new(*index, None, 0, "failed".into()));
            self.on_failure.ends(&failed, *index)
        })
    }
}

/// The frontier, and what the workers have observed.
struct Seen {
    frontier: Frontier<u64>,
    /// The first record that has not been handed out yet.
    next: AtomicU64,
    /// The records that are done, as a bit set.
    done: Mutex<u64>,
    refused: Mutex<u64>,
    /// The records whose scores counted as soon as they were known, as a bit set.
    observed: Mutex<u64>,
    /// The payloads in the order of their turns: the first record of each, and the end of its records that
    /// count.
    in_turn: Mutex<Vec<(u64, u64)>>,
    committed: Mutex<u64>,
}

fn work(case: Case, seen: &Seen) {
    while !seen.frontier.is_ending() {
        let start = seen.next.fetch_add(PORTION, SeqCst);
        if start >= RECORDS {
            return;
        }
        let (mut reported, mut end) = (start, start);
        let mut failed = Vec::new();
        let mut at_once = false;
        while end < start + PORTION {
            if !seen.frontier.may_start(end) {
                *lock(&seen.refused) |= 1 << end;
                break;
            }
            // Scoring takes time, and other records may be judged meanwhile.
            thread::yield_now();
            if end == start {
                // If records count together or not at all, each unit has a state of its own.
                at_once = !case.whole && seen.frontier.counts_at_once(end);
            }
            if case.fails(end) {
                failed.push(Failure::new(end, None, 0, "it fails".into()));
                seen.frontier.record_failed(end);
            }
            *lock(&seen.done) |= 1 << end;
            end += 1;
            if at_once {
                *lock(&seen.observed) |= 1 << (end - 1);
                if !failed.is_empty() {
                    report_done(case, seen, reported..end, std::mem::take(&mut failed));
                    reported = end;
                }
            }
        }
        if end == start {
            return;
        }
        if reported < end {
            report_done(case, seen, reported..end, failed);
        }
        if case.commits && seen.frontier.commit(end) {
            let mut committed = lock(&seen.committed);
            *committed = committed.max(end);
        }
    }
}

fn report_done(case: Case, seen: &Seen, records: Range<u64>, failed: Vec<Failure>) {
    let done = Done {
        failed,
        skips: Skips::new(!case.whole),
        whole: case.whole,
        payload: records.start,
    };
    seen.frontier.complete(records, done, |start, end| {
        lock(&seen.in_turn).push((start, end));
    });
}

fn check(case: Case) {
    let seen = Arc::new(Seen {
        frontier: Frontier::new(case.on_failure),
        next: AtomicU64::new(0),
        done: Mutex::new(0),
        refused: Mutex::new(0),
        observed: Mutex::new(0),
        in_turn: Mutex::new(Vec::new()),
        committed: Mutex::new(0),
    });
    let mut threads: Vec<_> = (0..WORKERS)
        .map(|_| {
            let seen = Arc::clone(&seen);
            thread::spawn(move || work(case, &seen))
        })
        .collect();
    if case.stopped {
        let seen = Arc::clone(&seen);
        threads.push(thread::spawn(move || seen.frontier.stop()));
    }
    for thread in threads {
        thread.join().unwrap();
    }
    let Ok(seen) = Arc::try_unwrap(seen) else {
        panic!("a worker is still running");
    };
    let (next, ending) = (seen.frontier.next(), seen.frontier.is_ending());
    let totals = seen.frontier.totals();
    let (done, refused) = (*lock(&seen.done), *lock(&seen.refused));
    let counted = (1 << totals.records) - 1;

    assert_eq!(next, totals.records);
    assert_eq!(done & counted, counted, "what counts has a gap");
    assert_eq!(refused & counted, 0, "a record counts that was refused");
    let observed = *lock(&seen.observed);
    assert_eq!(
        observed & !counted,
        0,
        "the answer holds a record beyond its end"
    );
    let mut turn = 0;
    for (start, end) in lock(&seen.in_turn).iter() {
        assert_eq!(*start, turn, "a payload came out of turn");
        turn = *end;
    }
    assert_eq!(turn, totals.records, "something was lost on the way");
    assert_eq!(totals.failed, case.failed_before(totals.records));
    let reported = totals.failures.iter().map(|failure| failure.index);
    let expected = (0..totals.records).filter(|index| case.fails(*index));
    assert!(
        reported.eq(expected),
        "failures were lost, or are not in order"
    );
    assert!(
        totals.records >= *lock(&seen.committed),
        "a promise was broken"
    );
    match (totals.halted_by, case.halting()) {
        (Some(failure), Some(halting)) => {
            assert_eq!(failure.index, halting);
            assert!(totals.records > halting);
            if !case.whole && !case.commits {
                assert_eq!(totals.records, halting + 1);
            }
        }
        (Some(failure), None) => panic!("halted by {failure}"),
        (None, halting) => {
            assert!(halting.is_none_or(|halting| totals.records <= halting));
            if !case.stopped {
                assert!(
                    halting.is_none(),
                    "it went on after the failure that ends the run"
                );
                assert!(!ending);
                assert_eq!(totals.records, RECORDS, "records were lost");
                assert!(!totals.gaps);
            }
        }
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for on_failure in [
        OnFailure::SKIP,
        OnFailure::Stop,
        OnFailure::Skip { at_most: 1 },
        // The share of failures is computed as if there were at least 1000 records.
        OnFailure::SkipShare { at_most: 0.001 },
    ] {
        for failing in [0, 0b1001_0010_0100, 0b1110_0000_0000, 1] {
            for (stopped, commits) in [(false, false), (true, false), (true, true), (false, true)] {
                for whole in [false, true] {
                    cases.push(Case {
                        on_failure,
                        failing,
                        stopped,
                        commits,
                        whole,
                    });
                }
            }
        }
    }
    cases
}

#[test]
fn the_records_that_count_are_a_beginning_without_gaps() {
    let cases = cases();
    check_model(move || check(cases[thread_rng().gen_range(0..cases.len())]));
}
