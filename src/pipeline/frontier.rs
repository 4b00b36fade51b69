//! Tracks how far a run is done without a gap, and at which record it is to end.
//!
//! Records are done out of order, but the answer of a stopped run covers a beginning of the dataset without a
//! gap, so that it does not depend on which worker was faster. Therefore a score counts when every record
//! before it is done, and failures are judged in the order of the records. `README.md` in this folder has an
//! overview.

#[cfg(all(test, not(shuttle)))]
mod tests;

use std::ops::Range;

use super::skips::Skips;
use crate::error::{Failure, FailureCount, OnFailure};
use crate::report::Report;
use crate::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::sync::{Mutex, MutexGuard, lock};
use crate::turns::Turns;

/// How far a run has come. `P` is the payload that is kept with records until their turn comes.
pub(super) struct Frontier<P> {
    /// The number of records that count. [`next`](Frontier::next) reads it without locking.
    next: AtomicU64,
    /// The first record that is no longer started; neither are the records after it.
    last: AtomicU64,
    /// The number of failures, and of indices of skipped records, that wait until every record before them is
    /// done. It is atomic because workers read it after every step, without locking.
    unjudged: AtomicU64,
    /// Whether a failure can still end the run. It only ever changes to false.
    may_halt: AtomicBool,
    state: Mutex<FrontierState<P>>,
}

struct FrontierState<P> {
    turns: Turns<Done<P>>,
    on_failure: OnFailure,
    /// The number of records in the answer, and how many of them have failed or were skipped.
    records: u64,
    failed: FailureCount,
    skipped: u64,
    /// The first failures in the answer, up to a fixed number.
    failures: Vec<Failure>,
    /// The number of all failures so far, judged or not, and the highest index of a record that failed.
    failed_anywhere: u64,
    last_failed: u64,
    /// Every record before this one will be done, because a later record counts already.
    committed: u64,
    /// Where the answer ends, if a failure has ended the run.
    halt: Option<Halt>,
}

/// Where a failure ends a run.
#[derive(Debug)]
struct Halt {
    failure: Failure,
    /// The index of the first record that is not in the answer.
    end: u64,
}

/// Consecutive records that are done.
pub(super) struct Done<P> {
    /// The failures among them, in order.
    pub(super) failed: Vec<Failure>,
    /// The skipped records among them.
    pub(super) skips: Skips,
    /// Whether the records count either all together or not at all.
    pub(super) whole: bool,
    pub(super) payload: P,
}

/// The totals of a run that has ended.
pub(super) struct RunTotals {
    pub(super) records: u64,
    pub(super) failed: u64,
    pub(super) failures_judged: FailureCount,
    pub(super) skipped: u64,
    pub(super) failures: Vec<Failure>,
    /// The failure that ended the run.
    pub(super) halted_by: Option<Failure>,
    /// Whether records were done although a record before them was not.
    pub(super) gaps: bool,
}

impl RunTotals {
    /// Changes the indices of the failed records to their indices in the input.
    pub(super) fn rename(&mut self, index_in_input: impl Fn(u64) -> u64) {
        for failure in self.failures.iter_mut().chain(&mut self.halted_by) {
            failure.index = index_in_input(failure.index);
        }
    }
}

impl<P> Frontier<P> {
    pub(super) fn new(on_failure: OnFailure) -> Self {
        Frontier {
            next: AtomicU64::new(0),
            last: AtomicU64::new(u64::MAX),
            unjudged: AtomicU64::new(0),
            may_halt: AtomicBool::new(on_failure != OnFailure::SKIP),
            state: Mutex::new(FrontierState {
                turns: Turns::new(),
                on_failure,
                records: 0,
                failed: FailureCount::default(),
                skipped: 0,
                failures: Vec::new(),
                failed_anywhere: 0,
                last_failed: 0,
                committed: 0,
                halt: None,
            }),
        }
    }

    /// The number of records that count: every record before this one counts.
    ///
    /// The load acquires everything that was written before those records counted. If a failure among them
    /// has ended the run, this includes the record at which the run ends, which
    /// [`may_start`](Frontier::may_start) reads.
    pub(super) fn next(&self) -> u64 {
        self.next.load(Acquire)
    }

    /// Whether the score of this record counts as soon as it is known: every record before it counts,
    /// and none of them has ended the run.
    ///
    /// The check is needed although the worker was allowed to start the record. While it was scored, a
    /// failure before it may have been judged and may have ended the answer at this very record. The order of
    /// the two loads matters: [`complete`](Frontier::complete) lowers `last` before it releases `next`, so a
    /// worker that acquires the new `next` also sees the new `last`. Failures that are judged later cannot
    /// exclude the record: an answer ends after the failure that ends it, and such a failure belongs to this
    /// record or to a later one.
    pub(super) fn counts_at_once(&self, index: u64) -> bool {
        self.next() == index && self.may_start(index)
    }

    /// Whether the record with this index is to be scored.
    #[inline]
    pub(super) fn may_start(&self, index: u64) -> bool {
        index < self.last.load(Relaxed)
    }

    /// Whether a failure of a record that has not been judged yet can end the run. If not, scores need not wait
    /// until the failures before them have been judged.
    pub(super) fn may_halt(&self) -> bool {
        self.may_halt.load(Relaxed)
    }

