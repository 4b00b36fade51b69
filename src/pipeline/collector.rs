//! Collects the scores of a run: determines when they count, and in which order aggregators observe them.

use super::frontier::{Done, Frontier};
use super::order::Order;
use super::outstanding::{MOST_OUTSTANDING, Outstanding};
use super::pending::{PendingScores, ScoredRecords};
use super::skips::Skips;
use super::step_progress::StepProgress;
use super::worker::WorkerState;
use crate::aggregation::{Aggregator, MergeTree};
use crate::error::{Failure, OnFailure};
use crate::sync::{Mutex, into_inner, lock};

/// Collects the scores of a run.
pub(super) struct Collector<S, A> {
    pub(super) order: Order,
    /// The empty state. It observes no scores, and the workers' states are merged into it at the end.
    root: A,
    workers: usize,
    /// Whether anything can end the run before its last record. If nothing can, scores count at once.
    may_end_early: bool,
    /// The partials of blocks, for [`Order::Blocks`].
    partials: MergeTree<S, A>,
    /// The state that observes all scores, for [`Order::Records`].
    in_order: Mutex<A>,
    pub(super) frontier: Frontier<Option<ScoredRecords<S>>>,
    /// `Some` if the number of outstanding records is bounded.
    pub(super) outstanding: Option<Outstanding>,
}

impl<S, A: Aggregator<S>> Collector<S, A> {
    /// Collects the scores of `workers` workers. `most_outstanding` is the number of records that may be
    /// outstanding, if the caller has set one, and `may_be_stopped` says whether the run has a token.
    pub(super) fn new(
        root: A,
        order: Order,
        workers: usize,
        most_outstanding: Option<u64>,
        on_failure: OnFailure,
        may_be_stopped: bool,
    ) -> Self {
        let most = match order {
            Order::Records => most_outstanding.or(Some(MOST_OUTSTANDING)),
            _ => most_outstanding,
        };
        Collector {
            order,
            in_order: Mutex::new(root.clone()),
            root,
            workers,
            may_end_early: may_be_stopped || on_failure != OnFailure::SKIP,
            partials: MergeTree::new(),
            frontier: Frontier::new(on_failure),
            // A single worker passes on each score before it takes the next record, so it needs no bound.
            outstanding: most.filter(|_| workers > 1).map(Outstanding::new),
        }
    }

    /// A state for one more worker. A single worker gets a clone instead of a fork, because it shares nothing
    /// with other workers.
    fn state(&self) -> A {
        if self.workers > 1 {
            self.root.fork()
        } else {
            self.root.clone()
        }
    }

    /// The progress of a step that begins now.
    pub(super) fn begin_step(&self, worker: &mut WorkerState<S, A>) -> StepProgress<S> {
        // The answer can end in the middle of the records of a step only if a failure may halt the run. With
        // `Order::Blocks` it cannot, because a partial cannot be cut.
        let may_be_cut = self.frontier.may_halt() && self.order != Order::Blocks;
        let spare = worker.spares.pop().unwrap_or_default();
        StepProgress::new(spare, Skips::new(may_be_cut))
    }

    /// The state that observes the scores of a step as soon as they are known, if there is one.
    pub(super) fn state_of_step(&self, worker: &mut WorkerState<S, A>) -> Option<A> {
        match self.order {
            Order::Blocks => Some(self.root.clone()),
            Order::Any | Order::AsDone => {
                Some(worker.aggregator.take().unwrap_or_else(|| self.state()))
            }
            Order::Records => None,
        }
    }

    /// Whether the scores of a step that begins with this record are observed as soon as they are known.
    pub(super) fn observes_directly(&self, index: u64) -> bool {
        match self.order {
            Order::Any => !self.may_end_early || self.frontier.counts_at_once(index),
            Order::Blocks => true,
            Order::AsDone | Order::Records => false,
        }
    }

    /// Whether scores wait in memory until every record before them is done.
    pub(super) fn keeps_scores(&self) -> bool {
        self.order == Order::Any && self.may_end_early
    }

    /// Whether the failures of a step can be judged in the middle of it, because every record before them
    /// is done.
    pub(super) fn can_be_judged(&self, step: &StepProgress<S>) -> bool {
        step.directly && self.order == Order::Any
    }

