//! Ratios of times that were measured in the same rounds.

use super::distributions::{normal_below, student_quantile};
use super::{midmean, midmean_of_sorted, quantile_of_sorted, sorted};
use crate::measure::figures::Estimate;

/// Number of bootstrap resamples.
const RESAMPLES: usize = 2000;

/// Smallest number of rounds for the bootstrap. Fewer rounds have too few different resamples.
const FEWEST_TO_RESAMPLE: usize = 6;

/// Shortest time, in seconds; shorter times count as this one. No clock is finer, and a denominator must not be
/// zero.
const SHORTEST: f64 = 1e-9;

/// Largest factor between the value and an end of its interval.
const WIDEST: f64 = 1000.0;

/// The times `numerator` divided by the times `denominator`, where both have one time per round: the
/// [`midmean`] of the ratios on a logarithmic scale, with its interval.
///
/// The interval is an expanded percentile bootstrap over whole rounds (Efron, *Bootstrap methods: another look
/// at the jackknife*, 1979). It is expanded as in Hesterberg, *What teachers should know about the bootstrap*,
/// 2015, 5.3: by the factor by which Student's t is wider than the normal distribution, and additionally to
/// compensate for the degree of freedom that resampling loses. With two to five rounds, it is Student's
/// interval on the logarithmic scale. With one round, it extends by a factor of 1,000 to either side, because a
/// single round does not show the noise. The same seed gives the same interval.
///
/// If one side has more rounds than the other, its last rounds are ignored. The result is NaN if there are no
/// rounds or if a time is NaN.
pub(super) fn paired_ratio(
    numerator: &[f64],
    denominator: &[f64],
    confidence: f64,
    seed: u64,
) -> Estimate {
    let logarithms: Vec<f64> = numerator
        .iter()
        .zip(denominator)
        .map(|(numerator, denominator)| logarithm(*numerator) - logarithm(*denominator))
        .collect();
    let value = midmean_of_all(&logarithms);
    let tail = (1.0 - confidence) / 2.0;
    let (low, high) = match logarithms.len() {
        0 => (f64::NAN, f64::NAN),
        1 => (f64::NEG_INFINITY, f64::INFINITY),
        2..FEWEST_TO_RESAMPLE => student(&logarithms, tail),
        _ => bootstrap(&logarithms, tail, seed),
    };
    estimate(value, low, high)
}

/// The midmean; NaN if any value is NaN, even one that the midmean would leave out.
pub(super) fn midmean_of_all(values: &[f64]) -> f64 {
    match values.iter().find(|value| value.is_nan()) {
        Some(&nan) => nan,
        None => midmean(values),
    }
}

/// The logarithm of a time in seconds.
pub(super) fn logarithm(seconds: f64) -> f64 {
    // `clamp` keeps NaN; `max` would turn it into the shortest time.
    seconds.clamp(SHORTEST, f64::INFINITY).ln()
}

/// Converts a value and its interval back from the logarithmic scale.
pub(super) fn estimate(value: f64, low: f64, high: f64) -> Estimate {
    if value.is_nan() {
        let (low, high) = (value, value);
        return Estimate { value, low, high };
    }
    let widest = WIDEST.ln();
    Estimate {
        value: value.exp(),
        low: low.max(value - widest).exp(),
        high: high.min(value + widest).exp(),
    }
}

/// The midmeans of resamples with replacement, sorted.
pub(super) fn resampled_midmeans(values: &[f64], seed: u64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut resample = vec![0.0; values.len()];
    let mut midmeans: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            resample.fill_with(|| values[random.usize(..values.len())]);
            resample.sort_unstable_by(f64::total_cmp);
            midmean_of_sorted(&resample)
        })
        .collect();
    midmeans.sort_unstable_by(f64::total_cmp);
    midmeans
}

fn bootstrap(values: &[f64], tail: f64, seed: u64) -> (f64, f64) {
    let rounds = values.len() as f64;
    let quantile = student_quantile(1.0 - tail, values.len() - 1);
    let expanded_tail = normal_below(-quantile * (rounds / (rounds - 1.0)).sqrt());
    let midmeans = resampled_midmeans(values, seed);
    (
        quantile_of_sorted(&midmeans, expanded_tail),
        quantile_of_sorted(&midmeans, 1.0 - expanded_tail),
    )
}

fn student(values: &[f64], tail: f64) -> (f64, f64) {
    let values = sorted(values);
    let number = values.len() as f64;
    let mean = values.iter().sum::<f64>() / number;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let standard_error = (squares / (number - 1.0) / number).sqrt();
    let half_width = student_quantile(1.0 - tail, values.len() - 1) * standard_error;
    // The interval is placed around the reported value, because with four or five rounds, the midmean is not
    // the mean.
    let middle = midmean_of_sorted(&values);
    (middle - half_width, middle + half_width)
}
