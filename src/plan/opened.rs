//! A plan whose files are open and whose scorer is prepared, the run of such a plan, and the answer of the run.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::coordinator::PlanCoordinator;
use super::first_records::{FirstRecords, most_similar};
use super::leaderboard::Thresholds;
use super::planned_executor::{PlannedExecutor, ScoredBy};
use super::replies::{AskForEach, TakeScore};
use super::scored::{ScoreField, Scored};
use super::scorer::PreparedScorer;
use super::summary::{PlanAggregator, Summary};
use super::{ExecutorName, Plan, RunOptions, worker};
use crate::dataset::{Dataset, InputFile, OpenOptions, TextRecord, TextSource, TextStream};
use crate::error::{Error, OnFailure};
use crate::execution::{Executor, WorkStealing};
use crate::machine::{ControlGroup, Machine, Throttled, processor_time};
use crate::pipeline::Pipeline;
use crate::remote::{Elsewhere, ProcessPool, ScoredElsewhere};
use crate::report::{Digest, Report};
use crate::stop::{Cancel, DeadlineGuard};
use crate::task::Task;
use crate::task::matching::Pairs;

/// Smallest number of bytes in a part if a limit makes records wait. This is about one record.
const LIMITED_PART_BYTES: u64 = 256;

/// A plan whose files are open and whose scorer is prepared.
#[derive(Debug)]
pub struct Opened {
    plan: Plan,
    records: TextSource,
    scorer: Box<dyn PreparedScorer>,
}

/// The answer of a plan.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The plan that was run.
    pub plan: Plan,
    /// The arguments of the command that started the run, if the [options](RunOptions::command) of the run name them.
    pub command: Vec<String>,
    /// When the run began.
    pub began: SystemTime,
    /// The report of the run.
    pub report: Report<Summary>,
    /// A hash of the answer: of every number in the summary, and of the numbers of failed and skipped records. Two runs of one
    /// plan have the same digest if and only if they gave the same answer. A plan with a different `top` or `by`
    /// gives a different answer.
    pub digest: Digest,
    /// Number of pairs of a record and a text of the reference, if the scorer has a reference. The digest does not
    /// include it, since the number of skipped pairs depends on the order of the work.
    pub pairs: Option<Pairs>,
    /// The inputs that were read, with their formats.
    pub files: Vec<InputFile>,
    /// The state of the machine before the run.
    pub machine: Machine,
    /// How often and for how long a quota stopped threads during the run. `None` if there is no quota.
    pub throttled: Option<Throttled>,
    /// Whether the workers were kept on their hardware threads. `None` if the plan does not ask for it.
    pub pinned: Option<bool>,
    /// The names of the fields of the first record that could be read.
    pub field_names: Vec<String>,
    /// The fields to group by and to keep in which none of the first [`OnFailure::GRACE`] records has a value (none of
    /// all records, if there are fewer). Their names are probably wrong.
    pub absent: Vec<String>,
}

impl Answer {
    /// The name among the [`field_names`](Answer::field_names) that is most similar to `field`, if one of them is
    /// similar.
    pub fn similar_field(&self, field: &str) -> Option<&str> {
        most_similar(field, &self.field_names)
    }
}

impl Opened {
    pub(super) fn over(plan: Plan, records: TextStream<'static>) -> Result<Self, Error> {
        plan.check_timeout(plan.executor == ExecutorName::ProcessPool)?;
        Opened::prepare(plan, TextSource::Stream(records))
    }

    pub(super) fn new(plan: Plan) -> Result<Self, Error> {
        plan.check_timeout(plan.executor == ExecutorName::ProcessPool)?;
        let mut options = OpenOptions::new()
            .fields(plan.selected())
            .max_record(plan.max_record)
            .lossy(plan.lossy)
            .header(plan.header);
        if let Some(encoding) = plan.encoding {
            options = options.encoding(encoding);
        }
        if let Some(format) = plan.format {
            options = options.format(format);
        }
        if let Some(delimiter) = plan.delimiter {
            options = options.delimiter(delimiter);
        }
        let mut records = options.open(&plan.files)?;
        if plan.limit.waits() {
            // A worker waiting for a permit holds its whole part. If the run stops, the part is lost, so parts are
            // small.
            let bytes = (records.bytes() >> 20).max(LIMITED_PART_BYTES);
            records = records.with_part_bytes(bytes);
        }
        Opened::prepare(plan, records)
    }

