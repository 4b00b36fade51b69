//! `.aggregate()` on rayon's iterators gives the same bits as a plain loop, in any pool.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use crate::order_sensitive::{List, NaiveSum};
use manyhands::aggregation::{Aggregator, canonical_bytes};
use manyhands::prelude::*;
use proptest::prelude::*;
use rayon::ThreadPool;

fn pool(threads: usize) -> ThreadPool {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
}

/// Returns the score. If `slow`, it first does enough work that the calling thread wakes the pool.
fn cost(score: f64, slow: bool) -> f64 {
    if slow {
        std::hint::black_box((0..400).fold(score, |x, n| x + f64::from(n).sqrt()));
    }
    score
}

fn family() -> (Count, Sum, Mean, Variance, Extrema, Top, Quantiles) {
    let (count, sum, mean) = (Count::new(), Sum::new(), Mean::new());
    (
        count,
        sum,
        mean,
        Variance::new(),
        Extrema::new(),
        Top::new(3),
        Quantiles::new(),
    )
}

fn in_a_loop<A: Aggregator<f64>>(mut aggregator: A, scores: &[f64]) -> A::Output {
    for (index, score) in scores.iter().enumerate() {
        aggregator.observe(index as u64, score);
    }
    aggregator.finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn same_bits_as_a_loop(
        bits in proptest::collection::vec(any::<u64>(), 0..4000),
        threads in 1_usize..=16,
        slow in any::<bool>(),
    ) {
        let scores: Vec<f64> = bits.into_iter().map(f64::from_bits).collect();
        let expected = canonical_bytes(&in_a_loop(family(), &scores));
        let found = pool(threads)
            .install(|| scores.par_iter().map(|score| cost(*score, slow)).aggregate(family()));
        prop_assert!(canonical_bytes(&found) == expected);
    }

    #[test]
    fn in_order_if_the_aggregator_needs_it(
        bits in proptest::collection::vec(any::<u64>(), 0..4000),
        threads in 1_usize..=16,
        slow in any::<bool>(),
    ) {
        let scores: Vec<f64> = bits.into_iter().map(f64::from_bits).collect();
        let expected = in_a_loop(List::default(), &scores);
        let (list, sum) = pool(threads).install(|| {
            let scores = scores.par_iter().map(|score| cost(*score, slow));
            scores.aggregate((List::default(), NaiveSum::<false>::default()))
        });
        prop_assert!(list == expected);
        // The merge tree depends on the number of records alone.
        let alone = pool(1).install(|| scores.par_iter().copied().aggregate(NaiveSum::<false>::default()));
        prop_assert_eq!(sum.to_bits(), alone.to_bits());
    }
}

#[test]
fn every_indexed_iterator_aggregates() {
    let scores: Vec<f64> = (0..5000).map(|n| f64::from(n).sin()).collect();
    let sum = |scores: &[f64]| in_a_loop(Sum::new(), scores);
    let doubled: Vec<f64> = scores.iter().chain(&scores).copied().collect();
    let reversed = scores.par_iter().rev().copied().aggregate(List::default());
    assert_eq!(
        reversed.last().map(|last| last.1),
        Some(scores[0].to_bits())
    );
    assert_eq!(
        scores.clone().into_par_iter().aggregate(Sum::new()),
        sum(&scores)
    );
    assert_eq!(
        scores
            .par_iter()
            .chain(&scores)
            .copied()
            .aggregate(Sum::new()),
        sum(&doubled)
    );
    let products = scores
        .par_iter()
        .zip(&scores)
        .map(|(a, b)| a * b)
        .aggregate(Sum::new());
    let squares: Vec<f64> = scores.iter().map(|score| score * score).collect();
    assert_eq!(products, sum(&squares));
    let sevens = scores.par_chunks(7).map(sum).aggregate(Count::new());
    assert_eq!(sevens, 5000_u64.div_ceil(7));
    let places = scores
        .par_iter()
        .enumerate()
        .map(|(n, _)| n as f64)
        .aggregate(List::default());
    assert!(
        places
            .iter()
            .all(|(index, bits)| *index as f64 == f64::from_bits(*bits))
    );
    assert_eq!(
        (0..1000_u32)
            .into_par_iter()
            .with_min_len(64)
            .aggregate(Count::new()),
        1000
    );
}

