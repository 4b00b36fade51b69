//! The answer as one JSON object.

mod files;
mod header;
mod matches;
mod shards;
mod timing;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::{
    Answer, CallsReport, Example, GroupName, GroupSummary, LabelSummary, NumberSummary, Summary,
};
use crate::aggregation::{Extremes, MomentSummary};
use crate::error::Failure;
use crate::machine::Machine;
use crate::report::End;
use crate::visible;

use files::FileJson;
use header::HeaderJson;
use matches::{MatchesJson, PairsJson, ReferenceJson};
use shards::ShardJson;
use timing::TimingJson;

impl Answer {
    /// The answer as one JSON object on one line. Numbers that are not finite are `null`. Records, lines and
    /// columns count from 1. Invisible characters are [escaped](crate::output::visible::json).
    ///
    /// | key | value |
    /// |---|---|
    /// | `schema` | the version of this object, a number |
    /// | `version`, `commit` | the version of this library, and the commit that it was built from, if that is known |
    /// | `plan` | the plan, as it is written down; `null` if the scorer reads a file whose name is not Unicode |
    /// | `command` | the arguments of the command, if the [options](super::RunOptions::command) of the run name them |
    /// | `date` | when the run began, such as `2026-11-30T12:00:00Z` |
    /// | `records`, `scored`, `failed`, `skipped` | numbers of records; if the run ended early, only the records before the first one that was not done are counted |
    /// | `resumed`, `resumed_left` | numbers of answers of earlier runs that were [taken over](super::Resumed), and of those that were not, also because a run that ended early has not reached their records; 0 if the run has no journal |
    /// | `digest` | the [digest](Answer::digest) |
    /// | `end` | `how`: `finished`, `stopped` or `halted`; `why` if the run ended early |
    /// | `scores` | by column: for numbers `count`, `sum`, `mean`, `variance`, `stddev`, `min`, `max`, `quantiles`, `histogram` unless no number is finite, and `nan`, the number of records with NaN, if there are any; for labels `count` and `labels`, the number of records with each label, and if the labels are not [counted exactly](super::LabelSummary), `labels_exact`, which is `false`, and `labels_share`, the share of the records that a listed label has at least |
    /// | `groups` | a list, if the plan groups: `group` (a list with the value of each field; `null` for no value), and of its main scores `count`, `sum`, `mean`, `variance`, `stddev`, `min`, `max`; with several columns of the scorer `number` also `columns`, with these figures for each column by name |
    /// | `top`, `bottom` | the best and the worst records: `record`, `score`, `file`, `line`, `text`; if the scorer has a reference, also `best`, the line of the best match in the reference, and `match`, its text |
    /// | `shards` | if the answer is [merged](super::merge), a list with the `shard`, the `records`, and the `wall` and `cpu` time of each shard; the times in `timing` are then sums over the shards |
    /// | `matches` | if the scorer has a reference, the [`Matches`](crate::plan::Matches): `matched`, `of_all` (as a fraction of all records), and `at_least`, a list of `score`, `records`, `of_all` |
    /// | `reference` | if the scorer has a reference: `texts`, and if records without a text were left out, `left_out` and `first_left_out`, the line of the first one |
    /// | `pairs` | if the scorer has a reference: `compared`, `skipped`, `skipped_by` (bound), `per_second` |
    /// | `calls` | if a service scores the records: the [`CallsReport`](crate::plan::CallsReport), with times in seconds |
    /// | `failures` | the first failures: `record`, `file`, `line`, `column`, `error` |
    /// | `failures_left_out` | the number of failures that `failures` does not list |
    /// | `warnings` | the [warnings](Answer::warnings), a list of sentences |
    /// | `timing` | see below |
    /// | `files` | the inputs: `path`, `format`, `format_was_guessed` (if only the first record shows the format), `delimiter` (if the format has one), `bytes` |
    /// | `machine` | the [`Machine`] |
    ///
    /// Times in `timing` are in seconds:
    ///
    /// | key | value |
    /// |---|---|
    /// | `wall`, `cpu` | elapsed time and processor time of the run |
    /// | `read` | time spent on reading the input, summed over all workers |
    /// | `finish` | time for computing the answer from the states of the workers |
    /// | `work`, `span` | time spent on all records together, and time spent on the slowest record |
    /// | `bound` | the shortest time that this number of workers could take |
    /// | `drawing` | if the plan scores a sample, the time for drawing it, which `wall` does not include |
    /// | `throttled`, `pinned` | time during which a quota stopped threads, and whether the workers were pinned; each is present only if it applies |
    /// | `shares` | by name, the [`Shares`](crate::report::Shares) of workers × wall |
    /// | `helps_until` | the estimated number of workers beyond which more workers make the run no faster |
    /// | `explanation` | a sentence that says what limited the run |
    /// | `workers` | for each worker: `records`, `busy`, `waiting`, `share`, `task`, `input`, `preempted`, `from`, `until` |
    /// | `slowest` | the slowest records: `record`, `records` (timed together), `file`, `line`, `time` |
    pub fn to_json(&self) -> String {
        let report = &self.report;
        let json = AnswerJson {
            header: HeaderJson::of(self),
            records: report.records,
            scored: report.scored,
            failed: report.failed,
            skipped: report.skipped,
            resumed: self.resumed.map_or(0, |resumed| resumed.taken_over),
            resumed_left: self.resumed.map_or(0, |resumed| resumed.left),
            digest: self.digest.to_string(),
            end: EndJson::of(&report.end),
            scores: ColumnJson::by_name(&report.value),
            groups: report
                .value
                .groups
                .as_ref()
                .map(|groups| GroupJson::list(groups, &report.value)),
            top: report.value.top.iter().map(ExampleJson::of).collect(),
            bottom: report.value.bottom.iter().map(ExampleJson::of).collect(),
            shards: self.shards.iter().map(ShardJson::of).collect(),
            matches: self
                .matches()
                .map(|matches| MatchesJson::of(&matches, report.records)),
            reference: self.reference.as_ref().map(ReferenceJson::of),
            pairs: self.pairs.map(|pairs| PairsJson::of(pairs, &report.timing)),
            calls: self.calls.as_ref(),
            failures: report.failures.iter().map(FailureJson::of).collect(),
            failures_left_out: report.failed.saturating_sub(report.failures.len() as u64),
            warnings: &self.warnings,
            timing: TimingJson::of(self),
            files: self.files.iter().map(FileJson::of).collect(),
            machine: &self.machine,
        };
        // The value contains only strings and numbers under string keys, and a plan that can be written, so this
        // cannot fail.
        visible::to_json(&json).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct AnswerJson<'a> {
    #[serde(flatten)]
    header: HeaderJson<'a>,
    records: u64,
    scored: u64,
    failed: u64,
    skipped: u64,
    resumed: u64,
    resumed_left: u64,
    digest: String,
    end: EndJson,
    scores: BTreeMap<&'a str, ColumnJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<GroupJson<'a>>>,
    top: Vec<ExampleJson<'a>>,
    bottom: Vec<ExampleJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shards: Vec<ShardJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matches: Option<MatchesJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<ReferenceJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pairs: Option<PairsJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calls: Option<&'a CallsReport>,
    failures: Vec<FailureJson<'a>>,
    failures_left_out: u64,
    warnings: &'a [String],
    timing: TimingJson<'a>,
    files: Vec<FileJson>,
    machine: &'a Machine,
}

/// How the run ended, and the reason if it ended early.
#[derive(Serialize)]
struct EndJson {
    how: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl EndJson {
    fn of(end: &End) -> Self {
        let (how, why) = match end {
            End::Finished => ("finished", None),
            End::Stopped(reason) => ("stopped", Some(reason.to_string())),
            End::Halted(failure) | End::AllFailed(failure) => ("halted", Some(failure.to_string())),
        };
        EndJson { how, why }
    }
}

#[derive(Serialize)]
struct ColumnJson<'a> {
    count: u64,
    #[serde(flatten)]
    numbers: Option<NumbersJson<'a>>,
    #[serde(flatten)]
    labels: Option<LabelsJson<'a>>,
}

#[derive(Serialize)]
struct LabelsJson<'a> {
    labels: &'a BTreeMap<String, u64>,
    /// `None` if the labels are counted exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    labels_exact: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels_share: Option<f64>,
}

