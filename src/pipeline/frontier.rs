//! How far a run has come without a gap, and where it is to end.
//!
//! Records are done out of order, but what a run has to show when it is stopped is a beginning of
//! the dataset: the same records give the same value, whoever was quicker. So a score counts when
//! every record before it is done, and failures are judged in the order of the records.

use std::ops::Range;

use crate::error::{Failure, OnFailure};
use crate::report::Report;
use crate::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::sync::{Mutex, MutexGuard, into_inner, lock};
use crate::turns::Turns;

/// How far a run has come; `P` is what waits with the records for their turn.
pub(super) struct Frontier<P> {
    /// What [`Frontier::next`] tells without locking.
    next: AtomicU64,
    /// No record from this one on is started any more.
    last: AtomicU64,
    /// How many failures wait until every record before them is done: looked at after every step, so
    /// without locking.
    unjudged: AtomicU64,
    state: Mutex<State<P>>,
}

struct State<P> {
    turns: Turns<Done<P>>,
    on_failure: OnFailure,
    /// How many records the answer has, and how many of them have failed.
    records: u64,
    failed: u64,
    /// The first of those.
    failures: Vec<Failure>,
    /// Failures met anywhere, and the farthest of them.
    met: (u64, u64),
    /// Every record before this one is going to be done: a later one counts already.
    committed: u64,
    /// The answer ends here where a failure ends it.
    halt: Option<Halt>,
}

/// Where a failure ends a run.
#[derive(Debug)]
struct Halt {
    failure: Failure,
    /// How far the answer goes.
    end: u64,
}

/// Consecutive records that are done.
pub(super) struct Done<P> {
    /// Those that have failed, in order.
    pub(super) failed: Vec<Failure>,
    /// Whether they count together or not at all.
    pub(super) whole: bool,
    pub(super) payload: P,
}

/// How far a run has come in the end.
pub(super) struct Reached {
    pub(super) records: u64,
    pub(super) failed: u64,
    pub(super) failures: Vec<Failure>,
    /// The failure that ended it.
    pub(super) halted_by: Option<Failure>,
    /// Whether anything was done beyond a gap.
    pub(super) gaps: bool,
}

impl<P> Frontier<P> {
    pub(super) fn new(on_failure: OnFailure) -> Self {
        Frontier {
            next: AtomicU64::new(0),
            last: AtomicU64::new(u64::MAX),
            unjudged: AtomicU64::new(0),
            state: Mutex::new(State {
                turns: Turns::new(),
                on_failure,
                records: 0,
                failed: 0,
                failures: Vec::new(),
                met: (0, 0),
                committed: 0,
                halt: None,
            }),
        }
    }

    /// Every record before this one counts.
    ///
    /// Acquires what was written before that became known: above all the record at which a failure among
    /// them ended the run, which [`may_start`](Frontier::may_start) then knows.
    pub(super) fn next(&self) -> u64 {
        self.next.load(Acquire)
    }

    /// Whether the score of this record counts as soon as it is known: every record before it counts,
    /// and none of them has ended the run.
    ///
    /// That a worker was allowed to start the record says nothing here. While it was scored, a failure
    /// before it may have been judged and have ended the answer at this very record. The order of the
    /// two looks matters: [`complete`](Frontier::complete) lowers `last` before it releases `next`, so
    /// a worker that acquires the new `next` also sees the new `last`. Later failures cannot take the
    /// record back: an answer ends behind the failure that ends it, and that failure is this record or
    /// comes after it.
    pub(super) fn counts_at_once(&self, index: u64) -> bool {
        self.next() == index && self.may_start(index)
    }

    /// Whether the record is to be scored.
    #[inline]
    pub(super) fn may_start(&self, index: u64) -> bool {
        index < self.last.load(Relaxed)
    }

    /// Whether the run is to end before its time.
    pub(super) fn is_ending(&self) -> bool {
        self.last.load(Relaxed) < u64::MAX
    }

    /// The record at which the answer ends, where failures have ended the run.
    pub(super) fn halt(&self) -> Option<u64> {
        if !self.is_ending() {
            return None;
        }
        self.lock().halt.as_ref().map(|halt| halt.end)
    }

    /// Starts nothing further but what has to be done because later records count already.
    pub(super) fn stop(&self) {
        let state = self.lock();
        self.end_at(state.committed);
    }

    /// Lets records count before some that come earlier: all of those will be done, whatever
    /// happens. Refused when the run is ending.
    pub(super) fn commit(&self, end: u64) -> bool {
        let mut state = self.lock();
        let free = !self.is_ending();
        if free {
            state.committed = state.committed.max(end);
        }
        free
    }

    /// How many failures wait until every record before them is done.
    pub(super) fn unjudged(&self) -> u64 {
        self.unjudged.load(Relaxed)
    }

    /// Tells at once that a record has failed. What has to be done to know whether this ends the run
    /// is still done.
    pub(super) fn failed(&self, index: u64) {
        let mut state = self.lock();
        self.unjudged.fetch_add(1, Relaxed);
        let (count, farthest) = state.met;
        state.met = (count + 1, farthest.max(index));
        let last = match state.on_failure {
            OnFailure::Stop => index,
            OnFailure::Skip { at_most } if count + 1 > at_most => state.met.1,
            OnFailure::Skip { .. } | OnFailure::SkipShare { .. } => return,
        };
        self.end_at((last + 1).max(state.committed));
    }

    /// Takes records that are done. Hands to `in_turn` whatever is now due, in order, with the record
    /// at which the answer ends if that is before the end of what is handed over.
    pub(super) fn complete(
        &self,
        records: Range<u64>,
        done: Done<P>,
        mut in_turn: impl FnMut(P, u64),
    ) {
        let mut state = self.lock();
        state.turns.put(records, done);
        while state.goes_on()
            && let Some((records, done)) = state.turns.take()
        {
            self.judge(&mut state, &records, done.failed, done.whole);
            let halt = state.halt.as_ref();
            let end = halt.map_or(records.end, |halt| records.end.min(halt.end));
            state.records = end;
            in_turn(done.payload, end);
            // Released after `judge` has lowered `last`, see `counts_at_once`.
            self.next.store(end, Release);
        }
    }

    /// Counts the failures of the records that are next in turn, and ends the run where they are too
    /// many.
    fn judge(&self, state: &mut State<P>, records: &Range<u64>, failed: Vec<Failure>, whole: bool) {
        for failure in failed {
            let halt = state.halt.as_ref();
            if halt.is_some_and(|halt| failure.index >= halt.end) {
                return;
            }
            state.failed += 1;
            self.unjudged.fetch_sub(1, Relaxed);
            if halt.is_none() && state.on_failure.ends(state.failed, failure.index) {
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

    fn lock(&self) -> MutexGuard<'_, State<P>> {
        lock(&self.state)
    }

    pub(super) fn into_reached(self) -> Reached {
        let state = into_inner(self.state);
        Reached {
            records: state.records,
            failed: state.failed,
            failures: state.failures,
            halted_by: state.halt.map(|halt| halt.failure),
            gaps: state.turns.waiting() > 0,
        }
    }
}

impl<P> State<P> {
    /// Whether what is next in turn belongs to the answer.
    fn goes_on(&self) -> bool {
        let halt = self.halt.as_ref();
        halt.is_none_or(|halt| self.turns.next() < halt.end)
    }
}
