//! The statistics compared with known results, and the coverage of the intervals.

use proptest::prelude::*;

use super::*;

const VALUES: [f64; 11] = [
    0.62, 1.94, 0.31, 7.5, 1.05, 0.88, 2.41, 0.97, 1.33, 0.74, 12.8,
];

/// The times of the slower one of two programs in twenty rounds. It takes 3 % longer, and two rounds were
/// disturbed.
const SLOWER: [f64; 20] = [
    1.031, 1.012, 1.054, 0.998, 1.047, 1.022, 1.083, 1.015, 1.039, 1.061, 1.008, 1.027, 1.493,
    1.044, 1.019, 1.052, 1.033, 0.941, 1.026, 1.058,
];
/// The times of the other program in the same rounds.
const FASTER: [f64; 20] = [
    1.0, 1.0, 1.01, 0.99, 1.02, 1.0, 1.03, 1.0, 0.99, 1.01, 1.0, 1.02, 1.0, 1.0, 1.0, 1.01, 1.02,
    1.0, 0.98, 1.0,
];

#[track_caller]
fn close(one: f64, other: f64, tolerance: f64) {
    assert!((one - other).abs() <= tolerance, "{one} is not {other}");
}

fn contains(estimate: &Estimate, truth: f64) -> bool {
    (estimate.low..=estimate.high).contains(&truth)
}

fn width(estimate: &Estimate) -> f64 {
    (estimate.high / estimate.low).ln()
}

/// Noise like the noise of measured times: other programs disturb a tenth of the rounds.
struct Noise(fastrand::Rng);

impl Noise {
    fn new(seed: u64) -> Self {
        Noise(fastrand::Rng::with_seed(seed))
    }

    /// A nearly normal number with variance 1: the sum of twelve uniform numbers.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.0.f64()).sum::<f64>() - 6.0
    }

    fn time(&mut self, typical: f64, spread: f64) -> f64 {
        let disturbance = if self.0.f64() < 0.1 {
            1.0 + 2.0 * self.0.f64()
        } else {
            1.0
        };
        typical * disturbance * (spread * self.normal()).exp()
    }

    fn times(&mut self, rounds: usize, typical: f64, spread: f64) -> Vec<f64> {
        (0..rounds).map(|_| self.time(typical, spread)).collect()
    }
}

/// The expected values are those of NumPy 2.4 for `median` and `quantile`, and of SciPy 1.17 for
/// `stats.trim_mean(_, 0.25)`.
#[test]
fn medians_quantiles_and_midmeans_equal_those_of_numpy_and_scipy() {
    assert_eq!(median(&VALUES), 1.05);
    for (share, expected) in [
        (0.0, 0.31),
        (0.1, 0.62),
        (0.25, 0.81),
        (0.5, 1.05),
        (0.9, 7.5),
        (0.975, 11.475),
        (1.0, 12.8),
    ] {
        close(quantile(&VALUES, share), expected, 1e-12);
    }
    close(midmean(&VALUES), 1.3314285714285714, 1e-12);
    close(midmean(&VALUES[..7]), 1.38, 1e-12);
    assert_eq!((midmean(&[1.0, 2.0, 6.0]), midmean(&[5.0])), (3.0, 5.0));
    for nan in [median(&[]), quantile(&[], 0.3), midmean(&[])] {
        assert!(nan.is_nan());
    }
}

/// The expected values are those of SciPy 1.17: `stats.bootstrap` of the trimmed mean with 200,000 resamples
/// and the method `percentile` at the expanded confidence of 96.82 %, and `stats.t.interval` of three
/// logarithms.
#[test]
fn intervals_of_ratios_equal_those_of_scipy() {
    let ratio = paired_ratio(&SLOWER, &FASTER, 0.95, 1);
    close(ratio.value, 1.0301564436265127, 1e-12);
    close(ratio.low, 1.01634, 0.0015);
    close(ratio.high, 1.04397, 0.0015);

    let few = paired_ratio(&[1.10, 1.25, 1.02], &[1.0, 1.1, 1.05], 0.95, 1);
    close(few.value, 1.0668588443421818, 1e-9);
    close(few.low, 0.8685922317865591, 1e-9);
    close(few.high, 1.310382193276194, 1e-9);
}

