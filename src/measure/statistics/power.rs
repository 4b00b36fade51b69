//! How small a difference a number of rounds can detect.

use super::distributions::normal_quantile;
use crate::measure::figures::Estimate;

/// Statistical power: the share of comparisons in which a difference of the detectable size is detected.
const POWER: f64 = 0.9;

/// The smallest difference that would be detected in nine of ten comparisons with the same number of rounds and
/// the same noise, as a share: 0.03 for 3 % more or less time.
///
/// The difference is computed from the width of the interval on a logarithmic scale, which is proportional to
/// the standard error. If a fifth of the rounds is disturbed, that width varies strongly from one comparison to
/// the next, and the difference is detected in three to four of five comparisons.
pub(crate) fn detectable(ratio: &Estimate, confidence: f64) -> f64 {
    (half_width(ratio) * detection_factor(confidence)).exp_m1()
}

/// The approximate number of rounds that detect this difference in nine of ten comparisons, given the interval
/// of `ratio` after `rounds` rounds; `None` if it is not a practical number.
///
/// The width of an interval falls with the square root of the number of rounds, so detecting half the
/// difference takes four times as many rounds. The result is at least six, because no interval of 95 % is
/// reliable with fewer.
pub(crate) fn rounds_needed(
    ratio: &Estimate,
    rounds: usize,
    confidence: f64,
    difference: f64,
) -> Option<usize> {
    const FEWEST: f64 = 6.0;
    const MOST: f64 = 1e6;
    let factor = half_width(ratio) * detection_factor(confidence) / difference.abs().ln_1p();
    // The number is reduced slightly, so that rounding errors do not add a round to an exact number.
    let needed = (rounds as f64 * factor * factor * (1.0 - 1e-9)).ceil();
    (needed <= MOST && rounds > 1).then(|| needed.max(FEWEST) as usize)
}

/// Half the width of an interval on the logarithmic scale.
fn half_width(ratio: &Estimate) -> f64 {
    (ratio.high / ratio.low).ln() / 2.0
}

/// How many times larger than half the interval a difference must be to be detected with the power
/// [`POWER`].
fn detection_factor(confidence: f64) -> f64 {
    let half_width = normal_quantile(f64::midpoint(1.0, confidence));
    (half_width + normal_quantile(POWER)) / half_width
}
