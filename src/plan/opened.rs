//! A plan whose files are open and whose scorer is prepared, the run of such a plan, and the answer of the run.

#[cfg(any(unix, feature = "http"))]
mod assemble;
mod elsewhere;
mod hashed_records;
mod pipeline;
#[cfg(unix)]
mod program;
mod sampled;
#[cfg(feature = "http")]
mod service;
mod shard;
mod whole_records;

use hashed_records::HashedRecords;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::first_records::FirstRecords;
use super::planned_executor::{PlannedExecutor, ScoredBy};
use super::remembered::{RememberedScores, RememberedTask};
use super::run_journal::{JournalledAnswers, RunJournal};
use super::scored::{ScoreField, ScoredAssembly};
use super::scorer::{Outside, PreparedScorer};
use super::thresholds::Thresholds;
use super::{Answer, ExecutorName, Plan, RunOptions, Sampling, worker};
use crate::dataset::shard::ShardCuts;
use crate::dataset::{Dataset, Fields, InputFile, OpenOptions, TextRecord, TextSource, TextStream};
use crate::error::{Error, OnFailure};
use crate::execution::{Executor, WorkStealing};

/// Smallest number of bytes in a part if a limit makes records wait. This is about one record.
const LIMITED_PART_BYTES: u64 = 256;

/// A plan whose files are open and whose scorer is prepared.
#[derive(Debug)]
pub struct Opened {
    plan: Plan,
    /// The fields that are read from each record.
    fields: Fields,
    records: TextSource,
    /// Where the records are cut, if they are a shard.
    cuts: Option<ShardCuts>,
    /// The sample that a run draws from the records, if it does not score all of them.
    sampling: Option<Sampling>,
    /// The sample, once a run has drawn it.
    sample: OnceLock<TextSource>,
    scorer: Arc<dyn PreparedScorer>,
}

impl Opened {
    pub(super) fn over(plan: Plan, records: TextStream<'static>) -> Result<Self, Error> {
        plan.check()?;
        let records = match plan.head {
            Some(head) => records.head(head),
            None => records,
        };
        let fields = plan.selected();
        Opened::prepare(plan, fields, TextSource::Stream(records), None)
    }

    pub(super) fn new(plan: Plan, whole_records: bool) -> Result<Self, Error> {
        plan.check()?;
        let fields = plan.selected();
        let mut options = OpenOptions::new()
            .fields(fields.clone())
            .max_record(plan.max_record)
            .lossy(plan.lossy)
            .whole_records(whole_records)
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
        if let Some(head) = plan.head {
            options = options.head(head);
        }
        let (mut records, cuts) = match plan.shard {
            None => (options.open(&plan.files)?, None),
            Some(shard) => {
                let (records, cuts) = options.open_shard(&plan.files, shard, plan.shard_start)?;
                (records, Some(cuts))
            }
        };
        if plan.limit.waits() && plan.sample.is_none() && plan.scorer.outside().is_none() {
            // A worker waiting for a permit holds its whole part. If the run stops, the part is lost, so parts are
            // small.
            let bytes = (records.bytes() >> 20).max(LIMITED_PART_BYTES);
            records = records.with_part_bytes(bytes);
        }
        Opened::prepare(plan, fields, records, cuts)
    }

    fn prepare(
        mut plan: Plan,
        fields: Fields,
        records: TextSource,
        cuts: Option<ShardCuts>,
    ) -> Result<Self, Error> {
        let scorer: Arc<dyn PreparedScorer> = Arc::from(plan.scorer.prepare(&plan)?);
        plan.scorer = scorer.resolved().unwrap_or(plan.scorer);
        Ok(Opened {
            sampling: plan.sample,
            sample: OnceLock::new(),
            plan,
            fields,
            records,
            cuts,
            scorer,
        })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The inputs with their formats, delimiters and lengths.
    pub fn inputs(&self) -> Vec<InputFile> {
        self.records.files()
    }

    /// Number of bytes of all records. For a stream, the number of bytes that were read so far.
    pub fn bytes(&self) -> u64 {
        self.records.bytes()
    }

    /// Loads all records into memory, so that runs can be measured without the time for reading, or so that a
    /// stream can be scored more than once. A stream is read to its end. If the plan scores a sample, only the sample is
    /// loaded.
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
        self.records = match self.sampling.take() {
            Some(Sampling { records, seed }) => self.records.sample(records, seed)?,
            None => self.records.load()?,
        };
        Ok(self)
    }

