//! This benchmark compares our grouping on all cores with hand-written groupings on rayon.
//!
//! Only the ratios of the results within a group are meaningful. `maps` merges one map per thread. `partitioned`
//! keeps one map per thread and partition of the keys, and merges the partitions in parallel. `records` first copies
//! all records into partitions. These three round at every step and leave their groups unsorted. `ours` adds exactly
//! and sorts the groups. `exact` is `maps` with our exact states, so comparing it with `ours` shows the cost of
//! grouping without the cost of the states. The benchmark `groups_once` measures a single grouping in a process of
//! its own and prints the memory that it takes.

mod by_hand;
mod keys;

use std::time::Duration;

use by_hand::{Exact, Naive, NaiveFamily, NaiveMean, Record};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use manyhands::aggregation::Aggregator;
use manyhands::prelude::*;

const RECORDS: usize = 5_000_000;

fn compare<N: Naive, A: Aggregator<f64> + Default>(
    criterion: &mut Criterion,
    name: &str,
    records: &[Record],
    aggregator: &A,
) {
    let mut group = criterion.benchmark_group(name);
    group
        .throughput(Throughput::Elements(records.len() as u64))
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    group.bench_function(BenchmarkId::from_parameter("ours"), |bench| {
        bench.iter_batched(
            || {
                let score = |record: &Record| record.1;
                aggregator.clone().of(score).by(|record: &Record| record.0)
            },
            |grouped| records.par_iter().copied().aggregate(grouped),
            BatchSize::PerIteration,
        );
    });
    group.bench_function(BenchmarkId::from_parameter("maps"), |bench| {
        bench.iter_with_large_drop(|| by_hand::maps_merged::<N>(records));
    });
    group.bench_function(BenchmarkId::from_parameter("exact"), |bench| {
        bench.iter_with_large_drop(|| by_hand::maps_merged::<Exact<A>>(records));
    });
    group.bench_function(BenchmarkId::from_parameter("partitioned"), |bench| {
        bench.iter_with_large_drop(|| by_hand::partitioned_maps::<N>(records));
    });
    group.bench_function(BenchmarkId::from_parameter("records"), |bench| {
        bench.iter_with_large_drop(|| by_hand::partitioned_records::<N>(records));
    });
    group.finish();
}

fn groups(criterion: &mut Criterion) {
    for (spread, zipf) in [("uniform", false), ("zipf", true)] {
        for keys in [10, 10_000, 1_000_000] {
            let records = keys::records(RECORDS, keys, zipf);
            let name = |family: &str| format!("groups/{family}/{keys}/{spread}");
            let mean = Mean::new();
            compare::<NaiveMean, _>(criterion, &name("mean"), &records, &mean);
            let family = (Count::new(), Mean::new(), Extrema::new());
            compare::<NaiveFamily, _>(criterion, &name("family"), &records, &family);
        }
    }
}

criterion_group!(benches, groups);
criterion_main!(benches);