#[derive(Serialize)]
struct NumbersJson<'a> {
    sum: f64,
    mean: f64,
    variance: f64,
    stddev: f64,
    min: Option<f64>,
    max: Option<f64>,
    #[serde(serialize_with = "as_object")]
    quantiles: &'a [(f64, f64)],
    #[serde(skip_serializing_if = "Option::is_none")]
    histogram: Option<BinsJson<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    nan: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[derive(Serialize)]
struct BinsJson<'a> {
    edges: &'a [f64],
    counts: &'a [u64],
    under: u64,
    over: u64,
}

impl<'a> ColumnJson<'a> {
    fn by_name(summary: &'a Summary) -> BTreeMap<&'a str, Self> {
        let labels = summary.labels.iter();
        let labels = labels.map(|(name, labels)| (name.as_str(), ColumnJson::labels(labels)));
        let mut columns: BTreeMap<_, _> = labels.collect();
        for (name, numbers) in &summary.scores {
            let labels = columns.remove(name.as_str());
            let labels = labels.and_then(|column| column.labels);
            columns.insert(name, ColumnJson::numbers(numbers, labels));
        }
        columns
    }

    fn labels(summary: &'a LabelSummary) -> Self {
        ColumnJson {
            count: summary.count,
            numbers: None,
            labels: Some(LabelsJson {
                labels: &summary.labels,
                labels_exact: (!summary.exact).then_some(false),
                labels_share: (!summary.exact).then_some(LabelSummary::SHARE),
            }),
        }
    }

    fn numbers(summary: &'a NumberSummary, labels: Option<LabelsJson<'a>>) -> Self {
        let NumberSummary {
            moments,
            quantiles,
            histogram,
        } = summary;
        let numbers = NumbersJson {
            sum: moments.sum,
            mean: moments.mean,
            variance: moments.variance,
            stddev: moments.stddev,
            min: quantiles.min,
            max: quantiles.max,
            quantiles: &quantiles.quantiles,
            histogram: histogram.as_ref().map(|bins| BinsJson {
                edges: &bins.edges,
                counts: &bins.counts,
                under: bins.under,
                over: bins.over,
            }),
            nan: quantiles.nan,
        };
        ColumnJson {
            count: moments.count,
            numbers: Some(numbers),
            labels,
        }
    }
}

/// Writes quantiles as an object, such as `{"0.5": 0.42}`.
fn as_object<S: Serializer>(quantiles: &&[(f64, f64)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(quantiles.iter().map(|(q, score)| (q.to_string(), score)))
}

#[derive(Serialize)]
struct GroupJson<'a> {
    group: &'a [Option<String>],
    #[serde(flatten)]
    main: GroupNumbersJson,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    columns: BTreeMap<&'a str, GroupNumbersJson>,
}

#[derive(Serialize)]
struct GroupNumbersJson {
    count: u64,
    sum: f64,
    mean: f64,
    variance: f64,
    stddev: f64,
    min: Option<f64>,
    max: Option<f64>,
}

impl<'a> GroupJson<'a> {
    fn list(groups: &'a BTreeMap<GroupName, GroupSummary>, summary: &'a Summary) -> Vec<Self> {
        let group = |(name, group): (&'a GroupName, &'a GroupSummary)| {
            let main = || GroupNumbersJson::of(&group.moments, &group.extremes);
            let others = group.others.iter().map(|(name, numbers)| {
                let numbers = GroupNumbersJson::of(&numbers.moments, &numbers.extremes);
                (name.as_str(), numbers)
            });
            let mut columns: BTreeMap<&str, GroupNumbersJson> = others.collect();
            if let (Some(name), false) = (summary.columns.main(), columns.is_empty()) {
                columns.insert(name, main());
            }
            GroupJson {
                group: name,
                main: main(),
                columns,
            }
        };
        groups.iter().map(group).collect()
    }
}

impl GroupNumbersJson {
    fn of(moments: &MomentSummary, extremes: &Extremes) -> Self {
        GroupNumbersJson {
            count: moments.count,
            sum: moments.sum,
            mean: moments.mean,
            variance: moments.variance,
            stddev: moments.stddev,
            min: extremes.min.map(|least| least.score),
            max: extremes.max.map(|most| most.score),
        }
    }
}

#[derive(Serialize)]
struct ExampleJson<'a> {
    record: u64,
    score: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    best: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "match")]
    matched: Option<&'a str>,
}

impl<'a> ExampleJson<'a> {
    fn of(example: &'a Example) -> Self {
        let place = example.place.as_ref();
        ExampleJson {
            record: example.index + 1,
            score: example.score,
            file: place.map(|place| place.path.display().to_string()),
            line: place.map(|place| place.line),
            text: &example.text,
            best: example.matched.as_ref().map(|matched| matched.line),
            matched: example.matched.as_ref().map(|matched| &*matched.text),
        }
    }
}

#[derive(Serialize)]
struct FailureJson<'a> {
    record: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u64>,
    #[serde(serialize_with = "as_text")]
    error: &'a (dyn std::error::Error + Send + Sync),
}

fn as_text<S: Serializer>(
    error: &&(dyn std::error::Error + Send + Sync),
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_str(error)
}

impl<'a> FailureJson<'a> {
    fn of(failure: &'a Failure) -> Self {
        let place = failure.place.as_ref();
        FailureJson {
            record: failure.index + 1,
            file: place.map(|place| place.path.display().to_string()),
            line: place.map(|place| place.line),
            column: place.and_then(|place| place.column),
            error: &*failure.cause,
        }
    }
}
