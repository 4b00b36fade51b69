//! Limits how much of a run is in flight at the same time, and how fast records are started.

mod bucket;
#[cfg(all(test, shuttle))]
mod model;
mod permits;
#[cfg(all(test, not(shuttle)))]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Error;

#[cfg(feature = "async")]
pub(crate) use bucket::Bucket;
pub(crate) use permits::Permits;

/// Limits how much is in flight at the same time, and how many records are started per second.
///
/// The answer is the same under every limit; only the time differs. Use a limit for resources that a task
/// needs besides processor time: connections to a service, its allowed requests per second, or memory.
///
/// ```
/// use manyhands::Limit;
///
/// let limit = Limit::in_flight(4).per_second(2.5).budget(1 << 30);
/// assert_eq!(limit.workers(16), 4);
/// assert_eq!(limit.to_string(), "4 in flight, 2.5 a second, weights up to 1073741824 together");
/// ```
///
/// A limit is plain data. A run checks at its start whether the limit allows any record to be started, see
/// [`check`](Limit::check).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limit {
    in_flight: Option<usize>,
    per_second: Option<f64>,
    burst: Option<u32>,
    budget: Option<u64>,
}

impl Limit {
    /// No limit: as many records are in flight as there are workers, and each worker starts records as fast
    /// as it can.
    pub fn none() -> Self {
        Self::default()
    }

    /// Allows at most this many records in flight at the same time. The run uses no more workers than that.
    pub fn in_flight(records: usize) -> Self {
        Limit {
            in_flight: Some(records),
            ..Self::none()
        }
    }

    /// Allows at most this many records to be started per second, evenly spaced. The limit is a token bucket.
    /// It holds one token, or the tokens of 10 ms if that is more, because threads do not wake up more
    /// precisely than that. In any span of `t` seconds, at most `burst + records × t` records are started.
    ///
    /// If threads wake up late, fewer records are started. A larger [`burst`](Limit::burst) compensates for
    /// this.
    #[must_use]
    pub fn per_second(self, records: f64) -> Self {
        Limit {
            per_second: Some(records),
            ..self
        }
    }

    /// If there is a rate, allows this many records to be started without waiting, at the beginning of the
    /// run and after a time in which no record was started.
    #[must_use]
    pub fn burst(self, records: u32) -> Self {
        Limit {
            burst: Some(records),
            ..self
        }
    }

    /// Limits the total weight of the records in flight to this weight. The pipeline sets the weight of each
    /// record, in any unit, for example bytes. A record that is heavier than the whole budget is scored
    /// alone. Records are started in the order in which their workers ask for a permit, so no record waits
    /// forever.
    #[must_use]
    pub fn budget(self, weight: u64) -> Self {
        Limit {
            budget: Some(weight),
            ..self
        }
    }

    /// The number of workers that a run uses, if the executor has `workers` workers.
    pub fn workers(&self, workers: usize) -> usize {
        self.in_flight.map_or(workers, |most| workers.min(most))
    }

    /// Checks that the limit allows any record to be started. A run checks this at its start. A limit that
    /// allows nothing is a mistake of the caller, so the run returns an error and does not use the smallest
    /// possible limit instead.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Limit`] if nothing may be in flight, if a burst or a budget is 0, or if a rate is not
    /// a finite number above 0.
    ///
    /// ```
    /// # use manyhands::Limit;
    /// let error = Limit::none().per_second(0.0).check().unwrap_err();
    /// assert_eq!(error.to_string(), "a limit of 0 records a second: it must be a number above 0");
    /// assert!(Limit::in_flight(0).check().is_err());
    /// ```
    pub fn check(&self) -> Result<(), Error> {
        const NUMBER: &str = "it must be a number above 0";
        const ONE: &str = "it must be at least 1";
        let refuse = |what, remedy| Err(Error::Limit { what, remedy });
        if let Some(rate) = self.per_second
            && !(rate > 0.0 && rate.is_finite())
        {
            return refuse(format!("{rate} records a second"), NUMBER);
        }
        if self.in_flight == Some(0) {
            return refuse("0 records in flight".to_owned(), ONE);
        }
        if self.burst == Some(0) {
            return refuse("0 records in a burst".to_owned(), ONE);
        }
        if self.budget == Some(0) {
            return refuse("a weight of 0".to_owned(), ONE);
        }
        Ok(())
    }

    /// Whether a record may have to wait for a permit before it is started. A limit on records in flight
    /// alone needs no permits, because the number of workers enforces it.
    pub(crate) fn waits(&self) -> bool {
        self.per_second.is_some() || self.weighs()
    }

    /// The number of records that may be in flight.
    #[cfg(feature = "http")]
    pub(crate) fn most_in_flight(&self) -> Option<usize> {
        self.in_flight
    }

    /// The number of records that may be started per second.
    #[cfg(any(unix, feature = "async"))]
    pub(crate) fn rate(&self) -> Option<f64> {
        self.per_second
    }

    /// Whether the limit depends on the weight of a record.
    pub(crate) fn weighs(&self) -> bool {
        self.budget.is_some()
    }
}

/// A limit is displayed as `4 in flight, 2.5 a second`, or as `none`.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.in_flight.map(|most| format!("{most} in flight")),
            self.per_second.map(|rate| format!("{rate} a second")),
            self.burst.map(|burst| format!("bursts of {burst}")),
            self.budget
                .map(|most| format!("weights up to {most} together")),
        ];
        let limits: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(&match limits.is_empty() {
            true => "none".to_owned(),
            false => limits.join(", "),
        })
    }
}
