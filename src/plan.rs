//! A pipeline by names: what to score, with what, and how, as plain data.
//!
//! The command line builds a [`Plan`] from its arguments. Because a plan is only names and options
//! it can be written down, compared, and sent to another process, where a closure cannot go.

mod json;
mod podiums;
mod prepared;
mod scored;
mod scorer;
mod summary;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::aggregation::Ranked;
use crate::dataset::{Dataset, JsonLines};
use crate::error::{Error, OnFailure, Place};
use crate::execution::{Executor, Sequential, WorkStealing, usable_cores};
use crate::pipeline::Pipeline;
use crate::report::{Digest, Report, processor_time};
use crate::sink::Sink;
use crate::task::matching::Pairs;

pub use prepared::Cell;
pub use scored::{NO_GROUP, Scored};
pub use scorer::{Column, Scorer, ScorerName};
pub use summary::{Described, GroupSummary, Summary};

use podiums::Bars;
use prepared::Prepared;
use scored::ScoreField;
use summary::summarise;

/// What to score, with what, and how.
///
/// ```
/// use manyhands::plan::Plan;
///
/// let mut plan = Plan::new(["data/reviews.jsonl"]);
/// plan.by = Some("category".to_owned());
/// let answer = plan.open()?.run(&|_| {}, None)?;
/// let compound = &answer.report.value.scores["compound"];
/// assert_eq!(compound.moments.count, answer.report.records);
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// JSON lines files, which together are one dataset.
    pub files: Vec<PathBuf>,
    /// The scorer.
    pub scorer: Scorer,
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
    /// How many workers; all usable cores where it is `None`.
    pub threads: Option<usize>,
    /// What becomes of the run when a record cannot be scored.
    pub on_failure: OnFailure,
}

/// The executors that have a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ExecutorName {
    /// [`Sequential`]: a plain loop.
    Sequential,
    /// [`WorkStealing`]: a rayon pool.
    #[default]
    WorkStealing,
}

impl ExecutorName {
    /// Every executor that has a name.
    pub const ALL: [ExecutorName; 2] = [ExecutorName::Sequential, ExecutorName::WorkStealing];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            ExecutorName::Sequential => "sequential",
            ExecutorName::WorkStealing => "work-stealing",
        }
    }
}

/// A name that means nothing here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {kind} is called {name:?}; there is {known}")]
pub struct UnknownName {
    kind: &'static str,
    name: String,
    known: String,
}

/// The one among `all` that has this name.
fn by_name<T: Copy>(
    kind: &'static str,
    wanted: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<T, UnknownName> {
    let found = all.iter().find(|one| name(**one) == wanted);
    found.copied().ok_or_else(|| UnknownName {
        kind,
        name: wanted.to_owned(),
        known: all
            .iter()
            .map(|one| name(*one))
            .collect::<Vec<_>>()
            .join(", "),
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
            files: files.into_iter().map(Into::into).collect(),
            scorer: Scorer::Sentiment,
            field: "text".to_owned(),
            by: None,
            top: 3,
            keep: Vec::new(),
            executor: ExecutorName::default(),
            threads: None,
            on_failure: OnFailure::default(),
        }
    }

    /// How many workers the run will have.
    pub fn workers(&self) -> usize {
        match self.executor {
            ExecutorName::Sequential => 1,
            ExecutorName::WorkStealing => self.threads.unwrap_or_else(usable_cores).max(1),
        }
    }

    /// Opens the files, and makes the scorer ready.
    ///
    /// # Errors
    ///
    /// Where a file cannot be opened, or one that the scorer needs as a whole is not what it should
    /// be.
    pub fn open(&self) -> Result<Opened<'_>, Error> {
        Ok(Opened {
            plan: self,
            dataset: JsonLines::open(&self.files)?,
            scorer: Prepared::new(self)?,
        })
    }

    fn make_executor(&self) -> Result<Box<dyn Executor>, Error> {
        Ok(match self.executor {
            ExecutorName::Sequential => Box::new(Sequential),
            ExecutorName::WorkStealing => {
                let executor = WorkStealing::new(self.workers());
                if self.threads.is_some() {
                    // Asked for by number, so the report must be able to say that they were there.
                    executor.start()?;
                }
                Box::new(executor)
            }
        })
    }
}

/// A plan whose files are open and whose scorer is ready.
#[derive(Debug)]
pub struct Opened<'p> {
    plan: &'p Plan,
    dataset: JsonLines,
    scorer: Prepared,
}

/// What a plan comes to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The report of the run.
    pub report: Report<Summary>,
    /// Equal for two runs of the same plan exactly when they gave the same answer: every number of
    /// the summary and how many records failed. Another `top` or `by` asks for another answer.
    pub digest: Digest,
    /// The best records, best first.
    pub top: Vec<Example>,
    /// The worst records, worst first.
    pub bottom: Vec<Example>,
    /// How many pairs of a record and a text of the reference were looked at, if the scorer has a
    /// reference. No part of the answer: how much can be left out depends on how the run went.
    pub pairs: Option<Pairs>,
}

/// One record, to show.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Example {
    /// Index of the record, from 0.
    pub index: u64,
    /// Its main score.
    pub score: f64,
    /// Where it stands.
    pub place: Place,
    /// The text that was scored.
    pub text: String,
}

impl Opened<'_> {
    /// How many bytes there are to score.
    pub fn bytes(&self) -> u64 {
        self.dataset.extent(0..self.dataset.parts())
    }

    /// Scores every record. `progress` is told how many more bytes are done; `sink` takes every
    /// score in the order of the records.
    ///
    /// # Errors
    ///
    /// Where a file cannot be read, the scores cannot be written, or a failure stops the run.
    pub fn run(
        &self,
        progress: &(dyn Fn(u64) + Sync),
        sink: Option<&dyn Sink<Scored>>,
    ) -> Result<Answer, Error> {
        let plan = self.plan;
        let executor = plan.make_executor()?;
        let bars = Arc::new(Bars::new(plan.top));
        let task = ScoreField::new(plan, &self.scorer, Arc::clone(&bars));
        let mut pipeline = Pipeline::new(&self.dataset, task)
            .executor(&*executor)
            .on_failure(plan.on_failure)
            .progress(progress);
        if let Some(sink) = sink {
            pipeline = pipeline.scores(sink);
        }
        let pairs_before = self.scorer.pairs();
        let before = processor_time();
        let mut report = pipeline.aggregate(summarise(plan, bars))?;
        report.timing.cpu = processor_time().zip(before).map(|(now, then)| now - then);
        let pairs = self.scorer.pairs().zip(pairs_before);
        let pairs = pairs.map(|(now, before)| now.since(before));
        let value = &report.value;
        let digest = Digest::of(&(report.records, report.failed, value));
        let (top, bottom) = (
            self.examples(value, &value.top),
            self.examples(value, &value.bottom),
        );
        Ok(Answer {
            report,
            digest,
            top,
            bottom,
            pairs,
        })
    }

    /// What is shown of these records.
    fn examples(&self, summary: &Summary, ranked: &[Ranked]) -> Vec<Example> {
        let example = |ranked: &Ranked| {
            let shown = summary.shown.get(&ranked.index)?;
            Some(Example {
                index: ranked.index,
                score: ranked.score,
                place: self.dataset.place(shown.at)?,
                text: shown.text.clone(),
            })
        };
        ranked.iter().filter_map(example).collect()
    }
}
