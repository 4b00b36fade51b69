//! Tests which records count, on one thread and in every order that matters.

use super::{Done, Frontier, Skips};
use crate::error::{BadRecord, Failure, FailureKind, OnFailure};
use crate::report::Report;

fn failure(index: u64) -> Failure {
    Failure::new(index, None, 0, "it fails".into())
}

/// Reports the records `start..end` as done, and returns the payloads whose turn has come: the first record of each,
/// and the end of its records that count.
fn complete(
    frontier: &Frontier<u64>,
    start: u64,
    end: u64,
    failed: &[u64],
    whole: bool,
) -> Vec<(u64, u64)> {
    let done = Done {
        failed: failed.iter().copied().map(failure).collect(),
        skips: Skips::new(!whole),
        whole,
        payload: start,
    };
    let mut in_turn = Vec::new();
    frontier.complete(start..end, done, |start, end| in_turn.push((start, end)));
    in_turn
}

#[test]
fn payloads_come_in_turn_up_to_the_record_that_halts_the_run() {
    let frontier = Frontier::new(OnFailure::Stop);
    assert_eq!(complete(&frontier, 5, 8, &[], false), []);
    frontier.record_failed(3);
    assert_eq!(complete(&frontier, 2, 5, &[3], false), []);
    assert_eq!(frontier.unjudged(), 1);
    assert_eq!((frontier.next(), frontier.halt()), (0, None));
    assert_eq!(complete(&frontier, 0, 2, &[], false), [(0, 2), (2, 4)]);
    assert_eq!((frontier.next(), frontier.halt()), (4, Some(4)));
    assert_eq!(frontier.unjudged(), 0);
    assert!(
        !frontier.counts_at_once(4),
        "the answer ends before record 4"
    );
    let totals = frontier.totals();
    assert_eq!((totals.records, totals.failed), (4, 1));
    assert_eq!(totals.halted_by.map(|failure| failure.index), Some(3));
}

#[test]
fn no_payload_comes_from_the_end_of_the_answer_on() {
    let frontier = Frontier::new(OnFailure::Stop);
    assert_eq!(complete(&frontier, 4, 6, &[5], false), []);
    assert_eq!(complete(&frontier, 0, 4, &[3], false), [(0, 4)]);
    assert_eq!((frontier.next(), frontier.halt()), (4, Some(4)));
    let totals = frontier.totals();
    assert_eq!((totals.records, totals.failed), (4, 1));
    let failed: Vec<u64> = totals
        .failures
        .iter()
        .map(|failure| failure.index)
        .collect();
    assert_eq!(failed, [3]);
}

#[test]
fn records_that_count_together_are_not_cut() {
    let frontier = Frontier::new(OnFailure::Stop);
    assert_eq!(complete(&frontier, 0, 4, &[1, 3], true), [(0, 4)]);
    assert_eq!((frontier.next(), frontier.halt()), (4, Some(4)));
    let totals = frontier.totals();
    assert_eq!((totals.records, totals.failed), (4, 2));
    assert_eq!(totals.halted_by.map(|failure| failure.index), Some(1));
}

#[test]
fn committed_records_are_done_although_the_run_is_stopped() {
    let frontier = Frontier::<u64>::new(OnFailure::SKIP);
    assert!(frontier.may_start(u64::MAX - 1) && !frontier.is_ending());
    assert!(frontier.commit(10));
    // A smaller number does not take back what was committed.
    assert!(frontier.commit(7));
    frontier.stop();
    assert!(frontier.is_ending());
    assert!(frontier.may_start(9) && !frontier.may_start(10));
    assert!(!frontier.commit(20), "the run is ending");
    frontier.stop();
    assert!(frontier.may_start(9) && !frontier.may_start(10));
}

#[test]
fn an_answer_that_a_failure_ends_covers_the_committed_records() {
    let frontier = Frontier::new(OnFailure::Stop);
    assert!(frontier.commit(6));
    frontier.record_failed(2);
    assert!(frontier.may_start(5) && !frontier.may_start(6));
    assert_eq!(complete(&frontier, 0, 5, &[2], false), [(0, 5)]);
    assert_eq!(frontier.halt(), Some(6));
    assert_eq!(complete(&frontier, 5, 9, &[], false), [(5, 6)]);
    let totals = frontier.totals();
    assert_eq!((totals.records, totals.failed), (6, 1));
}

#[test]
fn a_stop_without_a_commitment_starts_no_record() {
    let frontier = Frontier::<u64>::new(OnFailure::SKIP);
    frontier.stop();
    assert!(!frontier.may_start(0));
    assert_eq!(frontier.halt(), None, "no failure has ended the run");
}

#[test]
fn no_record_is_started_after_the_last_one_at_which_the_run_can_end() {
    // If two failures are allowed, the run ends at the third one, wherever that is. No matter in which order the
    // failures become known, it is not after the last of them.
    let frontier = Frontier::<u64>::new(OnFailure::Skip { at_most: 2 });
    frontier.record_failed(20);
    frontier.record_failed(5);
    assert!(!frontier.is_ending());
    frontier.record_failed(9);
    assert!(frontier.may_start(20) && !frontier.may_start(21));
    assert_eq!(frontier.unjudged(), 3);

    let frontier = Frontier::<u64>::new(OnFailure::Stop);
    frontier.record_failed(20);
    frontier.record_failed(5);
    assert!(frontier.may_start(5) && !frontier.may_start(6));

    let frontier = Frontier::<u64>::new(OnFailure::SkipShare { at_most: 0.0 });
    frontier.record_failed(20);
    assert!(!frontier.is_ending(), "the share is judged in order");
}

