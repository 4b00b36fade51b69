//! How much of a run there may be at once, and how fast it may go.

mod bucket;
#[cfg(all(test, shuttle))]
mod model;
mod permits;
#[cfg(all(test, not(shuttle)))]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Error;

pub(crate) use permits::Permits;

/// How much may be in flight, and how many records may be started in a second.
///
/// The answer is the same under every limit; only the time it takes differs. For what a task uses
/// besides processor time: connections to a service, the requests a second that it grants, the memory
/// of what is being worked on.
///
/// ```
/// use manyhands::Limit;
///
/// let limit = Limit::in_flight(4).per_second(2.5).budget(1 << 30);
/// assert_eq!(limit.workers(16), 4);
/// assert_eq!(limit.to_string(), "4 in flight, 2.5 a second, weights up to 1073741824 together");
/// ```
///
/// It is plain data; whether it allows anything is looked at when a run starts, see
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
    /// As much as there are workers, as fast as they can.
    pub fn none() -> Self {
        Self::default()
    }

    /// At most this many records at the same time: no more workers than that are put to work.
    pub fn in_flight(records: usize) -> Self {
        Limit {
            in_flight: Some(records),
            ..Self::none()
        }
    }

    /// At most this many records started in a second, evenly spaced: a token bucket that holds one
    /// token, or what ten milliseconds bring where that is more, since threads do not wake in time for
    /// less. In any span of `t` seconds no more than `burst + records × t` are started.
    ///
    /// Threads that wake late start fewer than that; a larger [`burst`](Limit::burst) makes up for it.
    #[must_use]
    pub fn per_second(self, records: f64) -> Self {
        Limit {
            per_second: Some(records),
            ..self
        }
    }

    /// Where there is a rate, lets this many be started without waiting after a time of rest, and at
    /// the start.
    #[must_use]
    pub fn burst(self, records: u32) -> Self {
        Limit {
            burst: Some(records),
            ..self
        }
    }

    /// Records in flight at the same time weigh no more than this together; what a record weighs is
    /// for the pipeline to say, in any unit, bytes for one. A record that is heavier than the whole
    /// budget is worked on alone, and none waits for ever: they get their turn in the order in which
    /// they ask.
    #[must_use]
    pub fn budget(self, weight: u64) -> Self {
        Limit {
            budget: Some(weight),
            ..self
        }
    }

    /// How many of so many workers are put to work.
    pub fn workers(&self, workers: usize) -> usize {
        self.in_flight.map_or(workers, |most| workers.min(most))
    }

    /// Whether it allows anything.
    ///
    /// A run checks it at the start. What allows nothing is not quietly taken for the least that
    /// does: who asks for nothing in flight has made a mistake somewhere.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] where nothing may be in flight, a burst or a budget is 0, or a rate is not a
    /// finite number above 0.
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

    /// Whether a record may have to wait for a permit before it is started. A limit of what is in
    /// flight alone is kept by the number of workers.
    pub(crate) fn waits(&self) -> bool {
        self.per_second.is_some() || self.weighs()
    }

    /// Whether it matters what a record weighs.
    pub(crate) fn weighs(&self) -> bool {
        self.budget.is_some()
    }
}

/// As `4 in flight, 2.5 a second`, or `none`.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.in_flight.map(|most| format!("{most} in flight")),
            self.per_second.map(|rate| format!("{rate} a second")),
            self.burst.map(|burst| format!("bursts of {burst}")),
            self.budget
                .map(|most| format!("weights up to {most} together")),
        ];
        let told: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(&match told.is_empty() {
            true => "none".to_owned(),
            false => told.join(", "),
        })
    }
}
