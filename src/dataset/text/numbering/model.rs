//! A test of the numbering in which a model checker runs the workers' steps in many different orders.

use std::ops::Range;
use std::sync::Arc;

use super::{CountedParts, Numbering, Start};
use crate::dataset::format::{LineCount, Tallies};
use crate::error::Error;
use crate::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use crate::sync::{check_model, thread};

const PARTS: usize = 8;
const WORKERS: usize = 3;

fn counts(parts: Range<usize>) -> Vec<CountedParts> {
    let count = |part: usize| CountedParts {
        end: part + 1,
        tallies: Tallies::of_lines(1 + part as u64),
        lines: LineCount::of_lines(2),
        next_file: (part == 4).then_some(0),
    };
    parts.map(count).collect()
}

fn start(part: usize) -> Start {
    let lines = if part > 4 { part - 5 } else { part };
    Start {
        records: (1..=part as u64).sum(),
        lines: 2 * lines as u64,
        ..Start::default()
    }
}

/// Takes two parts at a time, in order, as executors hand them out. A worker that `fails` gives up one claim, as if
/// it could not read the parts.
fn work(numbering: &Numbering, next: &AtomicUsize, fails: bool) {
    let mut fails = fails;
    loop {
        let first = next.fetch_add(2, SeqCst);
        if first >= PARTS {
            return;
        }
        let parts = first..first + 2;
        let claim = numbering.claim(parts.clone());
        thread::yield_now();
        if std::mem::take(&mut fails) {
            drop(claim);
        } else {
            claim.counted(counts(parts)).expect("nothing changes");
        }
        let count = |parts: Range<usize>| {
            thread::yield_now();
            Ok::<_, Error>(counts(parts))
        };
        let found = numbering.start_of(first, count, |_| unreachable!("nothing changes"));
        assert_eq!(found.expect("nothing fails"), start(first));
    }
}

#[test]
fn every_worker_learns_its_number_and_none_hangs() {
    for fails in [false, true] {
        check_model(move || {
            let shared = Arc::new((Numbering::new(PARTS, Start::default()), AtomicUsize::new(0)));
            let workers: Vec<_> = (0..WORKERS)
                .map(|worker| {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || work(&shared.0, &shared.1, fails && worker == 1))
                })
                .collect();
            for worker in workers {
                worker.join().unwrap();
            }
        });
    }
}
