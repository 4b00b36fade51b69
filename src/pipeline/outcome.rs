//! What a run has come to.

use super::frontier::Reached;
use super::held::Held;
use super::run::{Order, Run};
use super::stopwatch::{Slow, keep};
use crate::aggregation::Aggregator;
use crate::dataset::Dataset;
use crate::error::{Error, OnFailure};
use crate::report::{End, SlowRecord, WorkerTiming};
use crate::stop::Cancel;
use crate::sync::into_inner;
use crate::task::Task;

/// What all workers of a run have gathered together.
pub(super) struct Outcome<A> {
    pub(super) aggregator: A,
    pub(super) reached: Reached,
    pub(super) end: End,
    pub(super) workers: Vec<WorkerTiming>,
    pub(super) slowest: Vec<SlowRecord>,
}

impl<D, T, S, A> Run<'_, '_, D, T, S, A>
where
    D: Dataset + ?Sized,
    T: for<'r> Task<D::Record<'r>, Score = S>,
    A: Aggregator<S>,
{
    /// Combines what the workers have gathered.
    pub(super) fn into_outcome(mut self) -> Result<Outcome<A>, Error> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let workers = std::mem::take(&mut self.workers);
        let next = self.frontier.next();
        let mut slowest: Vec<Slow> = Vec::new();
        let mut timings = Vec::with_capacity(workers.len());
        let mut states = Vec::with_capacity(workers.len());
        for worker in workers {
            let mut worker = into_inner(worker);
            for held in std::mem::take(&mut worker.held) {
                let records = held.records();
                // What counts together must not be cut.
                let cut = matches!(held, Held::Partial { .. }) && records.end > next;
                if records.start < next && !cut {
                    self.count(&mut worker, held, next);
                }
            }
            timings.push(WorkerTiming {
                records: worker.met,
                busy: worker.busy,
                task: worker.watch.work,
                preempted: worker.watch.preempted,
                input: worker.input,
                limited: worker.limited,
                from: worker.from.unwrap_or_default(),
                until: worker.until,
            });
            for slow in worker.watch.slowest {
                keep(&mut slowest, slow);
            }
            states.extend(worker.aggregator);
        }
        let units = self.unit_count();
        let reached = self.frontier.into_reached();
        let ran = self.ran.into_inner();
        let stream = self.pipeline.dataset.is_stream();
        let all = if stream {
            self.ended.into_inner()
        } else {
            ran == units
        };
        let end = match &reached.halted_by {
            Some(failure) => End::Halted(failure.clone()),
            None if self.cut.into_inner() || !all => {
                let stopped = self.token.and_then(Cancel::reason);
                End::Stopped(stopped.ok_or(Error::Executor { ran, units })?)
            }
            None if reached.gaps => return Err(Error::Executor { ran, units }),
            None => finished(self.pipeline.on_failure, &reached),
        };
        let mut aggregator = match self.order {
            Order::Units => self.partials.finish(self.root),
            Order::Records => into_inner(self.in_order),
            Order::Any | Order::AsDone => self.root,
        };
        for state in states {
            aggregator.merge(state);
        }
        let slowest = slowest.into_iter().map(|slow| SlowRecord {
            index: slow.first.index,
            records: slow.records,
            place: self.pipeline.dataset.place(slow.first),
            time: slow.time,
        });
        Ok(Outcome {
            aggregator,
            reached,
            end,
            workers: timings,
            slowest: slowest.collect(),
        })
    }
}

/// The end of a run that has met every record.
fn finished(on_failure: OnFailure, reached: &Reached) -> End {
    match reached.failures.last() {
        Some(failure) if on_failure.is_exceeded(reached.failed, reached.records) => {
            End::Halted(failure.clone())
        }
        _ => End::Finished,
    }
}
