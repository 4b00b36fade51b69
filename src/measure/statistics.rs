//! The statistics of a comparison: medians, and intervals by bootstrap over whole rounds.

use super::comparison::{Estimate, Settings, Spread};

/// How many times the rounds are drawn again.
const RESAMPLES: usize = 2000;

/// The median of values; NaN of none.
///
/// ```
/// use manyhands::measure::statistics::median;
///
/// assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
/// assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
/// ```
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}

/// The quantile of sorted values, linear between neighbours.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = share.clamp(0.0, 1.0) * last as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    sorted[low] + part * (sorted[(low + 1).min(last)] - sorted[low])
}

/// Draws the rounds again and again, and gives the interval of a statistic of the rounds drawn.
fn bootstrap(
    rounds: usize,
    settings: &Settings,
    statistic: impl Fn(&[usize]) -> f64,
) -> (f64, f64) {
    let mut random = fastrand::Rng::with_seed(settings.seed);
    let mut drawn = vec![0; rounds];
    let mut values: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            drawn.fill_with(|| random.usize(..rounds));
            statistic(&drawn)
        })
        .collect();
    values.sort_by(f64::total_cmp);
    let tail = (1.0 - settings.confidence) / 2.0;
    (quantile(&values, tail), quantile(&values, 1.0 - tail))
}

/// How values, one a round, are spread.
pub(super) fn spread(values: &[f64], settings: &Settings) -> Spread {
    let drawn = |rounds: &[usize]| {
        median(
            &rounds
                .iter()
                .map(|&round| values[round])
                .collect::<Vec<_>>(),
        )
    };
    let (low, high) = bootstrap(values.len(), settings, drawn);
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
    let ratios: Vec<f64> = of.iter().zip(over).map(|(of, over)| of / over).collect();
    let drawn = |rounds: &[usize]| {
        median(
            &rounds
                .iter()
                .map(|&round| ratios[round])
                .collect::<Vec<_>>(),
        )
    };
    let (low, high) = bootstrap(ratios.len(), settings, drawn);
    Estimate {
        value: median(&ratios),
        low,
        high,
    }
}
