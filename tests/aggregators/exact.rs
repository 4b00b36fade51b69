//! Sum, mean and variance against rational arithmetic.

use manyhands::aggregation::exact::{ExactSquares, ExactSum};
use manyhands::aggregation::{Aggregator, Mean, StdDev, Sum, Variance};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use proptest::prelude::*;

use crate::scores::{any_bits, finite_scores};

fn answer<A: Aggregator<f64>>(mut aggregator: A, scores: &[f64]) -> A::Output {
    for (index, score) in (0..).zip(scores) {
        aggregator.observe(index, score);
    }
    aggregator.finish()
}

fn rational(score: f64) -> BigRational {
    BigRational::from_float(score).expect("a finite score")
}

fn total(scores: &[f64]) -> BigRational {
    let total = |sum: BigRational, score: &f64| sum + rational(*score);
    scores.iter().fold(BigRational::zero(), total)
}

fn count(scores: &[f64]) -> BigRational {
    BigRational::from_integer(BigInt::from(scores.len()))
}

/// The nearest `f64`, found by search: it shares nothing with the rounding under test.
fn nearest(value: &BigRational) -> f64 {
    let magnitude = value.abs();
    // The largest float that is not above.
    let (mut low, mut high) = (0, f64::INFINITY.to_bits());
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if rational(f64::from_bits(middle)) <= magnitude {
            low = middle;
        } else {
            high = middle;
        }
    }
    let below = rational(f64::from_bits(low));
    let above = if high == f64::INFINITY.to_bits() {
        BigRational::from_integer(BigInt::one() << 1024)
    } else {
        rational(f64::from_bits(high))
    };
    let half_way = (below + above) / BigRational::from_integer(BigInt::from(2));
    let bits = match magnitude.cmp(&half_way) {
        std::cmp::Ordering::Less => low,
        std::cmp::Ordering::Equal => low + (low & 1),
        std::cmp::Ordering::Greater => high,
    };
    f64::from_bits(bits).copysign(if value.is_negative() { -1.0 } else { 1.0 })
}

fn variance(scores: &[f64], freedom: usize) -> BigRational {
    let n = count(scores);
    let squares: Vec<BigRational> = scores.iter().map(|&x| rational(x) * rational(x)).collect();
    let squares = squares
        .into_iter()
        .fold(BigRational::zero(), |sum, x| sum + x);
    let sum = total(scores);
    let freedom = BigRational::from_integer(BigInt::from(freedom));
    (&n * squares - &sum * &sum) / (n * freedom)
}

fn same(left: f64, right: f64) -> bool {
    left.to_bits() == right.to_bits()
}

fn all_negative_zero(scores: &[f64]) -> bool {
    !scores.is_empty() && scores.iter().all(|score| same(*score, -0.0))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn sums_are_rounded_once(scores in finite_scores(24)) {
        let expected = if all_negative_zero(&scores) { -0.0 } else { nearest(&total(&scores)) };
        let sum = answer(Sum::new(), &scores);
        prop_assert!(same(sum, expected), "{sum:e} is not {expected:e}");
    }

    #[test]
    fn means_are_rounded_once(scores in finite_scores(24)) {
        prop_assume!(!scores.is_empty());
        let exact = total(&scores) / count(&scores);
        let expected = if all_negative_zero(&scores) { -0.0 } else { nearest(&exact) };
        let mean = answer(Mean::new(), &scores);
        prop_assert!(same(mean, expected), "{mean:e} is not {expected:e}");
    }

    #[test]
    fn variances_are_rounded_once(scores in finite_scores(12)) {
        prop_assume!(scores.len() > 1);
        let expected = nearest(&variance(&scores, scores.len() - 1));
        let sample = answer(Variance::new(), &scores);
        prop_assert!(same(sample, expected), "{sample:e} is not {expected:e}");
        let expected = nearest(&variance(&scores, scores.len()));
        let population = answer(Variance::population(), &scores);
        prop_assert!(same(population, expected), "{population:e} is not {expected:e}");
        prop_assert!(same(answer(StdDev::new(), &scores), sample.sqrt()));
    }

    #[test]
    fn squares_are_exact(scores in finite_scores(12)) {
        let mut squares = ExactSquares::new();
        scores.iter().for_each(|&score| squares.add(score));
        let exact = scores.iter().fold(BigRational::zero(), |sum, &x| sum + rational(x) * rational(x));
        prop_assert!(same(squares.value(), nearest(&exact)));
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
fn a_sum_may_pass_beyond_the_largest_float_and_come_back() {
    assert_eq!(
        answer(Sum::new(), &[f64::MAX, f64::MAX, -f64::MAX]),
        f64::MAX
    );
    assert_eq!(answer(Sum::new(), &[f64::MAX, f64::MAX]), f64::INFINITY);
    assert_eq!(answer(Sum::new(), &[f64::MIN, f64::MIN]), f64::NEG_INFINITY);
    assert_eq!(answer(Mean::new(), &[f64::MAX, f64::MAX]), f64::MAX);
    // Half a unit in the last place above the largest float is the tie that goes to infinity.
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
        let exact = rational(score) * BigRational::from_integer(BigInt::from(count));
        let sum = answer(Sum::new(), &scores);
        assert!(
            same(sum, nearest(&exact)),
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
fn zeros_keep_a_sign_that_all_of_them_have() {
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
fn what_is_undefined_is_one_nan() {
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
        size_of::<ExactSum>() <= 64,
        "{} bytes",
        size_of::<ExactSum>()
    );
    assert!(size_of::<Mean>() <= 72, "{} bytes", size_of::<Mean>());
}
