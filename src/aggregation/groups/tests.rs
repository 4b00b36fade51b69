//! Tests of groups whose tables are so small that a few keys fill them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::admission::Admission;
use super::shared::PARTITIONS;
use super::{BorrowedKey, Groups, MergingGroups, OwnedKey};
use crate::aggregation::{Aggregator, Extrema};

/// The records of a group in the order in which they were observed. It shows which records were
/// lost, duplicated or swapped.
type Places = Vec<usize>;

fn with_most(most: usize) -> Groups<Places, u16> {
    Groups::with_admission(Places::new(), append, Admission::with_most(most))
}

fn append(earlier: &mut Places, later: Places) {
    earlier.extend(later);
}

fn observe(groups: &mut Groups<Places, u16>, keys: &[u16], records: Range<usize>) {
    for record in records {
        groups.of(OwnedKey(keys[record])).push(record);
    }
}

fn in_a_loop(keys: &[u16]) -> Vec<(u16, Places)> {
    let mut groups: BTreeMap<u16, Places> = BTreeMap::new();
    for (record, key) in keys.iter().enumerate() {
        groups.entry(*key).or_default().push(record);
    }
    groups.into_iter().collect()
}

fn finish(groups: Groups<Places, u16>) -> Vec<(u16, Places)> {
    groups.finish(|places| places)
}

fn sorted(mut groups: Vec<(u16, Places)>) -> Vec<(u16, Places)> {
    for (_, places) in &mut groups {
        places.sort_unstable();
    }
    groups
}

/// Generates few keys, many keys, or keys that change over time.
fn keys() -> impl Strategy<Value = Vec<u16>> {
    prop_oneof![
        vec(0_u16..6, 0..400),
        vec(any::<u16>(), 0..400),
        vec(prop_oneof![9 => 0_u16..4, 1 => any::<u16>()], 0..2000),
        (vec(0_u16..8, 0..2000), 1..60_usize).prop_map(|(mut keys, stay)| {
            for (place, key) in keys.iter_mut().enumerate() {
                *key += (place / stay) as u16;
            }
            keys
        }),
    ]
}

proptest! {
    #[test]
    fn forks_and_their_state_are_one(keys in keys(), most in 1_usize..40, workers in 1_usize..5) {
        let mut root = with_most(most);
        let mut forks: Vec<_> = (0..workers).map(|_| root.fork()).collect();
        for record in 0..keys.len() {
            observe(&mut forks[record % workers], &keys, record..record + 1);
        }
        for fork in forks {
            root.merge(fork);
        }
        prop_assert_eq!(sorted(finish(root)), in_a_loop(&keys));
    }

    /// The states of shards, each numbered from 0, are merged by two threads, while a third one uses one of the tables.
    #[test]
    fn plain_groups_and_their_states_are_one(keys in keys(), most in 1_usize..40, shard in 1_usize..300) {
        let fresh = || {
            let merge = <Extrema as Aggregator<f64>>::merge;
            Groups::with_admission(Extrema::new(), merge, Admission::with_most(most))
        };
        let observe = |into: &mut Groups<Extrema, String>, first: usize, keys: &[u16]| {
            for (place, key) in keys.iter().enumerate() {
                let score = f64::from(*key % 7 + place as u16 % 5);
                let state = into.of(BorrowedKey(key.to_string().as_str()));
                state.observe((first + place) as u64, &score);
            }
        };
        let (mut whole, mut merged) = (fresh(), fresh());
        let mut forks = [merged.fork(), merged.fork()];
        for (number, shard_keys) in keys.chunks(shard).enumerate() {
            let first = number * shard;
            observe(&mut whole, first, shard_keys);
            let mut alone = fresh();
            observe(&mut alone, 0, shard_keys);
            let plain = alone.into_plain();
            let fork = &mut forks[number % 2];
            let shared = Arc::clone(fork.shared.get().expect("forks have them"));
            let used = shared.take(number % PARTITIONS);
            let mut merging = MergingGroups::new(fork, first as u64);
            for (key, state) in &plain {
                merging.add(key.as_str(), *state).expect("a state");
            }
            merging.finish();
            if let Some(used) = used {
                shared.put(number % PARTITIONS, used);
            }
        }
        for fork in forks {
            merged.merge(fork);
        }
        prop_assert_eq!(merged.into_plain(), whole.into_plain());
    }

    #[test]
    fn states_merge_in_order(
        keys in keys(),
        most in 1_usize..40,
        parts in 1_usize..6,
        backwards in any::<bool>(),
    ) {
        let share = keys.len().div_ceil(parts).max(1);
        let mut states: Vec<_> = (0..parts)
            .map(|part| {
                let mut state = with_most(most);
                let at = |place: usize| (place * share).min(keys.len());
                observe(&mut state, &keys, at(part)..at(part + 1));
                state
            })
            .collect();
        while states.len() > 1 {
            let at = if backwards { states.len() - 2 } else { 0 };
            let later = states.remove(at + 1);
            states[at].merge(later);
        }
        prop_assert_eq!(finish(states.remove(0)), in_a_loop(&keys));
    }

    #[test]
    fn a_merged_state_goes_on_in_order(keys in keys(), most in 1_usize..40, cut in any::<prop::sample::Index>()) {
        let cut = cut.index(keys.len() + 1);
        let (mut state, mut later) = (with_most(most), with_most(most));
        observe(&mut state, &keys, 0..cut / 2);
        observe(&mut later, &keys, cut / 2..cut);
        state.merge(later);
        let copy = state.clone();
        observe(&mut state, &keys, cut..keys.len());
        prop_assert_eq!(finish(state), in_a_loop(&keys));
        prop_assert_eq!(finish(copy), in_a_loop(&keys[..cut]));
    }
}

