//! These tests aggregate many groups on many workers.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;

use manyhands::aggregation::{Aggregator, Extremes, assert_laws, canonical_bytes};
use manyhands::prelude::*;

use crate::scores::assorted;

/// Number of records. If all keys are distinct, each worker meets more groups than it keeps.
const RECORDS: u64 = 200_000;

/// Returns the key of a record. Of the `keys` keys, the n-th is about 1/n times as likely as the first.
fn zipf(record: u64, keys: u64) -> u64 {
    let bits = (record + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let fraction = (bits >> 11) as f64 / (1_u64 << 53) as f64;
    (keys as f64).powf(fraction) as u64
}

fn score(record: u64) -> f64 {
    (record as f64).sin()
}

/// Returns the key of the record with this index.
type Key = fn(u64) -> u64;

type Family = (Count, Mean, Extrema);

fn family() -> Family {
    (Count::new(), Mean::new(), Extrema::new())
}

type Answers<K> = BTreeMap<K, (u64, f64, Extremes)>;

/// Aggregates the records of each group in a separate aggregator.
fn one_by_one<K: Ord>(records: u64, key: impl Fn(u64) -> K) -> Answers<K> {
    let mut groups: BTreeMap<K, Family> = BTreeMap::new();
    for record in 0..records {
        let group = groups.entry(key(record)).or_insert_with(family);
        group.observe(record, &score(record));
    }
    let finished = groups.into_iter();
    finished
        .map(|(key, group)| (key, Aggregator::<f64>::finish(group)))
        .collect()
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
}

#[test]
fn same_bits_on_any_number_of_workers() {
    let records: Vec<u64> = (0..RECORDS).collect();
    let keys: [(&str, Key); 4] = [
        ("few", |record| record % 7),
        ("skewed", |record| zipf(record, 100_000)),
        ("distinct", |record| record.reverse_bits()),
        ("passing", |record| record / 3),
    ];
    for (name, key) in keys {
        let expected = canonical_bytes(&one_by_one(RECORDS, key));
        let grouped = || {
            family()
                .of(|record: &u64| score(*record))
                .by(move |record: &u64| key(*record))
        };
        for threads in [1, 2, 16] {
            let found = pool(threads).install(|| records.par_iter().copied().aggregate(grouped()));
            assert!(
                canonical_bytes(&found) == expected,
                "{name}, {threads} threads"
            );
        }
        let executors: [&dyn Executor; 2] = [&Sequential, &WorkStealing::new(2)];
        for executor in executors {
            let pipeline = Pipeline::new(&records, |record: &u64| *record).executor(executor);
            let report = pipeline.aggregate(grouped()).unwrap();
            assert!(
                canonical_bytes(&report.value) == expected,
                "{name}, pipeline"
            );
        }
    }
}

#[test]
fn borrowed_keys_become_owned() {
    let words: Vec<String> = (0..RECORDS)
        .map(|record| format!("{:x}", zipf(record, 200_000)))
        .collect();
    let expected = canonical_bytes(&one_by_one(RECORDS, |record| {
        words[record as usize].clone()
    }));
    let numbered: Vec<(u64, &String)> = (0..).zip(&words).collect();
    for threads in [1, 2] {
        let grouped = family()
            .of(|record: &(u64, &String)| score(record.0))
            .by_ref(|record: &(u64, &String)| record.1.as_str());
        let found = pool(threads).install(|| numbered.par_iter().copied().aggregate(grouped));
        assert!(canonical_bytes(&found) == expected);
    }
}

#[test]
fn groups_within_groups() {
    let records: Vec<u64> = (0..50_000).collect();
    let grouped = Count::new()
        .by(|record: &u64| record % 3)
        .by(|record: &u64| record / 5);
    let found = pool(4).install(|| records.par_iter().copied().aggregate(grouped.clone()));
    let mut alone = grouped;
    for record in &records {
        alone.observe(*record, record);
    }
    assert_eq!(found, alone.finish());
}

#[test]
fn non_commutative_aggregators_stay_in_order() {
    #[derive(Clone, Default)]
    struct Places(Vec<u64>);
    impl Aggregator<u64> for Places {
        type Output = Vec<u64>;
        fn observe(&mut self, index: u64, _: &u64) {
            self.0.push(index);
        }
        fn merge(&mut self, later: Self) {
            self.0.extend(later.0);
        }
        fn finish(self) -> Vec<u64> {
            self.0
        }
    }
    let records: Vec<u64> = (0..RECORDS).collect();
    let grouped = Places::default().by(|record: &u64| record % 100_000);
    let found = pool(3).install(|| records.par_iter().copied().aggregate(grouped));
    assert_eq!(found.len(), 100_000);
    for (key, places) in found {
        assert_eq!(places, [key, key + 100_000]);
    }
}

#[test]
fn groups_keep_the_laws() {
    let bits = |score: &f64| score.to_bits();
    assert_laws(family().by(bits), &assorted(600));
    assert_laws(
        Count::new()
            .by(bits)
            .by(|score: &f64| score.is_sign_negative()),
        &assorted(200),
    );
}

#[test]
fn a_clone_is_independent() {
    let grouped = Count::new().by(|record: &u64| *record);
    let root = grouped.clone();
    let mut fork = root.fork();
    let mut copy = root.clone();
    for record in 0..RECORDS {
        fork.observe(record, &record);
    }
    copy.observe(0, &1);
    assert_eq!(copy.finish(), [(1, 1)].into());
    let mut root = root;
    root.merge(fork);
    let mut copy = root.clone();
    copy.observe(0, &1);
    root.observe(0, &2);
    let (root, copy) = (root.finish(), copy.finish());
    assert_eq!((root.len(), root[&1], root[&2]), (RECORDS as usize, 1, 2));
    assert_eq!((copy.len(), copy[&1], copy[&2]), (RECORDS as usize, 2, 1));
}

/// While a merge waits in the pool, its thread may execute another share of the work. The thread must not wait for
/// a lock that it holds itself.
#[test]
fn a_merge_may_use_the_pool() {
    #[derive(Clone)]
    struct Joining(u64);
    impl Aggregator<u64> for Joining {
        type Output = u64;
        const COMMUTATIVE: bool = true;
        fn observe(&mut self, _: u64, _: &u64) {
            self.0 += 1;
        }
        fn merge(&mut self, later: Self) {
            let (own, other) = rayon::join(|| self.0, || later.0);
            self.0 = own + other;
        }
        fn finish(self) -> u64 {
            self.0
        }
    }
    let (done, finished) = mpsc::channel();
    std::thread::spawn(move || {
        let records: Vec<u64> = (0..RECORDS).collect();
        let grouped = Joining(0).by(|record: &u64| record % 150_000);
        let groups = pool(8).install(|| records.par_iter().copied().aggregate(grouped));
        done.send(groups.len() == 150_000 && groups.values().sum::<u64>() == RECORDS)
    });
    assert_eq!(finished.recv_timeout(Duration::from_secs(120)), Ok(true));
}
