//! The statistics of a comparison: what is typical of the turns, how many times one is the other, and
//! how far that can be told.
//!
//! Which statistic and which interval was found by experiment, on rounds recorded with other programs
//! at work on the same two hardware threads, and on made-up heavy-tailed noise
//! (`tests/measure_statistics.rs` holds what was found):
//!
//! - [Ratios](paired_ratio) are formed within a round, where both sides have met the same weather, and
//!   their [`midmean`] is told: a quarter of the rounds may be spoilt to either side. The mean has
//!   no use for a round that took ten times as long, and the median wastes a third of the others.
//! - Their interval is a bootstrap over whole rounds, *expanded*: the plain percentiles of 20 rounds
//!   hold the true ratio in 93 of 100 tries instead of 95.
//! - The interval of [the median](median_interval) of times is that between two of the values
//!   themselves, whatever their distribution.
//! - [Runs made at different times](run_ratio) differ by more than their rounds tell, and have an
//!   interval of their own.

mod distributions;
mod power;
mod ratio;
mod runs;

pub use power::{detectable, rounds_needed};
pub use ratio::paired_ratio;
pub use runs::run_ratio;

use super::comparison::{Estimate, Settings, Spread};

/// The median of values; NaN of none.
///
/// ```
/// use manyhands::measure::statistics::median;
///
/// assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
/// assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
/// ```
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which this share of the values lies, linear between neighbours; NaN of none.
///
/// It is the definition that R (type 7) and NumPy take unless told otherwise (Hyndman and Fan, *Sample
/// quantiles in statistical packages*, The American Statistician 50, 1996). A share outside 0 to 1 is
/// taken as the nearer of the two.
///
/// ```
/// use manyhands::measure::statistics::quantile;
///
/// assert_eq!(quantile(&[40.0, 10.0, 20.0, 30.0], 0.25), 17.5);
/// assert_eq!(quantile(&[40.0, 10.0, 20.0, 30.0], 1.0), 40.0);
/// ```
pub fn quantile(values: &[f64], share: f64) -> f64 {
    quantile_of_sorted(&sorted(values), share)
}

/// The mean of the values between the quartiles; NaN of none.
///
/// A quarter of the values is left out at either end, rounded down, so that fewer than four values have
/// their mean.
///
/// ```
/// use manyhands::measure::statistics::midmean;
///
/// assert_eq!(midmean(&[1.0, 2.0, 4.0, 1000.0]), 3.0);
/// ```
pub fn midmean(values: &[f64]) -> f64 {
    midmean_of_sorted(&sorted(values))
}

/// The interval that holds the median of the distribution with at least this confidence, whatever the
/// distribution is: from one of the values to another.
///
/// The number of values below the median is binomial with ½, which tells how far to count from
/// either end (Conover, *Practical nonparametric statistics*, 3.2). Where even the least and the
/// largest value do not hold it so surely, as with fewer than six values at 95 %, it is those; of no
/// values NaN.
///
/// ```
/// use manyhands::measure::statistics::median_interval;
///
/// let values: Vec<f64> = (1..=20).map(f64::from).collect();
/// assert_eq!(median_interval(&values, 0.95), (6.0, 15.0));
/// assert_eq!(median_interval(&values[..3], 0.95), (1.0, 3.0));
/// ```
pub fn median_interval(values: &[f64], confidence: f64) -> (f64, f64) {
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
    let place = share.clamp(0.0, 1.0) * last as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    sorted[low] + part * (sorted[(low + 1).min(last)] - sorted[low])
}

fn midmean_of_sorted(sorted: &[f64]) -> f64 {
    let quarter = sorted.len() / 4;
    let middle = &sorted[quarter..sorted.len() - quarter];
    middle.iter().sum::<f64>() / middle.len() as f64
}

/// How values, one a round, are spread.
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

/// How many times the times `of` are those of `over`, round by round.
pub(super) fn ratio(of: &[f64], over: &[f64], settings: &Settings) -> Estimate {
    paired_ratio(of, over, settings.confidence, settings.seed)
}
