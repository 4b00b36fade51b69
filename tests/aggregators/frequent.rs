//! The counts of frequent keys are compared with plain counts.

use std::collections::BTreeMap;

use manyhands::aggregation::{
    Aggregator, Frequent, FrequentKey, FrequentKeys, Shift as _, State, assert_laws,
    assert_shift_laws,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::Serialize;
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
        assert_shift_laws(Frequent::above(0.5), &keys);
    }
    assert_laws(Frequent::above(1.0), &[] as &[u64]);
    let words: Vec<String> = (0..400_u64)
        .map(|place| format!("{:x}", scatter(place) % 90))
        .collect();
    let by_letter = Frequent::above(0.5)
        .of_ref(|word: &String| word.as_str())
        .by(|word: &String| word.len());
    assert_laws(by_letter.clone(), &words);
    assert_shift_laws(by_letter, &words);
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

/// Returns records of which 2 of every 100 have the key 7, in orders that are hard for other summaries.
fn adversarial() -> Vec<Vec<u64>> {
    let heavy = [7_u64; 2_000];
    let light = || (0..98_000_u64).map(scatter);
    let first: Vec<u64> = heavy.into_iter().chain(light()).collect();
    let last: Vec<u64> = light().chain(heavy).collect();
    let middle: Vec<u64> = light()
        .take(50_000)
        .chain(heavy)
        .chain(light().skip(50_000))
        .collect();
    let spread: Vec<u64> = (0..100_000)
        .map(|place| if place % 50 == 0 { 7 } else { scatter(place) })
        .collect();
    let mut sorted = spread.clone();
    sorted.sort_unstable();
    // Rare keys one after the other are the worst case of SpaceSaving and of the algorithm of Misra and Gries.
    let rounds: Vec<u64> = (0..100_000)
        .map(|place| if place % 51 == 0 { 7 } else { place % 5_003 })
        .collect();
    vec![first, last, middle, spread, sorted, rounds]
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

/// Merges the states of shards that were numbered from 0, saved, and loaded.
fn merged<'k>(share: f64, shards: impl IntoIterator<Item = &'k [u64]>) -> Frequent<u64> {
    let fresh = Frequent::above(share);
    let mut whole = fresh.clone();
    for shard in shards {
        let shard = fresh.load(&observed(fresh.clone(), shard).save());
        let shard = shard.and_then(|shard| shard.shift(whole.clone().finish().records));
        Aggregator::<u64>::merge(&mut whole, shard.expect("a state"));
    }
    whole
}

#[test]
fn heavy_keys_are_found_whatever_the_shards() {
    for keys in adversarial() {
        let whole = observed(Frequent::above(0.015), &keys);
        for records in [900, 30_000, 99_999] {
            let merged = merged(0.015, keys.chunks(records));
            assert_eq!(merged.clone().finish(), whole.clone().finish());
            assert_eq!(merged.save(), whole.clone().save(), "{records}");
        }
    }
    // In every shard, exactly the share of the records have the key, there are too many keys to be counted exactly, and
    // no two shards have another key in common. In the last shard, the key is alone.
    let shards: Vec<Vec<u64>> = (0..20)
        .map(|shard| {
            let light = (0..2_450).map(|place| scatter(shard * 2_450 + place));
            light.chain([7; 50]).collect()
        })
        .chain([vec![7]])
        .collect();
    let found = merged(0.02, shards.iter().map(Vec::as_slice)).finish();
    assert_eq!(found.keys.len(), 1, "{found:?}");
    assert_eq!((found.keys[0].key, found.records), (7, 50_001));
    assert!((1_001..1_050).contains(&found.keys[0].at_most), "{found:?}");
}

/// A key becomes a candidate only when it has an eighth of the share, so the records before that are not lost.
#[test]
fn a_key_that_becomes_frequent_late_is_counted_from_its_first_record() {
    let light = |from: u64, records: u64| (from..from + records).map(scatter);
    let keys: Vec<u64> = light(0, 50_000)
        .chain([7; 60])
        .chain(light(50_000, 10_000))
        .chain([7; 1_000])
        .collect();
    let found = check(0.015, &keys);
    assert_eq!((found.keys.len(), found.keys[0].key), (1, 7));
    assert!((1_060..1_080).contains(&found.keys[0].at_most));
}

