//! A pipeline as plain data: what to score, with which scorer, and how.
//!
//! The command line builds a [`Plan`] from its arguments. A plan consists of names and options, so it can be
//! written down, compared, and sent to another process. A closure can be none of these.

mod answer;
mod calls_report;
mod check;
mod column_summary;
mod coordinator;
mod decimal;
mod fingerprint;
mod first_records;
mod formats;
mod group_key;
mod group_summary;
mod json;
mod kept;
mod kept_answer;
mod label_counts;
mod leaderboard;
mod matches;
mod merge;
mod missing;
mod names;
mod not_scored;
mod opened;
mod partial;
mod path_text;
mod plain_place;
mod planned_executor;
mod records_hash;
mod remembered;
mod replies;
mod run_journal;
mod run_options;
mod sampling;
mod scored;
mod scorer;
mod shard_notes;
mod summary;
mod thresholds;
mod version;
mod warnings;
mod wire;
mod worker;
mod written_failures;
mod written_file;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::dataset::{
    Delimiter, Fields, FormatName, MAX_RECORD_BYTES, Shard, ShardStart, TextEncoding, TextStream,
};
use crate::error::{Error, OnFailure};
use crate::execution::Threads;
pub use crate::journal::Resumed;
use crate::limit::Limit;
use crate::machine::usable_cores;
use crate::remote::ProcessPool;

pub use answer::Answer;
pub use calls_report::{BudgetReport, CallLatency, CallsNow, CallsReport, HeldUp};
pub use column_summary::NumberSummary;
pub use group_key::{GroupName, shown_group};
pub use group_summary::{GroupNumbers, GroupSummary};
pub use kept::Kept;
pub use label_counts::LabelSummary;
pub use leaderboard::{Example, ExampleMatch};
pub use matches::{AtLeast, Matches};
pub use merge::{LinesBefore, MergedAnswer, MergedShard, merge};
pub use missing::Missing;
use names::by_name;
pub use names::{ExecutorName, UnknownName};
pub use opened::Opened;
pub use partial::PartialAnswer;
pub use planned_executor::PlannedExecutor;
pub use run_journal::RunJournal;
pub use run_options::RunOptions;
pub use sampling::Sampling;
pub use scored::Scored;
#[cfg(feature = "cli")]
pub use scorer::arguments;
pub use scorer::*;
pub(crate) use scorer::{CellKind, RESERVED};
pub use summary::Summary;
use version::PlanVersion;
pub use worker::serve;
pub use written_failures::WrittenFailures;
pub use written_file::WrittenFile;

