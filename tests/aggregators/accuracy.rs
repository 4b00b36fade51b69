//! These tests use known hard cases: reference data of NIST, and sums that lose all digits if they are rounded.

use manyhands::aggregation::{Aggregator, Mean, Moments, StdDev, Sum, Variance};

use crate::rational::{Ratio, same, total, variance};

fn answer<A: Aggregator<f64>>(mut aggregator: A, scores: &[f64]) -> A::Output {
    aggregator.observe_slice(0, scores);
    aggregator.finish()
}

/// Returns `first`, followed by the two alternating values, `pairs` times each.
fn alternating(first: f64, pairs: usize, alternates: [f64; 2]) -> Vec<f64> {
    let mut scores = vec![first];
    scores.extend(alternates.iter().cycle().take(2 * pairs));
    scores
}

/// Four datasets for univariate statistics from NIST's Statistical Reference Datasets
/// (<https://www.itl.nist.gov/div898/strd/univ/homepage.html>): the scores of each dataset, their certified
/// mean, and their certified standard deviation.
///
/// The values are certified for the decimals in the datasets. The nearest floats to `1000000.2` and
/// `10000000.2` are other numbers with other deviations, so no arithmetic on floats can give the
/// certified deviations of the last two datasets.
fn nist() -> [(Vec<f64>, f64, f64); 4] {
    [
        (
            vec![10_000_001.0, 10_000_003.0, 10_000_002.0],
            10_000_002.0,
            1.0,
        ),
        (alternating(1.2, 500, [1.1, 1.3]), 1.2, 0.1),
        (
            alternating(1_000_000.2, 500, [1_000_000.1, 1_000_000.3]),
            1_000_000.2,
            0.1,
        ),
        (
            alternating(10_000_000.2, 500, [10_000_000.1, 10_000_000.3]),
            10_000_000.2,
            0.1,
        ),
    ]
}

#[test]
fn nist_numacc_is_exact_for_the_floats() {
    for (scores, _, _) in nist() {
        let n = scores.len();
        let mean = Ratio::of_units(total(&scores), n as u64).nearest();
        assert!(same(answer(Mean::new(), &scores), mean));
        let exact = variance(&scores, n - 1);
        assert!(same(answer(Variance::new(), &scores), exact.nearest()));
        assert!(same(answer(StdDev::new(), &scores), exact.nearest_root()));
    }
}

#[test]
fn nist_numacc_matches_up_to_the_rounding_of_its_decimals_to_floats() {
    for (scores, certified_mean, certified_deviation) in nist() {
        let summary = answer(Moments::new(), &scores);
        // Each float differs from its decimal by at most half a unit in the last place, so the mean does too. The
        // deviation changes by at most twice the change of a score.
        let largest = scores
            .iter()
            .fold(0.0_f64, |largest, &score| largest.max(score));
        let half_ulp = if largest.fract() == 0.0 {
            0.0
        } else {
            largest * f64::EPSILON / 2.0
        };
        let off = (summary.mean - certified_mean).abs();
        assert!(off <= 2.0 * half_ulp, "{} is off by {off:e}", summary.mean);
        let off = (summary.stddev - certified_deviation).abs();
        assert!(
            off <= 2.0 * half_ulp + f64::EPSILON / 8.0,
            "{} is off by {off:e}",
            summary.stddev
        );
    }
    let [first, ..] = nist();
    assert_eq!(answer(StdDev::new(), &first.0), 1.0);
}

/// Returns scores of up to `octaves` octaves in random order, whose sum is `rest`. Their condition number (the sum of
/// their magnitudes divided by the magnitude of their sum) is about `2^octaves` divided by `rest`. The scores are
/// generated with the method of Ogita, Rump and Oishi (*Accurate sum and dot product*, 2005), except that the rest is
/// given instead of computed.
fn ill_conditioned(pairs: usize, octaves: u64, rest: &[f64], seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 11
    };
    let mut scores = rest.to_vec();
    for _ in 0..pairs {
        let exponent = (next() % (octaves + 1)) as i32 - (octaves / 2) as i32;
        let score = (1.0 + next() as f64 / 2.0_f64.powi(53)) * 2.0_f64.powi(exponent);
        scores.extend([score, -score]);
    }
    // One pair of the largest magnitude ensures that the condition number is large enough.
    let largest = 2.0_f64.powi((octaves - octaves / 2) as i32);
    scores.extend([largest, -largest]);
    for place in (1..scores.len()).rev() {
        scores.swap(place, (next() % (place as u64 + 1)) as usize);
    }
    scores
}

#[test]
fn ill_conditioned_sums_are_exact() {
    for (octaves, rest) in [
        (40, 1.0),
        (110, 2.0_f64.powi(-50)),
        (1_000, 0.1),
        (1_996, 1e-300),
    ] {
        for seed in 0..4 {
            let scores = ill_conditioned(1_000, octaves, &[rest, rest, -rest], seed);
            assert!(same(answer(Sum::new(), &scores), rest));
            let mean = Ratio::of_units(total(&[rest]), scores.len() as u64).nearest();
            assert!(same(answer(Mean::new(), &scores), mean));
            let exact = variance(&scores, scores.len() - 1);
            assert!(same(answer(Variance::new(), &scores), exact.nearest()));
            // This case is hard, because a sum that rounds at every step is wrong.
            let size: f64 = scores.iter().map(|score| score.abs()).sum();
            let condition = size / rest;
            let naive: f64 = scores.iter().sum();
            assert!(
                condition < 1e18 || (naive - rest).abs() > rest,
                "{condition:e}"
            );
        }
    }
}

#[test]
fn a_variance_far_from_zero_keeps_every_digit() {
    // The scores differ by one unit in the last place. The textbook formula loses such differences.
    for power in (-1_000..1_000).step_by(97) {
        let base = 2.0_f64.powi(power);
        let scores = [base, base.next_up(), base.next_up().next_up()];
        let step = base.next_up() - base;
        assert_eq!(answer(StdDev::new(), &scores), step);
    }
}
