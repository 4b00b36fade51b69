//! How many times one is the other, where they were measured at different times.

use super::distributions::normal_quantile;
use super::ratio::{estimate, logarithm, midmean_of_all, midmeans_drawn};
use crate::measure::Estimate;

/// How much whole runs of a comparison differ from each other, as a share of how much the rounds
/// within one do.
///
/// Measured over 98 runs at different times on a machine with other programs at work: with three
/// quarters, intervals of 95 % held 1 in 95 to 99 of 100 pairs of runs of the same program (one thread
/// and two, by the clock and by processor time), with a half in 87 to 94, with the rounds alone in 52
/// to 70.
const RUNS_BESIDE_ROUNDS: f64 = 0.75;

/// Two runs differ by as much however quiet the machine is, as a share of time: where things come to
/// lie in memory is enough (Mytkowicz and others, *Producing wrong data without doing anything
/// obviously wrong!*, ASPLOS 2009).
const AT_LEAST: f64 = 0.01;

/// How many times the times `now` are the times `then`, where the two were not measured in the same
/// rounds: the ratio of their [`midmean`](super::midmean)s on a logarithmic scale, and its interval.
///
/// Rounds that follow each other have much in common, such as who else was at work, that rounds of
/// another day have not, so that more rounds do not make this interval as narrow as one likes. It
/// has the spread of the rounds in it, the spread of whole runs as it goes with that of rounds by
/// experience, and a hundredth that two runs may always differ by.
///
/// NaN where either is empty or has a time that is; of fewer than two rounds nothing is known but a thousandfold to
/// either side.
///
/// ```
/// use manyhands::measure::statistics::run_ratio;
///
/// let then = [1.00, 1.01, 1.00, 0.99, 1.00, 1.01];
/// let now = then.map(|time| time * 1.2);
/// let ratio = run_ratio(&now, &then, 0.95, 1);
/// assert!((ratio.value - 1.2).abs() < 1e-12);
/// assert!(ratio.low > 1.1 && ratio.low < 1.19);
/// ```
pub fn run_ratio(now: &[f64], then: &[f64], confidence: f64, seed: u64) -> Estimate {
    let [now, then] = [now, then]
        .map(|times| -> Vec<f64> { times.iter().map(|&time| logarithm(time)).collect() });
    let value = midmean_of_all(&now) - midmean_of_all(&then);
    if now.len().min(then.len()) < 2 {
        return estimate(value, f64::NEG_INFINITY, f64::INFINITY);
    }
    let variance = AT_LEAST.powi(2) + variance(&now, seed) + variance(&then, seed);
    let reach = normal_quantile(f64::midpoint(1.0, confidence)) * variance.sqrt();
    estimate(value, value - reach, value + reach)
}

/// The variance of the midmean of one run, against all runs there could have been.
fn variance(values: &[f64], seed: u64) -> f64 {
    let midmeans = midmeans_drawn(values, seed);
    let number = midmeans.len() as f64;
    let mean = midmeans.iter().sum::<f64>() / number;
    let squares: f64 = midmeans.iter().map(|one| (one - mean).powi(2)).sum();
    let rounds = values.len() as f64;
    let of_midmean = squares / number * rounds / (rounds - 1.0);
    of_midmean * (1.0 + rounds * RUNS_BESIDE_ROUNDS.powi(2))
}
