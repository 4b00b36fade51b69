//! The token bucket that enforces a rate.
//!
//! It uses the crate `ratelimit`, whose dependencies are all in the build anyway. The crate `governor` would
//! add futures, `parking_lot` and a dozen other crates, and `leaky-bucket` would add the runtime of tokio.
//! `ratelimit` also returns how long to wait instead of waiting, so that a stop can end the wait.

use std::time::Duration;

use ratelimit::{Clock, Ratelimiter, StdClock, TryWaitError};

use crate::error::Error;

/// Hands out tokens at a limited rate.
pub(crate) struct Bucket<C: Clock = StdClock>(Ratelimiter<C>);

impl Bucket {
    /// Creates a full bucket. `rate` is in tokens per second, and is above 0. `burst` is the number of tokens
    /// that the bucket holds, if the caller sets one.
    pub(super) fn new(rate: f64, burst: Option<u32>) -> Result<Self, Error> {
        let burst = burst.map_or_else(|| in_ten_milliseconds(rate), u64::from);
        Self::with_clock(rate, burst, StdClock::new())
    }
}

impl<C: Clock> Bucket<C> {
    /// Creates a full bucket that never hands out more than `rate` tokens in any second, rounded up. A usual bucket may
    /// also hand out the tokens that it holds at the beginning of the second. The tokens of 10 ms are therefore not
    /// added in each second, which slows a rate above 100 per second down by a hundredth.
    #[cfg(feature = "async")]
    pub(crate) fn for_any_second(rate: f64, clock: C) -> Result<Self, Error> {
        let burst = in_ten_milliseconds(rate);
        Self::with_clock(rate - (burst - 1) as f64, burst, clock)
    }

    fn with_clock(rate: f64, burst: u64, clock: C) -> Result<Self, Error> {
        let (tokens, period) = in_whole_tokens(rate);
        let bucket = ratelimit::Builder::with_clock(tokens, clock)
            .period(period)
            .max_tokens(burst)
            .initial_available(burst)
            .build();
        bucket.map(Bucket).map_err(|_| Error::Limit {
            what: format!("{rate} records a second, {burst} at once"),
            remedy: "it cannot be kept",
        })
    }

    /// Takes a token, or returns the time until one is available.
    pub(crate) fn take(&self) -> Result<(), Duration> {
        self.0.try_wait().map_err(|refused| match refused {
            TryWaitError::Insufficient(time) => time,
            // The request exceeds what the bucket can hold, which a request for one token never does.
            _ => Duration::ZERO,
        })
    }
}

/// Converts a rate to a whole number of tokens in a period, which is the form that the crate needs. Many
/// tokens in a long period preserve the fraction of the rate. The period is rounded up, so that the rate is
/// never exceeded.
fn in_whole_tokens(rate: f64) -> (u64, Duration) {
    let tokens = if rate < 1.0 { 1 } else { 1_000_000 };
    let period = Duration::try_from_secs_f64(tokens as f64 / rate).unwrap_or(Duration::MAX);
    (tokens, period.saturating_add(Duration::from_nanos(1)))
}

/// The burst that is used for a rate if the caller sets no burst: the tokens of 10 ms, but at least one
/// token. Threads wake up 0.1 ms late at best, and some milliseconds late on a loaded machine. A bucket that
/// holds one token would lose the tokens that arrive meanwhile: a tenth of all tokens at a rate of 1000 per
/// second.
fn in_ten_milliseconds(rate: f64) -> u64 {
    (rate / 100.0).ceil().max(1.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_kept_to_a_millionth_and_never_exceeded() {
        let rates = [1e-19, 1e-14, 0.3, 0.999, 1.0, 3.0, 7.7, 1_234.5, 3e8, 1e9];
        for rate in rates {
            let (tokens, period) = in_whole_tokens(rate);
            let kept = tokens as f64 / period.as_secs_f64();
            assert!(kept <= rate, "{kept} instead of {rate}");
            assert!(kept >= rate * (1.0 - 2e-6), "{kept} instead of {rate}");
        }
    }

    #[test]
    fn a_burst_is_what_ten_milliseconds_bring_and_never_nothing() {
        // A hundredth of the smallest rate is 0.
        let least = f64::from_bits(1);
        for (rate, burst) in [
            (least, 1),
            (0.3, 1),
            (100.0, 1),
            (100.1, 2),
            (1_000.0, 10),
            (20_000.0, 200),
            (f64::MAX, u64::MAX),
        ] {
            assert_eq!(in_ten_milliseconds(rate), burst, "{rate} a second");
        }
    }

    #[test]
    fn a_full_bucket_holds_its_burst() {
        // The next token comes in a million years.
        for (rate, burst, tokens) in [
            (f64::from_bits(1), None, 1),
            (1e-14, None, 1),
            (1e-14, Some(5), 5),
        ] {
            let bucket = Bucket::new(rate, burst).unwrap();
            let taken = (0..10).filter(|_| bucket.take().is_ok()).count();
            assert_eq!(taken, tokens, "{rate} a second, {burst:?} at once");
            let left = bucket.take().unwrap_err();
            assert!(left > Duration::from_secs(3_600), "{left:?} until the next");
        }
    }
}