/// What to score, with which scorer, and how.
///
/// ```
/// use manyhands::plan::{Plan, RunOptions};
///
/// let mut plan = Plan::new(["data/reviews.jsonl"]);
/// plan.by = vec!["category".to_owned()];
/// let answer = plan.open()?.run(RunOptions::default())?;
/// let compound = &answer.report.value.scores["compound"];
/// assert_eq!(compound.moments.count, answer.report.records);
/// # Ok::<(), manyhands::Error>(())
/// ```
///
/// A plan can be written down, for example as JSON. It then has a version. A plan of another version, or with
/// an unknown field, is refused when it is read.
///
/// ```
/// # use manyhands::plan::Plan;
/// let plan = Plan::new(["data/reviews.jsonl"]);
/// let written = serde_json::to_string(&plan)?;
/// assert!(written.starts_with("{\"version\":1,"));
/// assert_eq!(serde_json::from_str::<Plan>(&written)?, plan);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The version of the written form. It comes first, so that a plan of another version is refused for its
    /// version, and not for another difference.
    pub(crate) version: PlanVersion,
    /// The files, which together form one dataset. The path `-` is standard input. All files are read as one stream if
    /// a path is `-`, a pipe, a device, or a file whose size the system does not know, such as a file under `/proc`.
    pub files: Vec<PathBuf>,
    /// Number of records to score, from the first one on. `None` means all records. The files are then read as one
    /// stream, and no more of them is read than these records require.
    pub head: Option<u64>,
    /// The sample to score in place of all records. If there is also a `head`, the sample is drawn from these first
    /// records.
    pub sample: Option<Sampling>,
    /// The shard of the records to score, if the run does not score all of them. Its answer is a
    /// [`PartialAnswer`], see [`Opened::run_partial`]. A plan with a shard has no `head` and no `sample`.
    pub shard: Option<Shard>,
    /// What the shard assumes about its beginning, if it begins inside a file of delimited text. `None` means that the
    /// program guesses from the text whether a quoted field contains it. [`merge`] refuses a wrong assumption.
    pub shard_start: Option<ShardStart>,
    /// The length of the longest record of the files, and of a reference, in bytes without its line ending. A
    /// longer record of the files is a failed record; it is skipped, and is not kept in memory.
    pub max_record: u64,
    /// The encoding of the files, if it is not UTF-8. It does not apply to a reference, which is UTF-8. See
    /// [`OpenOptions::encoding`](crate::dataset::OpenOptions::encoding).
    pub encoding: Option<TextEncoding>,
    /// Whether bytes of the files that are not text in their encoding are replaced by U+FFFD. Otherwise, they make
    /// their record fail.
    pub lossy: bool,
    /// The format of all files. `None` means that the format of each file is found, see
    /// [`OpenOptions`](crate::dataset::OpenOptions).
    pub format: Option<FormatName>,
    /// The delimiter of delimited text. `None` means that the delimiter of each file is found from its first record.
    pub delimiter: Option<Delimiter>,
    /// Whether the first record of delimited text is a header that names the columns. If `header` is false, the columns
    /// are named by their numbers, from 1.
    pub header: bool,
    /// The scorer.
    pub scorer: AnyScorer,
    /// The [fields](crate::dataset::Fields) that hold the text to score. Several texts are joined by line ends.
    pub fields: Vec<String>,
    /// What to do with a record if one of these fields has no value. `None` is the default of the scorer: the record
    /// [fails](Missing::Fail), and with the scorer `number`, it is [skipped](Missing::Skip) if no field has a value.
    pub missing: Option<Missing>,
    /// The fields by which the scores are grouped. If there are none, the scores are not grouped.
    pub by: Vec<String>,
    /// The answer names this number of best records and this number of worst records. Every worker keeps the texts
    /// of its own best and worst records in memory.
    pub top: usize,
    /// The column of numbers by which records are ranked and groups are compared, if the columns are found during the
    /// run, because the records are scored [outside](AnyScorer::outside) this process. `None` means `score`. A plan with
    /// another scorer, whose columns are known, is refused if it has a `rank`.
    pub rank: Option<String>,
    /// Fields to copy from each record to its line of scores. If the only one is [`Plan::ALL_FIELDS`], every field of
    /// a record is copied, in the order of the input.
    pub keep: Vec<String>,
    /// The executor.
    pub executor: ExecutorName,
    /// The program of the worker processes of a [process pool](ExecutorName::ProcessPool). It is started with the
    /// argument `worker`, and must then call [`serve`], as the command `manyhands` does. The written form of a
    /// plan does not contain the program.
    #[serde(skip)]
    pub program: Option<PathBuf>,
    /// Number of workers. `None` means the number of usable cores.
    pub threads: Option<Threads>,
    /// Whether each worker is kept on its own hardware thread, if the system allows this.
    pub pin: bool,
    /// What a run does about records that cannot be scored.
    pub on_failure: OnFailure,
    /// The limit of records in flight and of records started per second.
    pub limit: Limit,
    /// Time after which the run is stopped. In a [process pool](ExecutorName::ProcessPool), this includes the time
    /// for starting the processes, and a process that is still busy with a record 2 s after the deadline is
    /// killed.
    pub deadline: Option<Duration>,
    /// Time allowed for one record. A worker process that takes longer is killed. Its records are tried again one
    /// at a time; a record that takes too long then fails as [timed out](crate::error::TimedOut), and the run goes
    /// on. The time for starting a process does not count. For a service [outside](AnyScorer::outside), this is the time
    /// for a call, and `None` means 60 s. Apart from calls, only a [process pool](ExecutorName::ProcessPool) and the
    /// processes of a [program](ExecOptions) can enforce this timeout, since a thread cannot be stopped in the middle of
    /// a record. A plan that has a timeout and scores records in threads is refused when it is opened.
    pub timeout: Option<Duration>,
    /// How often a record that has failed is sent again to the program or the service [outside](AnyScorer::outside) that
    /// scores it, after a pause that grows each time. `None` means 0 times for a program, and 5 times for a service. The
    /// other scorers give the same answer each time, so a plan that has retries and one of these scorers is refused when it
    /// is opened.
    pub retries: Option<u32>,
}

