//! The counts of frequent keys are compared with plain counts.

use std::collections::BTreeMap;

use manyhands::aggregation::{
    Aggregator, Frequent, FrequentKey, FrequentKeys, State as _, assert_laws,
};
use proptest::collection::vec;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use crate::observing::{assert_impossible, observed, plain, scatter};

/// Maximum number of different keys that are counted exactly if the share is 0.5.
const MOST: u64 = 64;

fn counts(keys: &[u64]) -> BTreeMap<u64, u64> {
    let mut counts = BTreeMap::new();
    for &key in keys {
        *counts.entry(key).or_default() += 1;
    }
    counts
}

fn answer(share: f64, keys: &[u64]) -> FrequentKeys<u64> {
    observed(Frequent::above(share), keys).finish()
}

/// Checks all guarantees of an answer except the probability that a count is too high.
fn check(share: f64, keys: &[u64]) -> FrequentKeys<u64> {
    let found = answer(share, keys);
    let counts = counts(keys);
    let least = share * keys.len() as f64;
    assert_eq!(found.records, keys.len() as u64);
    assert_eq!(found.exact, counts.len() as f64 <= (32.0 / share).ceil());
    for frequent in &found.keys {
        assert!(frequent.at_most as f64 >= least);
        assert!(frequent.at_most >= counts[&frequent.key]);
        assert!(!found.exact || frequent.at_most == counts[&frequent.key]);
    }
    for (key, &count) in &counts {
        let listed = found.keys.iter().any(|frequent| frequent.key == *key);
        assert!(listed || (count as f64) < least, "{key}: {count}");
        assert!(!found.exact || listed == (count as f64 >= least));
    }
    let order =
        |a: &FrequentKey<u64>, b: &FrequentKey<u64>| (b.at_most, a.key) < (a.at_most, b.key);
    assert!(found.keys.is_sorted_by(order));
    found
}

#[test]
fn the_laws_hold_on_both_sides_of_the_switch() {
    for different in [1, 5, MOST - 1, MOST, MOST + 1, 2 * MOST, 10 * MOST] {
        let keys: Vec<u64> = (0..3 * different + 1)
            .map(|place| scatter(place) % different)
            .chain(0..different)
            .chain([3; 70])
            .collect();
        check(0.5, &keys);
        assert_laws(Frequent::above(0.5), &keys);
    }
    assert_laws(Frequent::above(1.0), &[] as &[u64]);
    let words: Vec<String> = (0..400_u64)
        .map(|place| format!("{:x}", scatter(place) % 90))
        .collect();
    let by_letter = Frequent::above(0.5)
        .of_ref(|word: &String| word.as_str())
        .by(|word: &String| word.len());
    assert_laws(by_letter, &words);
}

#[test]
fn counting_stops_being_exact_with_one_key_too_many_however_states_merge() {
    let all: Vec<u64> = (0..=MOST).collect();
    for cut in 0..=MOST as usize {
        let mut earlier = observed(Frequent::above(0.5), &all[..cut]);
        let mut last = Frequent::above(0.5);
        for (index, key) in (cut as u64..).zip(&all[cut..]) {
            last.observe(index, key);
        }
        // Keys that both states have observed do not count twice.
        last.observe(1_000, &all[0]);
        earlier.observe(1_001, &all[0]);
        Aggregator::<u64>::merge(&mut earlier, last);
        assert!(!earlier.finish().exact);
    }
    assert!(answer(0.5, &all[1..]).exact);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_promised_holds(
        keys in vec(prop_oneof![0..4_u64, 0..40_u64, any::<u64>()], 0..400),
        share in 0.01..=1.0_f64,
    ) {
        check(share, &keys);
    }
}

/// Returns the keys of the records. Key 1 has 29 of every 100 records, and key `k` has a share of about
/// `k^-1.5 / 2`.
fn zipf(records: u64) -> Vec<u64> {
    let key = |place: u64| {
        let unit = (scatter(place) >> 11) as f64 / (1_u64 << 53) as f64;
        (1.0 / (unit * unit)) as u64
    };
    (0..records).map(key).collect()
}

fn adversarial() -> Vec<Vec<u64>> {
    let heavy = [7_u64; 2_000];
    let light = || (0..98_000_u64).map(scatter);
    let first: Vec<u64> = heavy.into_iter().chain(light()).collect();
    let last: Vec<u64> = light().chain(heavy).collect();
    let spread: Vec<u64> = (0..100_000)
        .map(|place| if place % 50 == 0 { 7 } else { scatter(place) })
        .collect();
    // Rare keys one after the other are the worst case of SpaceSaving and of the algorithm of Misra and Gries.
    let rounds: Vec<u64> = (0..100_000)
        .map(|place| if place % 51 == 0 { 7 } else { place % 5_003 })
        .collect();
    vec![first, last, spread, rounds]
}

