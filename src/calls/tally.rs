//! The numbers of a run's calls, which can be read while it runs.

use std::collections::BTreeMap;
use std::time::Duration;

use super::RetryReason;

/// The numbers of a run's calls.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CallTally {
    /// Number of calls that were started, including those that try a record again.
    pub calls: u64,
    /// Number of calls in flight.
    pub in_flight: usize,
    /// The largest number of calls that were in flight at the same time.
    pub most_in_flight: usize,
    /// Number of calls that may be in flight; it changes if the limit is [adaptive](super::Calls::adaptive).
    pub limit: usize,
    /// Number of records that wait to be tried again.
    pub waiting: usize,
    /// Number of times that a record was tried again, by the kind of the error.
    pub retries: BTreeMap<RetryReason, u64>,
    /// Number of records without a score.
    pub failures: u64,
    /// The time that all calls together were in flight.
    pub time_in_flight: Duration,
    /// The time during which no further call could be started, by what it waited for.
    pub held_up: HeldUpTally,
    /// The time since the first record was read.
    pub elapsed: Duration,
    /// What was [spent](super::CallControl::spend).
    pub spent: u64,
    /// Whether the budget was spent before all records were started.
    pub is_spent: bool,
}

/// The time during which no further call could be started, by what it waited for. At any time, the next call waits for one
/// thing only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldUpTally {
    /// The limit on calls in flight.
    pub limit: Duration,
    /// The limit on calls per second.
    pub rate: Duration,
    /// A [pause](super::CallControl::pause_all).
    pub pause: Duration,
    /// The budget: a call in flight might have spent the rest of it.
    pub budget: Duration,
    /// Room for records, because earlier records were not answered yet.
    pub room: Duration,
    /// The dataset: no record had been read, or none was left.
    pub records: Duration,
}

/// What the next call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    Limit,
    Rate,
    Pause,
    Budget,
    Room,
    Records,
}

impl HeldUpTally {
    pub(super) fn add(&mut self, held: Held, time: Duration) {
        let total = match held {
            Held::Limit => &mut self.limit,
            Held::Rate => &mut self.rate,
            Held::Pause => &mut self.pause,
            Held::Budget => &mut self.budget,
            Held::Room => &mut self.room,
            Held::Records => &mut self.records,
        };
        *total += time;
    }
}