impl Plan {
    /// Creates a plan that scores the field `text` of the records in these files with `sentiment`, on all usable
    /// cores.
    pub fn new<P: Into<PathBuf>>(files: impl IntoIterator<Item = P>) -> Self {
        Plan {
            version: PlanVersion,
            files: files.into_iter().map(Into::into).collect(),
            head: None,
            sample: None,
            shard: None,
            shard_start: None,
            max_record: MAX_RECORD_BYTES,
            encoding: None,
            lossy: false,
            format: None,
            delimiter: None,
            header: true,
            scorer: AnyScorer::default(),
            fields: vec![Self::DEFAULT_FIELD.to_owned()],
            missing: None,
            by: Vec::new(),
            top: 3,
            rank: None,
            keep: Vec::new(),
            executor: ExecutorName::default(),
            program: None,
            threads: None,
            pin: false,
            on_failure: OnFailure::default(),
            limit: Limit::none(),
            deadline: None,
            timeout: None,
            retries: None,
        }
    }

    /// The field that a new plan scores.
    pub(crate) const DEFAULT_FIELD: &str = "text";

    /// The columns of the scores.
    pub fn columns(&self) -> ScorerColumns {
        self.scorer.columns(self)
    }

    /// The name that stands for every field of a record in [`Plan::keep`].
    pub const ALL_FIELDS: &str = "*";

    /// Whether every field of a record is copied to its line of scores.
    pub fn keeps_all(&self) -> bool {
        self.keep == [Self::ALL_FIELDS]
    }

    /// The names of the fields that are copied to the line of scores. The list is empty if every field is copied.
    pub(crate) fn kept_fields(&self) -> &[String] {
        match self.keeps_all() {
            true => &[],
            false => &self.keep,
        }
    }

    /// The fields that are read from each record: first the texts, then the fields to group by, then the fields to
    /// keep.
    fn selected(&self) -> Fields {
        let others = self.by.iter().chain(self.kept_fields());
        match self.scorer.reads_fields() {
            true => Fields::new(&self.fields, others),
            false => Fields::optional(&self.fields, others),
        }
    }

    /// Every file that a run reads: the files with the records, and the other files that the scorer reads.
    pub fn inputs(&self) -> Vec<&Path> {
        let files = self.files.iter().map(PathBuf::as_path);
        files.chain(self.scorer.inputs()).collect()
    }

    /// Number of workers that a run of this plan uses. If a service scores the records, one worker suffices unless the plan
    /// names a number: it only visits the answers.
    pub fn workers(&self) -> usize {
        #[cfg(feature = "http")]
        if matches!(self.scorer.outside(), Some(Outside::Service(_))) {
            return self.threads.map_or(1, Threads::here);
        }
        match self.executor {
            ExecutorName::Sequential => 1,
            _ => self.threads.map_or_else(usable_cores, Threads::here),
        }
    }

    /// Opens the files and prepares the scorer.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be opened, or if a file that the scorer reads as a whole has a bad
    /// record.
    pub fn open(&self) -> Result<Opened, Error> {
        let whole_records = self.keeps_all() || !self.scorer.reads_fields();
        Opened::new(self.clone(), whole_records)
    }

    /// Like [`open`](Plan::open), but reads the records from this stream instead of the files.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`open`](Plan::open).
    pub fn open_over(&self, records: TextStream<'static>) -> Result<Opened, Error> {
        Opened::over(self.clone(), records)
    }

    /// Whether processes other than this one score the records: the workers of a
    /// [process pool](ExecutorName::ProcessPool), or the processes of a [program](ExecOptions).
    pub fn scores_in_processes(&self) -> bool {
        let outside = self.scorer.outside();
        self.executor == ExecutorName::ProcessPool || matches!(outside, Some(Outside::Program(_)))
    }

    /// Starts the executor that the plan names. It can be used for several runs.
    ///
    /// # Errors
    ///
    /// Returns an error if the workers of the executor cannot be started.
    pub fn start_executor(&self) -> Result<PlannedExecutor, Error> {
        PlannedExecutor::start(self)
    }

    /// The worker processes for runs in a [process pool](ExecutorName::ProcessPool). No process is started yet.
    ///
    /// # Errors
    ///
    /// Returns an error if the plan does not say which program to start, or if it cannot be sent to another
    /// process because its reference is a pipe or has a name that is not text.
    pub fn process_pool(&self) -> Result<ProcessPool, Error> {
        self.process_pool_of(self.workers())
    }

    /// Creates a process pool with at most this number of worker processes.
    fn process_pool_of(&self, workers: usize) -> Result<ProcessPool, Error> {
        let program = self.program.clone().ok_or_else(|| Error::Process {
            message: "the plan does not say which program to start; set its field `program`"
                .to_owned(),
        })?;
        let setup = worker::setup(self)?;
        let workers = self.limit.workers(workers);
        Ok(ProcessPool::new(program, setup, workers, self.pin))
    }
}

#[cfg(test)]
mod tests;
