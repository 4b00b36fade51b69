//! A limit holds on every executor, whether records succeed or fail: no more records are in flight than the limit
//! allows. The answer is the same under every limit.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use manyhands::prelude::*;
use proptest::prelude::*;

fn executors(workers: usize) -> Vec<Box<dyn Executor>> {
    vec![
        Box::new(Sequential),
        Box::new(WorkStealing::new(workers)),
        Box::new(TaskQueue::new(workers)),
        Box::new(WorkStealing::ambient()),
    ]
}

/// The weight that is in flight now, and the maximum weight that has been in flight.
#[derive(Default)]
struct Gauge {
    now: AtomicU64,
    most: AtomicU64,
}

impl Gauge {
    fn enter(&self, weight: u64) -> Inside<'_> {
        let now = self.now.fetch_add(weight, SeqCst) + weight;
        self.most.fetch_max(now, SeqCst);
        Inside(self, weight)
    }
}

struct Inside<'g>(&'g Gauge, u64);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(self.1, SeqCst);
    }
}

#[test]
fn no_more_in_flight_than_allowed_among_64_workers() {
    let _alone = crate::alone();
    for executor in executors(64) {
        for limit in [1, 3, 17] {
            let gauge = Gauge::default();
            let task = |n: &usize| {
                let _inside = gauge.enter(1);
                if n.is_multiple_of(16) {
                    std::thread::sleep(Duration::from_micros(300));
                }
                n % 7
            };
            let report = Pipeline::new(&(0..800), task)
                .executor(&*executor)
                .limit(Limit::in_flight(limit))
                .aggregate(Count::new())
                .unwrap();
            assert_eq!(report.value, 800);
            let most = gauge.most.into_inner();
            assert!(most <= limit as u64, "{most} in flight, allowed {limit}");
        }
    }
}

#[test]
fn the_records_in_flight_never_weigh_more_than_the_budget() {
    let _alone = crate::alone();
    const BUDGET: u64 = 1000;
    let weights: Vec<u64> = (0..400).map(|n| [1, 20, 300, 999, 5000][n % 5]).collect();
    for executor in executors(64) {
        let gauge = Gauge::default();
        let task = |weight: &u64| {
            let _inside = gauge.enter((*weight).min(BUDGET));
            std::thread::sleep(Duration::from_micros(50));
            *weight as f64
        };
        let report = Pipeline::new(&weights, task)
            .executor(&*executor)
            .limit(Limit::none().budget(BUDGET))
            .weigh(&|weight: &u64| *weight)
            .aggregate(Sum::new())
            .unwrap();
        assert_eq!(report.value, weights.iter().sum::<u64>() as f64);
        assert!(gauge.most.into_inner() <= BUDGET);
    }
}

#[test]
fn permits_come_back_after_failures_panics_and_a_stop() {
    let _alone = crate::alone();
    // If a permit were lost, the run would never end.
    for executor in executors(8) {
        let task = fallible(|n: &usize| match n % 3 {
            0 => Err("not this one"),
            1 => panic!("nor this"),
            _ => Ok(*n),
        });
        let report = Pipeline::new(&(0..300), task)
            .executor(&*executor)
            .limit(Limit::in_flight(2).budget(2))
            .aggregate(Count::new())
            .unwrap();
        assert_eq!((report.scored, report.failed), (100, 200));

        let (token, started) = (Cancel::new(), AtomicUsize::new(0));
        let task = |n: &usize| {
            if started.fetch_add(1, SeqCst) == 50 {
                token.cancel();
            }
            *n
        };
        let report = Pipeline::new(&(0..1_000_000), task)
            .executor(&*executor)
            .limit(Limit::none().budget(1))
            .cancel(&token)
            .aggregate_so_far(Count::new())
            .unwrap();
        assert_eq!(report.value, report.records);
        assert!(report.records <= started.into_inner() as u64);
    }
}

#[test]
fn no_more_are_started_in_a_second_than_allowed() {
    let _alone = crate::alone();
    const RATE: f64 = 2000.0;
    for executor in executors(4) {
        let starts = std::sync::Mutex::new(Vec::new());
        let task = |_: &usize| starts.lock().unwrap().push(Instant::now());
        let began = Instant::now();
        Pipeline::new(&(0..200), task)
            .executor(&*executor)
            .limit(Limit::none().per_second(RATE).burst(1))
            .aggregate(Count::new())
            .unwrap();
        let starts = starts.into_inner().unwrap();
        for (started, at) in starts.iter().enumerate() {
            // The clock is read after the permit was given, so the measured time is never too short.
            let allowed = 1.0 + RATE * (*at - began).as_secs_f64();
            assert!(
                started as f64 <= allowed + 1.0,
                "{started} started, {allowed} allowed"
            );
        }
    }
}

#[test]
fn a_limit_that_allows_nothing_is_an_error() {
    let _alone = crate::alone();
    for limit in [Limit::in_flight(0), Limit::none().per_second(0.0)] {
        let report = Pipeline::new(&(0..10), |n: &usize| *n)
            .limit(limit)
            .aggregate(Count::new());
        assert!(report.unwrap_err().to_string().starts_with("a limit of 0"));
    }
}

#[test]
fn waiting_for_a_permit_ends_with_the_deadline() {
    let _alone = crate::alone();
    for executor in executors(4) {
        let report = Pipeline::new(&(0..1000), |n: &usize| *n)
            .executor(&*executor)
            .limit(Limit::none().per_second(0.01))
            .deadline(Duration::from_millis(30))
            .aggregate_so_far(Count::new())
            .unwrap();
        assert!(!report.end.is_finished());
        // The limit allows one record in 100 s. No record is scored if the deadline passes before the first one.
        assert!(report.records <= 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_answer_is_the_same_under_every_limit(
        values in prop::collection::vec(any::<f64>(), 0..300),
        workers in 1_usize..9,
        in_flight in 1_usize..9,
        budget in prop::option::of(1_u64..50),
    ) {
        let _alone = crate::alone();
        let alone = Pipeline::new(&values, |x: &f64| *x).executor(&Sequential).aggregate(Sum::new());
        let alone = alone.unwrap().value.to_bits();
        for executor in executors(workers) {
            let mut limit = Limit::in_flight(in_flight);
            if let Some(budget) = budget {
                limit = limit.budget(budget);
            }
            let report = Pipeline::new(&values, |x: &f64| *x)
                .executor(&*executor)
                .limit(limit)
                .weigh(&|x: &f64| x.to_bits() % 64)
                .aggregate(Sum::new())
                .unwrap();
            prop_assert_eq!(report.value.to_bits(), alone);
        }
    }
}
