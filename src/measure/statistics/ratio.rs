//! How many times one is the other, round by round.

use super::distributions::{normal_below, student_quantile};
use super::{midmean, midmean_of_sorted, quantile_of_sorted, sorted};
use crate::measure::Estimate;

/// How many times the rounds are drawn again.
const RESAMPLES: usize = 2000;

/// With fewer rounds than this there are too few ways to draw them.
const FEWEST_TO_DRAW: usize = 6;

/// Times below a nanosecond count as one: no clock tells less, and a ratio needs both its sides.
const LEAST_SECONDS: f64 = 1e-9;

/// An interval reaches no further than so many times the value to either side.
const FURTHEST: f64 = 1000.0;

/// How many times the times `of` are the times `over`, where both have one in each round: the
/// [`midmean`] of the ratios on a logarithmic scale, and its interval.
///
/// The interval is that of an expanded percentile bootstrap over whole rounds (Efron, *Bootstrap
/// methods: another look at the jackknife*, 1979; expanded as Hesterberg, *What teachers should know
/// about the bootstrap*, 2015, 5.3, has it: by as much as Student's t is wider than the normal
/// distribution, and for the degree of freedom that resampling loses). Of two to five rounds it is
/// Student's on the logarithmic scale; of a single one, from a thousandth to a thousand times the
/// value, since nothing is known. The same seed gives the same interval.
///
/// Where one has more rounds than the other, the last ones count for nothing. NaN without a
/// round, or where a time is.
///
/// ```
/// use manyhands::measure::statistics::paired_ratio;
///
/// // The last round was spoilt for both.
/// let new = [1.1, 1.3, 1.2, 1.1, 1.2, 1.1, 1.0, 9.9];
/// let old = [1.0, 1.2, 1.1, 1.0, 1.1, 1.0, 1.0, 9.0];
/// let ratio = paired_ratio(&new, &old, 0.95, 1);
/// assert!((ratio.value - 1.1).abs() < 0.01 && ratio.differs_from(1.0));
/// ```
pub fn paired_ratio(of: &[f64], over: &[f64], confidence: f64, seed: u64) -> Estimate {
    let logarithms: Vec<f64> = of
        .iter()
        .zip(over)
        .map(|(of, over)| logarithm(*of) - logarithm(*over))
        .collect();
    let value = midmean_of_all(&logarithms);
    let tail = (1.0 - confidence) / 2.0;
    let (low, high) = match logarithms.len() {
        0 => (f64::NAN, f64::NAN),
        1 => (f64::NEG_INFINITY, f64::INFINITY),
        2..FEWEST_TO_DRAW => student(&logarithms, tail),
        _ => bootstrap(&logarithms, tail, seed),
    };
    estimate(value, low, high)
}

/// The midmean; NaN where any of the values is, however far out it would be.
pub(super) fn midmean_of_all(values: &[f64]) -> f64 {
    match values.iter().find(|value| value.is_nan()) {
        Some(&none) => none,
        None => midmean(values),
    }
}

/// On the logarithmic scale.
pub(super) fn logarithm(seconds: f64) -> f64 {
    // Not `max`, which takes what is no number for the least there is.
    seconds.clamp(LEAST_SECONDS, f64::INFINITY).ln()
}

/// Back from the logarithmic scale.
pub(super) fn estimate(value: f64, low: f64, high: f64) -> Estimate {
    if value.is_nan() {
        let (low, high) = (value, value);
        return Estimate { value, low, high };
    }
    let furthest = FURTHEST.ln();
    Estimate {
        value: value.exp(),
        low: low.max(value - furthest).exp(),
        high: high.min(value + furthest).exp(),
    }
}

/// Midmeans of the values drawn again and again with replacement, sorted.
pub(super) fn midmeans_drawn(values: &[f64], seed: u64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut drawn = vec![0.0; values.len()];
    let mut midmeans: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            drawn.fill_with(|| values[random.usize(..values.len())]);
            drawn.sort_unstable_by(f64::total_cmp);
            midmean_of_sorted(&drawn)
        })
        .collect();
    midmeans.sort_unstable_by(f64::total_cmp);
    midmeans
}

fn bootstrap(values: &[f64], tail: f64, seed: u64) -> (f64, f64) {
    let rounds = values.len() as f64;
    let reach = student_quantile(1.0 - tail, values.len() - 1) * (rounds / (rounds - 1.0)).sqrt();
    let expanded = normal_below(-reach);
    let midmeans = midmeans_drawn(values, seed);
    (
        quantile_of_sorted(&midmeans, expanded),
        quantile_of_sorted(&midmeans, 1.0 - expanded),
    )
}

fn student(values: &[f64], tail: f64) -> (f64, f64) {
    let values = sorted(values);
    let number = values.len() as f64;
    let mean = values.iter().sum::<f64>() / number;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let error = (squares / (number - 1.0) / number).sqrt();
    let reach = student_quantile(1.0 - tail, values.len() - 1) * error;
    // Around the value that is told, which without the outer quarters may not be the mean.
    let middle = midmean_of_sorted(&values);
    (middle - reach, middle + reach)
}