/// Some frequent keys among many rare ones. No key has a share near the bounds of the candidates.
fn mixed(seed: u64, heavy: u64, records: u64) -> Vec<u64> {
    let key = |place: u64| match scatter(seed ^ scatter(place)) {
        number if number % 4 < 3 => number / 4 % heavy,
        number => number,
    };
    (0..records).map(key).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// However records are divided, in whatever order the parts are merged, and whichever of the states were saved and
    /// loaded before, the merged state has the bytes and the answer of a single run.
    #[test]
    fn neither_parts_nor_merges_show(
        seed in any::<u64>(),
        heavy in 1_u64..6,
        records in 300_u64..4_000,
        parts in 1_usize..12,
        blocks in any::<bool>(),
        order in vec(any::<(prop::sample::Index, prop::sample::Index, bool)>(), 12),
    ) {
        let keys = mixed(seed, heavy, records);
        let fresh = || Frequent::above(0.1);
        let whole = observed(fresh(), &keys);
        let mut states = vec![fresh(); parts];
        for (place, key) in keys.iter().enumerate() {
            let part = if blocks { place * parts / keys.len() } else { scatter(!seed ^ place as u64) as usize % parts };
            states[part].observe(place as u64, key);
        }
        for (from, into, travels) in order.into_iter().take(parts - 1) {
            let mut taken = states.swap_remove(from.index(states.len()));
            if travels {
                taken = fresh().load(&taken.save()).expect("a saved state");
            }
            let into = into.index(states.len());
            Aggregator::<u64>::merge(&mut states[into], taken);
        }
        prop_assert_eq!(states.len(), 1);
        let merged = states.remove(0);
        prop_assert_eq!(merged.clone().save(), whole.clone().save());
        let found = merged.finish();
        prop_assert_eq!(&found, &whole.finish());
        prop_assert_eq!(&found, &check(0.1, &keys));
    }

    /// Keys of any share, including those at the bounds: every frequent key is listed with a count that is not too low,
    /// whatever travelled before it was merged.
    #[test]
    fn the_guarantee_outlives_all_merges(
        places in vec((0_u64..50, 0_usize..6), 100..2_000),
        rare in 0_u64..2_000,
        travels in vec(any::<bool>(), 6),
    ) {
        let share = 0.05;
        let rare = (0..rare).map(|place| (scatter(place), (scatter(place) >> 60) as usize % 6));
        let dealt: Vec<(u64, usize)> = places.into_iter().map(|(key, part)| (key * key / 100, part)).chain(rare).collect();
        let fresh = || Frequent::<u64>::above(share);
        let mut whole = fresh();
        for (part, travels) in travels.into_iter().enumerate() {
            let mut state = fresh();
            for (index, (key, _)) in (0..).zip(dealt.iter().filter(|dealt| dealt.1 == part)) {
                state.observe(index, key);
            }
            Aggregator::<u64>::merge(&mut whole, state);
            if travels {
                whole = fresh().load(&whole.save()).expect("a saved state");
            }
        }
        let keys: Vec<u64> = dealt.into_iter().map(|(key, _)| key).collect();
        prop_assert_eq!(whole.finish(), check(share, &keys));
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
    assert_eq!(digest[..4], [74, 142, 133, 134]);
}

/// Two keys that serialise alike, of which the one with the lower number is the least.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Alike(&'static str, #[serde(skip)] u8);

#[test]
fn the_least_of_keys_that_serialise_alike_is_listed() {
    let (lesser, greater) = (Alike("a", 1), Alike("a", 2));
    for keys in [[&lesser, &greater], [&greater, &lesser]] {
        let mut observed = Frequent::above(1.0);
        let mut merged = Frequent::above(1.0);
        for key in keys {
            observed.observe(0, key);
            let mut later = Frequent::above(1.0);
            later.observe(0, key);
            Aggregator::<Alike>::merge(&mut merged, later);
        }
        for state in [observed, merged] {
            let found = state.finish().keys;
            assert_eq!((&found[0].key, found[0].at_most), (&lesser, 2));
        }
    }
}

#[test]
fn impossible_exact_counts_are_refused() {
    let fresh = Frequent::<u64>::above(0.5);
    let exact = |keys: &[(u64, u64)]| plain(&fresh, (0_u32, keys.to_vec()));
    let [lower, higher] = if hash(7) < hash(8) { [7, 8] } else { [8, 7] };
    assert!(
        fresh
            .restore(exact(&[(lower, 1), (higher, 1 << 50)]))
            .is_ok()
    );
    assert_impossible(&fresh, exact(&[(higher, 1), (lower, 1)]));
    assert_impossible(&fresh, exact(&[(7, 1), (7, 1)]));
    assert_impossible(&fresh, exact(&[(7, 0)]));
    assert_impossible(&fresh, exact(&[(lower, 1 << 56), (higher, 1 << 56)]));
    assert_impossible(&fresh, exact(&[(lower, u64::MAX), (higher, u64::MAX)]));
    let many: Vec<u64> = (0..MOST).collect();
    let exact_keys = |keys: &[u64]| {
        let mut keys: Vec<(u64, u64)> = keys.iter().map(|&key| (key, 1)).collect();
        keys.sort_by_key(|&(key, _)| hash(key));
        exact(&keys)
    };
    assert!(fresh.restore(exact_keys(&many)).is_ok());
    let more: Vec<u64> = (0..=MOST).collect();
    assert_impossible(&fresh, exact_keys(&more));

    let bytes = observed(Frequent::above(0.5), &[1_u64, 2, 1]).save();
    assert!(fresh.load(&bytes).is_ok());
    assert!(Frequent::<u64>::above(0.25).load(&bytes).is_err());
}

/// Returns the hash of a key.
fn hash(key: u64) -> u64 {
    twox_hash::XxHash3_64::oneshot(&key.to_le_bytes())
}

/// Returns the place of the counter of a key in one of the 12 lines of 64 counters.
fn place(key: u64, line: usize) -> usize {
    // Number `line / 3` of SplitMix64.
    let steps = (line as u64 / 3 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut bits = hash(key).wrapping_add(steps);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    64 * line + ((bits >> (line % 3 * 21)) & 63) as usize
}

const LINES: usize = 12;

/// Returns counters that add up to this number of records, in which the counters of a key have these values.
fn cells(records: u64, key: u64, counts: [u64; LINES]) -> Vec<u64> {
    let mut cells = vec![0; 64 * LINES];
    for (line, count) in counts.into_iter().enumerate() {
        let own = place(key, line);
        cells[own] = count;
        cells[64 * line + (own + 1) % 64] = records - count;
    }
    cells
}

#[test]
fn impossible_estimates_are_refused() {
    let fresh = Frequent::<u64>::above(0.5);
    let estimated = |records: u64, keys: &[u64], cells: &[u64]| {
        plain(&fresh, (1_u32, records, keys.to_vec(), cells.to_vec()))
    };
    // A key needs a quarter of the records in the first line, and three sixteenths in every other line.
    let least = [400, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300];
    let good = cells(1_600, 7, least);
    assert!(fresh.restore(estimated(1_600, &[7], &good)).is_ok());
    assert!(fresh.restore(estimated(1_600, &[], &good)).is_ok());
    for line in 0..LINES {
        let mut lower = least;
        lower[line] -= 1;
        assert_impossible(&fresh, estimated(1_600, &[7], &cells(1_600, 7, lower)));
    }

    assert_impossible(&fresh, estimated(1_600, &[7, 7], &good));
    let [lower, higher] = if hash(7) < hash(8) { [7, 8] } else { [8, 7] };
    let two = observed(
        fresh.clone(),
        &[vec![7; 400], vec![8; 400], (0..100).collect()].concat(),
    );
    let (_, records, keys, two): (u32, u64, Vec<u64>, Vec<u64>) =
        postcard::from_bytes(&postcard::to_stdvec(&two.into_plain()).unwrap()).unwrap();
    assert_eq!((records, &keys[..]), (900, &[lower, higher][..]));
    assert!(fresh.restore(estimated(records, &keys, &two)).is_ok());
    assert_impossible(&fresh, estimated(records, &[higher, lower], &two));

    assert_impossible(&fresh, estimated(1_601, &[7], &good));
    assert_impossible(&fresh, estimated(1_600, &[7], &good[..64 * (LINES - 1)]));
    assert_impossible(
        &fresh,
        estimated(1_600, &[7], &[&good[..], &good[..64]].concat()),
    );
    assert_impossible(&fresh, estimated(1_600, &[7], &[&good[..], &[0]].concat()));
    let mut moved = good.clone();
    moved[place(7, 0)] += 1;
    moved[place(7, 1)] -= 1;
    assert_impossible(&fresh, estimated(1_600, &[], &moved));

    let of = |records| cells(records, 7, [records; LINES]);
    assert!(
        fresh
            .restore(estimated(MOST + 1, &[], &of(MOST + 1)))
            .is_ok()
    );
    assert_impossible(&fresh, estimated(MOST, &[], &of(MOST)));
    assert!(fresh.restore(estimated(1 << 56, &[], &of(1 << 56))).is_ok());
    assert_impossible(&fresh, estimated((1 << 56) + 1, &[], &of((1 << 56) + 1)));
    let overflowing = vec![u64::MAX; good.len()];
    assert_impossible(&fresh, estimated(1_600, &[7], &overflowing));
}
