//! The limit on the number of calls per second.

use std::time::Duration;

use ratelimit::Clock;
use tokio::time::Instant;

use crate::error::Error;
use crate::limit::{Bucket, Limit};

/// Limits the number of calls per second. No second of the run has more calls than the rate, wherever it begins.
pub(super) struct CallRate(Option<Bucket<RuntimeClock>>);

/// The clock of the runtime, which tests can pause.
struct RuntimeClock(Instant);

impl Clock for RuntimeClock {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

impl CallRate {
    /// # Errors
    ///
    /// Returns an error if the number of calls per second is not above 0.
    pub(super) fn new(per_second: Option<f64>) -> Result<Self, Error> {
        let Some(rate) = per_second else {
            return Ok(CallRate(None));
        };
        Limit::none().per_second(rate).check()?;
        let clock = RuntimeClock(Instant::now());
        Bucket::for_any_second(rate, clock).map(|bucket| CallRate(Some(bucket)))
    }

    /// Allows one call, or returns the time after which the next call may be allowed.
    pub(super) fn take(&self) -> Result<(), Duration> {
        self.0.as_ref().map_or(Ok(()), Bucket::take)
    }
}
