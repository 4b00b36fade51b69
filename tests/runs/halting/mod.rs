//! No matter how a run ends, all its results cover the same first records of the dataset: the counts in its report,
//! the scores that its aggregator has observed, and the records that were passed to its sink.

mod case;
mod check;
mod gates;
mod random;

use std::collections::BTreeSet;

use manyhands::prelude::*;

use case::{Case, LINE_BYTES, Source, Stop, all_setups};
use gates::{Fails, Gate, Gates, HALTING};
use random::Random;

/// Returns every policy together with the records that fail. In each case, the failure of the record [`HALTING`] is
/// the first one that the policy does not allow.
fn policies() -> [(OnFailure, BTreeSet<u64>); 4] {
    let third = || BTreeSet::from([1, 2, HALTING]);
    let first = || BTreeSet::from([HALTING, HALTING + 3]);
    [
        (OnFailure::Stop, first()),
        (OnFailure::Skip { at_most: 0 }, first()),
        (OnFailure::Skip { at_most: 2 }, third()),
        // The policy computes the share relative to at least 1000 records.
        (OnFailure::SkipShare { at_most: 0.0025 }, third()),
    ]
}

/// Returns the combinations of the moment at which the failure occurs and the other reason to stop the run.
fn ways_to_end() -> impl Iterator<Item = (Fails, Stop)> {
    // If the failure is early, the run may be over before the next record is started, so that record cannot cancel
    // the run.
    let ways = [
        (Fails::Early, HALTING),
        (Fails::Raced, HALTING + 1),
        (Fails::Late, HALTING + 1),
    ];
    ways.into_iter().flat_map(|(fails, last)| {
        [Stop::Never, Stop::FarDeadline, Stop::At(last)].map(|stop| (fails, stop))
    })
}

/// Halts runs over a source under every policy and on every executor. The failure occurs before, during and after the
/// records next to it.
fn halt_over(source: Source) {
    let limits = [Limit::none(), Limit::in_flight(3).per_second(1e9).budget(4)];
    for setup in &all_setups() {
        for (limit, (fails, stop)) in limits
            .iter()
            .flat_map(|limit| ways_to_end().map(|way| (*limit, way)))
        {
            // A single worker scores the records in order, so one record cannot wait for another.
            let alone = limit.workers(setup.executor.workers()) == 1;
            for (on_failure, failing) in policies() {
                for commutative in [true, false] {
                    let gates = Gates {
                        fails,
                        neighbour: Gate::default(),
                    };
                    let case = Case {
                        records: 40,
                        failing: failing.clone(),
                        skipping: BTreeSet::from([0, HALTING - 1, HALTING + 2]),
                        on_failure,
                        setup,
                        source,
                        part_bytes: LINE_BYTES,
                        limit,
                        stop,
                        commutative,
                        gates: (!alone).then_some(gates),
                        pauses: Vec::new(),
                    };
                    check(&case);
                }
            }
        }
    }
}

fn check(case: &Case<'_>) {
    if let Err(wrong) = case.check() {
        panic!("{wrong}");
    }
}

#[test]
fn a_halted_run_over_a_slice_is_about_one_beginning() {
    halt_over(Source::Slice);
}

#[test]
fn a_halted_run_over_a_range_is_about_one_beginning() {
    halt_over(Source::Range);
}

#[test]
fn a_halted_run_over_files_is_about_one_beginning() {
    halt_over(Source::Files);
}

#[test]
fn a_halted_run_over_a_stream_of_lines_is_about_one_beginning() {
    halt_over(Source::TextStream);
}

#[test]
fn a_halted_run_over_an_iterator_is_about_one_beginning() {
    halt_over(Source::Iterator);
}

#[test]
fn a_run_that_ends_at_any_moment_is_about_one_beginning() {
    let all_setups = all_setups();
    let mut random = Random(1);
    for _ in 0..200 {
        check(&random.case(&all_setups));
    }
}

/// Makes a large number of runs, and prints the number of runs whose results do not cover the same first records.
#[test]
#[ignore = "takes minutes: cargo test --test runs halting:: -- --ignored --nocapture"]
fn very_many_runs_are_about_one_beginning() {
    const RUNS: usize = 12_000;
    let all_setups = all_setups();
    let mut random = Random(2);
    let mut wrong = 0;
    for _ in 0..RUNS {
        if let Err(found) = random.case(&all_setups).check() {
            wrong += 1;
            println!("{found}");
        }
    }
    println!("{wrong} of {RUNS} runs are wrong");
    assert_eq!(wrong, 0);
}
