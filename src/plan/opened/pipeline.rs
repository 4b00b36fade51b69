//! Runs the pipeline that a plan describes, and makes its answer.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use super::Opened;
use crate::aggregation::{Aggregator, State};
use crate::dataset::Dataset;
use crate::error::{Error, OnFailure};
use crate::execution::Executor;
use crate::limit::Limit;
use crate::machine::{ControlGroup, Machine, Throttled, processor_time};
use crate::pipeline::Pipeline;
use crate::plan::scorer::ReferenceSummary;
use crate::plan::summary::PlanAggregator;
use crate::plan::thresholds::Thresholds;
use crate::plan::{Answer, RunOptions, Scored};
use crate::report::Digest;
use crate::task::Task;

impl Opened {
    /// Runs the pipeline that the plan describes.
    pub(super) fn run_pipeline<D, T>(
        &self,
        executor: &dyn Executor,
        dataset: &D,
        task: T,
        thresholds: Arc<Thresholds>,
        deadline: Option<Duration>,
        options: RunOptions<'_>,
    ) -> Result<Answer, Error>
    where
        D: Dataset,
        T: for<'a> Task<D::Record<'a>, Score = Scored>,
    {
        let plan = &self.plan;
        let machine = options.machine.map_or_else(Machine::look, Machine::clone);
        // Records that are scored outside have been scored when the pipeline visits them, so their limit applies before
        // that.
        let limit = match plan.scorer.outside() {
            Some(_) => Limit::none(),
            None => plan.limit,
        };
        // The policy of a shard is judged when all shards are merged.
        let on_failure = plan.shard.map_or(plan.on_failure, |_| OnFailure::SKIP);
        let mut pipeline = Pipeline::new(dataset, task)
            .executor(executor)
            .on_failure(on_failure)
            .limit(limit);
        if let Some(progress) = options.progress {
            pipeline = pipeline.progress(progress);
        }
        if let Some(sink) = options.scores {
            pipeline = pipeline.scores(sink);
        }
        if let Some(cancel) = options.cancel {
            pipeline = pipeline.cancel(cancel);
        }
        if let Some(after) = deadline {
            pipeline = pipeline.deadline(after);
        }
        let summary = PlanAggregator::new(plan, thresholds, |at| dataset.place(at));
        let pairs_before = self.scorer.pairs();
        let before = processor_time();
        let began = SystemTime::now();
        let mut report = match options.shard {
            None => pipeline.aggregate_so_far(summary)?,
            Some(notes) => pipeline
                .aggregate_so_far(summary.partial(0))?
                .map(|state| saved_and_finished(state, &notes.state)),
        };
        report.value.rename(|index| dataset.index_in_input(index));
        report.timing.cpu = processor_time().zip(before).map(|(now, then)| now - then);
        // The control groups are read again only if a quota can have stopped threads.
        let throttled = throttled(machine.control_group)
            .and_then(|before| Some(throttled(ControlGroup::look())?.since(before)));
        let pairs = self.scorer.pairs().zip(pairs_before);
        let pairs = pairs.map(|(now, before)| now.since(before));
        let digest = Digest::of(&(report.records, report.failed, report.skipped, &report.value));
        Ok(Answer {
            plan: plan.clone(),
            command: options.command.to_vec(),
            began,
            report,
            digest,
            pairs,
            calls: None,
            files: self.records.files(),
            drawing: None,
            reference: ReferenceSummary::of(&*self.scorer),
            machine,
            throttled,
            pinned: None,
            field_names: Vec::new(),
            absent: Vec::new(),
            warnings: Vec::new(),
            shards: Vec::new(),
            resumed: None,
        })
    }
}

fn throttled(group: Option<ControlGroup>) -> Option<Throttled> {
    group.and_then(|group| group.throttled)
}

/// Saves the state of an aggregator, and finishes it.
fn saved_and_finished<A: Aggregator<Scored> + State>(
    state: A,
    saved: &OnceLock<Vec<u8>>,
) -> A::Output {
    _ = saved.set(state.clone().save());
    state.finish()
}
