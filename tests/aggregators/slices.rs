//! Observing a slice must give the same state, to the last bit, as observing its scores one by one.

use manyhands::aggregation::exact::ExactSum;
use manyhands::aggregation::{Aggregator, Mean, Moments, State, Sum};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::rational::{Ratio, same, spread, squares, total, variance};
use crate::scores::{any_bits, finite};

fn one_by_one<A: Aggregator<f64>>(mut aggregator: A, scores: &[f64]) -> A {
    for (index, score) in (0..).zip(scores) {
        aggregator.observe(index, score);
    }
    aggregator
}

fn in_slices<A: Aggregator<f64>>(mut aggregator: A, scores: &[f64], length: usize) -> A {
    for (place, slice) in scores.chunks(length).enumerate() {
        aggregator.observe_slice((place * length) as u64, slice);
    }
    aggregator
}

/// Generates a whole number times a power of two. The results are at the limits of both grids for scores near 1,
/// and at ties that round to even.
fn near_a_grid() -> impl Strategy<Value = f64> {
    let powers = prop_oneof![-103..-95_i32, -54..-44_i32, 0..6_i32];
    let whole = prop_oneof![0..8_i64, Just((1 << 53) - 1), Just(1 << 52), 0..1_i64 << 53];
    (whole, powers, any::<bool>(), any::<bool>()).prop_map(|(whole, power, negative, scaled)| {
        // The number is either unchanged, or scaled so that its highest bit has this power.
        let down = if scaled {
            63 - whole.max(1).leading_zeros() as i32
        } else {
            0
        };
        let score = whole as f64 * 2.0_f64.powi(power - down);
        if negative { -score } else { score }
    })
}

/// Generates scores that are spread over about 30 octaves. This is more than the middle of a state covers, and in
/// some groups it is more than the grids cover.
fn spread_over_octaves() -> impl Strategy<Value = Vec<f64>> {
    let significand = prop_oneof![
        3 => 1.0..2.0_f64,
        1 => Just(1.0),
        1 => Just(2.0_f64.next_down()),
        1 => (1.0..2.0_f64).prop_map(|score| f64::from_bits(score.to_bits() & !0xffff_ffff)),
    ];
    let score = |lowest: i32| {
        (significand.clone(), lowest..30_i32, any::<bool>()).prop_map(|(score, power, negative)| {
            let score = score * 2.0_f64.powi(power);
            if negative { -score } else { score }
        })
    };
    prop_oneof![
        vec(score(0), 100..600),
        vec(score(5), 100..600),
        vec(score(10), 100..600),
        (vec(score(8), 100..600), -700..700_i32).prop_map(|(scores, power)| {
            let scale = 2.0_f64.powi(power);
            scores.into_iter().map(|score| score * scale).collect()
        }),
    ]
}

/// Generates runs of a few to hundreds of scores of one sort: scores with the same exponent, scores near the limits
/// of the grids, zeros of both signs, scores of any magnitude, or any bit patterns.
fn runs() -> impl Strategy<Value = Vec<f64>> {
    let ordinary = || -1.0..1.0_f64;
    let run = prop_oneof![
        4 => vec(ordinary(), 1..200),
        3 => vec(near_a_grid(), 1..200),
        2 => vec(prop_oneof![4 => ordinary(), 1 => Just(0.0), 1 => Just(-0.0)], 1..200),
        2 => (finite(), 1..300_usize).prop_map(|(score, count)| vec![score; count]),
        2 => vec(finite(), 1..100),
        4 => spread_over_octaves(),
        1 => (vec(ordinary(), 64..200), -1074..1024_i32).prop_map(|(scores, power)| {
            let scale = 2.0_f64.powi(power);
            scores.into_iter().map(|score| score * scale).collect()
        }),
        1 => vec(prop_oneof![Just(0.0), Just(-0.0)], 1..200),
    ];
    vec(run, 0..6).prop_map(|runs| runs.concat())
}

fn assert_the_same(scores: &[f64], length: usize) {
    let all = (Sum::new(), Mean::new(), Moments::new());
    let expected = one_by_one(all.clone(), scores).save();
    assert!(
        in_slices(all, scores, length).save() == expected,
        "in slices of {length}: {scores:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn runs_come_to_the_same(scores in runs(), length in prop_oneof![1..100_usize, 64..5_000_usize]) {
        assert_the_same(&scores, length);
        let all = in_slices(Moments::new(), &scores, length).finish();
        let nothing_but_negative_zeros = !scores.is_empty() && scores.iter().all(|&score| same(score, -0.0));
        let expected = if nothing_but_negative_zeros { -0.0 } else { Ratio::of_units(total(&scores), 1).nearest() };
        prop_assert!(same(all.sum, expected), "{} is not {expected}", all.sum);
        if scores.len() > 1 {
            let divisor = scores.len() as u64 * (scores.len() as u64 - 1);
            let expected = Ratio::of_square_units(spread(&scores), divisor).nearest();
            prop_assert!(same(all.variance, expected), "{} is not {expected}", all.variance);
        }
    }

    #[test]
    fn any_bits_come_to_the_same(
        scores in vec(prop_oneof![4 => -1.0..1.0_f64, 1 => any_bits()], 0..400),
        length in 1..400_usize,
    ) {
        assert_the_same(&scores, length);
    }
}

