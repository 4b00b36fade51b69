//! The answer as one JSON object.

mod timing;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::{Answer, Described, Example, GroupSummary, Matches};
use crate::error::Failure;
use crate::machine::Machine;
use crate::report::{End, Timing};
use crate::task::matching::Pairs;
use crate::visible;

use timing::Seconds;

impl Answer {
    /// One JSON object, on one line: `records`, `scored`, `failed`, `digest`, `end` (`how`:
    /// `finished`, `stopped` or `halted`, and `why`; the counts are then those of the records from the
    /// beginning that are done without a gap), `scores` (by column),
    /// `groups` (by name, if the plan groups), `top`, `bottom`, `matches` and `pairs` (if the scorer
    /// has a reference), `failures` (the first ones), `timing`, and `machine`, what is known about it.
    /// Numbers that are not finite are `null`; records count from 1. Characters that cannot be seen are
    /// [escaped](crate::output::visible::json).
    ///
    /// `timing` is in seconds: `wall`, `cpu`, `read` (fetching bytes, over all workers), `finish`
    /// (working out the answer), `work` (all records together), `span` (the longest record), `bound`
    /// (the least that so many workers could take), `shares` (of workers × wall, by name; see
    /// [`Shares`](crate::report::Shares)), `helps_until` (about so many workers), `explanation` (a
    /// sentence), `workers` (of each `records`, `busy`, `waiting`, `share`, `task`, `input`,
    /// `preempted`, `from`, `until`), and `slowest` (`record`, `records` timed together, `file`,
    /// `line`, `time`); where they apply, `throttled` (by a quota) and `pinned`.
    ///
    /// `matches` are the [`Matches`]: `matched`, how many records have a match, and `of_all`, which
    /// fraction of all records these are; `at_least` tells for each `score` how many `records` have a
    /// match that reaches it, again with `of_all`.
    pub fn to_json(&self) -> String {
        let report = &self.report;
        let whole = Whole {
            records: report.records,
            scored: report.scored,
            failed: report.failed,
            digest: self.digest.to_string(),
            end: Ending::of(&report.end),
            scores: by_name(&report.value.scores, Column::of),
            groups: report
                .value
                .groups
                .as_ref()
                .map(|groups| by_name(groups, Group::of)),
            top: self.top.iter().map(Record::of).collect(),
            bottom: self.bottom.iter().map(Record::of).collect(),
            matches: self
                .matches()
                .map(|matches| MatchCounts::of(&matches, report.records)),
            pairs: self
                .pairs
                .map(|pairs| PairCounts::of(pairs, &report.timing)),
            failures: report.failures.iter().map(Unscored::of).collect(),
            timing: Seconds::of(self),
            machine: &self.machine,
        };
        // Strings and numbers under string keys: nothing here that JSON cannot say.
        visible::to_json(&whole).unwrap_or_default()
    }
}

fn by_name<'a, K: AsRef<str>, V, J>(
    map: &'a BTreeMap<K, V>,
    view: fn(&'a V) -> J,
) -> BTreeMap<&'a str, J> {
    map.iter()
        .map(|(name, value)| (name.as_ref(), view(value)))
        .collect()
}

#[derive(Serialize)]
struct Whole<'a> {
    records: u64,
    scored: u64,
    failed: u64,
    digest: String,
    end: Ending,
    scores: BTreeMap<&'a str, Column<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<BTreeMap<&'a str, Group>>,
    top: Vec<Record<'a>>,
    bottom: Vec<Record<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matches: Option<MatchCounts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pairs: Option<PairCounts>,
    failures: Vec<Unscored<'a>>,
    timing: Seconds<'a>,
    machine: &'a Machine,
}