    /// Whether the records come from a stream. A stream can be read only once, and its length is not known.
    pub fn is_stream(&self) -> bool {
        self.records.is_stream()
    }

    /// Scores every record on the executor that the plan names. The run ends early if it is stopped or if failures
    /// halt it; the [`end`](crate::report::Report::end) of the report shows whether this has happened.
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
        match self.sampling {
            Some(sampling) => self.run_sample(sampling, scored_by, executor, options),
            None => {
                let deadline = self.plan.deadline;
                self.run_over(&self.records, scored_by, executor, deadline, options)
            }
        }
    }

    /// Runs the plan over these records.
    fn run_over(
        &self,
        records: &TextSource,
        scored_by: ScoredBy<'_>,
        executor: &dyn Executor,
        deadline: Option<Duration>,
        options: RunOptions<'_>,
    ) -> Result<Answer, Error> {
        let hashed = HashedRecords::new(records, options.shard.map(|notes| &notes.records));
        let first = FirstRecords::new(&hashed, &self.plan, &self.fields);
        let memory = options.journal;
        let memory = memory.map(JournalledAnswers::new);
        let memory = memory.as_ref();
        let mut answer = match (self.plan.scorer.outside(), scored_by) {
            #[cfg(unix)]
            (Some(Outside::Program(exec)), _) => {
                self.run_in_program(exec, executor, &first, memory, deadline, options)
            }
            #[cfg(feature = "http")]
            (Some(Outside::Service(http)), _) => {
                self.run_in_service(http, executor, &first, memory, deadline, options)
            }
            (_, ScoredBy::Processes(processes)) => {
                self.run_in_processes(processes, executor, &first, memory, deadline, options)
            }
            (_, ScoredBy::Threads { pool }) => {
                self.run_in_threads(pool, executor, &first, memory, deadline, options)
            }
        }?;
        answer.field_names = first.names();
        answer.resumed = options.journal.map(RunJournal::resumed);
        let report = &answer.report;
        if report.end.is_finished() && report.records > 0 || report.records >= OnFailure::GRACE {
            answer.absent = first.absent();
        }
        answer.warnings = answer.found_warnings();
        Ok(answer)
    }

    /// Runs the plan on the threads of `executor`.
    fn run_in_threads<D>(
        &self,
        pool: Option<&WorkStealing>,
        executor: &dyn Executor,
        dataset: &D,
        memory: Option<&JournalledAnswers<'_>>,
        deadline: Option<Duration>,
        options: RunOptions<'_>,
    ) -> Result<Answer, Error>
    where
        D: for<'a> Dataset<Record<'a> = TextRecord<'a>>,
    {
        let pool = pool.filter(|_| self.scorer.shares_records());
        self.plan.check_timeout(false)?;
        let thresholds = Arc::new(Thresholds::new(self.plan.top));
        let task = ScoreField::new(
            &self.plan,
            &self.fields,
            &*self.scorer,
            pool,
            Arc::clone(&thresholds),
        );
        let Some(memory) = memory else {
            return self.run_pipeline(executor, dataset, task, thresholds, deadline, options);
        };
        let memory = self.remembered(memory, &thresholds);
        let task = RememberedTask::new(task, &memory);
        self.run_pipeline(executor, dataset, task, thresholds, deadline, options)
    }

    /// The scores that the journal of a run has.
    fn remembered<'a>(
        &'a self,
        answers: &'a JournalledAnswers<'a>,
        thresholds: &Arc<Thresholds>,
    ) -> RememberedScores<'a> {
        let assembly = ScoredAssembly::new(&self.plan, &self.fields, Arc::clone(thresholds));
        RememberedScores::new(answers, assembly, &self.plan, &*self.scorer)
    }
}

#[cfg(test)]
mod tests;
