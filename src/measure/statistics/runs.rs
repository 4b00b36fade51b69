//! Ratios of times that were measured at different times.

use super::distributions::normal_quantile;
use super::ratio::{estimate, logarithm, midmean_of_all, resampled_midmeans};
use crate::measure::figures::Estimate;

/// Standard deviation between whole measurements, as a share of the standard deviation between the rounds of
/// a measurement.
///
/// The value was determined from 98 measurements at different times on a machine with other programs. With this
/// value, intervals of 95 % contained 1 for 95 % to 99 % of the pairs of measurements of the same program (one
/// thread and two, wall-clock and processor time); with 0.5, they did so for 87 % to 94 %, and intervals from
/// the rounds alone for 52 % to 70 %.
const BETWEEN_MEASUREMENTS: f64 = 0.75;

/// Smallest standard deviation between two measurements, as a share of the time. Even on a quiet machine, the
/// layout of memory alone makes such a difference (Mytkowicz and others, *Producing wrong data without doing
/// anything obviously wrong!*, ASPLOS 2009).
const SMALLEST_DEVIATION: f64 = 0.01;

/// The times `now` divided by the times `then`, which were not measured in the same rounds: the ratio of their
/// [`midmean`](super::midmean)s on a logarithmic scale, with its interval.
///
/// Consecutive rounds are measured under the same load on the machine, and rounds on another day are not, so
/// more rounds do not make this interval arbitrarily narrow. Its variance is the sum of three variances: the
/// variance of the rounds, the variance between measurements, which is estimated from the rounds, and the
/// variance for a deviation of 1 % between any two measurements.
///
/// The result is NaN if either side is empty or contains NaN. With fewer than two rounds the interval extends
/// by a factor of 1,000 to either side.
pub(crate) fn run_ratio(now: &[f64], then: &[f64], confidence: f64, seed: u64) -> Estimate {
    let [now, then] = [now, then]
        .map(|times| -> Vec<f64> { times.iter().map(|&time| logarithm(time)).collect() });
    let value = midmean_of_all(&now) - midmean_of_all(&then);
    if now.len().min(then.len()) < 2 {
        return estimate(value, f64::NEG_INFINITY, f64::INFINITY);
    }
    let variance = SMALLEST_DEVIATION.powi(2) + variance(&now, seed) + variance(&then, seed);
    let half_width = normal_quantile(f64::midpoint(1.0, confidence)) * variance.sqrt();
    estimate(value, value - half_width, value + half_width)
}

/// The variance that the midmean of one measurement would have if the measurement were repeated.
fn variance(values: &[f64], seed: u64) -> f64 {
    let midmeans = resampled_midmeans(values, seed);
    let number = midmeans.len() as f64;
    let mean = midmeans.iter().sum::<f64>() / number;
    let squares: f64 = midmeans.iter().map(|one| (one - mean).powi(2)).sum();
    let rounds = values.len() as f64;
    let of_midmean = squares / number * rounds / (rounds - 1.0);
    of_midmean * (1.0 + rounds * BETWEEN_MEASUREMENTS.powi(2))
}