/// How the run ended, and why where that was before its time.
#[derive(Serialize)]
struct Ending {
    how: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Ending {
    fn of(end: &End) -> Self {
        let (how, why) = match end {
            End::Finished => ("finished", None),
            End::Stopped(reason) => ("stopped", Some(reason.to_string())),
            End::Halted(failure) => ("halted", Some(failure.to_string())),
        };
        Ending { how, why }
    }
}

#[derive(Serialize)]
struct Column<'a> {
    count: u64,
    sum: f64,
    mean: f64,
    variance: f64,
    stddev: f64,
    min: Option<f64>,
    max: Option<f64>,
    #[serde(serialize_with = "as_object")]
    quantiles: &'a [(f64, f64)],
    histogram: Bins<'a>,
}

#[derive(Serialize)]
struct Bins<'a> {
    edges: &'a [f64],
    counts: &'a [u64],
    under: u64,
    over: u64,
}

impl<'a> Column<'a> {
    fn of(described: &'a Described) -> Self {
        let Described {
            moments,
            quantiles,
            histogram,
        } = described;
        Column {
            count: moments.count,
            sum: moments.sum,
            mean: moments.mean,
            variance: moments.variance,
            stddev: moments.stddev,
            min: quantiles.min,
            max: quantiles.max,
            quantiles: &quantiles.quantiles,
            histogram: Bins {
                edges: &histogram.edges,
                counts: &histogram.counts,
                under: histogram.under,
                over: histogram.over,
            },
        }
    }
}

/// Quantiles as an object, `{"0.5": 0.42}`.
fn as_object<S: Serializer>(quantiles: &&[(f64, f64)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(quantiles.iter().map(|(q, score)| (q.to_string(), score)))
}

#[derive(Serialize)]
struct Group {
    count: u64,
    mean: f64,
    stddev: f64,
    min: Option<f64>,
    max: Option<f64>,
}

impl Group {
    fn of(group: &GroupSummary) -> Self {
        Group {
            count: group.moments.count,
            mean: group.moments.mean,
            stddev: group.moments.stddev,
            min: group.extremes.min.map(|least| least.score),
            max: group.extremes.max.map(|most| most.score),
        }
    }
}

#[derive(Serialize)]
struct Record<'a> {
    record: u64,
    score: f64,
    file: String,
    line: u64,
    text: &'a str,
}

impl<'a> Record<'a> {
    fn of(example: &'a Example) -> Self {
        Record {
            record: example.index + 1,
            score: example.score,
            file: example.place.path.display().to_string(),
            line: example.place.line,
            text: &example.text,
        }
    }
}

#[derive(Serialize)]
struct Unscored<'a> {
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

impl<'a> Unscored<'a> {
    fn of(failure: &'a Failure) -> Self {
        let place = failure.place.as_ref();
        Unscored {
            record: failure.index + 1,
            file: place.map(|place| place.path.display().to_string()),
            line: place.map(|place| place.line),
            column: place.and_then(|place| place.column),
            error: &*failure.cause,
        }
    }
}

#[derive(Serialize)]
struct MatchCounts {
    matched: u64,
    of_all: f64,
    at_least: Vec<AtLeast>,
}

#[derive(Serialize)]
struct AtLeast {
    score: f64,
    records: u64,
    of_all: f64,
}

impl MatchCounts {
    fn of(matches: &Matches, records: u64) -> Self {
        let of_all = |count: u64| count as f64 / records.max(1) as f64;
        let at_least = matches.at_least.iter().map(|at_least| AtLeast {
            score: at_least.score,
            records: at_least.records,
            of_all: of_all(at_least.records),
        });
        MatchCounts {
            matched: matches.matched,
            of_all: of_all(matches.matched),
            at_least: at_least.collect(),
        }
    }
}

#[derive(Serialize)]
struct PairCounts {
    compared: u64,
    skipped: u64,
    skipped_by: BTreeMap<&'static str, u64>,
    per_second: f64,
}

impl PairCounts {
    fn of(pairs: Pairs, timing: &Timing) -> Self {
        PairCounts {
            compared: pairs.compared,
            skipped: pairs.skipped.all(),
            skipped_by: pairs.skipped.by_bound().into(),
            per_second: pairs.all() as f64 / timing.wall.as_secs_f64(),
        }
    }
}
