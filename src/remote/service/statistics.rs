//! What the calls to a service were like.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::sync::{Mutex, lock};

/// The longest time that a histogram distinguishes from longer ones, in microseconds: a day.
const LONGEST: u64 = 86_400_000_000;

/// Number of digits that are right in a quantile.
const DIGITS: u8 = 3;

/// What the calls to a service were like so far.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ServiceStatistics {
    /// Number of answers by their HTTP status, redirects included.
    pub statuses: BTreeMap<u16, u64>,
    /// The times from the start of a call to the end of its answer. `None` if no call was answered. A call that was ended
    /// before its answer, for example by a timeout, is not counted.
    pub latency: Option<ServiceLatency>,
    /// Number of bytes of the bodies that were sent.
    pub bytes_sent: u64,
    /// Number of bytes of the bodies that were received, before they were unpacked.
    pub bytes_received: u64,
}

/// How long calls took. Quantiles have three right digits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ServiceLatency {
    /// The mean.
    pub mean: Duration,
    /// Half of the calls took at most this time.
    pub median: Duration,
    /// 90 % of the calls took at most this time.
    pub p90: Duration,
    /// 99 % of the calls took at most this time.
    pub p99: Duration,
    /// The time of the longest call.
    pub max: Duration,
}

/// Collects the statistics.
#[derive(Default)]
pub(super) struct CallRecorder(Mutex<RecordedCalls>);

#[derive(Default)]
struct RecordedCalls {
    statuses: BTreeMap<u16, u64>,
    /// In microseconds. `None` before the first call.
    latencies: Option<Histogram<u64>>,
    bytes_sent: u64,
    bytes_received: u64,
}

impl CallRecorder {
    /// Counts a body that is sent.
    pub(super) fn sent(&self, bytes: usize) {
        lock(&self.0).bytes_sent += bytes as u64;
    }

    /// Counts an answer whose status has arrived.
    pub(super) fn status(&self, status: u16) {
        *lock(&self.0).statuses.entry(status).or_default() += 1;
    }

    /// Counts a body that was received.
    pub(super) fn received(&self, bytes: usize) {
        lock(&self.0).bytes_received += bytes as u64;
    }

    /// Counts a call whose answer has arrived as a whole.
    pub(super) fn ended(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(LONGEST);
        let mut calls = lock(&self.0);
        if calls.latencies.is_none() {
            // These bounds are valid, so there always is a histogram.
            calls.latencies = Histogram::new_with_bounds(1, LONGEST, DIGITS).ok();
        }
        if let Some(latencies) = &mut calls.latencies {
            latencies.saturating_record(micros);
        }
    }

    pub(super) fn statistics(&self) -> ServiceStatistics {
        let calls = lock(&self.0);
        let latencies = calls.latencies.as_ref();
        let latency = latencies.filter(|latencies| !latencies.is_empty());
        let latency = latency.map(|latencies| {
            let quantile = |share| Duration::from_micros(latencies.value_at_quantile(share));
            ServiceLatency {
                mean: Duration::from_secs_f64(latencies.mean() / 1e6),
                median: quantile(0.5),
                p90: quantile(0.9),
                p99: quantile(0.99),
                max: Duration::from_micros(latencies.max()),
            }
        });
        ServiceStatistics {
            statuses: calls.statuses.clone(),
            latency,
            bytes_sent: calls.bytes_sent,
            bytes_received: calls.bytes_received,
        }
    }
}

impl fmt::Debug for CallRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statistics().fmt(f)
    }
}
