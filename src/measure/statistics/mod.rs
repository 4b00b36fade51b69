//! The statistics of a comparison: typical values, ratios, and their confidence intervals.
//!
//! The statistics and intervals were chosen by experiment, on rounds recorded while other programs used the
//! same two hardware threads, and on made-up heavy-tailed noise (the tests contain the results):
//!
//! - [Ratios](paired_ratio) are formed within a round, because both times of a round were measured under the
//!   same load. Their [`midmean`] is reported: it tolerates disturbances of a quarter of the rounds in either
//!   direction. The mean does not tolerate a single round that took ten times as long, and the median ignores
//!   much of the information in the undisturbed rounds.
//! - The interval of a ratio is an *expanded* bootstrap over whole rounds, because the plain percentile
//!   interval of 20 rounds contains the true ratio in 93 % of the cases instead of 95 %.
//! - The interval of a [median](median_interval) lies between two of the values and is valid for every
//!   distribution.
//! - [Measurements at different times](run_ratio) differ by more than the rounds of one measurement do, so
//!   their ratios have wider intervals.

mod distributions;
mod power;
mod ratio;
mod runs;
#[cfg(test)]
mod tests;

pub(super) use power::{detectable, rounds_needed};
pub(super) use runs::run_ratio;

use super::figures::{Estimate, Settings, Spread};
use ratio::paired_ratio;

/// The median; NaN if there are no values.
pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which this share of the values lies, interpolated linearly; NaN if there are no values.
///
/// The definition is the default of R (type 7) and NumPy (Hyndman and Fan, *Sample quantiles in statistical
/// packages*, The American Statistician 50, 1996). A share below 0 counts as 0, and one above 1 as 1.
fn quantile(values: &[f64], share: f64) -> f64 {
    quantile_of_sorted(&sorted(values), share)
}

/// The mean of the values between the quartiles; NaN if there are no values.
///
/// A quarter of the values, rounded down, is left out at either end. The midmean of fewer than four values is
/// their mean.
fn midmean(values: &[f64]) -> f64 {
    midmean_of_sorted(&sorted(values))
}

/// An interval that contains the median of the distribution with at least this confidence, for every
/// distribution. Its ends are two of the values; both are NaN if there are no values.
///
/// The number of values below the median has a binomial distribution with probability ½, which determines how
/// many values to count off from either end (Conover, *Practical nonparametric statistics*, 3.2). If even the
/// smallest and the largest value do not reach the confidence, as with fewer than six values at 95 %, they are
/// the ends.
fn median_interval(values: &[f64], confidence: f64) -> (f64, f64) {
    let sorted = sorted(values);
    let Some(last) = sorted.len().checked_sub(1) else {
        return (f64::NAN, f64::NAN);
    };
    let tail = (1.0 - confidence) / 2.0;
    let left_out = distributions::binomial_half(sorted.len(), tail).saturating_sub(1);
    let left_out = left_out.min(last / 2);
    (sorted[left_out], sorted[last - left_out])
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn quantile_of_sorted(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let position = share.clamp(0.0, 1.0) * last as f64;
    let (low, fraction) = (position.floor() as usize, position.fract());
    sorted[low] + fraction * (sorted[(low + 1).min(last)] - sorted[low])
}

fn midmean_of_sorted(sorted: &[f64]) -> f64 {
    let quarter = sorted.len() / 4;
    let middle = &sorted[quarter..sorted.len() - quarter];
    middle.iter().sum::<f64>() / middle.len() as f64
}

/// The distribution of values, one per round.
pub(super) fn spread(values: &[f64], settings: &Settings) -> Spread {
    let (low, high) = median_interval(values, settings.confidence);
    Spread {
        median: median(values),
        low,
        high,
        minimum: values.iter().copied().fold(f64::INFINITY, f64::min),
        maximum: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    }
}

/// The times `numerator` divided by the times `denominator`, round by round.
pub(super) fn ratio(numerator: &[f64], denominator: &[f64], settings: &Settings) -> Estimate {
    paired_ratio(numerator, denominator, settings.confidence, settings.seed)
}