#[test]
fn heavy_keys_are_found_whatever_the_order() {
    for keys in adversarial() {
        let found = check(0.015, &keys);
        assert_eq!(found.keys.len(), 1, "{found:?}");
        assert_eq!(found.keys[0].key, 7);
        assert!(!found.exact);
    }
    let keys = zipf(200_000);
    let found = check(0.01, &keys);
    let counts = counts(&keys);
    let least = 0.01 * keys.len() as f64;
    assert!(found.keys.len() >= 9 && !found.exact);
    for frequent in &found.keys {
        let over = frequent.at_most - counts[&frequent.key];
        assert!((over as f64) < least / 4.0, "{frequent:?} over by {over}");
    }
}

/// The share is so low that every key exceeds it.
#[test]
fn counts_are_rarely_too_high() {
    let keys: Vec<u64> = (0..60_000)
        .map(|place| scatter(place) % 100)
        .chain((0..60_000).map(scatter))
        .collect();
    let found = check(0.004, &keys);
    let counts = counts(&keys);
    assert!(!found.exact && found.keys.len() == 100);
    for frequent in &found.keys {
        let over = frequent.at_most - counts[&frequent.key];
        assert!(
            (over as f64) < 0.001 * keys.len() as f64,
            "{frequent:?} over by {over}"
        );
    }
}

#[test]
fn a_borrowed_key_is_cloned_when_it_enters() {
    let words = ["tea", "to", "tea"].map(String::from);
    let mut frequent = Frequent::above(0.5).of_ref(|word: &String| word.as_str());
    for (index, word) in (0..).zip(&words) {
        frequent.observe(index, word);
    }
    let tea = FrequentKey {
        key: String::from("tea"),
        at_most: 2,
    };
    assert_eq!(frequent.finish().keys, [tea]);
}

/// The counters of a key are part of the format of saved states.
#[test]
fn a_state_never_changes() {
    let keys: Vec<u64> = (0..1_000).map(|place| scatter(place) % 100).collect();
    let saved = observed(Frequent::above(0.5), &keys).save();
    let digest = Sha256::digest(saved);
    assert_eq!(digest[..4], [94, 191, 165, 18]);
}

#[test]
fn impossible_plain_data_is_refused() {
    let fresh = Frequent::<u64>::above(0.5);
    let exact = |keys: &[(u64, u64, u64)]| plain(&fresh, (0_u32, keys.to_vec()));
    assert!(fresh.restore(exact(&[(1, 7, 1), (2, 8, 1 << 50)])).is_ok());
    assert_impossible(&fresh, exact(&[(2, 7, 1), (1, 8, 1)]));
    assert_impossible(&fresh, exact(&[(1, 7, 1), (2, 7, 1)]));
    assert_impossible(&fresh, exact(&[(1, 7, 0)]));
    assert_impossible(&fresh, exact(&[(1, 7, 1 << 56), (2, 8, 1 << 56)]));
    assert_impossible(&fresh, exact(&[(1, 7, u64::MAX), (2, 8, u64::MAX)]));
    let many: Vec<(u64, u64, u64)> = (0..=MOST).map(|key| (key, key, 1)).collect();
    assert_impossible(&fresh, exact(&many));

    let estimated = |records: u64, keys: &[(u64, u64)], cells: &[u64]| {
        plain(&fresh, (1_u32, records, keys.to_vec(), cells.to_vec()))
    };
    let keys: Vec<(u64, u64)> = (0..MOST).map(|key| (key, key)).collect();
    let cells = vec![10; 5 * MOST as usize];
    let records = 10 * MOST;
    assert!(fresh.restore(estimated(records, &keys, &cells)).is_ok());
    assert_impossible(&fresh, estimated(records + 1, &keys, &cells));
    assert_impossible(&fresh, estimated(records, &keys[1..], &cells));
    assert_impossible(&fresh, estimated(records, &keys, &cells[1..]));
    assert_impossible(&fresh, estimated(0, &keys, &vec![0; cells.len()]));
    let mut lopsided = vec![0; cells.len()];
    (0..5).for_each(|line| lopsided[line * MOST as usize] = records);
    assert_impossible(&fresh, estimated(records, &keys, &lopsided));
    let overflowing = vec![u64::MAX; cells.len()];
    assert_impossible(&fresh, estimated(u64::MAX, &keys, &overflowing));

    let bytes = observed(Frequent::above(0.5), &[1_u64, 2, 1]).save();
    assert!(fresh.load(&bytes).is_ok());
    assert!(Frequent::<u64>::above(0.25).load(&bytes).is_err());
}
