//! The frontier under a model checker: many orders of the same steps, and what must hold in all.
//!
//! `RUSTFLAGS="--cfg shuttle" cargo test --lib --target-dir target/shuttle model`

use std::ops::Range;
use std::sync::Arc;

use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

use super::frontier::{Done, Frontier};
use crate::error::{Failure, OnFailure};
use crate::sync::atomic::{AtomicU64, Ordering::SeqCst};
use crate::sync::{Mutex, check_model, lock};

const RECORDS: u64 = 12;
const WORKERS: u64 = 3;
const PORTION: u64 = 2;

#[derive(Clone, Copy, Debug)]
struct Case {
    on_failure: OnFailure,
    /// The records that fail, as bits.
    failing: u64,
    /// Somebody stops the run.
    stopped: bool,
    /// Workers let what they have done count before its turn.
    commits: bool,
    whole: bool,
}

impl Case {
    fn fails(self, index: u64) -> bool {
        self.failing >> index & 1 == 1
    }

    /// How many fail before a record.
    fn failed_before(self, end: u64) -> u64 {
        (0..end).filter(|index| self.fails(*index)).count() as u64
    }

    /// The failure that is one too many.
    fn halting(self) -> Option<u64> {
        (0..RECORDS).find(|index| {
            let failed = self.failed_before(index + 1);
            self.fails(*index) && self.on_failure.ends(failed, *index)
        })
    }
}

/// What the workers have seen.
struct Seen {
    frontier: Frontier<u64>,
    /// The records not yet handed out.
    next: AtomicU64,
    /// Records done, as bits.
    done: Mutex<u64>,
    refused: Mutex<u64>,
    /// Records whose scores counted as soon as they were known, as bits.
    observed: Mutex<u64>,
    /// What was handed over in turn: the start of the records, and how far they count.
    in_turn: Mutex<Vec<(u64, u64)>>,
    committed: Mutex<u64>,
}

fn work(case: Case, seen: &Seen) {
    while !seen.frontier.is_ending() {
        let start = seen.next.fetch_add(PORTION, SeqCst);
        if start >= RECORDS {
            return;
        }
        let (mut told, mut end) = (start, start);
        let mut failed = Vec::new();
        let mut at_once = false;
        while end < start + PORTION {
            if !seen.frontier.may_start(end) {
                *lock(&seen.refused) |= 1 << end;
                break;
            }
            // Scoring takes its time: others may be judged meanwhile.
            thread::yield_now();
            if end == start {
                // Where units are whole each has a state of its own.
                at_once = !case.whole && seen.frontier.counts_at_once(end);
            }
            if case.fails(end) {
                failed.push(Failure::new(end, None, 0, "it fails".into()));
                seen.frontier.failed(end);
            }
            *lock(&seen.done) |= 1 << end;
            end += 1;
            if at_once {
                *lock(&seen.observed) |= 1 << (end - 1);
                if !failed.is_empty() {
                    tell(case, seen, told..end, std::mem::take(&mut failed));
                    told = end;
                }
            }
        }
        if end == start {
            return;
        }
        if told < end {
            tell(case, seen, told..end, failed);
        }
        if case.commits && seen.frontier.commit(end) {
            let mut committed = lock(&seen.committed);
            *committed = committed.max(end);
        }
    }
}

fn tell(case: Case, seen: &Seen, records: Range<u64>, failed: Vec<Failure>) {
    let done = Done {
        failed,
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
        panic!("somebody is still at it");
    };
    let next = seen.frontier.next();
    let ending = seen.frontier.is_ending();
    let reached = seen.frontier.into_reached();
    let (done, refused) = (*lock(&seen.done), *lock(&seen.refused));
    let counted = (1 << reached.records) - 1;

    assert_eq!(next, reached.records);
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
        assert_eq!(*start, turn, "handed over out of turn");
        turn = *end;
    }
    assert_eq!(turn, reached.records, "something was lost on the way");
    assert_eq!(reached.failed, case.failed_before(reached.records));
    let told = reached.failures.iter().map(|failure| failure.index);
    let expected = (0..reached.records).filter(|index| case.fails(*index));
    assert!(told.eq(expected), "failures were lost, or are not in order");
    assert!(
        reached.records >= *lock(&seen.committed),
        "a promise was broken"
    );
    match (reached.halted_by, case.halting()) {
        (Some(failure), Some(halting)) => {
            assert_eq!(failure.index, halting);
            assert!(reached.records > halting);
            if !case.whole && !case.commits {
                assert_eq!(reached.records, halting + 1);
            }
        }
        (Some(failure), None) => panic!("halted by {failure}"),
        (None, halting) => {
            assert!(halting.is_none_or(|halting| reached.records <= halting));
            if !case.stopped {
                assert!(halting.is_none(), "it went on after a failure too many");
                assert!(!ending);
                assert_eq!(reached.records, RECORDS, "records were lost");
                assert!(!reached.gaps);
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
        // Of so few records the share is taken of a thousand.
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
fn what_counts_is_a_beginning_without_gaps() {
    let cases = cases();
    check_model(move || check(cases[thread_rng().gen_range(0..cases.len())]));
}