    fn prepare(plan: Plan, records: TextSource) -> Result<Self, Error> {
        let scorer = plan.scorer.prepare(&plan)?;
        Ok(Opened {
            plan,
            records,
            scorer,
        })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What was found out about the inputs.
    pub fn inputs(&self) -> Vec<InputFile> {
        self.records.files()
    }

    /// Number of bytes of all records. For a stream, the number of bytes that were read so far.
    pub fn bytes(&self) -> u64 {
        self.records.bytes()
    }

    /// Loads all records into memory, so that runs can be measured without the time for reading, or so that a
    /// stream can be scored more than once. A stream is read to its end.
    ///
    /// ```
    /// use manyhands::plan::{Plan, RunOptions};
    ///
    /// let plan = Plan::new(["data/reviews.jsonl"]);
    /// let (read, loaded) = (plan.open()?, plan.open()?.load()?);
    /// let digest = read.run(RunOptions::default())?.digest;
    /// assert_eq!(digest, loaded.run(RunOptions::default())?.digest);
    /// # Ok::<(), manyhands::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be read.
    pub fn load(mut self) -> Result<Self, Error> {
        self.records = self.records.load()?;
        Ok(self)
    }

    /// Whether the records come from a stream. A stream can be read only once, and its length is not known.
    pub fn is_stream(&self) -> bool {
        self.records.is_stream()
    }

    /// Scores every record on the executor that the plan names. The run ends early if it is stopped or if failures
    /// halt it; the [`end`](Report::end) of the report shows whether this has happened.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be read, if the scores cannot be written, or if workers cannot be
    /// started.
    pub fn run(&self, options: RunOptions<'_>) -> Result<Answer, Error> {
        self.run_with(&PlannedExecutor::without_processes(&self.plan)?, options)
    }

    /// Like [`run`](Opened::run), but on an executor that was started earlier, for this plan or for another plan
    /// that scores records in the same way.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`run`](Opened::run), and [`Error::Plan`] if the worker processes of `executor`
    /// were started for a plan that scores records differently.
    pub fn run_with(
        &self,
        executor: &PlannedExecutor,
        options: RunOptions<'_>,
    ) -> Result<Answer, Error> {
        self.run_through(executor.threads(), executor, options)
    }

    /// Like [`run_with`](Opened::run_with), but `threads` runs the work on the threads of `executor`, and may observe
    /// it.
    pub(crate) fn run_through(
        &self,
        threads: &dyn Executor,
        executor: &PlannedExecutor,
        options: RunOptions<'_>,
    ) -> Result<Answer, Error> {
        if let ScoredBy::Processes(pool) = executor.scored_by()
            && pool.setup() != worker::setup(&self.plan)?
        {
            return Err(Error::Plan(
                "the worker processes of the executor were started for a plan that scores records \
                 differently; start an executor for this plan"
                    .to_owned(),
            ));
        }
        let mut answer = self.run_scored_by(executor.scored_by(), threads, options)?;
        answer.pinned = executor.is_pinned();
        Ok(answer)
    }

    /// Like [`run`](Opened::run), but on the threads of the executor that is passed in.
    ///
    /// If the plan names the [process pool](ExecutorName::ProcessPool), worker processes score the records here,
    /// too. There is one process for each worker of `executor`, and the threads of `executor` wait for the
    /// answers. Otherwise the threads of `executor` score the records, and the executor and the number of workers
    /// that the plan names have no effect.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`run`](Opened::run).
    pub fn run_on(
        &self,
        executor: &dyn Executor,
        options: RunOptions<'_>,
    ) -> Result<Answer, Error> {
        if self.plan.executor != ExecutorName::ProcessPool {
            return self.run_scored_by(ScoredBy::Threads { pool: None }, executor, options);
        }
        let pool = self.plan.process_pool_of(executor.workers())?;
        let mut answer = self.run_scored_by(ScoredBy::Processes(&pool), executor, options)?;
        answer.pinned = self.plan.pin.then(|| pool.is_in_place());
        Ok(answer)
    }

    fn run_scored_by(
        &self,
        scored_by: ScoredBy<'_>,
        executor: &dyn Executor,
        options: RunOptions<'_>,
    ) -> Result<Answer, Error> {
        let first = FirstRecords::new(&self.records, &self.plan);
        let mut answer = match scored_by {
            ScoredBy::Processes(processes) => {
                self.run_in_processes(processes, executor, &first, options)
            }
            ScoredBy::Threads { pool } => self.run_in_threads(pool, executor, &first, options),
        }?;
        answer.field_names = first.names();
        let report = &answer.report;
        if report.end.is_finished() && report.records > 0 || report.records >= OnFailure::GRACE {
            answer.absent = first.absent();
        }
        Ok(answer)
    }

    /// Runs the plan on the threads of `executor`.
    fn run_in_threads<D>(
        &self,
        pool: Option<&WorkStealing>,
        executor: &dyn Executor,
        dataset: &D,
        options: RunOptions<'_>,
    ) -> Result<Answer, Error>
    where
        D: for<'a> Dataset<Record<'a> = TextRecord<'a>>,
    {
        let pool = pool.filter(|_| self.scorer.shares_records());
        self.plan.check_timeout(false)?;
        let thresholds = Arc::new(Thresholds::new(self.plan.top));
        let task = ScoreField::new(&self.plan, &*self.scorer, pool, Arc::clone(&thresholds));
        let deadline = self.plan.deadline;
        self.run_pipeline(executor, dataset, task, thresholds, deadline, options)
    }

    /// Runs the plan in worker processes. For each process, a thread of `executor` waits for its answers.
    fn run_in_processes<D>(
        &self,
        pool: &ProcessPool,
        executor: &dyn Executor,
        dataset: &D,
        options: RunOptions<'_>,
    ) -> Result<Answer, Error>
    where
        D: for<'a> Dataset<Record<'a> = TextRecord<'a>>,
    {
        let plan = &self.plan;
        plan.check_timeout(true)?;
        let token = &options.cancel.map_or_else(Cancel::new, Cancel::child);
        // The supervisor must know about the deadline too, and the deadline may pass while processes start. So the
        // token contains the deadline, and the pipeline has no deadline.
        let began = Instant::now();
        let deadline = plan.deadline;
        let deadline = deadline.map(|after| DeadlineGuard::start_after(began, after, token));
        let _deadline = deadline.transpose().map_err(Error::no_thread)?;
        let thresholds = Arc::new(Thresholds::new(plan.top));
        let main = plan.columns().main_cell();
        let coordinator = PlanCoordinator::new(Arc::clone(&thresholds), main);
        let run = pool.begin_run(&coordinator, token, plan.timeout)?;
        run.start()?;
        let before = pool.processor_time();
        let mut answer = self.run_elsewhere(&run, executor, dataset, thresholds, options, token)?;
        answer.pairs = coordinator.pairs().or(answer.pairs);
        let cpu = &mut answer.report.timing.cpu;
        *cpu = cpu.map(|own| own + (pool.processor_time() - before));
        Ok(answer)
    }

    /// Runs the plan with records that are scored outside this process. `token` stops the run, and contains the
    /// deadline of the run.
    fn run_elsewhere<D, E>(
        &self,
        elsewhere: &E,
        executor: &dyn Executor,
        dataset: &D,
        thresholds: Arc<Thresholds>,
        options: RunOptions<'_>,
        token: &Cancel,
    ) -> Result<Answer, Error>
    where
        D: for<'a> Dataset<Record<'a> = TextRecord<'a>>,
        E: Elsewhere<Score = Scored>,
    {
        let options = options.cancel(token);
        if !self.plan.limit.waits() {
            let keeps_records = options.scores.is_some_and(|sink| sink.wants_records());
            let scored = ScoredElsewhere::new(dataset, elsewhere).keeping_records(keeps_records);
            return self.run_pipeline(executor, &scored, TakeScore, thresholds, None, options);
        }
        let task = AskForEach::new(elsewhere, token);
        let answer = self.run_pipeline(executor, dataset, &task, thresholds, None, options);
        match task.into_error() {
            Some(error) => Err(error),
            None => answer,
        }
    }

    /// Runs the pipeline that the plan describes.
    fn run_pipeline<D, T>(
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
        let mut pipeline = Pipeline::new(dataset, task)
            .executor(executor)
            .on_failure(plan.on_failure)
            .limit(plan.limit);
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
        let mut report = pipeline.aggregate_so_far(summary)?;
        report.timing.cpu = processor_time().zip(before).map(|(now, then)| now - then);
        let throttled = throttled(ControlGroup::look()).zip(throttled(machine.control_group));
        let throttled = throttled.map(|(now, before)| now.since(before));
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
            files: self.records.files(),
            machine,
            throttled,
            pinned: None,
            field_names: Vec::new(),
            absent: Vec::new(),
        })
    }
}

fn throttled(group: Option<ControlGroup>) -> Option<Throttled> {
    group.and_then(|group| group.throttled)
}

#[cfg(test)]
mod tests;
