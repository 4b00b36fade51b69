//! Sum, mean and variance are compared with integers that are never rounded.

use manyhands::aggregation::exact::{ExactProducts, ExactSum};
use manyhands::aggregation::{Aggregator, Count, Extrema, Mean, StdDev, Sum, Variance};
use num_traits::Zero;
use proptest::prelude::*;

use crate::rational::{Ratio, same, squares, total, units, variance};
use crate::scores::{any_bits, finite_scores};

fn answer<A: Aggregator<f64>>(mut aggregator: A, scores: &[f64]) -> A::Output {
    for (index, score) in (0..).zip(scores) {
        aggregator.observe(index, score);
    }
    aggregator.finish()
}

fn all_negative_zero(scores: &[f64]) -> bool {
    !scores.is_empty() && scores.iter().all(|score| same(*score, -0.0))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn sums_are_rounded_once(scores in finite_scores(24)) {
        let expected = if all_negative_zero(&scores) { -0.0 } else { Ratio::of_units(total(&scores), 1).nearest() };
        let sum = answer(Sum::new(), &scores);
        prop_assert!(same(sum, expected), "{sum:e} is not {expected:e}");
    }

    #[test]
    fn means_are_rounded_once(scores in finite_scores(24)) {
        prop_assume!(!scores.is_empty());
        let exact = Ratio::of_units(total(&scores), scores.len() as u64);
        let expected = if all_negative_zero(&scores) { -0.0 } else { exact.nearest() };
        let mean = answer(Mean::new(), &scores);
        prop_assert!(same(mean, expected), "{mean:e} is not {expected:e}");
    }

    #[test]
    fn any_count_divides(scores in finite_scores(4), count in any::<u64>(), bits in 0_u32..64) {
        let count = (count >> bits).max(1);
        let mut sum = ExactSum::new();
        scores.iter().for_each(|&score| sum.add(score));
        prop_assume!(!total(&scores).is_zero());
        let expected = Ratio::of_units(total(&scores), count).nearest();
        let quotient = sum.over(count);
        prop_assert!(same(quotient, expected), "{quotient:e} is not {expected:e}");
    }

    #[test]
    fn variances_are_rounded_once(scores in finite_scores(12)) {
        prop_assume!(scores.len() > 1);
        let expected = variance(&scores, scores.len() - 1).nearest();
        let sample = answer(Variance::new(), &scores);
        prop_assert!(same(sample, expected), "{sample:e} is not {expected:e}");
        let expected = variance(&scores, scores.len()).nearest();
        let population = answer(Variance::population(), &scores);
        prop_assert!(same(population, expected), "{population:e} is not {expected:e}");
        for (aggregator, freedom) in [
            (StdDev::new(), scores.len() - 1),
            (StdDev::population(), scores.len()),
        ] {
            let expected = variance(&scores, freedom).nearest_root();
            let deviation = answer(aggregator, &scores);
            prop_assert!(same(deviation, expected), "{deviation:e} is not {expected:e}");
        }
    }

    #[test]
    fn squares_are_exact(scores in finite_scores(12)) {
        let mut exact = ExactProducts::new();
        scores.iter().for_each(|&score| exact.add(score, score));
        let expected = Ratio::of_square_units(squares(&scores), 1).nearest();
        prop_assert!(same(exact.value(), expected));
    }

    #[test]
    fn a_sum_and_its_negative_cancel(scores in finite_scores(40), cut in any::<prop::sample::Index>()) {
        let negatives: Vec<f64> = scores.iter().rev().map(|score| -score).collect();
        let mut all = scores;
        all.extend(negatives);
        let cut = cut.index(all.len() + 1);
        let (mut sum, mut later) = (ExactSum::new(), ExactSum::new());
        all[..cut].iter().for_each(|&score| sum.add(score));
        all[cut..].iter().for_each(|&score| later.add(score));
        sum.merge(later);
        prop_assert!(same(sum.value(), 0.0));
    }

    #[test]
    fn two_scores_add_as_the_processor_adds(left in any_bits(), right in any_bits()) {
        let sum = answer(Sum::new(), &[left, right]);
        prop_assert!(same(sum, left + right) || sum.is_nan() && (left + right).is_nan());
        let alone = answer(Mean::new(), &[left]);
        prop_assert!(same(alone, left) || alone.is_nan() && left.is_nan());
    }
}

#[test]
fn a_tie_goes_to_the_even_neighbour_and_one_bit_decides_it() {
    let half_ulp = f64::EPSILON / 2.0;
    assert_eq!(answer(Sum::new(), &[1.0, half_ulp]), 1.0);
    assert_eq!(
        answer(Sum::new(), &[1.0, half_ulp, 5e-324]),
        1.0 + f64::EPSILON
    );
    assert_eq!(answer(Sum::new(), &[1.0, half_ulp, -5e-324]), 1.0);
    let odd = 1.0 + f64::EPSILON;
    assert_eq!(
        answer(Sum::new(), &[odd, half_ulp]),
        1.0 + 2.0 * f64::EPSILON
    );
    assert_eq!(answer(Sum::new(), &[odd, half_ulp, -5e-324]), odd);
    assert_eq!(answer(Mean::new(), &[5e-324, 0.0]), 0.0);
    assert_eq!(answer(Mean::new(), &[5e-324, 1e-323]), 1e-323);
}

