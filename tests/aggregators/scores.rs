//! Scores that are difficult for aggregators.

use std::f64::consts::PI;

use proptest::collection::vec;
use proptest::prelude::*;

/// Generates any bit pattern: NaN with every payload, infinities, subnormals and both zeros.
pub fn any_bits() -> impl Strategy<Value = f64> {
    any::<u64>().prop_map(f64::from_bits)
}

/// Generates finite scores that have any exponent, or one of a few neighbouring exponents, or are tiny, huge,
/// round, or zero.
pub fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => any_bits().prop_filter("finite", |score| score.is_finite()),
        6 => -1.0..1.0_f64,
        2 => (0_u64..1 << 54).prop_map(|bits| f64::from_bits(bits << 1)),
        2 => any::<u64>().prop_map(|bits| f64::from_bits(bits & !(0x7ff << 52))),
        2 => (0_u64..1 << 52, any::<bool>()).prop_map(|(below, negative)| {
            let huge = f64::from_bits(f64::MAX.to_bits() - below);
            if negative { -huge } else { huge }
        }),
        2 => (-1000_i32..1000).prop_map(f64::from),
        1 => prop_oneof![Just(0.0), Just(-0.0)],
        1 => (-1074_i32..1024).prop_map(|power| 2.0_f64.powi(power)),
    ]
}

/// Generates up to `most` scores from [`finite`], followed by the negatives of some of them, and by half of the
/// value of the last bit of some of them, which makes a tie.
pub fn finite_scores(most: usize) -> impl Strategy<Value = Vec<f64>> {
    let some_bits = || any::<u64>();
    let strategy = (
        vec(finite(), 0..most),
        some_bits(),
        some_bits(),
        some_bits(),
    );
    strategy.prop_map(|(scores, cancelled, halved, sparse)| {
        let some = |chosen: u64| {
            let places = (0..).zip(&scores);
            places
                .filter(move |(place, _)| chosen >> (place % 64) & 1 == 1)
                .map(|(_, score)| *score)
        };
        let negatives = some(cancelled).map(|score| -score);
        let halves = some(halved & sparse).map(half_of_the_last_bit);
        scores
            .iter()
            .copied()
            .chain(negatives)
            .chain(halves)
            .collect()
    })
}

/// Returns half of the value of a score's last bit, or 0 if that value is too small for a float.
fn half_of_the_last_bit(score: f64) -> f64 {
    let magnitude = score.abs();
    (magnitude - f64::from_bits(magnitude.to_bits().saturating_sub(1))) / 2.0
}

/// Returns ordinary scores mixed with every special value except NaN. Some scores occur more than once.
pub fn assorted(count: usize) -> Vec<f64> {
    let special = [
        0.0,
        -0.0,
        5e-324,
        -5e-324,
        f64::MIN_POSITIVE,
        f64::MAX,
        f64::MIN,
        0.1,
        -0.1,
        1e16,
    ];
    let ordinary = |place: usize| ((place * place) as f64 * PI).sin();
    (0..count)
        .map(|place| match place % 7 {
            3 => special[place / 7 % special.len()],
            5 => ordinary(place / 5),
            _ => ordinary(place),
        })
        .collect()
}
