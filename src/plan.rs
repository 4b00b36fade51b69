//! A pipeline by names: what to score, with what, and how, as plain data.
//!
//! The command line builds a [`Plan`] from its arguments. Because a plan is only names and options
//! it can be written down, compared, and sent to another process, where a closure cannot go.

mod column_summary;
mod coordinator;
mod json;
mod leaderboard;
mod matches;
mod opened;
mod planned_executor;
mod replies;
mod run_options;
mod scored;
mod scorer;
mod summary;
mod version;
mod wire;
mod worker;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::dataset::{MAX_RECORD_BYTES, TextStream};
use crate::error::{Error, OnFailure};
use crate::execution::Threads;
use crate::limit::Limit;
use crate::machine::usable_cores;
use crate::remote::ProcessPool;

pub use column_summary::{LabelSummary, NumberSummary};
pub use leaderboard::Example;
pub use matches::{AtLeast, Matches};
pub use opened::{Answer, Opened};
pub use planned_executor::PlannedExecutor;
pub use run_options::RunOptions;
pub(crate) use scored::RESERVED;
pub use scored::{NO_GROUP, Scored};
#[cfg(test)]
pub(crate) use scorer::MadeUpOptions;
#[cfg(feature = "cli")]
pub use scorer::arguments;
pub use scorer::{
    AnyScorer, Cell, Column, ColumnKind, MatchOptions, ScorerColumns, SentimentOptions,
};
pub use summary::{GroupSummary, Summary};
use version::PlanVersion;
pub use worker::serve;

/// What to score, with what, and how.
///
/// ```
/// use manyhands::plan::{Plan, RunOptions};
///
/// let mut plan = Plan::new(["data/reviews.jsonl"]);
/// plan.by = Some("category".to_owned());
/// let answer = plan.open()?.run(RunOptions::default())?;
/// let compound = &answer.report.value.scores["compound"];
/// assert_eq!(compound.moments.count, answer.report.records);
/// # Ok::<(), manyhands::Error>(())
/// ```
/// A plan can be written down, as JSON for example. It then has a version; a plan of another version, or with a
/// field that this one does not know, is refused when it is read.
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
    /// Comes first when the plan is written down, so that a plan of another version is refused for that.
    pub(crate) version: PlanVersion,
    /// JSON lines files, which together are one dataset. Where a path is `-`, which is standard input, or
    /// names a pipe or a device (or a file that is not as long as the system says, as under `/proc`), all are
    /// read as one stream.
    pub files: Vec<PathBuf>,
    /// The longest record of the files, and of a reference, in bytes without its line ending. A longer
    /// line of the files is a failed record; it is read past without being kept in memory.
    pub max_record: u64,
    /// The scorer.
    pub scorer: AnyScorer,
    /// The field that holds the text to score.
    pub field: String,
    /// The field to group the scores by.
    pub by: Option<String>,
    /// How many of the best and of the worst records to name. Every worker has the texts of as many in
    /// memory.
    pub top: usize,
    /// Fields to copy from each record to its line of scores.
    pub keep: Vec<String>,
    /// The executor.
    pub executor: ExecutorName,
    /// The program to start as the worker processes of a [process pool](ExecutorName::ProcessPool): with
    /// the argument `worker` it must call [`serve`], as the command `manyhands` does. No part of what is
    /// written down of a plan.
    #[serde(skip)]
    pub program: Option<PathBuf>,
    /// How many workers; all usable cores where it is `None`.
    pub threads: Option<Threads>,
    /// Whether each worker is kept on a hardware thread of its own, where the system allows that.
    pub pin: bool,
    /// What becomes of the run when a record cannot be scored.
    pub on_failure: OnFailure,
    /// How many records may be in flight and be started in a second.
    pub limit: Limit,
    /// After how long the run is stopped. In a [process pool](ExecutorName::ProcessPool) the time in
    /// which the processes get ready counts too, and a process that is still in the middle of a record 2 s
    /// later is killed.
    pub deadline: Option<Duration>,
    /// Time allowed for one record. A worker process that gives no answer for so long is killed; a record
    /// with which alone this happens fails as [timed out](crate::error::TimedOut), and the run goes on.
    /// The time in which a process gets ready does not count. Only a [process
    /// pool](ExecutorName::ProcessPool) can keep it, since a thread cannot be stopped in the middle of a
    /// record: with any other executor the plan is refused when it is opened.
    pub timeout: Option<Duration>,
}

/// The executors that have a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ExecutorName {
    /// [`Sequential`](crate::execution::Sequential): a plain loop.
    Sequential,
    /// [`WorkStealing`](crate::execution::WorkStealing): a rayon pool.
    #[default]
    WorkStealing,
    /// [`TaskQueue`](crate::execution::TaskQueue): threads of its own.
    TaskQueue,
    /// [`ProcessPool`]: processes, so that a record that takes its process down costs no other. Each
    /// makes the scorer ready for itself.
    ProcessPool,
}

