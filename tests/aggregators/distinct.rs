//! `Distinct` is compared with a plain set, and its estimates with their standard error.

use std::collections::BTreeSet;

use manyhands::aggregation::{Aggregator, Distinct, DistinctCount, State as _, assert_laws};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::observing::{assert_impossible, observed, plain};

/// Maximum number of different values that are counted exactly.
const FEW: u64 = 1_024;
const REGISTERS: usize = 1 << 14;

fn count(values: impl IntoIterator<Item = u64>) -> DistinctCount {
    let mut distinct = Distinct::new();
    for (index, value) in (0..).zip(values) {
        distinct.observe(index, &value);
    }
    distinct.finish()
}

#[test]
fn the_laws_hold_on_both_sides_of_the_switch() {
    for different in [0, 1, 7, FEW - 1, FEW, FEW + 1, 3 * FEW] {
        let values: Vec<u64> = (0..2 * different).map(|place| place % different).collect();
        assert_laws(Distinct::new(), &values);
    }
    let texts = ["a", "to", "", "tea", "to", "a", "ten", "tee"].map(String::from);
    let by_length = Distinct::new()
        .of_ref(|text: &String| text.as_str())
        .by(|text: &String| text.len());
    assert_laws(by_length, &texts);
}

#[test]
fn it_is_exact_up_to_the_switch() {
    for different in [0, 1, 2, 8, 9, 500, FEW - 1, FEW] {
        let exact = DistinctCount {
            count: different,
            exact: true,
        };
        assert_eq!(count((0..different).chain(0..different)), exact);
    }
    let estimate = count(0..=FEW);
    assert!(!estimate.exact);
    assert!(
        (FEW + 1..FEW + 40).contains(&estimate.count),
        "{estimate:?}"
    );
}

proptest! {
    #[test]
    fn it_is_a_set(texts in vec("[ab]{0,4}", 0..200)) {
        let different: BTreeSet<&String> = texts.iter().collect();
        let distinct = Aggregator::<String>::finish(observed(Distinct::new(), &texts));
        prop_assert_eq!(distinct.count, different.len() as u64);
        prop_assert!(distinct.exact);
    }
}

#[test]
fn all_nan_are_one_value_and_both_zeros_are_one() {
    let values = [
        f64::NAN,
        -f64::NAN,
        0.0,
        -0.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        5e-324,
    ];
    assert_eq!(
        observed(Distinct::new(), &values).save(),
        observed(Distinct::new(), &values[1..]).save()
    );
    assert_eq!(
        Aggregator::<f64>::finish(observed(Distinct::new(), &values)).count,
        5
    );
}

/// Checks the relative errors of the counts of forty sets of each size. The mean of the errors has a standard
/// deviation of 0.0081 / √40, and their root mean square has a standard deviation of 0.0081 / √80. The test accepts
/// up to four standard deviations.
#[test]
fn estimates_keep_their_standard_error() {
    const SETS: u64 = 40;
    let error = Distinct::STANDARD_ERROR;
    for different in [1_100, 2_000, 8_000, 20_000, 45_000, 150_000] {
        let errors = (0..SETS).map(|set| {
            // The numbers are consecutive, so the hash is the only source of randomness.
            let values = (0..different).map(|place| set << 40 | place);
            count(values).count as f64 / different as f64 - 1.0
        });
        let (mut sum, mut squares) = (0.0, 0.0);
        for relative in errors {
            sum += relative;
            squares += relative * relative;
        }
        let sets = SETS as f64;
        let (mean, rms) = (sum / sets, (squares / sets).sqrt());
        assert!(
            mean.abs() < 4.0 * error / sets.sqrt(),
            "{different}: {mean}"
        );
        let bound = error * (1.0 + 4.0 / (2.0 * sets).sqrt());
        assert!(rms < bound, "{different}: {rms}");
    }
}

#[test]
fn millions_are_estimated_after_merging() {
    let millions = 3_000_000_u64;
    let mut whole = Distinct::new();
    for part in 0..10 {
        let mut state = Distinct::new();
        for place in (part..millions).step_by(10) {
            state.observe(place, &format!("{place:x}"));
        }
        Aggregator::<String>::merge(&mut whole, state);
    }
    let count = whole.finish().count as f64;
    let error = count / millions as f64 - 1.0;
    assert!(error.abs() < 4.0 * Distinct::STANDARD_ERROR, "{error}");
}

#[test]
fn a_state_is_small() {
    let saved = |different: u64| {
        observed(Distinct::new(), &(0..different).collect::<Vec<_>>())
            .save()
            .len()
    };
    assert!(saved(3) < 100);
    assert!(saved(100_000) < REGISTERS + 100);
}

#[test]
fn an_estimate_never_changes() {
    assert_eq!(count(0..100_000).count, 99_325);
}

#[test]
fn impossible_plain_data_is_refused() {
    let fresh = Distinct::new();
    let few = |hashes: Vec<u64>| plain(&fresh, (0_u32, hashes));
    let many = |ranks: Vec<u8>| plain(&fresh, (1_u32, ranks));
    assert!(fresh.restore(few(vec![1, 2, u64::MAX])).is_ok());
    assert_impossible(&fresh, few(vec![2, 1]));
    assert_impossible(&fresh, few(vec![1, 1]));
    assert_impossible(&fresh, few(vec![0, 1]));
    assert_impossible(&fresh, few((1..=FEW + 1).collect()));
    assert!(fresh.restore(many(vec![51; REGISTERS])).is_ok());
    assert_impossible(&fresh, many(vec![]));
    assert_impossible(&fresh, many(vec![0; REGISTERS]));
    assert_impossible(&fresh, many(vec![52; REGISTERS]));
    assert_impossible(&fresh, many(vec![1; REGISTERS - 1]));
    let full = fresh.restore(many(vec![51; REGISTERS])).unwrap();
    assert_eq!(full.finish().count, u64::MAX);
}
