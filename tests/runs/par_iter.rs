//! `.aggregate()` on rayon's iterators: the same bits as a plain loop, in any pool.

use std::collections::HashSet;
use std::sync::Mutex;

use crate::witnesses::{List, NaiveSum};
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

/// Makes a score dear enough that the pool is woken, where `dear`.
fn cost(score: f64, dear: bool) -> f64 {
    if dear {
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
        dear in any::<bool>(),
    ) {
        let scores: Vec<f64> = bits.into_iter().map(f64::from_bits).collect();
        let expected = canonical_bytes(&in_a_loop(family(), &scores));
        let found = pool(threads)
            .install(|| scores.par_iter().map(|score| cost(*score, dear)).aggregate(family()));
        prop_assert!(canonical_bytes(&found) == expected);
    }

    #[test]
    fn in_order_where_order_counts(
        bits in proptest::collection::vec(any::<u64>(), 0..4000),
        threads in 1_usize..=16,
        dear in any::<bool>(),
    ) {
        let scores: Vec<f64> = bits.into_iter().map(f64::from_bits).collect();
        let expected = in_a_loop(List::default(), &scores);
        let (list, sum) = pool(threads).install(|| {
            let scores = scores.par_iter().map(|score| cost(*score, dear));
            scores.aggregate((List::default(), NaiveSum::<false>::default()))
        });
        prop_assert!(list == expected);
        // The tree of merges follows from the number of records alone.
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
    /// Sorts in parallel when it merges, as an aggregator may.
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
fn cheap_records_first_do_not_keep_the_dear_ones_from_the_pool() {
    let threads = || {
        let seen = Mutex::new(HashSet::new());
        let note = |n| {
            if n >= 100 {
                std::thread::sleep(std::time::Duration::from_millis(1));
                seen.lock().unwrap().insert(std::thread::current().id());
            }
        };
        let records = (0..400_u32).into_par_iter().map(note);
        assert_eq!(records.aggregate(Count::new()), 400);
        seen.into_inner().unwrap().len()
    };
    // A busy machine may keep a thread from its turn in a try; not in every one.
    assert!((0..10).any(|_| pool(3).install(threads) == 3));
}

#[test]
fn few_cheap_records_stay_on_the_calling_thread() {
    let alone = HashSet::from([std::thread::current().id()]);
    let threads = || {
        let seen = Mutex::new(HashSet::new());
        let note = |_| seen.lock().unwrap().insert(std::thread::current().id());
        assert_eq!(
            (0..10_u32)
                .into_par_iter()
                .map(note)
                .aggregate(Count::new()),
            10
        );
        seen.into_inner().unwrap()
    };
    // A busy machine may interrupt a try for longer than the work is worth; not every one of many.
    assert!((0..50).any(|_| threads() == alone));
}

#[test]
#[should_panic(expected = "at 4321")]
fn a_panic_reaches_the_caller() {
    (0..10_000_u32)
        .into_par_iter()
        .map(|n| assert!(n != 4321, "at {n}"))
        .aggregate(Count::new());
}
