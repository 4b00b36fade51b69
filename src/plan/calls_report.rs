//! What the calls of a run to a service were like, as plain data.

#[cfg(test)]
mod tests;

mod sum;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

pub(in crate::plan) use sum::CallsSum;

/// Smallest share of the run during which a wait is mentioned.
const WORTH_MENTIONING: f64 = 0.05;

/// What the calls of a run to a service were like. All times are in seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CallsReport {
    /// Number of calls, including those that tried a record again.
    pub calls: u64,
    /// Number of calls that tried a record again, by the reason.
    pub retries: BTreeMap<Cow<'static, str>, u64>,
    /// Number of answers by their HTTP status.
    pub statuses: BTreeMap<u16, u64>,
    /// The time from the start of a call to the end of its answer. `None` if there was no call, and in the merged answer of
    /// several shards.
    pub latency: Option<CallLatency>,
    /// Number of calls per second.
    pub per_second: f64,
    /// The average number of calls in flight.
    pub mean_in_flight: f64,
    /// The largest number of calls that were in flight at the same time.
    pub most_in_flight: usize,
    /// The number of calls that may be in flight; if it adapts to the service, the last one.
    pub limit: usize,
    /// Whether the limit adapts to the service.
    pub adaptive: bool,
    /// The time during which no further call could be started, by what it waited for.
    pub held_up: HeldUp,
    /// The time from the first record to the last.
    pub elapsed: f64,
    /// The budget, if the run has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<BudgetReport>,
}

/// The numbers of a run's calls while it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallsNow {
    /// Number of calls in flight.
    pub in_flight: usize,
    /// Number of calls that tried a record again.
    pub retries: u64,
    /// Number of records without a score.
    pub failures: u64,
}

/// How long calls took, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct CallLatency {
    /// The mean.
    pub mean: f64,
    /// Half of the calls took at most this time.
    pub median: f64,
    /// 90 % of the calls took at most this time.
    pub p90: f64,
    /// 99 % of the calls took at most this time.
    pub p99: f64,
    /// The longest call.
    pub max: f64,
}

/// The time during which no further call could be started, in seconds, by what it waited for. At any time, the next call
/// waits for one thing only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeldUp {
    /// The limit on calls in flight.
    pub limit: f64,
    /// The limit on calls per second.
    pub rate: f64,
    /// The service, which has asked for a pause.
    pub service: f64,
    /// The budget: a call in flight might have spent the rest of it.
    pub budget: f64,
    /// Room for records: the scores of earlier records were missing.
    pub room: f64,
    /// The records: none had arrived, none was left, or those that were left paused before another try.
    pub input: f64,
}

/// The budget of a run, in the unit of the service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BudgetReport {
    /// The pointer to the number in each answer.
    pub of: String,
    /// What may be spent.
    pub limit: u64,
    /// What was spent.
    pub spent: u64,
    /// What was spent beyond the limit, by calls that were in flight when it was reached.
    pub overshoot: u64,
}

impl CallsReport {
    /// Explains in a sentence without a full stop what decided how long the run took, and which limit would have kept the
    /// service busy.
    ///
    /// The necessary number of calls in flight follows from Little's law: it is the number of calls per second times the
    /// latency of a call.
    pub fn explanation(&self) -> String {
        let Some(latency) = self.latency.filter(|_| self.elapsed > 0.0) else {
            return "no call was made".to_owned();
        };
        let share = |seconds: f64| seconds / self.elapsed;
        let held = &self.held_up;
        let causes = [
            (held.limit, Decided::Limit),
            (held.rate, Decided::Rate),
            (held.service, Decided::Service),
            (held.budget, Decided::Budget),
            (held.room, Decided::Room),
            (held.input, Decided::Input),
        ];
        let longest = causes.into_iter().max_by(|a, b| a.0.total_cmp(&b.0));
        let (seconds, decided) = longest.unwrap_or((0.0, Decided::Input));
        let percent = (share(seconds) * 100.0).round();
        let busy = self.mean_in_flight.ceil().max(1.0);
        let latency = shown(latency.mean);
        if share(seconds) < WORTH_MENTIONING {
            return format!(
                "calls were started as fast as this process could start them, and took {latency} on average"
            );
        }
        match decided {
            Decided::Limit if self.adaptive => format!(
                "the service decided: it allowed up to {} calls in flight, for which the next call waited {percent} % of the \
                 time; a call took {latency} on average",
                self.most_in_flight
            ),
            Decided::Limit => format!(
                "the limit of {} in flight decided: the next call waited for it {percent} % of the time; a call took \
                 {latency} on average, so more in flight are faster unless they slow the service down",
                self.limit
            ),
            Decided::Rate => format!(
                "the limit of calls per second decided: the next call waited for it {percent} % of the time; with \
                 {latency} for a call, {busy} in flight suffice for this rate"
            ),
            Decided::Service => format!(
                "the service decided: it asked for pauses, which took {percent} % of the time; fewer calls per second \
                 would have been enough to keep it busy"
            ),
            Decided::Budget => format!(
                "the budget decided: {percent} % of the time, the next call waited because calls in flight might spend the \
                 rest of it"
            ),
            Decided::Room => format!(
                "slow records decided: {percent} % of the time, the next call waited because the scores of earlier records \
                 were missing"
            ),
            Decided::Input => format!(
                "the records decided: {percent} % of the time, no record was ready to be sent; with {latency} for a call, {busy} in \
                 flight suffice for them"
            ),
        }
    }

    /// What the calls waited for, such as `95 % for the limit, 3 % for the rate`. Empty if they did not wait.
    pub fn waits(&self) -> String {
        let held = &self.held_up;
        let causes = [
            (held.limit, "for the limit in flight"),
            (held.rate, "for the limit per second"),
            (held.service, "for pauses of the service"),
            (held.budget, "for the budget"),
            (held.room, "for earlier records"),
            (held.input, "for records"),
        ];
        let mut text = String::new();
        for (seconds, what) in causes {
            let percent = (seconds / self.elapsed.max(f64::MIN_POSITIVE) * 100.0).round();
            if percent >= 1.0 {
                let comma = if text.is_empty() { "" } else { ", " };
                let _ = write!(text, "{comma}{percent} % {what}");
            }
        }
        text
    }
}

/// What decided how long a run took.
#[derive(Clone, Copy)]
enum Decided {
    Limit,
    Rate,
    Service,
    Budget,
    Room,
    Input,
}

/// A time with three digits.
fn shown(seconds: f64) -> String {
    match seconds {
        s if s < 0.001 => format!("{:.0} µs", s * 1e6),
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 10.0 => format!("{s:.1} s"),
        s => format!("{s:.0} s"),
    }
}