    /// Whether the run is to end early.
    pub(super) fn is_ending(&self) -> bool {
        self.last.load(Relaxed) < u64::MAX
    }

    /// The first record that is not in the answer, if failures have ended the run.
    pub(super) fn halt(&self) -> Option<u64> {
        if !self.is_ending() {
            return None;
        }
        self.lock().halt.as_ref().map(|halt| halt.end)
    }

    /// Ends the run. From then on, a record is started only if it has to be done because a later record
    /// counts already.
    pub(super) fn stop(&self) {
        let state = self.lock();
        self.end_at(state.committed);
    }

    /// Lets records before `end` count although earlier records are not done yet. In return, all records
    /// before `end` will be done, even if the run is stopped. Returns false, and commits to nothing, if the
    /// run is already ending.
    pub(super) fn commit(&self, end: u64) -> bool {
        let mut state = self.lock();
        let free = !self.is_ending();
        if free {
            state.committed = state.committed.max(end);
        }
        free
    }

    /// The number of failures, and of indices of skipped records, that wait until every record before them is
    /// done.
    pub(super) fn unjudged(&self) -> u64 {
        self.unjudged.load(Relaxed)
    }

    /// Notes a failure as soon as it is known. If the run is now certain to end, records after the last one
    /// at which it can end are no longer started. The records before that one are still done, so that the
    /// failures can be judged.
    pub(super) fn record_failed(&self, index: u64) {
        let mut state = self.lock();
        self.unjudged.fetch_add(1, Relaxed);
        state.failed_anywhere += 1;
        state.last_failed = state.last_failed.max(index);
        let last = match state.on_failure {
            OnFailure::Stop => index,
            OnFailure::Skip { at_most } if state.failed_anywhere > at_most => state.last_failed,
            OnFailure::Skip { .. } | OnFailure::SkipShare { .. } | OnFailure::SkipUnlessAllFail => {
                return;
            }
        };
        self.end_at((last + 1).max(state.committed));
    }

    /// Ends the run after the record with this index, because the records after it cannot be read. The records before
    /// it are still completed.
    pub(super) fn end_with(&self, index: u64) {
        let state = self.lock();
        self.end_at((index + 1).max(state.committed));
    }

    /// Receives records that are done. For each payload whose turn has come, in order, calls `in_turn` with
    /// the payload and with the end of its records, or with the end of the answer if that comes first.
    pub(super) fn complete(
        &self,
        records: Range<u64>,
        done: Done<P>,
        mut in_turn: impl FnMut(P, u64),
    ) {
        let mut state = self.lock();
        if done.skips.kept() > 0 {
            self.unjudged.fetch_add(done.skips.kept(), Relaxed);
        }
        state.turns.put(records, done);
        while state.goes_on()
            && let Some((records, done)) = state.turns.take()
        {
            self.judge(&mut state, &records, done.failed, done.whole);
            let halt = state.halt.as_ref();
            let end = halt.map_or(records.end, |halt| records.end.min(halt.end));
            state.records = end;
            state.skipped += done.skips.before(end);
            if state.halt.is_none() && !state.on_failure.may_halt(&state.failed, end) {
                self.may_halt.store(false, Relaxed);
            }
            if done.skips.kept() > 0 {
                self.unjudged.fetch_sub(done.skips.kept(), Relaxed);
            }
            in_turn(done.payload, end);
            // This release comes after `judge` has lowered `last`, see `counts_at_once`.
            self.next.store(end, Release);
        }
    }

    /// Counts the failures of the records whose turn has come, and ends the run if they are too many.
    fn judge(
        &self,
        state: &mut FrontierState<P>,
        records: &Range<u64>,
        failed: Vec<Failure>,
        whole: bool,
    ) {
        for failure in failed {
            let halt = state.halt.as_ref();
            if halt.is_some_and(|halt| failure.index >= halt.end) {
                return;
            }
            state.failed.add(&failure);
            self.unjudged.fetch_sub(1, Relaxed);
            if halt.is_none()
                && (failure.is_last() || state.on_failure.ends(&state.failed, failure.index))
            {
                let own = if whole {
                    records.end
                } else {
                    failure.index + 1
                };
                let end = own.max(state.committed);
                let failure = failure.clone();
                state.halt = Some(Halt { failure, end });
                self.end_at(end);
            }
            if state.failures.len() < Report::FAILURES_KEPT {
                state.failures.push(failure);
            }
        }
    }

    fn end_at(&self, last: u64) {
        self.last.fetch_min(last, Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, FrontierState<P>> {
        lock(&self.state)
    }

    /// The totals of the run. Called when all workers have ended.
    pub(super) fn totals(&self) -> RunTotals {
        let mut state = self.lock();
        RunTotals {
            records: state.records,
            failed: state.failed.number(),
            failures_judged: state.failed.clone(),
            skipped: state.skipped,
            failures: std::mem::take(&mut state.failures),
            halted_by: state.halt.take().map(|halt| halt.failure),
            gaps: state.turns.waiting() > 0,
        }
    }
}

impl<P> FrontierState<P> {
    /// Whether the records that are next in turn belong to the answer.
    fn goes_on(&self) -> bool {
        let halt = self.halt.as_ref();
        halt.is_none_or(|halt| self.turns.next() < halt.end)
    }
}