#[test]
fn a_sum_can_exceed_the_largest_float_and_return() {
    assert_eq!(
        answer(Sum::new(), &[f64::MAX, f64::MAX, -f64::MAX]),
        f64::MAX
    );
    assert_eq!(answer(Sum::new(), &[f64::MAX, f64::MAX]), f64::INFINITY);
    assert_eq!(answer(Sum::new(), &[f64::MIN, f64::MIN]), f64::NEG_INFINITY);
    assert_eq!(answer(Mean::new(), &[f64::MAX, f64::MAX]), f64::MAX);
    // The largest float plus half a unit in the last place is a tie, which is rounded to infinity.
    let half_ulp = 2.0_f64.powi(970);
    assert_eq!(answer(Sum::new(), &[f64::MAX, half_ulp]), f64::INFINITY);
    assert_eq!(answer(Sum::new(), &[f64::MAX, half_ulp, -5e-324]), f64::MAX);
    assert_eq!(
        answer(Variance::new(), &[f64::MAX, f64::MIN]),
        f64::INFINITY
    );
}

#[test]
fn long_runs_of_one_exponent_carry_in_time() {
    let largest_significand = f64::from_bits(2.0_f64.to_bits() - 1);
    for (score, count) in [
        (largest_significand, 10_000_u64),
        (-largest_significand, 10_000),
        (f64::MAX, 5_000),
        (-5e-324, 5_000),
        (f64::from_bits((31 << 52) | ((1 << 52) - 1)), 5_000),
    ] {
        let scores = vec![score; count as usize];
        let exact = Ratio::of_units(units(score) * count, 1);
        let sum = answer(Sum::new(), &scores);
        assert!(
            same(sum, exact.nearest()),
            "{count} times {score:e} gave {sum:e}"
        );
        assert!(same(answer(Mean::new(), &scores), score));
        assert!(same(answer(Variance::new(), &scores), 0.0));
    }
}

#[test]
fn many_merges_carry_in_time() {
    let mut sum = ExactSum::new();
    let mut one = ExactSum::new();
    one.add(-1.5);
    for _ in 0..5_000 {
        sum.merge(one.clone());
    }
    assert_eq!(sum.value(), -7_500.0);
    for _ in 0..40 {
        sum.merge(sum.clone());
    }
    assert_eq!(sum.value(), -7_500.0 * 2.0_f64.powi(40));
}

#[test]
fn zeros_keep_their_sign_if_all_have_the_same() {
    assert!(same(answer(Sum::new(), &[]), 0.0));
    assert!(same(answer(Sum::new(), &[-0.0, -0.0]), -0.0));
    assert!(same(answer(Sum::new(), &[-0.0, 0.0]), 0.0));
    assert!(same(answer(Sum::new(), &[-0.0, 1.0, -1.0]), 0.0));
    assert!(same(answer(Mean::new(), &[-0.0]), -0.0));
    assert!(same(answer(Mean::new(), &[-5e-324, -0.0, -0.0]), -0.0));
    let mut sum = ExactSum::new();
    let mut negative_zero = ExactSum::new();
    negative_zero.add(-0.0);
    sum.merge(negative_zero);
    sum.merge(ExactSum::new());
    assert!(same(sum.value(), -0.0));
}

#[test]
fn undefined_answers_are_the_standard_nan() {
    let nan = |score: f64| same(score, f64::NAN);
    let odd_nan = f64::from_bits(0xfff0_0000_0000_0001);
    for scores in [&[odd_nan, 1.0][..], &[f64::INFINITY, f64::NEG_INFINITY]] {
        assert!(nan(answer(Sum::new(), scores)));
        assert!(nan(answer(Mean::new(), scores)));
        assert!(nan(answer(Variance::new(), scores)));
        assert!(nan(answer(StdDev::new(), scores)));
    }
    assert_eq!(
        answer(Sum::new(), &[f64::INFINITY, f64::MIN]),
        f64::INFINITY
    );
    assert_eq!(
        answer(Mean::new(), &[f64::NEG_INFINITY, 1.0]),
        f64::NEG_INFINITY
    );
    assert!(nan(answer(Variance::population(), &[f64::INFINITY, 1.0])));
    assert!(nan(answer(Mean::new(), &[])));
    assert!(nan(answer(Variance::new(), &[1.0])));
    assert!(nan(answer(Variance::population(), &[])));
    assert!(same(answer(Variance::population(), &[7.0]), 0.0));
}

#[test]
fn a_state_stays_small() {
    assert!(
        size_of::<ExactSum>() <= 32,
        "{} bytes",
        size_of::<ExactSum>()
    );
    assert!(size_of::<Mean>() <= 40, "{} bytes", size_of::<Mean>());
    assert!(
        size_of::<Variance>() <= 96,
        "{} bytes",
        size_of::<Variance>()
    );
    let group = size_of::<(Count, Mean, Extrema)>();
    assert!(group <= 96, "{group} bytes");
}
