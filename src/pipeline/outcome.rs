//! The outcome of a run, which is computed when all workers have ended.

use super::frontier::RunTotals;
use super::run::PipelineRun;
use super::stopwatch::{SlowStretch, keep_slowest};
use crate::aggregation::Aggregator;
use crate::dataset::Dataset;
use crate::error::{Error, Failure, OnFailure};
use crate::report::{End, SlowRecord, WorkerTiming};
use crate::stop::Cancel;
use crate::sync::into_inner;
use crate::task::Task;

/// The combined results of all workers of a run.
pub(super) struct PipelineOutcome<A> {
    pub(super) aggregator: A,
    pub(super) totals: RunTotals,
    pub(super) end: End,
    pub(super) workers: Vec<WorkerTiming>,
    pub(super) slowest: Vec<SlowRecord>,
}

impl<D, T, S, A> PipelineRun<'_, '_, D, T, S, A>
where
    D: Dataset + ?Sized,
    T: for<'r> Task<D::Record<'r>, Score = S>,
    A: Aggregator<S>,
{
    /// Combines the results of the workers.
    pub(super) fn into_outcome(mut self) -> Result<PipelineOutcome<A>, Error> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let workers = std::mem::take(&mut self.workers);
        let mut slowest: Vec<SlowStretch> = Vec::new();
        let mut timings = Vec::with_capacity(workers.len());
        let mut states = Vec::with_capacity(workers.len());
        for worker in workers {
            let mut worker = into_inner(worker);
            self.collector.settle_at_end(&mut worker);
            timings.push(WorkerTiming {
                records: worker.records,
                busy: worker.busy,
                task: worker.watch.work,
                preempted: worker.watch.preempted,
                input: worker.input,
                limited: worker.limited,
                from: worker.from.unwrap_or_default(),
                until: worker.until,
            });
            for slow in worker.watch.slowest {
                keep_slowest(&mut slowest, slow);
            }
            states.extend(worker.aggregator);
        }
        let (units, units_run) = (self.unit_count(), self.units_run.into_inner());
        let is_complete = match self.pipeline.dataset.is_stream() {
            true => self.stream_ended.into_inner(),
            false => units_run == units,
        };
        let lost = Error::Executor {
            ran: units_run,
            units,
        };
        let index_in_input = |index| self.pipeline.dataset.index_in_input(index);
        let mut totals = self.collector.frontier.totals();
        totals.rename(index_in_input);
        if let Some(error) = totals.halted_by.as_ref().and_then(Failure::as_end_of_run) {
            return Err(error);
        }
        let end = match &totals.halted_by {
            Some(failure) => halted_end(self.pipeline.on_failure, failure, &totals),
            None if self.record_refused.into_inner() || !is_complete => {
                let stopped = self.token.and_then(Cancel::reason);
                End::Stopped(stopped.ok_or(lost)?)
            }
            None if totals.gaps => return Err(lost),
            None => end_of_all(self.pipeline.on_failure, &totals),
        };
        let slowest = slowest.into_iter().map(|slow| SlowRecord {
            index: index_in_input(slow.first.index),
            records: slow.records,
            place: self.pipeline.dataset.place(slow.first),
            time: slow.time,
        });
        Ok(PipelineOutcome {
            aggregator: self.collector.finish(states),
            totals,
            end,
            workers: timings,
            slowest: slowest.collect(),
        })
    }
}

/// The end of a run that has done every record. A limit on the share of failures is checked again, now
/// against the number of all records.
fn end_of_all(on_failure: OnFailure, totals: &RunTotals) -> End {
    match totals.failures.last() {
        Some(failure) if on_failure.is_exceeded(&totals.failures_judged, totals.records) => {
            halted_end(on_failure, failure, totals)
        }
        _ => End::Finished,
    }
}

/// The end of a run that this failure has halted.
fn halted_end(on_failure: OnFailure, failure: &Failure, totals: &RunTotals) -> End {
    match (on_failure, totals.failures.first()) {
        (OnFailure::SkipUnlessAllFail, Some(first)) => End::AllFailed(first.clone()),
        _ => End::Halted(failure.clone()),
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;
    use crate::error::FailureCount;

    /// While a run is in progress, a share of failures counts as if there were at least a thousand records. At the end,
    /// the number of records is known.
    #[test]
    fn a_share_of_failures_is_checked_against_all_records_at_the_end() {
        let end = |on_failure, failed: u64| {
            let failure = |index| Failure::new(index, None, 0, "it fails".into());
            let failures: Vec<_> = (0..failed).map(failure).collect();
            let mut failures_judged = FailureCount::default();
            failures
                .iter()
                .for_each(|failure| failures_judged.add(failure));
            let totals = RunTotals {
                records: 10,
                failed,
                failures_judged,
                skipped: 0,
                failures,
                halted_by: None,
                gaps: false,
            };
            match end_of_all(on_failure, &totals) {
                End::Finished => None,
                End::Halted(failure) => Some(failure.index),
                other => panic!("{other:?}"),
            }
        };
        let a_fifth = OnFailure::SkipShare { at_most: 0.2 };
        assert_eq!(end(a_fifth, 0), None);
        assert_eq!(end(a_fifth, 2), None);
        assert_eq!(end(a_fifth, 3), Some(2));
        assert_eq!(end(OnFailure::SKIP, 10), None);
    }
}
