//! This benchmark measures the time per score of the aggregators of distinct values, frequent keys, samples and
//! medians, and compares it with the standard library.
//!
//! Run `cargo bench --bench sketches`. Only the ratios within one group are meaningful.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use manyhands::aggregation::{
    Aggregator, Distinct, ExactQuantiles, Frequent, Median, Quantiles, Sample,
};
use serde::Serialize;

const SCORES: u64 = 100_000;

/// Returns a pseudo-random number that depends on `place` alone (SplitMix64).
fn scatter(place: u64) -> u64 {
    let mut bits = place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Returns numbers in random order, with this number of distinct values.
fn numbers(different: u64) -> Vec<u64> {
    let number = |place| scatter(scatter(place) % different);
    (0..SCORES).map(number).collect()
}

fn unit(number: u64) -> f64 {
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

fn over<S, A: Aggregator<S>>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    scores: &[S],
    aggregator: A,
) {
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            let mut state = aggregator.clone();
            for (index, score) in (0..).zip(black_box(scores)) {
                state.observe(index, score);
            }
            state.finish()
        });
    });
}

/// Measures the aggregators of distinct and frequent values and the standard collections that do the same.
fn values<S>(criterion: &mut Criterion, name: &str, scores: &[S])
where
    S: Serialize + Hash + Eq + Ord + Clone + Send + Sync,
{
    let group = &mut group(criterion, name);
    group.bench_function("hash_set", |bencher| {
        bencher.iter(|| black_box(scores).iter().collect::<HashSet<&S>>().len());
    });
    over(group, "distinct", scores, Distinct::new());
    group.bench_function("hash_map", |bencher| {
        bencher.iter(|| {
            let mut counts: HashMap<S, u64> = HashMap::new();
            for score in black_box(scores) {
                match counts.get_mut(score) {
                    Some(count) => *count += 1,
                    None => {
                        counts.insert(score.clone(), 1);
                    }
                }
            }
            counts
        });
    });
    over(group, "frequent_1%", scores, Frequent::above(0.01));
    over(group, "sample_100", scores, Sample::new(100, 1));
}

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(SCORES));
    group.sample_size(30);
    group.warm_up_time(Duration::from_millis(200));
    group.measurement_time(Duration::from_secs(1));
    group
}

fn sketches(criterion: &mut Criterion) {
    for (name, different) in [("few", 100), ("some", 2_000), ("many", 100_000)] {
        let numbers = numbers(different);
        values(criterion, &format!("{name}_numbers"), &numbers);
        let texts: Vec<String> = numbers
            .iter()
            .map(|number| format!("city {}", number % 1_000_000))
            .collect();
        values(criterion, &format!("{name}_texts"), &texts);
    }

    let floats: Vec<f64> = (0..SCORES).map(|place| unit(scatter(place))).collect();
    let group = &mut group(criterion, "floats");
    over(group, "distinct", &floats, Distinct::new());
    group.bench_function("sort", |bencher| {
        bencher.iter(|| {
            let mut sorted = black_box(&floats).clone();
            sorted.sort_unstable_by(f64::total_cmp);
            (sorted[sorted.len() / 2 - 1] + sorted[sorted.len() / 2]) / 2.0
        });
    });
    over(group, "median", &floats, Median::new());
    over(group, "exact_quantiles", &floats, ExactQuantiles::new());
    over(group, "quantiles", &floats, Quantiles::new());
    over(group, "sample_100", &floats, Sample::new(100, 1));
}

criterion_group!(benches, sketches);
criterion_main!(benches);
