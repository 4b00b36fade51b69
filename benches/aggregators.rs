//! What one score costs each aggregator, beside the sums that people write by hand.
//!
//! `cargo bench --bench aggregators`; only the ratios to `naive` within one run say anything.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use manyhands::aggregation::{
    Aggregator, Bottom, Count, Extrema, Histogram, Mean, Quantiles, Sum, Top, Variance,
};

const SCORES: usize = 100_000;

/// Adds in order, and rounds each time.
#[derive(Clone)]
struct Naive(f64);

/// Kahan's compensated sum (1965).
#[derive(Clone)]
struct Kahan(f64, f64);

/// Neumaier's (1974), which also survives a large score after small ones.
#[derive(Clone)]
struct Neumaier(f64, f64);

impl Aggregator<f64> for Naive {
    type Output = f64;
    #[inline]
    fn observe(&mut self, _index: u64, score: &f64) {
        self.0 += score;
    }
    fn merge(&mut self, later: Self) {
        self.0 += later.0;
    }
    fn finish(self) -> f64 {
        self.0
    }
}

impl Aggregator<f64> for Kahan {
    type Output = f64;
    #[inline]
    fn observe(&mut self, _index: u64, score: &f64) {
        let corrected = score - self.1;
        let total = self.0 + corrected;
        self.1 = (total - self.0) - corrected;
        self.0 = total;
    }
    fn merge(&mut self, later: Self) {
        self.observe(0, &later.0);
    }
    fn finish(self) -> f64 {
        self.0
    }
}

impl Aggregator<f64> for Neumaier {
    type Output = f64;
    #[inline]
    fn observe(&mut self, _index: u64, score: &f64) {
        let total = self.0 + score;
        self.1 += if self.0.abs() >= score.abs() {
            (self.0 - total) + score
        } else {
            (score - total) + self.0
        };
        self.0 = total;
    }
    fn merge(&mut self, later: Self) {
        self.observe(0, &later.0);
    }
    fn finish(self) -> f64 {
        self.0 + self.1
    }
}

/// Scores between −1 and 1 in no order, and as a sentiment scorer gives them: one in eight is 0.
fn scores() -> Vec<f64> {
    let mut state = 1_u64;
    (0..SCORES)
        .map(|place| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            if place % 8 == 3 {
                0.0
            } else {
                (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
            }
        })
        .collect()
}

fn over<A: Aggregator<f64>>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    scores: &[f64],
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

fn aggregators(criterion: &mut Criterion) {
    let scores = &scores();
    let mut group = criterion.benchmark_group("observe");
    group.throughput(Throughput::Elements(SCORES as u64));
    group.warm_up_time(Duration::from_millis(500));
    group.measurement_time(Duration::from_secs(2));
    let group = &mut group;

    over(group, "naive", scores, Naive(0.0));
    over(group, "kahan", scores, Kahan(0.0, 0.0));
    over(group, "neumaier", scores, Neumaier(0.0, 0.0));
    over(group, "sum", scores, Sum::new());
    over(group, "mean", scores, Mean::new());
    over(group, "variance", scores, Variance::new());
    over(group, "count", scores, Count::new());
    over(group, "extrema", scores, Extrema::new());
    over(group, "top_10", scores, Top::new(10));
    over(group, "bottom_1000", scores, Bottom::new(1_000));
    over(group, "histogram_20", scores, Histogram::new(-1.0, 1.0, 20));
    over(group, "quantiles", scores, Quantiles::new());
    over(
        group,
        "mean_by_10",
        scores,
        Mean::new().by(|score: &f64| (score * 5.0) as i8),
    );
}

criterion_group!(benches, aggregators);
criterion_main!(benches);
