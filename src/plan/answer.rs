//! The answer of a plan.

use std::time::{Duration, SystemTime};

use super::scorer::ReferenceSummary;
use super::{CallsReport, MergedShard, Plan, Resumed, Summary};
use crate::dataset::InputFile;
use crate::machine::{Machine, Throttled};
use crate::report::{Digest, Report};
use crate::similar::most_similar;
use crate::task::matching::Pairs;

/// The answer of a plan.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The plan that was run.
    pub plan: Plan,
    /// The arguments of the command that started the run, if the [options](super::RunOptions::command) of the run name them.
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
    /// What the calls to the service were like, if a service scores the records.
    pub calls: Option<CallsReport>,
    /// The inputs that were read, with their formats.
    pub files: Vec<InputFile>,
    /// How long it took to draw the sample, if the plan scores a sample. The timing of the report does not include it.
    pub drawing: Option<Duration>,
    /// The reference, if the scorer has one.
    pub reference: Option<ReferenceSummary>,
    /// The state of the machine before the run.
    pub machine: Machine,
    /// How often and for how long a quota stopped threads during the run. `None` if there is no quota.
    pub throttled: Option<Throttled>,
    /// Whether the workers were kept on their hardware threads. `None` if the plan does not ask for it.
    pub pinned: Option<bool>,
    /// The names of the fields of the first record that could be read.
    pub field_names: Vec<String>,
    /// Of the fields to score, to group by and to keep, those that have no value in any of the first
    /// [`OnFailure::GRACE`](crate::error::OnFailure::GRACE) records (or of all records, if there are fewer). Their names are probably wrong.
    pub absent: Vec<String>,
    /// Sentences, without a full stop, about what is no failure, but changes the meaning of the answer: fields that no
    /// record has, and options without an effect. A program may add its own warnings before it writes the answer.
    pub warnings: Vec<String>,
    /// What each shard has contributed, if the answer is [merged](super::merge). Its times are then sums over the shards.
    pub shards: Vec<MergedShard>,
    /// What the run has taken over from its [journal](super::RunJournal), if it had one.
    pub resumed: Option<Resumed>,
}

impl Answer {
    /// Explains in a sentence without a full stop why the run took as long as it did.
    pub fn explanation(&self) -> String {
        if let Some(longest) = self.shards.iter().max_by_key(|one| one.wall) {
            let several = match self.shards.len() {
                1 => "one shard".to_owned(),
                several => format!("{several} shards"),
            };
            return format!(
                "{several}, whose times are added up here; the longest one is shard {}, which took {:.1} s",
                longest.shard,
                longest.wall.as_secs_f64()
            );
        }
        match &self.calls {
            Some(calls) => calls.explanation(),
            None => self.report.explanation().to_string(),
        }
    }

    /// The name among the [`field_names`](Answer::field_names) that is most similar to `field`, if one of them is
    /// similar.
    pub fn similar_field(&self, field: &str) -> Option<&str> {
        most_similar(field, &self.field_names)
    }
}
