//! These hand-written groupings on rayon use hash maps with the fastest hasher, and sums that round at every step.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::mem;

use foldhash::fast::{FixedState, RandomState};
use manyhands::aggregation::Aggregator;
use rayon::prelude::*;

/// A record: its key and its score.
pub type Record = (u64, f64);

/// The groups, each with its key and its state.
pub type Map<A> = HashMap<u64, A, RandomState>;

/// The state of one group.
pub trait Naive: Clone + Default + Send {
    fn observe(&mut self, index: usize, score: f64);
    fn merge(&mut self, other: Self);
}

/// The state of a group that computes its mean and rounds at every step.
#[derive(Clone, Default)]
pub struct NaiveMean {
    pub sum: f64,
    pub count: u64,
}

impl Naive for NaiveMean {
    fn observe(&mut self, _index: usize, score: f64) {
        self.sum += score;
        self.count += 1;
    }

    fn merge(&mut self, other: Self) {
        self.sum += other.sum;
        self.count += other.count;
    }
}

/// The state of a group that computes the count, the mean, and the minimum and the maximum with their places.
#[derive(Clone)]
pub struct NaiveFamily {
    pub mean: NaiveMean,
    pub min: (f64, usize),
    pub max: (f64, usize),
}

impl Default for NaiveFamily {
    fn default() -> Self {
        NaiveFamily {
            mean: NaiveMean::default(),
            min: (f64::INFINITY, usize::MAX),
            max: (f64::NEG_INFINITY, usize::MAX),
        }
    }
}

impl Naive for NaiveFamily {
    fn observe(&mut self, index: usize, score: f64) {
        self.mean.observe(index, score);
        if score < self.min.0 || score == self.min.0 && index < self.min.1 {
            self.min = (score, index);
        }
        if score > self.max.0 || score == self.max.0 && index < self.max.1 {
            self.max = (score, index);
        }
    }

    fn merge(&mut self, other: Self) {
        self.mean.merge(other.mean);
        if other.min < self.min {
            self.min = other.min;
        }
        if other.max.0 > self.max.0 || other.max.0 == self.max.0 && other.max.1 < self.max.1 {
            self.max = other.max;
        }
    }
}

/// One of our aggregators as the state of a hand-written map. It shows the cost of exact states without the cost of
/// our grouping.
#[derive(Clone, Default)]
pub struct Exact<A>(A);

impl<A: Aggregator<f64> + Default> Naive for Exact<A> {
    fn observe(&mut self, index: usize, score: f64) {
        self.0.observe(index as u64, &score);
    }

    fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }
}

/// Divides the records among the threads. Each share has the index of its first record.
fn shares(records: &[Record]) -> impl IndexedParallelIterator<Item = (usize, &[Record])> {
    let share = records.len().div_ceil(rayon::current_num_threads()).max(1);
    let firsts = (0..records.len().div_ceil(share)).into_par_iter();
    firsts.map(move |place| {
        let first = place * share;
        (first, &records[first..records.len().min(first + share)])
    })
}

fn merge_maps<A: Naive>(mut into: Map<A>, mut from: Map<A>) -> Map<A> {
    if from.len() > into.len() {
        mem::swap(&mut into, &mut from);
    }
    for (key, state) in from {
        into.entry(key).or_default().merge(state);
    }
    into
}

/// Builds one map per thread, and merges the maps in pairs.
pub fn maps_merged<A: Naive>(records: &[Record]) -> Map<A> {
    shares(records)
        .map(|(first, records)| {
            let mut map = Map::default();
            for (index, (key, score)) in (first..).zip(records) {
                let state: &mut A = map.entry(*key).or_default();
                state.observe(index, *score);
            }
            map
        })
        .reduce(Map::default, merge_maps)
}

const PARTITIONS: usize = 64;

fn partition(hasher: &FixedState, key: u64) -> usize {
    (hasher.hash_one(key) >> 40) as usize % PARTITIONS
}

fn transposed<T>(parted: Vec<Vec<T>>) -> Vec<Vec<T>> {
    let mut by_partition: Vec<Vec<T>> = (0..PARTITIONS).map(|_| Vec::new()).collect();
    for parts in parted {
        for (all, part) in by_partition.iter_mut().zip(parts) {
            all.push(part);
        }
    }
    by_partition
}

/// Builds one map per thread and partition of the keys, and merges the partitions in parallel.
pub fn partitioned_maps<A: Naive>(records: &[Record]) -> Vec<Map<A>> {
    let hasher = FixedState::default();
    let parted: Vec<Vec<Map<A>>> = shares(records)
        .map(|(first, records)| {
            let mut maps: Vec<Map<A>> = (0..PARTITIONS).map(|_| Map::default()).collect();
            for (index, (key, score)) in (first..).zip(records) {
                let map = &mut maps[partition(&hasher, *key)];
                map.entry(*key).or_default().observe(index, *score);
            }
            maps
        })
        .collect();
    let by_partition = transposed(parted).into_par_iter();
    by_partition
        .map(|maps| maps.into_iter().reduce(merge_maps).unwrap_or_default())
        .collect()
}

/// Copies all records into partitions by their keys, and then builds one map per partition. The memory is
/// proportional to the number of records, not to the number of groups.
pub fn partitioned_records<A: Naive>(records: &[Record]) -> Vec<Map<A>> {
    let hasher = FixedState::default();
    let parted: Vec<Vec<Vec<(usize, u64, f64)>>> = shares(records)
        .map(|(first, records)| {
            let room = records.len() / PARTITIONS;
            let room = room + room / 8;
            let mut parts: Vec<_> = (0..PARTITIONS).map(|_| Vec::with_capacity(room)).collect();
            for (index, (key, score)) in (first..).zip(records) {
                parts[partition(&hasher, *key)].push((index, *key, *score));
            }
            parts
        })
        .collect();
    let by_partition = transposed(parted).into_par_iter();
    by_partition
        .map(|parts| {
            let mut map = Map::<A>::default();
            for (index, key, score) in parts.into_iter().flatten() {
                map.entry(key).or_default().observe(index, score);
            }
            map
        })
        .collect()
}
