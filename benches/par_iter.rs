//! This benchmark compares `.aggregate()` with hand-written reductions on rayon, for cheap and expensive tasks and
//! for few and many records.
//!
//! Only the ratios of the results within a group are meaningful. `loop` is the plain sequential loop, `map_sum` is
//! `map().sum()` of rayon, and `fold_reduce` is `fold().reduce()` with a count in addition to the sum.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use manyhands::prelude::*;

/// A task that does `rounds` multiplications and additions, each of which depends on the previous one.
fn work(seed: f64, rounds: u32) -> f64 {
    (0..rounds).fold(seed, |x, _| black_box(x).mul_add(0.999, 0.001))
}

/// Returns the number of rounds that take the given time on this machine.
fn rounds_for(time: Duration) -> u32 {
    const ROUNDS: u32 = 1_000_000;
    let fastest = (0..5).map(|_| {
        let began = Instant::now();
        black_box(work(black_box(0.5), ROUNDS));
        began.elapsed()
    });
    let fastest = fastest.min().unwrap_or(Duration::from_millis(1));
    ((time.as_secs_f64() / fastest.as_secs_f64() * f64::from(ROUNDS)) as u32).max(1)
}

fn aggregate(criterion: &mut Criterion) {
    let tasks = [
        ("10ns", Duration::from_nanos(10)),
        ("100ns", Duration::from_nanos(100)),
        ("1us", Duration::from_micros(1)),
        ("100us", Duration::from_micros(100)),
    ];
    for (name, time) in tasks {
        let rounds = rounds_for(time);
        for records in [0_usize, 1, 10, 1_000, 1_000_000] {
            if time * records as u32 > Duration::from_secs(3) {
                continue;
            }
            let data: Vec<f64> = (0..records).map(|n| n as f64 / records as f64).collect();
            let mut group = criterion.benchmark_group(format!("{name}/{records}"));
            group
                .throughput(Throughput::Elements(records as u64))
                .sample_size(20);
            group.bench_function("loop", |bench| {
                bench.iter(|| data.iter().map(|x| work(*x, rounds)).sum::<f64>());
            });
            group.bench_function("map_sum", |bench| {
                bench.iter(|| data.par_iter().map(|x| work(*x, rounds)).sum::<f64>());
            });
            group.bench_function("fold_reduce", |bench| {
                bench.iter(|| {
                    data.par_iter()
                        .map(|x| work(*x, rounds))
                        .fold(|| (0_u64, 0.0), |(count, sum), x| (count + 1, sum + x))
                        .reduce(|| (0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1))
                });
            });
            group.bench_function("aggregate", |bench| {
                let family = (Count::new(), Mean::new());
                bench.iter(|| {
                    data.par_iter()
                        .map(|x| work(*x, rounds))
                        .aggregate(family.clone())
                });
            });
            group.bench_function("pipeline", |bench| {
                let family = (Count::new(), Mean::new());
                bench.iter(|| {
                    let pipeline = Pipeline::new(&data, |x: &f64| work(*x, rounds));
                    pipeline
                        .aggregate(family.clone())
                        .map(|report| report.value)
                });
            });
            group.finish();
        }
    }
}

/// Measures the whole pipeline over synthetic reviews in memory, first sequentially and then on 1, 2, … threads.
fn scaling(criterion: &mut Criterion) {
    let made = manyhands::dataset::synthetic::Synthetic::new(20_000, 1);
    let reviews: Vec<String> = (0..20_000).map(|index| made.review(index).text).collect();
    let sentiment = Sentiment::new();
    let bytes: usize = reviews.iter().map(String::len).sum();
    let mut group = criterion.benchmark_group("scaling");
    group
        .throughput(Throughput::Bytes(bytes as u64))
        .sample_size(20);
    let mut bench = |name: BenchmarkId, executor: &dyn Executor| {
        group.bench_function(name, |bench| {
            bench.iter(|| {
                Pipeline::new(&reviews, |text: &String| sentiment.score(text).compound)
                    .executor(executor)
                    .aggregate((Count::new(), Mean::new()))
                    .map(|report| report.value)
            });
        });
    };
    bench(BenchmarkId::from_parameter("sequential"), &Sequential);
    let cores = manyhands::machine::usable_cores();
    let powers = (0..)
        .map(|power| 1 << power)
        .take_while(|threads| *threads < cores);
    for threads in powers.chain([cores]) {
        let executor = WorkStealing::new(threads);
        bench(BenchmarkId::new("work-stealing", threads), &executor);
    }
    group.finish();
}

criterion_group!(benches, aggregate, scaling);
criterion_main!(benches);