#[test]
fn one_disturbed_round_does_not_change_a_ratio() {
    let new = [1.1, 1.3, 1.2, 1.1, 1.2, 1.1, 1.0, 9.9];
    let old = [1.0, 1.2, 1.1, 1.0, 1.1, 1.0, 1.0, 9.0];
    let ratio = paired_ratio(&new, &old, 0.95, 1);
    assert!((ratio.value - 1.1).abs() < 0.01 && ratio.differs_from(1.0));
}

#[test]
fn fewer_rounds_are_needed_for_the_detectable_difference_than_for_a_smaller_one() {
    let old = [1.00, 1.02, 1.01, 0.99, 1.00, 1.03, 1.00, 0.98];
    let new = [1.01, 1.00, 1.02, 0.99, 1.01, 1.00, 1.02, 0.99];
    let ratio = paired_ratio(&new, &old, 0.95, 1);
    assert!(!ratio.differs_from(1.0));
    let difference = detectable(&ratio, 0.95);
    assert!((0.01..0.05).contains(&difference), "{difference}");
    assert_eq!(rounds_needed(&ratio, 8, 0.95, difference), Some(8));
    assert!(rounds_needed(&ratio, 8, 0.95, 0.01) > Some(16));
}

#[test]
fn a_ratio_of_measurements_has_an_interval_around_it() {
    let then = [1.00, 1.01, 1.00, 0.99, 1.00, 1.01];
    let now = then.map(|time| time * 1.2);
    let ratio = run_ratio(&now, &then, 0.95, 1);
    assert!((ratio.value - 1.2).abs() < 1e-12);
    assert!(ratio.low > 1.1 && ratio.low < 1.19, "{ratio:?}");
}

#[test]
fn one_round_has_a_very_wide_interval_and_no_round_has_none() {
    let one = paired_ratio(&[2.0], &[1.0], 0.95, 1);
    close(one.value, 2.0, 1e-12);
    close(one.low, 0.002, 1e-12);
    close(one.high, 2000.0, 1e-6);
    assert_eq!(rounds_needed(&one, 1, 0.95, 0.03), None);
    assert!(detectable(&one, 0.95) > 100.0);
    let none = paired_ratio(&[], &[], 0.95, 1);
    assert!(none.value.is_nan() && !none.differs_from(1.0));
    let one = run_ratio(&[2.0], &[1.0, 1.0, 1.0], 0.95, 1);
    assert!(!one.differs_from(1.0));
}

#[test]
fn times_of_zero_give_finite_ratios() {
    for ratio in [
        paired_ratio(&[0.0; 20], &[0.0; 20], 0.95, 1),
        paired_ratio(&[0.0, 1e-12, 0.0], &[1e-300; 3], 0.95, 1),
    ] {
        assert_eq!((ratio.low, ratio.value, ratio.high), (1.0, 1.0, 1.0));
    }
    let ratio = paired_ratio(&[1e200; 8], &[0.0; 8], 0.95, 1);
    assert!(ratio.value.is_finite() && ratio.high.is_finite());
}

/// An interval with a true coverage of 95 % would fall below these limits for 1 seed in 1,000. The test always
/// uses the same seed.
#[test]
fn intervals_of_ratios_have_the_stated_coverage() {
    let mut noise = Noise::new(11);
    for (rounds, spread, tries, at_least) in [
        (3, 0.1, 1000, 930),
        (5, 0.02, 1000, 930),
        (8, 0.1, 150, 134),
        (20, 0.02, 150, 134),
        (20, 0.3, 150, 134),
    ] {
        let mut covered = 0;
        for seed in 0..tries {
            let (old, new) = (
                noise.times(rounds, 1.0, spread),
                noise.times(rounds, 1.25, spread),
            );
            covered += usize::from(contains(&paired_ratio(&new, &old, 0.95, seed), 1.25));
        }
        assert!(
            covered >= at_least,
            "{covered} of {tries} with {rounds} rounds of noise {spread}"
        );
        // An interval that always contains the true ratio would be too wide.
        assert!(
            covered < tries as usize,
            "{rounds} rounds of noise {spread}"
        );
    }
}

