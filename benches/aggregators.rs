//! This benchmark measures the time per score of each aggregator, one score at a time and in slices, over easy and
//! hard scores. The baselines are hand-written sums and the quantiles of another crate.
//!
//! Run `cargo bench --bench aggregators`. Only the ratios to `naive` within one run are meaningful. The names of the
//! measurements are `how/scores/aggregator`, so `cargo bench --bench aggregators observe/mixed` runs one column.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use manyhands::aggregation::{
    Aggregator, Bottom, Confidence, Correlation, Count, Covariance, Extrema, Histogram, Mean,
    MeanInterval, Moments, Quantiles, StdDev, Sum, Top, Variance,
};
use sketches_ddsketch::{Config, DDSketch};

const SCORES: usize = 100_000;

/// A sum that adds the scores in order and rounds at each step.
#[derive(Clone)]
struct Naive(f64);

/// Kahan's compensated sum (1965).
#[derive(Clone)]
struct Kahan(f64, f64);

/// Neumaier's compensated sum (1974), which stays accurate even if a large score follows small ones.
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

/// The quantiles of the crate `sketches-ddsketch`, with the same relative error as our quantiles.
#[derive(Clone)]
struct Sketch(DDSketch);

impl Sketch {
    fn new() -> Sketch {
        Sketch(DDSketch::new(Config::new(0.004, 4_096, 1e-9)))
    }
}

impl Aggregator<f64> for Sketch {
    type Output = Option<f64>;
    #[inline]
    fn observe(&mut self, _index: u64, score: &f64) {
        self.0.add(*score);
    }
    fn merge(&mut self, later: Self) {
        self.0
            .merge(&later.0)
            .expect("two sketches of one configuration");
    }
    fn finish(self) -> Option<f64> {
        self.0.quantile(0.5).ok().flatten()
    }
}

/// Returns the next pseudo-random number from 0 to 1.
fn uniform(state: &mut u64) -> f64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

/// Returns scores between 0 and 1.
fn positive() -> Vec<f64> {
    let mut state = 1;
    (0..SCORES).map(|_| uniform(&mut state)).collect()
}

/// Returns scores between −1 and 1 in random order. They are distributed like the scores of a sentiment scorer: one
/// in eight is 0.
fn mixed() -> Vec<f64> {
    let mut state = 2;
    let score = |place| match place % 8 {
        3 => 0.0,
        _ => 2.0 * uniform(&mut state) - 1.0,
    };
    (0..SCORES).map(score).collect()
}

/// Returns scores of both signs over 200 octaves. This range is too wide for any fixed number of words.
fn wide() -> Vec<f64> {
    let mut state = 3;
    let mut score = || {
        let octave = (uniform(&mut state) * 200.0) as i32 - 100;
        (2.0 * uniform(&mut state) - 1.0) * 2.0_f64.powi(octave)
    };
    (0..SCORES).map(|_| score()).collect()
}

/// A group of measurements over the same scores. It measures aggregators one score at a time or in slices.
struct Column<'a, 'c, S> {
    group: &'a mut BenchmarkGroup<'c, WallTime>,
    scores: &'a [S],
    in_slices: bool,
}

impl<S> Column<'_, '_, S> {
    fn measure<A: Aggregator<S>>(&mut self, name: &str, aggregator: A) -> &mut Self {
        let (scores, in_slices) = (self.scores, self.in_slices);
        self.group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut state = aggregator.clone();
                if in_slices {
                    state.observe_slice(0, black_box(scores));
                } else {
                    for (index, score) in (0..).zip(black_box(scores)) {
                        state.observe(index, score);
                    }
                }
                state.finish()
            });
        });
        self
    }
}

fn group<'c>(criterion: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(SCORES as u64));
    group.warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_secs(1));
    group
}

/// Measures each aggregator over the scores that it typically observes.
fn every_aggregator(criterion: &mut Criterion) {
    let scores = mixed();
    let pairs: Vec<(f64, f64)> = scores.iter().copied().zip(positive()).collect();
    for (how, in_slices) in [("observe", false), ("observe_slice", true)] {
        let group = &mut group(criterion, &format!("{how}/mixed"));
        let histogram = Histogram::new(-1.0, 1.0, 20);
        let together = (
            Count::new(),
            Mean::new(),
            Variance::new(),
            Extrema::new(),
            Quantiles::new(),
        );
        let mut column = Column {
            group,
            scores: &scores,
            in_slices,
        };
        column
            .measure("naive", Naive(0.0))
            .measure("kahan", Kahan(0.0, 0.0))
            .measure("neumaier", Neumaier(0.0, 0.0))
            .measure("count", Count::new())
            .measure("sum", Sum::new())
            .measure("mean", Mean::new())
            .measure("variance", Variance::new())
            .measure("stddev", StdDev::new())
            .measure("moments", Moments::new())
            .measure("mean_interval", MeanInterval::new(Confidence::Percent95))
            .measure("extrema", Extrema::new())
            .measure("top_10", Top::new(10))
            .measure("bottom_1000", Bottom::new(1_000))
            .measure("histogram_20", histogram)
            .measure("quantiles", Quantiles::new())
            .measure("sketches_ddsketch", Sketch::new())
            .measure("count_mean_variance_extrema_quantiles", together);
        let mut column = Column {
            group,
            scores: &pairs,
            in_slices,
        };
        column
            .measure("covariance", Covariance::new())
            .measure("correlation", Correlation::new());
    }
}

/// Measures how the range and the signs of the scores affect the exact aggregators.
fn exact_over_other_scores(criterion: &mut Criterion) {
    for (name, scores) in [("positive", positive()), ("wide", wide())] {
        for (how, in_slices) in [("observe", false), ("observe_slice", true)] {
            let group = &mut group(criterion, &format!("{how}/{name}"));
            let mut column = Column {
                group,
                scores: &scores,
                in_slices,
            };
            column
                .measure("naive", Naive(0.0))
                .measure("neumaier", Neumaier(0.0, 0.0))
                .measure("sum", Sum::new())
                .measure("variance", Variance::new());
        }
    }
}

criterion_group!(benches, every_aggregator, exact_over_other_scores);
criterion_main!(benches);
