//! The pause before a record is tried again.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};

/// The longest pause before the first retry.
const FIRST: Duration = Duration::from_millis(500);

/// The longest pause before any retry.
const LONGEST: Duration = Duration::from_secs(60);

/// The pause before a record is tried again for the `retry`-th time, from 1.
///
/// It is a random part of a time that doubles with each retry ("full jitter"), so that calls that failed together are not
/// repeated together. See Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
pub(super) fn pause_before(retry: u32) -> Duration {
    longest_before(retry).mul_f64(fastrand::f64())
}

/// The longest pause before this retry.
fn longest_before(retry: u32) -> Duration {
    let mut pauses = ExponentialBuilder::new()
        .with_min_delay(FIRST)
        .with_max_delay(LONGEST)
        .with_factor(2.0)
        .without_max_times()
        .build();
    // After ten retries, the pause no longer grows.
    let before = retry.saturating_sub(1).min(10) as usize;
    pauses.nth(before).unwrap_or(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute() {
        let longest = [1, 2, 3, 7, 8, 9, u32::MAX].map(|retry| longest_before(retry).as_secs_f64());
        assert_eq!(longest, [0.5, 1.0, 2.0, 32.0, 60.0, 60.0, 60.0]);
    }

    #[test]
    fn pauses_are_random_parts_of_the_longest() {
        let pauses: Vec<Duration> = (0..1_000).map(|_| pause_before(2)).collect();
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(1)));
        let short = pauses.iter().filter(|pause| pause.as_millis() < 500);
        let short = short.count();
        assert!((300..700).contains(&short), "{short} of 1,000 are short");
    }
}