#[test]
fn a_group_without_room_stays_with_its_worker_until_there_is() {
    let keys: Vec<u16> = (0..20_000).map(|record| record % 5_000).collect();
    let mut root = with_most(4);
    let (mut one, mut other) = (root.fork(), root.fork());
    observe(&mut one, &keys, 0..10_000);
    // All partitions are taken out, so `other` has to keep every group that it observes.
    let shared = std::sync::Arc::clone(root.shared.get().unwrap());
    let taken: Vec<_> = (0..PARTITIONS).map(|place| shared.take(place)).collect();
    assert!(taken.iter().all(Option::is_some));
    observe(&mut other, &keys, 10_000..20_000);
    for (place, table) in taken.into_iter().enumerate() {
        shared.put(place, table.unwrap());
    }
    drop(shared);
    root.merge(other);
    root.merge(one);
    assert_eq!(sorted(finish(root)), in_a_loop(&keys));
}

#[test]
#[should_panic(expected = "have not been merged")]
fn a_state_is_not_finished_before_its_forks() {
    let keys: Vec<u16> = (0..5_000).collect();
    let root = with_most(4);
    let mut fork = root.fork();
    observe(&mut fork, &keys, 0..5_000);
    finish(root);
}

#[test]
#[should_panic(expected = "have not been merged")]
fn a_state_is_not_copied_before_its_forks_are_merged() {
    let keys: Vec<u16> = (0..5_000).collect();
    let root = with_most(4);
    let mut fork = root.fork();
    observe(&mut fork, &keys, 0..5_000);
    drop(root.clone());
}

#[test]
fn groups_that_a_merge_lost_are_missed() {
    let keys: Vec<u16> = (0..5_000).map(|record| record % 50).collect();
    let lost = std::panic::catch_unwind(|| {
        let merge = |_: &mut Places, _: Places| panic!("merging");
        let root = Groups::with_admission(Places::new(), merge, Admission::with_most(4));
        let mut fork = root.fork();
        let merging = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for key in &keys {
                fork.of(OwnedKey(*key));
            }
        }));
        assert!(merging.is_err());
        drop(fork);
        finish(root)
    });
    let message = *lost.unwrap_err().downcast::<&str>().unwrap();
    assert!(message.contains("groups are lost"), "{message}");
}

#[test]
fn no_groups_take_no_room() {
    assert!(size_of::<Groups<u64, u64>>() <= 128);
    let groups: Groups<u64, u64> = Groups::new(0, |_, _| ());
    assert!(groups.finish(|state| state).is_empty());
}
