//! The keys of a scorer that has a reference: matches, reference and pairs.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::plan::{Matches, ReferenceSummary};
use crate::report::Timing;
use crate::task::matching::Pairs;

#[derive(Serialize)]
pub(super) struct MatchesJson {
    matched: u64,
    of_all: f64,
    at_least: Vec<AtLeastJson>,
}

#[derive(Serialize)]
pub(super) struct AtLeastJson {
    score: f64,
    records: u64,
    of_all: f64,
}

impl MatchesJson {
    pub(super) fn of(matches: &Matches, records: u64) -> Self {
        let of_all = |count: u64| count as f64 / records.max(1) as f64;
        let at_least = matches.at_least.iter().map(|at_least| AtLeastJson {
            score: at_least.score,
            records: at_least.records,
            of_all: of_all(at_least.records),
        });
        MatchesJson {
            matched: matches.matched,
            of_all: of_all(matches.matched),
            at_least: at_least.collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct ReferenceJson {
    texts: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_left_out: Option<u64>,
}

impl ReferenceJson {
    pub(super) fn of(reference: &ReferenceSummary) -> Self {
        let left_out = reference.left_out.as_ref();
        ReferenceJson {
            texts: reference.texts,
            left_out: left_out.map(|left_out| left_out.records),
            first_left_out: left_out.map(|left_out| left_out.first_line),
        }
    }
}

#[derive(Serialize)]
pub(super) struct PairsJson {
    compared: u64,
    skipped: u64,
    skipped_by: BTreeMap<&'static str, u64>,
    per_second: f64,
}

impl PairsJson {
    pub(super) fn of(pairs: Pairs, timing: &Timing) -> Self {
        PairsJson {
            compared: pairs.compared,
            skipped: pairs.skipped.all(),
            skipped_by: pairs.skipped.by_bound().into(),
            per_second: pairs.all() as f64 / timing.wall.as_secs_f64(),
        }
    }
}
