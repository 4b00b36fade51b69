//! Merges the partial answers of shards to the answer of the whole dataset.

mod combined;
mod states;
mod tiling;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::partial::{
    OneShard, PartialAnswer, PartialBody, PlainInput, PlainReference, StateSource,
};
use super::summary::PlanAggregator;
use super::{Answer, Plan, WrittenFailures, WrittenFile};
use crate::aggregation::{Aggregator, State};
use crate::dataset::{InputFile, Position, Shard};
use crate::error::{Error, Failure, FailureKind, OnFailure, Place};
use crate::machine::Machine;
use crate::plan::path_text::path_of;
use crate::report::{Digest, End, Report, Timing, WorkerTiming};

/// The aggregator of a plan in a process that only merges states, so it gives no record a place.
type MergingAggregator = PlanAggregator<fn(Position) -> Option<Place>>;

/// Merges the partial answers of some shards of a dataset, in any order. The shards must be neighbours, so that they
/// cover a range of the dataset. If two of the partial answers are of the same shard and have the same result, one of
/// them counts: engines run a task twice if they cannot tell whether it has ended.
///
/// The states are read and merged by all cores. The groups of all partial answers are in memory once, and beside them those of
/// one partial answer for each core.
///
/// # Errors
///
/// Returns [`Error::Merge`], with the name of the shard and what to do, if
///
/// - a shard between two others is missing,
/// - two partial answers of one shard have different results, or two partial answers overlap,
/// - the inputs, the plans, the contents of the files that the scorer reads, or the versions differ,
/// - the bytes around the cut between two shards differ, or a shard has made a wrong assumption about the quotes at its
///   beginning,
/// - a partial answer is damaged.
///
/// What this cannot see: an input that has changed between the runs of two shards, has the same name and length, and has
/// the same bytes around the cuts.
pub fn merge(partials: impl IntoIterator<Item = PartialAnswer>) -> Result<MergedAnswer, Error> {
    let partials = tiling::in_order(partials.into_iter().collect())?;
    let moves = combined::moves(&partials);
    let (Some(first), Some(body)) = (partials.first(), combined::body(&partials, &moves)) else {
        let message = "no partial answer was named; name the files that --partial has written";
        return Err(Error::Merge(message.to_owned()));
    };
    let plan: Plan = serde_json::from_str(&first.body.plan).map_err(|error| {
        let reason = format!("its plan cannot be read: {error}");
        super::partial::refused(&first.path_or_name(), reason)
    })?;
    let aggregator = states::merged(&plan, &partials, &moves)?;
    Ok(MergedAnswer {
        plan,
        body,
        aggregator,
    })
}

/// The merged answers of neighbouring shards: of the whole dataset if they are all of its shards.
pub struct MergedAnswer {
    plan: Plan,
    body: PartialBody,
    aggregator: MergingAggregator,
}

impl fmt::Debug for MergedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MergedAnswer")
            .field("shards", &self.body.shards_text())
            .field("records", &self.body.records)
            .finish_non_exhaustive()
    }
}

/// What a shard has contributed to a merged answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MergedShard {
    /// The shard.
    pub shard: Shard,
    /// Number of records of the shard.
    pub records: u64,
    /// Number of records before the shard.
    pub records_before: u64,
    /// The time from the start of its run to its answer.
    pub wall: Duration,
    /// The processor time of its run, if the system reports it.
    pub cpu: Option<Duration>,
    /// The scores file that its run has written.
    pub scores: Option<WrittenFile>,
    /// The files of failures and of reasons that its run has written.
    pub failures: Option<WrittenFailures>,
    /// If the shard begins inside a file: which of its records begin in this file, and how many lines are before them.
    pub first_lines: Option<LinesBefore>,
}

/// How the lines of a shard's first records are found in the whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinesBefore {
    /// The file in which the shard begins.
    pub path: PathBuf,
    /// Number of the shard's records that begin in the file. They are its first ones.
    pub records: u64,
    /// Number of lines of the file before the shard.
    pub lines: u64,
}

impl MergedAnswer {
    /// The first and the last shard.
    pub fn shards(&self) -> (Shard, Shard) {
        self.body.ends()
    }

    /// The plan of the shards, without what differs between them.
    pub fn plan(&self) -> Plan {
        let inputs = self.body.inputs.iter();
        Plan {
            files: inputs.map(|input| path_of(input.path.clone())).collect(),
            ..self.plan.clone()
        }
    }

    /// The inputs that the shards have read.
    pub fn inputs(&self) -> Vec<InputFile> {
        let inputs = self.body.inputs.iter().cloned();
        inputs.map(PlainInput::into_file).collect()
    }

    /// What each shard has contributed.
    pub fn each(&self) -> Vec<MergedShard> {
        let mut records_before = 0;
        let each = (self.body.first..).zip(&self.body.each);
        each.map(|(number, one)| {
            let before = records_before;
            records_before += one.records;
            MergedShard {
                shard: Shard::new(number, self.body.of).unwrap_or(Shard::WHOLE),
                records: one.records,
                records_before: before,
                wall: one.wall,
                cpu: one.cpu,
                scores: one.scores,
                failures: one.failures.clone(),
                first_lines: one
                    .first_lines
                    .clone()
                    .map(|(path, records, lines)| LinesBefore {
                        path: path_of(path),
                        records,
                        lines,
                    }),
            }
        })
        .collect()
    }

