//! Samples must obey the laws, and every record must be as likely to be drawn as any other.

use manyhands::aggregation::{Aggregator, Sample, Sampled, State as _, assert_laws};

use crate::observing::{assert_impossible, observed, plain};

fn drawn(records: u64, k: usize, seed: u64) -> Vec<u64> {
    let mut sample = Sample::new(k, seed);
    for index in 0..records {
        sample.observe(index, &());
    }
    let sampled = sample.finish();
    sampled.iter().map(|sampled| sampled.index).collect()
}

#[test]
fn the_laws_hold() {
    let scores: Vec<String> = (0..300).map(|place| format!("score {place}")).collect();
    for k in [0, 1, 2, 10, 299, 300, 301, usize::MAX] {
        assert_laws(Sample::new(k, 5), &scores);
    }
    assert_laws(Sample::new(10, 5), &[0.5, f64::NAN, -0.0]);
    let initials = Sample::new(3, 1).of_ref(|text: &String| &text[..7]);
    assert_laws(initials, &scores);
}

#[test]
fn a_sample_has_k_records_or_all() {
    for records in [0, 1, 2, 5, 50, 1_000] {
        for k in [0, 1, 2, 5, 50, 2_000] {
            let indices = drawn(records, k, 3);
            assert_eq!(indices.len() as u64, records.min(k as u64));
            assert!(indices.is_sorted_by(|a, b| a < b));
        }
    }
}

#[test]
fn scores_stay_with_their_records() {
    let scores: Vec<u64> = (0..500).map(|index| index * index).collect();
    let sample = Aggregator::<u64>::finish(observed(Sample::new(20, 9), &scores));
    assert_eq!(sample.len(), 20);
    for Sampled { index, score } in sample {
        assert_eq!(score, index * index);
    }
}

#[test]
fn a_sample_never_changes() {
    assert_eq!(
        drawn(1_000_000, 5, 42),
        [169_749, 661_682, 706_475, 727_356, 916_133]
    );
}

/// Counts how often each of 50 records, and each pair of 12 records, is drawn. If samples are uniform and without
/// replacement, the first statistic, divided by the variance factor (n − k)/(n − 1), has n − 1 degrees of freedom,
/// so its mean is 49 and its standard deviation is 9.9. The second statistic, over 66 pairs, has at most 65 degrees
/// of freedom.
#[test]
fn every_record_and_every_pair_is_as_likely_as_any_other() {
    const SEEDS: u64 = 20_000;
    let (records, k) = (50_u64, 10);
    let mut counts = vec![0.0_f64; records as usize];
    for seed in 0..SEEDS {
        for index in drawn(records, k, seed) {
            counts[index as usize] += 1.0;
        }
    }
    let expected = SEEDS as f64 * k as f64 / records as f64;
    let squares: f64 = counts.iter().map(|count| (count - expected).powi(2)).sum();
    let chi_square = squares / expected / (1.0 - k as f64 / records as f64) * (records - 1) as f64
        / records as f64;
    assert!((20.0..90.0).contains(&chi_square), "{chi_square}");

    let mut pairs = [[0.0_f64; 12]; 12];
    for seed in 0..SEEDS {
        let indices = drawn(12, 2, seed);
        pairs[indices[0] as usize][indices[1] as usize] += 1.0;
    }
    let expected = SEEDS as f64 / 66.0;
    let chi_square: f64 = (0..12)
        .flat_map(|one| (one + 1..12).map(move |other| (one, other)))
        .map(|(one, other)| (pairs[one][other] - expected).powi(2) / expected)
        .sum();
    assert!((25.0..120.0).contains(&chi_square), "{chi_square}");
}

#[test]
fn two_seeds_draw_different_records() {
    let (one, other) = (drawn(10_000, 1_000, 1), drawn(10_000, 1_000, 2));
    let common = one
        .iter()
        .filter(|index| other.binary_search(index).is_ok())
        .count();
    assert!((60..140).contains(&common), "{common}");
}

/// If several records have the same index, it is not specified which of them is drawn, but there is an answer.
#[test]
fn records_with_one_index_do_no_harm() {
    let of = |scores: &[u8]| observed(Sample::new(4, 7), scores);
    let (mut one, other) = (of(&[1, 2, 3, 4, 5]), of(&[6, 7, 8, 9, 10]));
    Aggregator::<u8>::merge(&mut one, other);
    let loaded = Sample::<u8>::new(4, 7).load(&one.clone().save());
    let sample = Aggregator::<u8>::finish(loaded.expect("a state that was saved"));
    assert_eq!(sample, one.finish());
    assert_eq!(sample.len(), 4);
}

#[test]
fn impossible_plain_data_is_refused() {
    let fresh = Sample::<u8>::new(2, 7);
    let of = |records: &[(u64, u8)]| plain(&fresh, records.to_vec());
    assert!(fresh.restore(of(&[(3, 0), (8, 0)])).is_ok());
    assert_impossible(&fresh, of(&[(8, 0), (3, 0)]));
    assert_impossible(&fresh, of(&[(1, 0), (2, 0), (3, 0)]));
    let bytes = observed(Sample::new(2, 7), &[1_u8, 2, 3]).save();
    assert!(Sample::<u8>::new(2, 7).load(&bytes).is_ok());
    assert!(Sample::<u8>::new(2, 8).load(&bytes).is_err());
    assert!(Sample::<u8>::new(3, 7).load(&bytes).is_err());
}
