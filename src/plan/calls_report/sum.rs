//! The calls of several shards together.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{BudgetReport, CallsReport, HeldUp};

/// A [`CallsReport`] as plain data that can be added up. Latencies cannot be added, so they are not part of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::plan) struct CallsSum {
    calls: u64,
    retries: BTreeMap<String, u64>,
    statuses: BTreeMap<u16, u64>,
    /// The time in flight of all calls, in seconds.
    in_flight: f64,
    most_in_flight: usize,
    limit: usize,
    adaptive: bool,
    held_up: HeldUp,
    elapsed: f64,
    budget: Option<BudgetReport>,
}

impl From<&CallsReport> for CallsSum {
    fn from(report: &CallsReport) -> Self {
        let retries = report.retries.iter();
        CallsSum {
            calls: report.calls,
            retries: retries
                .map(|(reason, times)| (reason.to_string(), *times))
                .collect(),
            statuses: report.statuses.clone(),
            in_flight: report.mean_in_flight * report.elapsed,
            most_in_flight: report.most_in_flight,
            limit: report.limit,
            adaptive: report.adaptive,
            held_up: report.held_up,
            elapsed: report.elapsed,
            budget: report.budget.clone(),
        }
    }
}

impl CallsSum {
    /// Adds the calls of another shard.
    pub(in crate::plan) fn add(&mut self, other: &CallsSum) {
        self.calls += other.calls;
        for (reason, times) in &other.retries {
            *self.retries.entry(reason.clone()).or_default() += times;
        }
        for (status, answers) in &other.statuses {
            *self.statuses.entry(*status).or_default() += answers;
        }
        self.in_flight += other.in_flight;
        self.most_in_flight = self.most_in_flight.max(other.most_in_flight);
        self.limit = self.limit.max(other.limit);
        self.adaptive |= other.adaptive;
        let (held, more) = (&mut self.held_up, &other.held_up);
        held.limit += more.limit;
        held.rate += more.rate;
        held.service += more.service;
        held.budget += more.budget;
        held.room += more.room;
        held.input += more.input;
        self.elapsed += other.elapsed;
        match (&mut self.budget, &other.budget) {
            (Some(budget), Some(more)) => {
                budget.limit = budget.limit.saturating_add(more.limit);
                budget.spent = budget.spent.saturating_add(more.spent);
                budget.overshoot = budget.overshoot.saturating_add(more.overshoot);
            }
            (budget @ None, Some(more)) => *budget = Some(more.clone()),
            (_, None) => {}
        }
    }

    /// The report of all calls. Its times are sums over the shards.
    pub(in crate::plan) fn into_report(self) -> CallsReport {
        let share = |sum: f64| match self.elapsed > 0.0 {
            true => sum / self.elapsed,
            false => 0.0,
        };
        CallsReport {
            calls: self.calls,
            retries: self
                .retries
                .into_iter()
                .map(|(reason, times)| (Cow::Owned(reason), times))
                .collect(),
            statuses: self.statuses,
            latency: None,
            per_second: share(self.calls as f64),
            mean_in_flight: share(self.in_flight),
            most_in_flight: self.most_in_flight,
            limit: self.limit,
            adaptive: self.adaptive,
            held_up: self.held_up,
            elapsed: self.elapsed,
            budget: self.budget,
        }
    }
}