    /// The merged answer as a partial answer, which can be written and merged with those of the other shards.
    pub fn partial(&self) -> PartialAnswer {
        PartialAnswer {
            body: self.body.clone(),
            state: StateSource::Memory(self.aggregator.clone().save()),
            path: None,
        }
    }

    /// Checks that the shards are the whole dataset.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Merge`], with the names of shards that are missing at the beginning or at the end.
    pub fn check_whole(&self) -> Result<(), Error> {
        tiling::check_whole(&self.body)
    }

    /// The answer of the whole dataset. It has the same bits as that of a single run over the dataset. Its times are sums
    /// over the shards. The failure policy of the plan is judged by the number of records and failures of all shards.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Merge`] if shards are missing at the beginning or at the end.
    pub fn answer(self) -> Result<Answer, Error> {
        self.check_whole()?;
        let kind = self.body.kind;
        let mut answer = self.answer_of_shards();
        let policy = answer.plan.on_failure;
        answer.report.end = end_of(policy, &answer.report, kind);
        answer.warnings = answer.found_warnings();
        Ok(answer)
    }

    /// The answer of the shards alone, which need not be the whole dataset. Records are numbered from the beginning of the
    /// first of them. Its times are sums over the shards. The failure policy of the plan has no effect: it is judged when all
    /// shards are merged. If there is a single shard, this is the answer that its run has returned, except that the plan
    /// lacks what may differ between shards.
    ///
    /// ```
    /// use manyhands::dataset::Shard;
    /// use manyhands::plan::{Plan, RunOptions, merge};
    ///
    /// let mut plan = Plan::new(["data/reviews.jsonl"]);
    /// plan.shard = Shard::new(1, 3);
    /// let (first, partial) = plan.open()?.run_partial(RunOptions::default())?;
    /// let again = merge([partial])?.answer_of_shards();
    /// assert_eq!(again.digest, first.digest);
    /// # Ok::<(), manyhands::Error>(())
    /// ```
    pub fn answer_of_shards(self) -> Answer {
        let each = self.each();
        let plan = self.plan();
        let PartialBody {
            records,
            failed,
            skipped,
            failures,
            inputs,
            ..
        } = self.body;
        let failures: Vec<Failure> = failures.into_iter().map(Failure::from).collect();
        let value = self.aggregator.finish();
        let digest = Digest::of(&(records, failed, skipped, &value));
        let report = Report {
            value,
            end: End::Finished,
            records,
            scored: records - failed - skipped,
            failed,
            skipped,
            failures,
            timing: Timing {
                wall: each.iter().map(|one| one.wall).sum(),
                cpu: each.iter().map(|one| one.cpu).sum(),
                finish: Duration::ZERO,
                workers: vec![all_workers(records, &self.body.each)],
                slowest: self.body.slowest.into_iter().map(Into::into).collect(),
            },
        };
        let mut answer = Answer {
            plan,
            command: Vec::new(),
            began: self.body.began,
            report,
            digest,
            pairs: self.body.pairs,
            calls: self.body.calls.map(|calls| calls.into_report()),
            files: inputs.into_iter().map(PlainInput::into_file).collect(),
            drawing: None,
            reference: self.body.reference.map(PlainReference::into_summary),
            machine: Machine::look(),
            throttled: None,
            pinned: None,
            field_names: self.body.field_names,
            absent: self.body.absent,
            warnings: Vec::new(),
            shards: each,
            resumed: None,
        };
        answer.warnings = answer.found_warnings();
        answer
    }
}

/// The shards one after the other, as if one worker had scored them.
fn all_workers(records: u64, each: &[OneShard]) -> WorkerTiming {
    let sum = |place: usize| each.iter().map(|one| one.worker[place]).sum();
    WorkerTiming {
        records,
        busy: sum(0),
        task: sum(1),
        preempted: sum(2),
        input: sum(3),
        limited: sum(4),
        from: Duration::ZERO,
        until: each.iter().map(|one| one.wall).sum(),
    }
}

/// How a run over the whole dataset ends according to its failure policy. `kind` is the kind of all failures that are
/// known, if it is the same.
fn end_of<T>(policy: OnFailure, report: &Report<T>, kind: Option<FailureKind>) -> End {
    let Report {
        records,
        failed,
        ref failures,
        ..
    } = *report;
    let Some(first) = failures.first() else {
        return End::Finished;
    };
    let is_known = kind.is_some_and(|kind| kind != FailureKind::Other);
    let share = failed as f64 / records.max(1) as f64;
    let at = match policy {
        OnFailure::SkipUnlessAllFail if failed == records && is_known => {
            return End::AllFailed(first.clone());
        }
        OnFailure::Stop => 0,
        OnFailure::Skip { at_most } if failed > at_most => at_most,
        OnFailure::SkipShare { at_most } if share > at_most.max(0.0) => failed - 1,
        _ => return End::Finished,
    };
    // The failure that exceeds what is allowed may be one that was only counted.
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    End::Halted(
        failures
            .get(at)
            .or(failures.last())
            .unwrap_or(first)
            .clone(),
    )
}
