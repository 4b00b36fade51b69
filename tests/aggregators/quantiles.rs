//! Quantiles are compared with the figures of NumPy 2.4.6, with a plain sort, and with each other. Their bins are
//! compared with a count of the scores between the edges.

use manyhands::aggregation::{
    Aggregator, Bins, ExactQuantiles, Quantiles, State as _, assert_laws,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::observing::{assert_impossible, observed, plain};
use crate::order::check_bins;
use crate::scores::{any_bits, assorted, finite, finite_scores};

/// The largest number of scores whose quantiles are exact.
const FEW: usize = 1024;

/// The numbers whose quantiles NumPy computed.
fn numbers(count: u64) -> Vec<f64> {
    let number = |place: u64| ((place * place * 7919 + 13 * place) % 10_007) as f64 / 1000.0 - 3.3;
    (0..count).map(number).collect()
}

fn quantiles(scores: &[f64], asked: &[f64]) -> Vec<f64> {
    let summary = observed(Quantiles::at(asked), scores).finish();
    summary.quantiles.iter().map(|(_, score)| *score).collect()
}

#[test]
fn few_scores_have_the_quantiles_of_numpy() {
    assert_eq!(
        quantiles(&[-0.5423, 0.4404], &[0.5]),
        [-0.050949999999999995]
    );
    assert_eq!(quantiles(&[1.0, 2.0, 3.0, 4.0], &[0.9]), [3.7]);
    assert_eq!(
        quantiles(&[0.1, 0.7], &[0.3, 0.7]),
        [0.28, 0.5199999999999999]
    );
    assert_eq!(quantiles(&[1e308, 1.5e308], &[0.25]), [1.125e308]);
    assert_eq!(quantiles(&[-1e-320, 3e-310], &[0.5]), [1.49999999995e-310]);
    let asked = [0.01, 0.1, 1.0 / 3.0, 0.5, 0.7, 0.75, 0.95, 0.99];
    let expected = [
        (
            3,
            [
                -3.26638,
                -2.9638,
                -2.179333333333333,
                -1.6189999999999998,
                0.8813999999999997,
                1.5065000000000004,
                4.0069,
                4.50698,
            ],
        ),
        (
            10,
            [
                -3.20028,
                -2.3027999999999995,
                -1.6189999999999998,
                2.4680000000000004,
                3.7272,
                4.26,
                4.62075,
                4.6297500000000005,
            ],
        ),
        (
            999,
            [
                -3.1645399999999997,
                -2.1925999999999997,
                0.089333333333333,
                1.6829999999999998,
                3.6153999999999997,
                4.231,
                6.155499999999997,
                6.544419999999999,
            ],
        ),
        (
            1024,
            [
                -3.18479,
                -2.1940999999999997,
                0.10099999999999998,
                1.7205000000000004,
                3.6531000000000002,
                4.24925,
                6.150499999999999,
                6.560169999999999,
            ],
        ),
    ];
    for (count, expected) in expected {
        assert_eq!(
            quantiles(&numbers(count), &asked),
            expected,
            "{count} numbers"
        );
    }
}

#[test]
fn special_scores_have_one_answer() {
    let (least, most) = (f64::NEG_INFINITY, f64::INFINITY);
    let at = |scores: &[f64], q: f64| quantiles(scores, &[q])[0];
    assert!(quantiles(&[], &[0.5]).is_empty());
    assert!(quantiles(&[f64::NAN], &[0.5]).is_empty());
    assert_eq!(at(&[7.0], 0.3), 7.0);
    assert_eq!(at(&[f64::NAN, 1.0, f64::NAN, 2.0], 0.5), 1.5);
    assert_eq!(at(&[f64::MIN, f64::MAX], 0.5), 0.0);
    // The difference of these scores is greater than any float, so NumPy's answer is infinite.
    assert_eq!(at(&[f64::MIN, f64::MAX], 0.75).log2(), 1023.0);
    assert_eq!((-at(&[f64::MIN, f64::MAX], 0.25)).log2(), 1023.0);
    for q in [0.1, 0.5, 0.9] {
        assert_eq!(at(&[1.0, most], q), most);
        assert_eq!(at(&[least, 1.0], q), least);
        assert_eq!(at(&[most, most], q), most);
        assert_eq!(at(&[least, most], q).to_bits(), f64::NAN.to_bits());
    }
    assert_eq!(at(&[1.0, most], 0.0), 1.0);
    let summary = observed(Quantiles::at(&[0.0, 0.5, 1.0]), &[most, -0.0, least]).finish();
    assert_eq!(
        (summary.count, summary.min, summary.max),
        (3, Some(least), Some(most))
    );
    assert_eq!(summary.quantiles, [(0.0, least), (0.5, 0.0), (1.0, most)]);
}

proptest! {
    #[test]
    fn few_scores_have_exact_quantiles(
        scores in vec(prop_oneof![any_bits(), finite(), (-2..2_i32).prop_map(f64::from)], 0..60),
        asked in vec(0.0..=1.0_f64, 0..6),
    ) {
        let exact = observed(ExactQuantiles::at(&asked), &scores).finish();
        let sketch = observed(Quantiles::at(&asked), &scores).finish();
        prop_assert_eq!(bits(&exact.quantiles), bits(&sketch.quantiles));
        prop_assert_eq!((exact.count, exact.nan), (sketch.count, sketch.nan));
        let ends = [exact.min, sketch.min, exact.max, sketch.max].map(|end| end.map(f64::to_bits));
        prop_assert_eq!((ends[0], ends[2]), (ends[1], ends[3]));
    }

    /// The definition is evaluated with a sort. At a whole rank, the answer is the score itself.
    #[test]
    fn exact_quantiles_are_between_the_scores_of_a_sort(scores in vec(finite(), 1..60), q in 0.0..=1.0_f64) {
        let mut sorted = scores.clone();
        sorted.sort_by(f64::total_cmp);
        let place = q * (sorted.len() - 1) as f64;
        let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        let answer = observed(ExactQuantiles::at(&[q]), &scores).finish().quantiles[0].1;
        prop_assert!(low <= answer && answer <= high, "{answer} of {low} and {high}");
        let share = place.fract();
        let expected = low * (1.0 - share) + high * share;
        let error = (answer - expected).abs();
        prop_assert!(error <= low.abs().max(high.abs()) * 1e-15 + 1e-320, "{answer} instead of {expected}");
        for (rank, score) in sorted.iter().enumerate() {
            if sorted.len() > 1 && rank as f64 / (sorted.len() - 1) as f64 * (sorted.len() - 1) as f64 == rank as f64 {
                let q = rank as f64 / (sorted.len() - 1) as f64;
                prop_assert_eq!(quantiles(&scores, &[q])[0].to_bits(), score.to_bits());
            }
        }
    }

    #[test]
    fn many_scores_have_quantiles_within_their_error(
        scores in finite_scores(120),
        more in finite(),
        asked in vec(0.0..=1.0_f64, 1..6),
    ) {
        let scores = repeated(scores, more, FEW + 1);
        let exact = observed(ExactQuantiles::at(&asked), &scores).finish();
        let sketch = observed(Quantiles::at(&asked), &scores).finish();
        prop_assert_eq!((exact.count, exact.min, exact.max), (sketch.count, sketch.min, sketch.max));
        let mut sorted = scores.clone();
        sorted.sort_by(f64::total_cmp);
        for ((q, exact), (_, estimate)) in exact.quantiles.iter().zip(&sketch.quantiles) {
            let place = q * (sorted.len() - 1) as f64;
            let magnitude = sorted[place.floor() as usize].abs().max(sorted[place.ceil() as usize].abs());
            let bound = (magnitude / 255.9).max(f64::MIN_POSITIVE);
            prop_assert!((exact / 2.0 - estimate / 2.0).abs() <= bound / 2.0, "{} for {}", estimate, exact);
            prop_assert!(sorted[0] <= *estimate && *estimate <= sorted[sorted.len() - 1]);
        }
    }

    #[test]
    fn bins_hold_the_scores_between_their_edges(
        scores in vec(prop_oneof![any_bits(), finite(), -1.0..1.0_f64, 100.0..110.0_f64], 0..60),
        one in prop_oneof![finite(), (-5..5_i32).prop_map(f64::from)],
        scale in prop_oneof![Just(1.0), Just(1e-300), Just(0.0)],
        most in 4_usize..40,
        many in any::<bool>(),
    ) {
        let mut scores: Vec<f64> = scores.iter().map(|score| if scale == 1.0 { *score } else { score % 1e6 * scale }).collect();
        if many {
            scores = repeated(scores, one, FEW + 1);
        }
        let Some(bins) = observed(Quantiles::new(), &scores).bins(most) else {
            prop_assert!(scores.iter().all(|score| !score.is_finite()));
            return Ok(());
        };
        check_edges(&bins, most)?;
        let infinite = |one: f64| scores.iter().filter(|score| **score == one).count() as u64;
        prop_assert_eq!(bins.under, infinite(f64::NEG_INFINITY));
        prop_assert_eq!(bins.over, infinite(f64::INFINITY));
        check_bins(bins, &scores)?;
    }
}

/// Returns the scores and as many copies of one more as it takes to have `count` scores.
fn repeated(mut scores: Vec<f64>, more: f64, count: usize) -> Vec<f64> {
    let count = count.max(scores.len());
    scores.resize(count, more);
    scores
}

fn bits(quantiles: &[(f64, f64)]) -> Vec<(u64, u64)> {
    let bits = |(q, score): &(f64, f64)| (q.to_bits(), score.to_bits());
    quantiles.iter().map(bits).collect()
}

/// Checks that the edges ascend, that all bins but the outermost have the same width, and that there are no more than
/// `most`.
fn check_edges(bins: &Bins, most: usize) -> Result<(), TestCaseError> {
    prop_assert!(bins.counts.len() <= most);
    prop_assert_eq!(bins.edges.len(), bins.counts.len() + 1);
    for edges in bins.edges.windows(2) {
        prop_assert!(edges[0] < edges[1]);
    }
    for edges in bins.edges.windows(3) {
        let widths = (edges[1] - edges[0], edges[2] - edges[1]);
        let at_the_end = [edges[0], edges[2]]
            .iter()
            .any(|edge| edge.abs() == f64::MAX);
        prop_assert!(widths.0 == widths.1 || at_the_end, "{:?}", bins.edges);
    }
    Ok(())
}

#[test]
fn bins_have_simple_edges() {
    let edges = |scores: &[f64], most: usize| {
        observed(Quantiles::new(), scores)
            .bins(most)
            .expect("bins")
            .edges
    };
    let quarters: Vec<f64> = (4..=20).map(|quarter| f64::from(quarter) / 4.0).collect();
    assert_eq!(edges(&[1.0, 2.0, 5.0, 4.0], 20), quarters);
    assert_eq!(edges(&[-1.0, 1.0], 4), [-1.0, -0.5, 0.0, 0.5, 1.0]);
    assert_eq!(edges(&[0.0, -0.0], 20), [0.0, 1.0]);
    assert_eq!(edges(&[5.0], 20), [5.0, 5.03125]);
    assert_eq!(edges(&[-5.0], 20), [-5.0, -4.96875]);
    // A bucket is 4 wide here.
    assert_eq!(edges(&[1000.0, 1007.0], 20), [1000.0, 1004.0, 1008.0]);
    let widest = [
        f64::MIN,
        -(2.0_f64.powi(1023)),
        0.0,
        2.0_f64.powi(1023),
        f64::MAX,
    ];
    assert_eq!(edges(&[f64::MIN, f64::MAX], 4), widest);
    let tiny = [-f64::MIN_POSITIVE, 0.0, f64::MIN_POSITIVE];
    assert_eq!(edges(&[-5e-324, 5e-324], 20), tiny);
    assert_eq!(edges(&[-5e-324, 1.0], 4), [-0.5, 0.0, 0.5, 1.0]);
}

#[test]
#[should_panic(expected = "needs room for 4 bins, not 3")]
fn fewer_than_four_bins_are_refused() {
    let _ = observed(Quantiles::new(), &[1.0]).bins(3);
}

/// The state must not depend on which partial had more than 1,024 scores first, or on whether any of them had.
#[test]
fn partials_that_exceed_the_limit_only_together_have_the_state_of_the_whole() {
    let scores = assorted(FEW + 300);
    for whole in [&scores[..FEW], &scores[..FEW + 1], &scores[..]] {
        let expected = observed(Quantiles::new(), whole).save();
        for cut in [0, 1, 298, 700, FEW - 1, FEW, whole.len()] {
            let (first, second) = whole.split_at(cut.min(whole.len()));
            for (one, other) in [(first, second), (second, first)] {
                let mut state = observed(Quantiles::new(), one);
                state.merge(observed(Quantiles::new(), other));
                assert_eq!(state.clone().save(), expected, "{cut} of {}", whole.len());
                assert_eq!(state.bins(20), observed(Quantiles::new(), whole).bins(20));
            }
        }
        let mut one_by_one = Quantiles::new();
        for (index, score) in (0..).zip(whole.iter().rev()) {
            one_by_one.observe(index, score);
        }
        assert_eq!(one_by_one.save(), expected);
    }
}

/// Ratings have few different values, so their quantiles are exact no matter how many ratings there are.
#[test]
fn quantiles_of_few_different_scores_are_exact() {
    let ratings = |count: usize, different: usize| -> Vec<f64> {
        let rating = |place: usize| ((place * 7919) % different) as f64 / 4.0 - 3.0;
        (0..count).map(rating).collect()
    };
    for (count, different) in [(FEW + 1, 5), (5 * FEW, 5), (3 * FEW, 256)] {
        let scores = ratings(count, different);
        let found = observed(Quantiles::new(), &scores).finish();
        assert!(found.is_exact);
        assert_eq!(found, observed(ExactQuantiles::new(), &scores).finish());
    }
    let found = observed(Quantiles::new(), &ratings(3 * FEW, 257)).finish();
    assert!(!found.is_exact);
}

/// Which partial had more than 256 different scores first, or whether any of them had, must not matter.
#[test]
fn the_number_of_different_scores_alone_decides_how_they_are_counted() {
    for different in [200, 256, 257, 300] {
        let score = |place: usize| ((place * 31) % different) as f64 - 100.0;
        let whole: Vec<f64> = (0..2 * FEW + 700).map(score).collect();
        let expected = observed(Quantiles::new(), &whole).save();
        for cut in [1, 200, 257, FEW, FEW + 1, FEW + 300, 2 * FEW, 2 * FEW + 690] {
            let (first, second) = whole.split_at(cut);
            for (one, other) in [(first, second), (second, first)] {
                let mut state = observed(Quantiles::new(), one);
                state.merge(observed(Quantiles::new(), other));
                assert_eq!(state.save(), expected, "{different} at {cut}");
            }
        }
    }
}

#[test]
fn the_laws_hold_beyond_the_limit() {
    let mut scores = assorted(FEW - 20);
    scores.extend([f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -f64::NAN]);
    scores.extend(assorted(40));
    assert_laws(Quantiles::at(&[0.25, 0.5, 0.9]), &scores);
    let few_different: Vec<f64> = (0..FEW + 20).map(|place| (place % 7) as f64).collect();
    assert_laws(Quantiles::at(&[0.25, 0.5, 0.9]), &few_different);
}

#[test]
fn impossible_plain_data_is_refused() {
    type Sides = [Vec<(u32, u64)>; 2];
    let fresh = Quantiles::new();
    let few = |scores: &[f64], apart: [u64; 3]| plain(&fresh, (0_u32, scores.to_vec(), apart));
    assert!(fresh.restore(few(&[-1.0, -0.0, 0.0], [1, 2, 3])).is_ok());
    assert_impossible(&fresh, few(&[0.0, -0.0], [0; 3]));
    assert_impossible(&fresh, few(&[f64::INFINITY], [0; 3]));
    assert_impossible(&fresh, few(&[f64::NAN], [0; 3]));
    assert_impossible(&fresh, few(&[0.0; FEW + 1], [0; 3]));
    assert_impossible(&fresh, few(&[0.0], [1 << 55, 1 << 55, 1]));

    let enough = FEW as u64 + 1;
    let distinct = |counts: &[(f64, u64)]| plain(&fresh, (1_u32, counts.to_vec(), [0_u64; 3]));
    assert!(
        fresh
            .restore(distinct(&[(-1.0, enough), (-0.0, 1), (0.0, 2)]))
            .is_ok()
    );
    assert_impossible(&fresh, distinct(&[(1.0, enough - 1)]));
    assert_impossible(&fresh, distinct(&[(1.0, enough), (2.0, 0)]));
    assert_impossible(&fresh, distinct(&[(2.0, enough), (1.0, 1)]));
    assert_impossible(&fresh, distinct(&[(1.0, enough), (1.0, 1)]));
    assert_impossible(&fresh, distinct(&[(f64::INFINITY, enough)]));
    assert_impossible(&fresh, distinct(&[(1.0, u64::MAX)]));
    let values = |count: u32| (0..count).map(|value| (f64::from(value), enough));
    let most = distinct(&values(256).collect::<Vec<_>>());
    assert!(fresh.restore(most).is_ok());
    assert_impossible(&fresh, distinct(&values(257).collect::<Vec<_>>()));

    let bits = |score: f64| score.to_bits() as i64;
    let bucket = (1.0_f64.to_bits() >> 45) as u32;
    let many = |extremes: (i64, i64), small: [u64; 2], sides: Sides| {
        plain(&fresh, (2_u32, extremes, small, sides, [0_u64; 3]))
    };
    let ones = |count: u64| [vec![(bucket, count)], vec![]];
    let (one, tiny) = (bits(1.0), 1_i64);
    assert!(
        fresh
            .restore(many((one, one), [0; 2], ones(enough)))
            .is_ok()
    );
    assert!(fresh.restore(many((0, one), [1, 0], ones(enough))).is_ok());
    assert!(fresh.restore(many((-2, one), [0, 1], ones(enough))).is_ok());
    assert!(
        fresh
            .restore(many((0, tiny), [enough, 0], Sides::default()))
            .is_ok()
    );
    assert_impossible(&fresh, many((one, one), [0; 2], ones(enough - 1)));
    assert_impossible(&fresh, many((one, one), [0; 2], ones(0)));
    assert_impossible(&fresh, many((one, one), [0; 2], ones(u64::MAX)));
    assert_impossible(&fresh, many((one, one), [0; 2], Sides::default()));
    assert_impossible(&fresh, many((0, one), [0; 2], ones(enough)));
    assert_impossible(&fresh, many((0, one), [0, 1], ones(enough)));
    assert_impossible(&fresh, many((-2, one), [1, 0], ones(enough)));
    assert_impossible(&fresh, many((one + 1, one), [0; 2], ones(enough)));
    assert_impossible(&fresh, many((one, i64::MAX), [0; 2], ones(enough)));
    for nowhere in [127, 0x7ff << 7, u32::MAX] {
        let sides = [vec![(nowhere, enough)], vec![]];
        assert_impossible(&fresh, many((one, one), [0; 2], sides));
    }
}