impl ExecutorName {
    /// Every executor that has a name.
    pub const ALL: [ExecutorName; 4] = [
        ExecutorName::Sequential,
        ExecutorName::WorkStealing,
        ExecutorName::TaskQueue,
        ExecutorName::ProcessPool,
    ];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            ExecutorName::Sequential => "sequential",
            ExecutorName::WorkStealing => "work-stealing",
            ExecutorName::TaskQueue => "task-queue",
            ExecutorName::ProcessPool => "process-pool",
        }
    }
}

/// A name that means nothing here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {kind} is called {name:?}; known {kind}s: {known}")]
pub struct UnknownName {
    kind: &'static str,
    name: String,
    known: String,
}

impl UnknownName {
    fn new(kind: &'static str, name: &str, known: &[&str]) -> Self {
        UnknownName {
            kind,
            name: name.to_owned(),
            known: known.join(", "),
        }
    }
}

/// The one among `all` that has this name.
fn by_name<T: Copy>(
    kind: &'static str,
    wanted: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<T, UnknownName> {
    let found = all.iter().find(|one| name(**one) == wanted);
    found.copied().ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|one| name(*one)).collect();
        UnknownName::new(kind, wanted, &known)
    })
}

impl FromStr for ExecutorName {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        by_name("executor", name, &Self::ALL, Self::name)
    }
}

impl fmt::Display for ExecutorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Plan {
    /// Scores the field `text` of these files with `sentiment`, on all usable cores.
    pub fn new<P: Into<PathBuf>>(files: impl IntoIterator<Item = P>) -> Self {
        Plan {
            version: PlanVersion,
            files: files.into_iter().map(Into::into).collect(),
            max_record: MAX_RECORD_BYTES,
            scorer: AnyScorer::default(),
            field: "text".to_owned(),
            by: None,
            top: 3,
            keep: Vec::new(),
            executor: ExecutorName::default(),
            program: None,
            threads: None,
            pin: false,
            on_failure: OnFailure::default(),
            limit: Limit::none(),
            deadline: None,
            timeout: None,
        }
    }

    /// The columns of the scores.
    pub fn columns(&self) -> ScorerColumns {
        self.scorer.columns(self)
    }

    /// Everything that a run reads: the files, and what the scorer reads beside the records.
    pub fn inputs(&self) -> Vec<&Path> {
        let files = self.files.iter().map(PathBuf::as_path);
        files.chain(self.scorer.inputs()).collect()
    }

    /// How many workers the run will have.
    pub fn workers(&self) -> usize {
        match self.executor {
            ExecutorName::Sequential => 1,
            _ => self.threads.map_or_else(usable_cores, Threads::here),
        }
    }

    /// Opens the files, and makes the scorer ready.
    ///
    /// # Errors
    ///
    /// Where a file cannot be opened, or one that the scorer needs as a whole is not what it should
    /// be.
    pub fn open(&self) -> Result<Opened, Error> {
        Opened::new(self.clone())
    }

    /// The same, but for the records, which come from here instead of the files.
    ///
    /// # Errors
    ///
    /// As [`open`](Plan::open).
    pub fn open_over(&self, records: TextStream<'static>) -> Result<Opened, Error> {
        Opened::over(self.clone(), records)
    }

    /// Whether the timeout, if there is one, can be kept: by processes alone.
    fn check_timeout(&self, processes: bool) -> Result<(), Error> {
        let Some(timeout) = self.timeout else {
            return Ok(());
        };
        let refuse = |remedy| {
            let what = format!("{} s for a record", timeout.as_secs_f64());
            Err(Error::Limit { what, remedy })
        };
        if timeout.is_zero() {
            return refuse("it must be more than 0");
        }
        if !processes {
            return refuse(
                "a thread cannot be stopped in the middle of a record; use the executor process-pool",
            );
        }
        Ok(())
    }

    /// Starts the executor that the plan names, for several runs.
    ///
    /// # Errors
    ///
    /// If its workers cannot be started.
    pub fn start_executor(&self) -> Result<PlannedExecutor, Error> {
        PlannedExecutor::start(self)
    }

    /// The worker processes for runs in a [process pool](ExecutorName::ProcessPool). None is started yet.
    ///
    /// # Errors
    ///
    /// If the plan does not say which program to start, or cannot be sent to another process: its
    /// reference is a pipe, or has a name that is not text.
    pub fn process_pool(&self) -> Result<ProcessPool, Error> {
        self.process_pool_of(self.workers())
    }

    /// At most this many worker processes.
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
