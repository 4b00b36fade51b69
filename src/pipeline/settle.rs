//! How the scores of a step come to count: at once, in their turn, or as a whole.

use super::frontier::Done;
use super::held::{Held, Scores};
use super::met::Met;
use super::run::{Order, Run};
use super::worker::Worker;
use crate::aggregation::Aggregator;
use crate::dataset::Dataset;
use crate::sync::lock;
use crate::task::Task;

impl<D, T, S, A> Run<'_, '_, D, T, S, A>
where
    D: Dataset + ?Sized,
    T: for<'r> Task<D::Record<'r>, Score = S>,
    A: Aggregator<S>,
{
    /// Takes in what a step has come to.
    pub(super) fn take_in(
        &self,
        worker: &mut Worker<S, A>,
        unit: usize,
        aggregator: Option<A>,
        mut met: Met<S>,
    ) {
        match (self.order, aggregator) {
            (Order::Units, Some(state)) => {
                if met.first.is_some() {
                    let records = met.records.clone();
                    worker.held.push_back(Held::Partial {
                        records,
                        unit,
                        state,
                    });
                    self.tell(&mut met, None);
                }
            }
            (Order::Records, _) => {
                if met.first.is_some() {
                    let scores = met.take_scores();
                    self.tell(&mut met, Some(scores));
                }
            }
            (_, aggregator) => {
                worker.aggregator = aggregator;
                if !met.directly && met.first.is_some() {
                    worker.held.push_back(Held::Scores(met.take_scores()));
                }
                self.tell(&mut met, None);
            }
        }
        if met.scores.capacity() > 0 {
            worker.spares.push(met.scores);
        }
        self.settle(worker);
    }

    /// Tells the frontier which records are done.
    pub(super) fn tell(&self, met: &mut Met<S>, scores: Option<Scores<S>>) {
        if met.records.is_empty() {
            return;
        }
        let done = Done {
            failed: std::mem::take(&mut met.failed),
            whole: self.order == Order::Units,
            payload: scores,
        };
        let records = met.records.clone();
        met.records.start = met.records.end;
        self.frontier.complete(records, done, |scores, end| {
            if let Some(scores) = scores {
                scores.observe(&mut *lock(&self.in_order), end);
                self.give_back(scores.records.end - scores.records.start);
            }
        });
    }

    /// Lets count what has waited for its turn.
    pub(super) fn settle(&self, worker: &mut Worker<S, A>) {
        let mut next = self.frontier.next();
        if self.order == Order::AsDone
            && let Some(last) = worker.held.back().map(|last| last.records().end)
            && last > next
            && self.frontier.commit(last)
        {
            next = last;
        }
        while let Some(first) = worker.held.front()
            && first.records().end <= next
            && let Some(held) = worker.held.pop_front()
        {
            self.count(worker, held, next);
        }
    }

    /// Lets count what was held, up to a record.
    pub(super) fn count(&self, worker: &mut Worker<S, A>, held: Held<S, A>, end: u64) {
        match held {
            Held::Scores(mut scores) => {
                let aggregator = worker.aggregator.get_or_insert_with(|| self.state());
                scores.observe(aggregator, end);
                self.give_back(scores.records.end - scores.records.start);
                scores.scores.clear();
                worker.spares.push(scores.scores);
            }
            Held::Partial { unit, state, .. } => self.partials.insert(unit, state),
        }
    }
}
