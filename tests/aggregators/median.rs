//! The median is compared with a plain sort.

use manyhands::aggregation::{Aggregator, ExactQuantiles, Median, State as _, assert_laws};
use num_bigint::BigInt;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::observing::{assert_impossible, observed, plain};
use crate::rational::units;
use crate::scores::{any_bits, assorted, finite};

fn median(scores: &[f64]) -> f64 {
    observed(Median::new(), scores).finish()
}

fn sorted(scores: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = scores
        .iter()
        .copied()
        .filter(|score| !score.is_nan())
        .collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[test]
fn the_laws_hold() {
    let mut scores = assorted(201);
    scores.extend([
        f64::NAN,
        -f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::INFINITY,
    ]);
    for scores in [&scores[..], &scores[1..], &[-0.0, 0.0], &[f64::NAN], &[]] {
        assert_laws((Median::new(), ExactQuantiles::new()), scores);
    }
}

#[test]
fn the_special_values_have_one_answer() {
    let bits = |scores: &[f64]| median(scores).to_bits();
    assert_eq!(bits(&[]), f64::NAN.to_bits());
    assert_eq!(bits(&[-f64::NAN, f64::NAN]), f64::NAN.to_bits());
    assert_eq!(bits(&[f64::NAN, 2.0]), 2.0_f64.to_bits());
    assert_eq!(bits(&[-0.0, -0.0]), (-0.0_f64).to_bits());
    assert_eq!(bits(&[-0.0]), (-0.0_f64).to_bits());
    assert_eq!(bits(&[0.0, -0.0]), 0.0_f64.to_bits());
    assert_eq!(bits(&[-1.5, 1.5]), 0.0_f64.to_bits());
    // This is the answer of NumPy. The exact mean of the two floats is nearer to it than to -0.05095.
    assert_eq!(median(&[-0.5423, 0.4404]), -0.050949999999999995);
    assert_eq!(median(&[f64::MAX, f64::MAX]), f64::MAX);
    assert_eq!(median(&[f64::MIN, f64::MIN]), f64::MIN);
    assert_eq!(median(&[f64::MIN, f64::MAX]), 0.0);
    assert_eq!(median(&[f64::INFINITY, f64::INFINITY, 1.0]), f64::INFINITY);
    assert_eq!(
        bits(&[f64::NEG_INFINITY, f64::INFINITY]),
        f64::NAN.to_bits()
    );
    assert_eq!(median(&[5e-324, 0.0]), 0.0);
    assert_eq!(median(&[5e-324, 1.5e-323]), 1e-323);
}

proptest! {
    #[test]
    fn the_median_is_the_middle_of_a_sort(scores in vec(prop_oneof![any_bits(), finite(), (-2..2_i32).prop_map(f64::from)], 1..40)) {
        let sorted = sorted(&scores);
        if sorted.len() % 2 == 1 {
            prop_assert_eq!(median(&scores).to_bits(), sorted[sorted.len() / 2].to_bits());
        }
    }

    /// No float is closer to the mean of the two than the answer.
    #[test]
    fn the_mean_of_the_middle_two_is_rounded_once(one in finite(), other in finite(), near in -3_i64..4) {
        for other in [other, f64::from_bits(one.to_bits().wrapping_add_signed(near))] {
            if !other.is_finite() {
                continue;
            }
            let answer = median(&[one, other]);
            let twice = units(one) + units(other);
            let error = |answer: f64| (units(answer) * BigInt::from(2) - &twice).magnitude().clone();
            for neighbour in [answer.next_up(), answer.next_down()] {
                if neighbour.is_finite() {
                    prop_assert!(error(answer) <= error(neighbour), "{} {}", one, other);
                    if error(answer) == error(neighbour) {
                        prop_assert_eq!(answer.to_bits() & 1, 0, "ties to even: {} {}", one, other);
                    }
                }
            }
        }
    }
}

#[test]
fn impossible_plain_data_is_refused() {
    let fresh = Median::new();
    let of = |scores: &[f64], nan: u64| plain(&fresh, (scores.to_vec(), nan));
    assert!(
        fresh
            .restore(of(&[-0.0, 0.0, 0.0, f64::INFINITY], 1))
            .is_ok()
    );
    assert_impossible(&fresh, of(&[0.0, -0.0], 0));
    assert_impossible(&fresh, of(&[1.0, f64::NAN], 0));
    assert_impossible(&fresh, of(&[1.0], u64::MAX));
}