#[test]
fn a_merge_may_use_rayon() {
    /// An aggregator that sorts in parallel when it merges, which is allowed.
    #[derive(Clone, Default)]
    struct Sorted(Vec<u64>);
    impl Aggregator<f64> for Sorted {
        type Output = Vec<u64>;
        fn observe(&mut self, _: u64, score: &f64) {
            self.0.push(score.to_bits());
        }
        fn merge(&mut self, later: Self) {
            self.0.extend(later.0);
            self.0.par_sort_unstable();
        }
        fn finish(self) -> Self::Output {
            self.0
        }
    }
    let scores: Vec<f64> = (0..20_000).map(|n| f64::from(n % 7919)).collect();
    let run = || {
        let scores = scores.par_iter().map(|score| cost(*score, true));
        scores.aggregate(Sorted::default())
    };
    let expected = pool(1).install(run);
    for _ in 0..10 {
        assert!(pool(4).install(run) == expected);
    }
}

#[test]
fn cheap_records_first_do_not_keep_the_slow_ones_from_the_pool() {
    let (threads, came) = (Mutex::new(HashSet::new()), Condvar::new());
    let task = |n| match n {
        0..100 => {}
        // The calling thread may run some of these records before it reads the clock.
        100..200 => std::thread::sleep(Duration::from_micros(100)),
        _ => {
            let mut here = threads.lock().unwrap();
            here.insert(std::thread::current().id());
            came.notify_all();
            let waited =
                came.wait_timeout_while(here, Duration::from_secs(60), |here| here.len() < 3);
            drop(waited.unwrap());
        }
    };
    let run = || {
        (0..400_u32)
            .into_par_iter()
            .map(task)
            .aggregate(Count::new())
    };
    assert_eq!(pool(3).install(run), 400);
    assert_eq!(threads.into_inner().unwrap().len(), 3);
}

/// An aggregator that shows the tree along which partials were merged. `0-3` is one partial with consecutive records,
/// and brackets enclose two partials that were merged.
#[derive(Clone, Default)]
struct Tree(String, Option<(u64, u64)>);

impl Tree {
    fn text(self) -> String {
        let leaf = self.1.map(|(first, last)| format!("{first}-{last}"));
        leaf.unwrap_or(self.0)
    }
}

impl Aggregator<f64> for Tree {
    type Output = String;

    fn observe(&mut self, index: u64, _: &f64) {
        let (first, last) = *self.1.get_or_insert((index, index));
        assert!(index == first || index == last + 1, "{index} after {last}");
        self.1 = Some((first, index));
    }

    fn merge(&mut self, later: Self) {
        let earlier = std::mem::take(self);
        self.0 = format!("({} {})", earlier.text(), later.text());
    }

    fn finish(self) -> String {
        self.text()
    }
}

#[test]
fn the_tree_of_partials_depends_on_the_number_of_records_alone() {
    for records in [0, 1, 2, 7, 1_000, 1_023, 1_024, 1_025, 1_500, 3_000, 10_241] {
        let scores = vec![1.0; records];
        let by_pipeline = |executor: &dyn Executor, slow: bool| {
            let run = Pipeline::new(&scores, |score: &f64| cost(*score, slow)).executor(executor);
            run.aggregate(Tree::default()).unwrap().value
        };
        let expected = by_pipeline(&Sequential, false);
        for threads in [1, 2, 3, 8] {
            for slow in [false, true] {
                let by_iterator = pool(threads).install(|| {
                    let scores = scores.par_iter().map(|score| cost(*score, slow));
                    scores.aggregate(Tree::default())
                });
                assert!(
                    by_iterator == expected,
                    "{records} records on {threads} threads"
                );
                for executor in [
                    &WorkStealing::new(threads) as &dyn Executor,
                    &TaskQueue::new(threads),
                ] {
                    let found = by_pipeline(executor, slow);
                    let name = executor.name();
                    assert!(
                        found == expected,
                        "{records} records on {threads} of {name}"
                    );
                }
            }
        }
    }
}

#[test]
#[should_panic(expected = "at 4321")]
fn a_panic_reaches_the_caller() {
    (0..10_000_u32)
        .into_par_iter()
        .map(|n| assert!(n != 4321, "at {n}"))
        .aggregate(Count::new());
}