#[test]
fn every_failure_is_counted_and_the_first_ones_are_kept() {
    let frontier = Frontier::new(OnFailure::SKIP);
    let kept = Report::FAILURES_KEPT as u64;
    for index in 0..=kept {
        assert_eq!(
            complete(&frontier, index, index + 1, &[index], false),
            [(index, index + 1)]
        );
    }
    let totals = frontier.totals();
    assert_eq!((totals.records, totals.failed), (kept + 1, kept + 1));
    assert_eq!(totals.failures.len() as u64, kept);
    assert_eq!(
        totals.failures.last().map(|failure| failure.index),
        Some(kept - 1)
    );
    assert!(totals.halted_by.is_none() && !totals.gaps);
}

#[test]
fn records_after_one_that_is_missing_are_a_gap() {
    let frontier = Frontier::new(OnFailure::SKIP);
    assert_eq!(complete(&frontier, 1, 2, &[], false), []);
    let totals = frontier.totals();
    assert_eq!((totals.records, totals.gaps), (0, true));
}

#[test]
fn skipped_records_count_up_to_the_end_of_the_answer() {
    let frontier = Frontier::new(OnFailure::Stop);
    let mut skips = Skips::new(true);
    for index in [2, 3, 5, 6] {
        skips.add(index);
    }
    let done = Done {
        failed: vec![failure(4)],
        skips,
        whole: false,
        payload: (),
    };
    frontier.record_failed(4);
    frontier.complete(2..7, done, |(), end| assert_eq!(end, 5));
    assert_eq!(
        frontier.unjudged(),
        5,
        "one failure, and four skipped records"
    );
    let done = Done {
        failed: Vec::new(),
        skips: Skips::new(true),
        whole: false,
        payload: (),
    };
    frontier.complete(0..2, done, |(), end| assert!([2, 5].contains(&end)));
    assert_eq!(frontier.unjudged(), 0);
    let totals = frontier.totals();
    assert_eq!((totals.records, totals.failed, totals.skipped), (5, 1, 2));
}

/// Reports the record `index` as done. It has failed for this kind of reason, or was scored.
fn complete_one(frontier: &Frontier<u64>, index: u64, kind: Option<FailureKind>) {
    let cause = |kind| BadRecord::new("it fails", None).of_kind(kind).into();
    let failed = kind.map(|kind| Failure::new(index, None, 0, cause(kind)));
    let done = Done {
        failed: failed.into_iter().collect(),
        skips: Skips::new(true),
        whole: false,
        payload: index,
    };
    frontier.complete(index..index + 1, done, |_, _| ());
}

#[test]
fn a_run_is_halted_if_the_first_thousand_records_fail_for_the_same_kind_of_reason() {
    const LAST: u64 = OnFailure::GRACE - 1;
    let halt = |kind_of: fn(u64) -> Option<FailureKind>| {
        let frontier = Frontier::new(OnFailure::SkipUnlessAllFail);
        // The first record is done last, so all failures are judged at once, in order.
        for index in (1..OnFailure::GRACE + 9).chain([0]) {
            assert!(frontier.may_halt());
            complete_one(&frontier, index, kind_of(index));
        }
        (frontier.halt(), frontier.may_halt())
    };
    assert_eq!(halt(|_| Some(FailureKind::Missing)), (Some(LAST + 1), true));
    let then_scored = |index| (index <= LAST).then_some(FailureKind::Missing);
    assert_eq!(halt(then_scored), (Some(LAST + 1), true));
    assert_eq!(
        halt(|index| (index < LAST).then_some(FailureKind::Missing)),
        (None, false)
    );
    assert_eq!(
        halt(|index| (index > 0).then_some(FailureKind::Missing)),
        (None, false)
    );
    assert_eq!(halt(|_| Some(FailureKind::Other)), (None, false));
    let mixed = |index| match index {
        LAST => Some(FailureKind::Malformed),
        _ => Some(FailureKind::Missing),
    };
    assert_eq!(halt(mixed), (None, false));
}

#[test]
fn a_run_of_fewer_records_is_judged_at_its_end() {
    let policy = OnFailure::SkipUnlessAllFail;
    let is_exceeded = |kinds: &[Option<FailureKind>]| {
        let frontier = Frontier::new(policy);
        for (index, kind) in (0..).zip(kinds) {
            complete_one(&frontier, index, *kind);
        }
        let totals = frontier.totals();
        assert!(totals.halted_by.is_none());
        policy.is_exceeded(&totals.failures_judged, totals.records)
    };
    let missing = Some(FailureKind::Missing);
    assert!(is_exceeded(&[missing]) && is_exceeded(&[missing; 5]));
    assert!(!is_exceeded(&[]) && !is_exceeded(&[None]));
    assert!(!is_exceeded(&[missing, None]) && !is_exceeded(&[None, missing]));
    assert!(!is_exceeded(&[missing, Some(FailureKind::WrongValue)]));
    assert!(!is_exceeded(&[Some(FailureKind::Other); 2]));
}