    /// Notes a failure in the middle of a step.
    #[cold]
    pub(super) fn fail(&self, step: &mut StepProgress<S>, failure: Failure) {
        self.frontier.record_failed(failure.index);
        if failure.is_last() {
            self.frontier.end_with(failure.index);
        }
        step.fail(failure);
        if self.can_be_judged(step) {
            self.report_done(step, None);
        }
    }

    /// Receives the results of a step that has ended.
    pub(super) fn take_in(
        &self,
        worker: &mut WorkerState<S, A>,
        unit: usize,
        aggregator: Option<A>,
        mut step: StepProgress<S>,
    ) {
        match (self.order, aggregator) {
            (Order::Blocks, Some(state)) => {
                if step.first.is_some() {
                    worker.pending.push_back(PendingScores::Partial {
                        records: step.records.clone(),
                        block: unit,
                        state,
                    });
                    self.report_done(&mut step, None);
                }
            }
            (Order::Records, _) => {
                if step.first.is_some() {
                    let scores = step.take_scores();
                    self.report_done(&mut step, Some(scores));
                }
            }
            (_, aggregator) => {
                worker.aggregator = aggregator;
                if !step.directly && step.first.is_some() {
                    worker
                        .pending
                        .push_back(PendingScores::Scores(step.take_scores()));
                }
                self.report_done(&mut step, None);
            }
        }
        if step.scores.capacity() > 0 {
            worker.spares.push(step.scores);
        }
        self.settle(worker);
    }

    /// Reports to the frontier which records of a step are done, with their `scores` if one state observes
    /// them in order.
    pub(super) fn report_done(&self, step: &mut StepProgress<S>, scores: Option<ScoredRecords<S>>) {
        if step.records.is_empty() {
            return;
        }
        let done = Done {
            failed: std::mem::take(&mut step.failed),
            skips: step.skips.take(),
            whole: self.order == Order::Blocks,
            payload: scores,
        };
        let records = step.records.clone();
        step.records.start = step.records.end;
        self.frontier.complete(records, done, |scores, end| {
            if let Some(scores) = scores {
                scores.observe(&mut *lock(&self.in_order), end);
                self.give_back(scores.records.end - scores.records.start);
            }
        });
    }

    /// Counts those pending scores of a worker whose turn has come.
    pub(super) fn settle(&self, worker: &mut WorkerState<S, A>) {
        let mut next = self.frontier.next();
        if self.order == Order::AsDone
            && let Some(last) = worker.pending.back().map(|last| last.records().end)
            && last > next
            && self.frontier.commit(last)
        {
            next = last;
        }
        while let Some(first) = worker.pending.front()
            && first.records().end <= next
            && let Some(pending) = worker.pending.pop_front()
        {
            self.count(worker, pending, next);
        }
    }

    /// Called after the run has ended. Counts the pending scores of a worker up to the end of the answer.
    pub(super) fn settle_at_end(&self, worker: &mut WorkerState<S, A>) {
        let next = self.frontier.next();
        for pending in std::mem::take(&mut worker.pending) {
            let records = pending.records();
            let is_cut = matches!(pending, PendingScores::Partial { .. }) && records.end > next;
            if records.start < next && !is_cut {
                self.count(worker, pending, next);
            }
        }
    }

    /// Counts the pending scores of the records before `end`, or a whole partial.
    fn count(&self, worker: &mut WorkerState<S, A>, pending: PendingScores<S, A>, end: u64) {
        match pending {
            PendingScores::Scores(mut scores) => {
                let aggregator = worker.aggregator.get_or_insert_with(|| self.state());
                scores.observe(aggregator, end);
                self.give_back(scores.records.end - scores.records.start);
                scores.scores.clear();
                worker.spares.push(scores.scores);
            }
            PendingScores::Partial { block, state, .. } => self.partials.insert(block, state),
        }
    }

    /// Frees the room of `records` records that are no longer outstanding.
    pub(super) fn give_back(&self, records: u64) {
        if let Some(outstanding) = &self.outstanding {
            outstanding.give_back(records);
        }
    }

    /// Returns the state of all scores that count, merged from the partials and the states of the workers.
    pub(super) fn finish(self, states: Vec<A>) -> A {
        let mut aggregator = match self.order {
            Order::Blocks => self.partials.finish(self.root),
            Order::Records => into_inner(self.in_order),
            Order::Any | Order::AsDone => self.root,
        };
        for state in states {
            aggregator.merge(state);
        }
        aggregator
    }
}