#[test]
fn long_runs_of_one_exponent_give_the_same_state() {
    let largest_significand = f64::from_bits(2.0_f64.to_bits() - 1);
    // These are the last exponents that have grids, and the first exponents that have none.
    let ends = [
        2.0_f64.powi(1_021),
        2.0_f64.powi(1_022),
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
    ];
    for score in [largest_significand, -largest_significand, -1.0, 0.1]
        .into_iter()
        .chain(ends)
    {
        let scores = vec![score; 10_000];
        let mut sum = ExactSum::new();
        sum.add_slice(&scores);
        let expected = Ratio::of_units(total(&scores), 1).nearest();
        assert!(same(sum.value(), expected), "{score:e}: {}", sum.value());
        assert_the_same(&scores, 9_999);
    }
}

#[test]
fn the_grids_follow_scores_that_grow_and_shrink() {
    let steps = (-1_000..1_000).chain((-1_000..1_000).rev()).step_by(7);
    let scores: Vec<f64> = steps
        .flat_map(|power| (0..70).map(move |step| (1.0 + f64::from(step)) * 2.0_f64.powi(power)))
        .collect();
    assert_the_same(&scores, scores.len());
    assert_the_same(&scores, 1_000);
    // One of every 61 scores is an outlier, larger or smaller than the others. The last scores have no outliers.
    for outlier in [1e30, 1e-30, f64::INFINITY, f64::NAN, 5e-324, f64::MAX] {
        let scores: Vec<f64> = (0..5_000)
            .map(|place| {
                if place % 61 == 3 && place < 4_000 {
                    outlier
                } else {
                    f64::from(place) * 0.1
                }
            })
            .collect();
        assert_the_same(&scores, 4_999);
    }
}

#[test]
fn grids_and_bases_stay_within_the_range_of_floats() {
    let ends = [
        f64::INFINITY,
        f64::NAN,
        0.0,
        -0.0,
        5e-324,
        -f64::MIN_POSITIVE,
        f64::MAX,
    ];
    let up: Vec<i32> = (-1_022..1_024).step_by(9).collect();
    let down: Vec<i32> = up.iter().rev().copied().collect();
    for powers in [up, down] {
        let stairs: Vec<f64> = powers
            .iter()
            .flat_map(|&power| [1.5 * 2.0_f64.powi(power); 100])
            .collect();
        for end in ends {
            let mut scores = stairs.clone();
            scores.extend([end; 70]);
            assert_the_same(&scores, 3_000);
            let summary = one_by_one(Moments::new(), &scores).finish();
            if end.is_finite() {
                let expected = Ratio::of_units(total(&scores), 1).nearest();
                assert!(same(summary.sum, expected));
                let exact = variance(&scores, scores.len() - 1);
                assert!(same(summary.stddev, exact.nearest_root()));
            } else {
                assert!(summary.variance.is_nan());
                assert!(same(summary.sum, end));
            }
        }
    }
}

#[test]
fn moments_keep_up_with_squares_that_outgrow_their_words() {
    // The first score is so large that the state does not move for the second score. The square of the second
    // score takes 168 of 191 bits and doubles with every merge.
    let scores = [
        1.5 * 2.0_f64.powi(894),
        -1.75 * 2.0_f64.powi(917),
        1.0,
        0.125,
    ];
    let mut moments = one_by_one(Moments::new(), &scores);
    let mut count = 4_u64;
    for _ in 0..50 {
        let again = moments.clone();
        Aggregator::<f64>::merge(&mut moments, again);
        count *= 2;
    }
    let summary = moments.clone().finish();
    let expected = Ratio::of_units(total(&scores) * (count / 4), 1).nearest();
    assert!(same(summary.sum, expected));
    let all = squares(&scores) * (count / 4) * count - (total(&scores) * (count / 4)).pow(2);
    let divisor = (num_bigint::BigInt::from(count) * (count - 1)) << 2148;
    let exact = Ratio {
        above: all,
        below: divisor,
    };
    assert!(same(summary.variance, exact.nearest()));
    assert!(same(summary.stddev, exact.nearest_root()));
}
