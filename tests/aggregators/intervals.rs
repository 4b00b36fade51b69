//! Intervals of the mean are compared with known quantiles and with their confidence level.

use manyhands::aggregation::{Aggregator, Confidence, MeanEstimate, MeanInterval, assert_laws};

use crate::scores::assorted;

const LEVELS: [(Confidence, f64); 4] = [
    (Confidence::Percent90, 0.90),
    (Confidence::Percent95, 0.95),
    (Confidence::Percent99, 0.99),
    (Confidence::Percent99_9, 0.999),
];

fn estimate(confidence: Confidence, scores: &[f64]) -> MeanEstimate {
    let mut interval = MeanInterval::new(confidence);
    interval.observe_slice(0, scores);
    interval.finish()
}

/// Returns the quantile that an interval with this number of degrees of freedom uses. The mean of the scores is 0, so
/// the quantile is the upper end of the interval divided by the standard error.
fn critical_value(confidence: Confidence, freedom: u32) -> f64 {
    // Half of the scores are 1 and half are −1; if their number is odd, one more is 0. Their variance is near 1.
    let count = freedom + 1;
    let scores: Vec<f64> = (0..count / 2).flat_map(|_| [1.0, -1.0]).collect();
    let zero = (count % 2 == 1).then_some(0.0);
    let scores: Vec<f64> = scores.into_iter().chain(zero).collect();
    let estimate = estimate(confidence, &scores);
    estimate.high / estimate.standard_error
}

/// Returns the probability that a variable with Student's distribution is within `±t`, by the formulas 26.7.3 and
/// 26.7.4 of Abramowitz and Stegun.
fn within(t: f64, freedom: u32) -> f64 {
    let nu = f64::from(freedom);
    let angle = (t / nu.sqrt()).atan();
    let (sine, cosine) = angle.sin_cos();
    let first = if freedom % 2 == 1 { cosine } else { 1.0 };
    let mut terms = vec![first];
    for step in (freedom % 2 + 2..freedom).step_by(2) {
        let step = f64::from(step);
        let last = terms[terms.len() - 1];
        terms.push(last * (step - 1.0) / step * cosine * cosine);
    }
    let series: f64 = terms.iter().sum();
    match freedom {
        1 => angle / std::f64::consts::FRAC_PI_2,
        odd if odd % 2 == 1 => (angle + sine * series) / std::f64::consts::FRAC_PI_2,
        _ => sine * series,
    }
}

#[test]
fn quantiles_follow_students_distribution() {
    for (confidence, level) in LEVELS {
        for freedom in (1..=60).chain([100, 365, 1_000]) {
            let t = critical_value(confidence, freedom);
            let error = (within(t, freedom) - level).abs() / (1.0 - level);
            // The error is largest at 31 degrees of freedom, the first number for which the series is used.
            // It is about ν times the error of the quantile.
            let most = if freedom <= 30 { 1e-12 } else { 2e-5 };
            assert!(
                error < most,
                "{confidence:?} {freedom}: {t}, off by {error:e}"
            );
        }
    }
}

#[test]
fn quantiles_match_published_tables() {
    // The expected values are the output of `qt(1 - (1 - level) / 2, freedom)` in R.
    for (confidence, freedom, expected, most) in [
        (Confidence::Percent95, 1, 12.7062047361747, 1e-13),
        (Confidence::Percent95, 10, 2.22813885198627, 1e-13),
        (Confidence::Percent95, 30, 2.04227245630124, 1e-13),
        (Confidence::Percent95, 120, 1.97993040508244, 1e-10),
        (Confidence::Percent95, 1_000, 1.96233908082641, 1e-13),
        (Confidence::Percent99, 45, 2.68958501937464, 1e-7),
        (Confidence::Percent90, 1_000, 1.64637881728547, 1e-13),
        (Confidence::Percent99_9, 1_000, 3.30028264842391, 1e-12),
    ] {
        let t = critical_value(confidence, freedom);
        assert!((t / expected - 1.0).abs() < most, "{t} is not {expected}");
    }
}

#[test]
fn intervals_contain_the_mean_as_often_as_their_level() {
    const SAMPLES: u32 = 2_000;
    let mut state = 20_u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    // The sum of twelve uniform scores, minus six, has nearly a normal distribution (mean 0, variance 1).
    let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
    let mut held = [0_u32; LEVELS.len()];
    for _ in 0..SAMPLES {
        let sample: Vec<f64> = (0..30).map(|_| normal()).collect();
        for (held, (confidence, _)) in held.iter_mut().zip(LEVELS) {
            let estimate = estimate(confidence, &sample);
            *held += u32::from(estimate.low < 0.0 && 0.0 < estimate.high);
        }
    }
    for (held, (confidence, level)) in held.into_iter().zip(LEVELS) {
        let expected = f64::from(SAMPLES) * level;
        let sigma = (expected * (1.0 - level)).sqrt();
        let off = (f64::from(held) - expected).abs() / sigma;
        assert!(off < 4.0, "{confidence:?} held {held} of {SAMPLES} times");
    }
}

#[test]
fn undefined_answers_are_nan() {
    for scores in [&[][..], &[f64::NAN, 1.0], &[1.0, f64::INFINITY], &[2.0]] {
        let estimate = estimate(Confidence::Percent95, scores);
        assert_eq!(estimate.count, scores.len() as u64);
        for undefined in [estimate.standard_error, estimate.low, estimate.high] {
            assert_eq!(undefined.to_bits(), f64::NAN.to_bits());
        }
    }
    assert_eq!(estimate(Confidence::Percent90, &[2.0]).mean, 2.0);
    let equal = estimate(Confidence::Percent99_9, &[0.1; 7]);
    assert_eq!(
        (equal.low, equal.high, equal.standard_error),
        (0.1, 0.1, 0.0)
    );
    let huge = estimate(Confidence::Percent99, &[f64::MAX, f64::MIN]);
    assert_eq!((huge.low, huge.high), (f64::NEG_INFINITY, f64::INFINITY));
}

#[test]
fn intervals_keep_the_laws() {
    let intervals = || {
        LEVELS
            .map(|(confidence, _)| MeanInterval::new(confidence))
            .to_vec()
    };
    assert_laws(intervals(), &assorted(60));
    assert_laws(intervals(), &[1.0, f64::NAN, 2.0]);
}
