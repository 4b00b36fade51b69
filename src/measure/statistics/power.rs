//! How small a difference so many rounds can tell.

use super::distributions::normal_quantile;
use crate::measure::Estimate;

/// A difference counts as one that can be told where it would be in so many of all comparisons.
const POWER: f64 = 0.9;

/// The least difference that would have been told in nine comparisons of ten with as many rounds and as
/// much noise, as a share: 0.03 where 3 % more or less time would have been.
///
/// It is worked out from the width of the interval on a logarithmic scale, which goes with the standard
/// error. Where a fifth of the rounds is spoilt, that width differs much from one comparison to the
/// next, and it is rather in three or four of five.
///
/// ```
/// use manyhands::measure::Estimate;
/// use manyhands::measure::statistics::{detectable, paired_ratio};
///
/// let old = [1.00, 1.02, 1.01, 0.99, 1.00, 1.03, 1.00, 0.98];
/// let new = [1.01, 1.00, 1.02, 0.99, 1.01, 1.00, 1.02, 0.99];
/// let ratio = paired_ratio(&new, &old, 0.95, 1);
/// assert!(!ratio.differs_from(1.0));
/// assert!((0.01..0.05).contains(&detectable(&ratio, 0.95)));
/// ```
pub fn detectable(ratio: &Estimate, confidence: f64) -> f64 {
    (reach(ratio) * beyond(confidence)).exp_m1()
}

/// About how many rounds it would take to tell a difference of such a share in nine comparisons of ten,
/// going by the interval that so many rounds have given; `None` where that is no number.
///
/// The width of an interval goes with the root of the rounds, so half the difference takes four times
/// as many. It is never fewer than six, with which no interval of 95 % is worth anything.
///
/// ```
/// use manyhands::measure::statistics::{detectable, paired_ratio, rounds_needed};
///
/// let old = [1.00, 1.02, 1.01, 0.99, 1.00, 1.03, 1.00, 0.98];
/// let new = [1.01, 1.00, 1.02, 0.99, 1.01, 1.00, 1.02, 0.99];
/// let ratio = paired_ratio(&new, &old, 0.95, 1);
/// assert_eq!(rounds_needed(&ratio, 8, 0.95, detectable(&ratio, 0.95)), Some(8));
/// assert!(rounds_needed(&ratio, 8, 0.95, 0.01) > Some(16));
/// ```
pub fn rounds_needed(
    ratio: &Estimate,
    rounds: usize,
    confidence: f64,
    difference: f64,
) -> Option<usize> {
    const FEWEST: f64 = 6.0;
    /// Nobody waits for more.
    const MOST: f64 = 1e6;
    let wider = reach(ratio) * beyond(confidence) / difference.abs().ln_1p();
    // A hair less, so that what is exactly as many is not one more.
    let needed = (rounds as f64 * wider * wider * (1.0 - 1e-9)).ceil();
    (needed <= MOST && rounds > 1).then(|| needed.max(FEWEST) as usize)
}

/// How far an interval reaches to either side, on the logarithmic scale.
fn reach(ratio: &Estimate) -> f64 {
    (ratio.high / ratio.low).ln() / 2.0
}

/// How many times further than an interval a difference must reach to be told so often.
fn beyond(confidence: f64) -> f64 {
    let reach = normal_quantile(f64::midpoint(1.0, confidence));
    (reach + normal_quantile(POWER)) / reach
}