#[test]
fn intervals_of_medians_have_the_stated_coverage() {
    let mut noise = Noise::new(12);
    for rounds in [6, 9, 20, 51] {
        let covered = (0..1000).filter(|_| {
            // The median of the exponential of a symmetric number is 1.
            let times: Vec<f64> = (0..rounds).map(|_| noise.normal().exp()).collect();
            let (low, high) = median_interval(&times, 0.95);
            (low..=high).contains(&1.0)
        });
        let covered = covered.count();
        assert!(covered >= 935, "{covered} of 1000 with {rounds} rounds");
    }
}

#[test]
fn the_interval_of_a_median_follows_the_binomial_distribution() {
    let to = |n: u32| -> Vec<f64> { (1..=n).map(f64::from).collect() };
    assert_eq!(median_interval(&to(5), 0.95), (1.0, 5.0));
    assert_eq!(median_interval(&to(6), 0.95), (1.0, 6.0));
    assert_eq!(median_interval(&to(9), 0.95), (2.0, 8.0));
    assert_eq!(median_interval(&to(20), 0.95), (6.0, 15.0));
    assert_eq!(median_interval(&to(20), 0.5), (8.0, 13.0));
    assert_eq!(median_interval(&to(100), 0.95), (40.0, 61.0));
    assert_eq!(median_interval(&to(1), 0.95), (1.0, 1.0));
    assert!(median_interval(&[], 0.95).0.is_nan());
}

/// Differences of the detectable size are detected in most comparisons, and so are smaller differences with the
/// number of rounds that they need. They are detected in three to four of five comparisons, because a fifth of
/// the rounds is disturbed.
#[test]
fn detectable_differences_are_detected() {
    let mut noise = Noise::new(13);
    let mut pilot = |rounds| {
        let all = (0..15).map(|seed| {
            let (old, new) = (
                noise.times(rounds, 1.0, 0.03),
                noise.times(rounds, 1.0, 0.03),
            );
            paired_ratio(&new, &old, 0.95, seed)
        });
        all.collect::<Vec<_>>()
    };
    let first = pilot(20);
    let differences: Vec<f64> = first.iter().map(|ratio| detectable(ratio, 0.95)).collect();
    let difference = median(&differences);
    let needed = |ratio: &Estimate| rounds_needed(ratio, 20, 0.95, difference / 2.0);
    let needed: Vec<f64> = first
        .iter()
        .filter_map(needed)
        .map(|rounds| rounds as f64)
        .collect();
    assert_eq!(needed.len(), 15);
    let needed = median(&needed) as usize;
    assert!((70..=90).contains(&needed), "{needed}");
    for (rounds, difference) in [(20, difference), (needed, difference / 2.0)] {
        let mut detected = 0;
        for seed in 0..60 {
            let old = noise.times(rounds, 1.0, 0.03);
            let new = noise.times(rounds, 1.0 + difference, 0.03);
            detected += usize::from(paired_ratio(&new, &old, 0.95, seed).low > 1.0);
        }
        assert!(
            (42..=59).contains(&detected),
            "{detected} of 60 with {rounds} rounds"
        );
    }
}

