//! Covariance and correlation are compared with integers that are never rounded, and must obey the laws.

use manyhands::aggregation::{Aggregator, Correlation, Covariance, assert_laws};
use num_bigint::BigInt;
use num_traits::{Signed, Zero};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::rational::{Ratio, same, spread, total, units};
use crate::scores::{any_bits, finite};

fn answer<A: Aggregator<(f64, f64)>>(mut aggregator: A, scores: &[(f64, f64)]) -> A::Output {
    for (index, score) in (0..).zip(scores) {
        aggregator.observe(index, score);
    }
    aggregator.finish()
}

/// Returns `n·Σxy − Σx·Σy` in square units; a unit is 2⁻¹⁰⁷⁴.
fn together(left: &[f64], right: &[f64]) -> BigInt {
    let products: BigInt = left
        .iter()
        .zip(right)
        .map(|(&l, &r)| units(l) * units(r))
        .sum();
    products * left.len() as u64 - total(left) * total(right)
}

fn expected_covariance(left: &[f64], right: &[f64], freedom: usize) -> f64 {
    let divisor = left.len() as u64 * freedom as u64;
    Ratio::of_square_units(together(left, right), divisor).nearest()
}

fn expected_correlation(left: &[f64], right: &[f64]) -> f64 {
    let below = spread(left) * spread(right);
    if below.is_zero() {
        return f64::NAN;
    }
    let together = together(left, right);
    let above = together.pow(2);
    let size = Ratio { above, below }.nearest_root();
    if together.is_negative() { -size } else { size }
}

/// Generates pairs whose two sides are either related or independent.
fn pairs() -> impl Strategy<Value = Vec<(f64, f64)>> {
    let apart = vec((finite(), finite()), 2..10);
    let near = vec((-1.0..1.0_f64, -1.0..1.0_f64), 2..10).prop_map(|pairs| {
        let line = pairs
            .into_iter()
            .map(|(x, noise)| (x, 3.0 * x - 1.0 + noise * 1e-9));
        line.collect()
    });
    prop_oneof![apart, near]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn both_are_rounded_once(pairs in pairs()) {
        let (left, right): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        for (aggregator, freedom) in [
            (Covariance::new(), pairs.len() - 1),
            (Covariance::population(), pairs.len()),
        ] {
            let expected = expected_covariance(&left, &right, freedom);
            let covariance = answer(aggregator, &pairs);
            prop_assert!(same(covariance, expected), "{covariance:e} is not {expected:e}");
        }
        let expected = expected_correlation(&left, &right);
        let correlation = answer(Correlation::new(), &pairs);
        prop_assert!(same(correlation, expected), "{correlation:e} is not {expected:e}");
    }
}

proptest! {
    // Square roots of numbers with thousands of digits are slow in a debug build.
    #![proptest_config(ProptestConfig { cases: 2, ..ProptestConfig::default() })]

    #[test]
    fn both_keep_the_laws(pairs in vec((any_bits(), any_bits()), 0..9), finite in pairs()) {
        for pairs in [pairs, finite] {
            assert_laws((Covariance::new(), Covariance::population(), Correlation::new()), &pairs);
        }
    }
}

#[test]
fn scores_on_a_line_have_a_correlation_of_exactly_one() {
    for (slope, scale) in [
        (3.0, 1.0),
        (-0.25, 2.0_f64.powi(900)),
        (-7.0, 5e-324),
        (1.0, 2.0_f64.powi(-600)),
    ] {
        let line: Vec<(f64, f64)> = (1..1_000)
            .map(|step| f64::from(step * step % 997) * 4.0)
            .map(|x| (x * scale, (slope * x + 8.0) * scale))
            .collect();
        assert_eq!(answer(Correlation::new(), &line), f64::copysign(1.0, slope));
    }
    let off = [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0 + f64::EPSILON)];
    assert!(answer(Correlation::new(), &off) <= 1.0);
}

#[test]
fn undefined_answers_are_the_standard_nan() {
    let nan = |score: f64| same(score, f64::NAN);
    for pairs in [
        &[][..],
        &[(1.0, 2.0)],
        &[(f64::NAN, 1.0), (1.0, 2.0)],
        &[(1.0, f64::INFINITY), (0.0, 2.0)],
    ] {
        assert!(nan(answer(Covariance::new(), pairs)));
        assert!(nan(answer(Correlation::new(), pairs)));
    }
    let flat = [(1.0, 0.1), (2.0, 0.1), (3.0, 0.1)];
    assert!(nan(answer(Correlation::new(), &flat)));
    assert!(same(answer(Covariance::new(), &flat), 0.0));
    assert!(same(answer(Covariance::population(), &[(1.0, 2.0)]), 0.0));
}

#[test]
fn the_ends_of_the_range_are_reached() {
    let extremes = [(f64::MAX, f64::MIN), (f64::MIN, f64::MAX)];
    assert_eq!(answer(Covariance::new(), &extremes), f64::NEG_INFINITY);
    assert_eq!(answer(Correlation::new(), &extremes), -1.0);
    let tiny = [(5e-324, 5e-324), (0.0, 0.0)];
    assert!(same(answer(Covariance::new(), &tiny), 0.0));
    assert_eq!(answer(Correlation::new(), &tiny), 1.0);
}