/// The measurements as a whole differ by half as much as their rounds do.
#[test]
fn intervals_between_measurements_have_the_stated_coverage_and_those_of_rounds_do_not() {
    let mut noise = Noise::new(14);
    let (mut covered, mut covered_by_rounds) = (0, 0);
    for seed in 0..100 {
        let mut run = || {
            let load = (0.5 * 0.05 * noise.normal()).exp();
            noise.times(20, load, 0.05)
        };
        let (now, then) = (run(), run());
        covered += usize::from(contains(&run_ratio(&now, &then, 0.95, seed), 1.0));
        covered_by_rounds += usize::from(contains(&paired_ratio(&now, &then, 0.95, seed), 1.0));
    }
    assert!(covered >= 92, "{covered} of 100");
    assert!(covered_by_rounds < 80, "{covered_by_rounds} of 100");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn ratios_do_not_depend_on_the_unit(seed: u64, rounds in 2_usize..30, scale in 1e-3..1e3, both in 1e-3..1e3) {
        let mut noise = Noise::new(seed);
        let (of, over) = (noise.times(rounds, 1.0, 0.1), noise.times(rounds, 1.0, 0.1));
        let plain = paired_ratio(&of, &over, 0.95, seed);
        let scaled = |times: &[f64], by: f64| times.iter().map(|time| time * by).collect::<Vec<_>>();
        let same = paired_ratio(&scaled(&of, both), &scaled(&over, both), 0.95, seed);
        let more = paired_ratio(&scaled(&of, scale), &over, 0.95, seed);
        for (one, other, by) in [
            (plain.value, same.value, 1.0), (plain.low, same.low, 1.0), (plain.high, same.high, 1.0),
            (plain.value, more.value, scale), (plain.low, more.low, scale), (plain.high, more.high, scale),
        ] {
            prop_assert!((one * by / other - 1.0).abs() < 1e-9, "{one} {other}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_interval(seed: u64, rounds in 15_usize..30) {
        let mut noise = Noise::new(seed);
        let (of, over) = (noise.times(rounds, 1.0, 0.1), noise.times(rounds, 1.0, 0.1));
        let ratio = |seed| paired_ratio(&of, &over, 0.95, seed);
        prop_assert_eq!(ratio(seed), ratio(seed));
        prop_assert_ne!(ratio(1), ratio(2));
        prop_assert!(ratio(1).low <= ratio(1).value && ratio(1).value <= ratio(1).high);
    }

    #[test]
    fn more_noise_gives_a_wider_interval(seed: u64, rounds in 2_usize..40) {
        let mut noise = Noise::new(seed);
        let shape: Vec<f64> = (0..rounds).map(|_| noise.normal()).collect();
        let times = |spread: f64| shape.iter().map(|one| (spread * one).exp()).collect::<Vec<_>>();
        let over = vec![1.0; rounds];
        let (calm, wild) = (paired_ratio(&times(0.01), &over, 0.95, 3), paired_ratio(&times(0.05), &over, 0.95, 3));
        prop_assert!(width(&wild) > 3.0 * width(&calm));
        prop_assert!(detectable(&wild, 0.95) > detectable(&calm, 0.95));
        prop_assert!(width(&paired_ratio(&times(0.05), &over, 0.99, 3)) > width(&wild));
    }

    #[test]
    fn quantiles_rise_and_stay_between_the_values(values in prop::collection::vec(-1e9..1e9, 1..40), one in 0.0..=1.0_f64, other in 0.0..=1.0_f64) {
        let (low, high) = (quantile(&values, one.min(other)), quantile(&values, one.max(other)));
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        prop_assert!(least <= low && low <= high && high <= most);
    }
}

#[test]
fn a_time_that_is_nan_gives_nan() {
    let good = [1.0, 1.1, 1.2, 1.0, 1.1, 1.2, 1.0, 1.1];
    let mut bad = good;
    bad[3] = f64::NAN;
    for ratio in [
        paired_ratio(&bad, &good, 0.95, 1),
        paired_ratio(&good, &bad, 0.95, 1),
        run_ratio(&bad, &good, 0.95, 1),
        run_ratio(&good, &[], 0.95, 1),
        run_ratio(&[], &good, 0.95, 1),
        paired_ratio(&[], &[], 0.95, 1),
    ] {
        let all = [ratio.value, ratio.low, ratio.high];
        assert!(all.iter().all(|one| one.is_nan()), "{ratio:?}");
    }
    // A time of zero counts as one nanosecond.
    assert_eq!(paired_ratio(&[0.0], &[1e-9], 0.95, 1).value, 1.0);
}
