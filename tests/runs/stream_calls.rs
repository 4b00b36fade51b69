//! These tests cover the public interface of streams: ordered and unordered scores, and limits in flight. No thread
//! may hang if another thread waits, fails or panics.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use crate::order_sensitive::{List, NaiveSum};
use manyhands::Error;
use manyhands::error::Failure;
use manyhands::prelude::*;
use proptest::prelude::*;

/// Time after which a thread that waits counts as hanging.
const STUCK: Duration = Duration::from_secs(60);

const DEADLINE: Duration = Duration::from_millis(5);

/// A count that some threads increase. Other threads wait until it reaches a number.
#[derive(Default)]
struct Tally {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Tally {
    fn add(&self) {
        *self.count.lock().unwrap() += 1;
        self.changed.notify_all();
    }

    fn now(&self) -> u64 {
        *self.count.lock().unwrap()
    }

    /// Waits until the count is at least `least`.
    fn wait_for(&self, least: u64) {
        let count = self.count.lock().unwrap();
        let waited = self
            .changed
            .wait_timeout_while(count, STUCK, |count| *count < least);
        assert!(
            !waited.unwrap().1.timed_out(),
            "the count stays below {least}"
        );
    }
}

/// A task whose score differs for each record. Some records are expensive.
fn score(record: &u64) -> f64 {
    if record % 97 == 13 {
        thread::sleep(Duration::from_micros(300));
    }
    (*record as f64).sqrt() - 0.1
}

fn bits(scores: impl IntoIterator<Item = f64>) -> Vec<u64> {
    scores.into_iter().map(f64::to_bits).collect()
}

/// Returns an iterator over the records from 0 on, which counts the records that are pulled. It panics if more than
/// `most` records have been pulled whose scores are not delivered.
fn counted<'a>(
    records: u64,
    most: u64,
    pulled: &'a AtomicU64,
    handed: &'a AtomicU64,
) -> impl Iterator<Item = u64> + Send + 'a {
    (0..records).inspect(move |_| {
        let pulled = pulled.fetch_add(1, SeqCst) + 1;
        let handed = handed.load(SeqCst);
        assert!(
            pulled <= handed + most,
            "{pulled} pulled, {handed} delivered, {most} allowed in flight"
        );
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_score_comes_once_and_in_order_if_asked(
        records in prop_oneof![0u64..20, 0u64..3000],
        workers in 1usize..=16,
        in_flight in 1usize..=100,
        ordered: bool,
    ) {
        let (pulled, handed) = (AtomicU64::new(0), AtomicU64::new(0));
        let source = counted(records, in_flight as u64, &pulled, &handed);
        let scores = stream(source).task(score).workers(workers).in_flight(in_flight);
        let scores = if ordered { scores.ordered() } else { scores.unordered() };
        let mut taken = Vec::new();
        let report = scores
            .for_each(|score| {
                handed.fetch_add(1, SeqCst);
                taken.push(score);
            })
            .unwrap();
        prop_assert_eq!((report.records, report.scored), (records, records));
        if !ordered {
            taken.sort_by(f64::total_cmp);
        }
        prop_assert_eq!(bits(taken), bits((0..records).map(|record| score(&record))));
    }

    #[test]
    fn iterators_yield_every_score_once_and_in_order_if_asked(
        records in prop_oneof![0u64..20, 0u64..2000],
        workers in 1usize..=16,
        in_flight in 1usize..=100,
        ordered: bool,
        taken in prop::option::of(0usize..300),
    ) {
        let (pulled, handed) = (AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            let source = counted(records, in_flight as u64, &pulled, &handed);
            let scores = stream(source).task(score).workers(workers).in_flight(in_flight);
            let scores = if ordered { scores.ordered() } else { scores.unordered() };
            // A record counts as delivered when the caller asks for its score.
            let mut all = Vec::new();
            let mut scores = scores.iter(scope);
            while taken.is_none_or(|taken| all.len() < taken) {
                handed.fetch_add(1, SeqCst);
                let Some(score) = scores.next() else { break };
                all.push(score.unwrap());
            }
            drop(scores);
            let expected = records.min(taken.unwrap_or(usize::MAX) as u64);
            assert_eq!(all.len() as u64, expected);
            if !ordered && taken.is_none() {
                all.sort_by(f64::total_cmp);
            }
            if ordered || taken.is_none() {
                assert_eq!(bits(all), bits((0..expected).map(|record| score(&record))));
            }
        });
    }

    #[test]
    fn aggregates_equal_those_of_a_plain_loop(
        records in prop_oneof![0u64..20, 0u64..3000],
        workers in 1usize..=16,
        in_flight in prop::option::of(1usize..=100),
        unordered: bool,
    ) {
        let all: Vec<u64> = (0..records).collect();
        let plain = |aggregator| {
            Pipeline::new(&all, score).executor(&Sequential).aggregate(aggregator).unwrap().value
        };
        let calls = || {
            let mut scores = stream(0..records).task(score).workers(workers);
            if let Some(records) = in_flight {
                scores = scores.in_flight(records);
            }
            if unordered { scores.unordered() } else { scores }
        };
        let aggregator = (Sum::new(), Variance::new(), Top::new(3));
        let report = calls().aggregate(aggregator.clone()).unwrap();
        let expected = Pipeline::new(&all, score).executor(&Sequential).aggregate(aggregator);
        let expected = expected.unwrap();
        prop_assert_eq!(format!("{:?}", report.value), format!("{:?}", expected.value));
        prop_assert_eq!(report.records, records);
        let list = calls().aggregate(List::default()).unwrap().value;
        prop_assert_eq!(list, plain(List::default()));
        // One state observes all scores in order, as a fold does.
        let naive = calls().aggregate(NaiveSum::<false>::default()).unwrap().value;
        let fold = all.iter().fold(0.0, |sum, record| sum + score(record));
        prop_assert_eq!(naive.to_bits(), fold.to_bits());
    }

    #[test]
    fn an_aggregated_stream_keeps_the_limit_in_flight(
        workers in 1usize..=16,
        in_flight in 1usize..=100,
    ) {
        /// An aggregator that counts the scores that it has observed.
        #[derive(Clone)]
        struct Seen<'a>(&'a AtomicU64);
        impl manyhands::Aggregator<f64> for Seen<'_> {
            type Output = ();
            const COMMUTATIVE: bool = true;
            fn observe(&mut self, _: u64, _: &f64) {
                self.0.fetch_add(1, SeqCst);
            }
            fn merge(&mut self, _: Self) {}
            fn finish(self) {}
        }
        let (pulled, handed) = (AtomicU64::new(0), AtomicU64::new(0));
        let source = counted(1000, in_flight as u64, &pulled, &handed);
        let scores = stream(source).task(score).workers(workers).in_flight(in_flight);
        scores.unordered().aggregate(Seen(&handed)).unwrap();
        prop_assert_eq!(handed.into_inner(), 1000);
    }

    /// The iterator waits until the scores of all records that it has yielded are delivered, and then continues.
    #[test]
    fn scores_are_delivered_while_the_iterator_waits(
        bursts in prop::collection::vec(1u64..40, 1..12),
        workers in prop_oneof![Just(1), Just(2), Just(4)],
        in_flight in prop::option::of(1usize..=100),
        ordered: bool,
        through_iter: bool,
    ) {
        let handed = Tally::default();
        let mut sum = 0;
        let ends: Vec<u64> = bursts.iter().map(|burst| { sum += burst; sum }).collect();
        thread::scope(|scope| {
            let (ends, handed) = (&ends, &handed);
            let source = (0..=sum).inspect(move |record| {
                if ends.contains(record) {
                    handed.wait_for(*record);
                }
            });
            let mut scores = stream(source).task(score).workers(workers);
            if let Some(records) = in_flight {
                scores = scores.in_flight(records);
            }
            let scores = if ordered { scores.ordered() } else { scores.unordered() };
            if through_iter {
                scores.iter(scope).for_each(|_| handed.add());
            } else {
                scores.for_each(|_| handed.add()).unwrap();
            }
        });
        prop_assert_eq!(handed.now(), sum + 1);
    }

    /// One record is not done until many other records are done.
    #[test]
    fn an_expensive_record_delays_only_the_records_in_flight(
        workers in 2usize..=8,
        expensive in 0u64..300,
        in_flight in 8usize..=100,
        ordered: bool,
    ) {
        let (pulled, handed) = (AtomicU64::new(0), AtomicU64::new(0));
        let others = Tally::default();
        // This number of other records can be scored while one worker holds a step.
        let least = expensive + (in_flight as u64) / 4;
        let task = |record: &u64| {
            if *record == expensive {
                others.wait_for(least);
            } else {
                others.add();
            }
            *record
        };
        let scores = stream(counted(600, in_flight as u64, &pulled, &handed)).task(task);
        let scores = scores.workers(workers).in_flight(in_flight);
        let scores = if ordered { scores.ordered() } else { scores.unordered() };
        let report = scores.for_each(|_| { handed.fetch_add(1, SeqCst); }).unwrap();
        prop_assert_eq!(report.scored, 600);
    }

    #[test]
    fn failures_and_panics_follow_the_policy(
        workers in 1usize..=8,
        failing in prop::collection::btree_set(0u64..400, 0..6),
        at_most in 0u64..6,
        in_flight in 1usize..=100,
        ordered: bool,
    ) {
        let task = |record: &u64| {
            if !failing.contains(record) {
                return Ok(*record);
            }
            assert!(record.is_multiple_of(2), "odd");
            Err(format!("{record} is bad"))
        };
        let scores = stream(0..400_u64).task(fallible(&task)).workers(workers).in_flight(in_flight);
        let scores = if ordered { scores.ordered() } else { scores.unordered() };
        let mut taken = Vec::new();
        let result = scores
            .on_failure(OnFailure::Skip { at_most })
            .for_each(|score| taken.push(score));
        let too_many = failing.iter().nth(at_most as usize);
        match (too_many, result) {
            (None, Ok(report)) => {
                let failed: Vec<u64> = report.failures.iter().map(|failure| failure.index).collect();
                prop_assert!(failed.iter().eq(failing.iter()));
                taken.sort_unstable();
                prop_assert!(taken.into_iter().eq((0..400).filter(|record| !failing.contains(record))));
            }
            (Some(last), Err(Error::Halted { failure, .. })) => {
                prop_assert_eq!(failure.index, *last);
                if ordered {
                    prop_assert!(taken.into_iter().eq((0..*last).filter(|record| !failing.contains(record))));
                }
            }
            (_, result) => prop_assert!(false, "{result:?}"),
        }
        let told: Vec<Result<u64, u64>> = thread::scope(|scope| {
            let scores = stream(0..400_u64).task(fallible(&task)).workers(workers).in_flight(in_flight);
            scores.iter(scope).map(|score| score.map_err(|error| match error {
                Error::Failed(Failure { index, .. }) => index,
                other => panic!("{other}"),
            })).collect()
        });
        let expected = (0..400).map(|record| if failing.contains(&record) { Err(record) } else { Ok(record) });
        prop_assert!(told.into_iter().eq(expected));
    }

    #[test]
    fn a_panic_reaches_the_caller_and_no_thread_hangs(
        workers in 1usize..=8,
        at in 0u64..300,
        in_flight in prop::option::of(1usize..=100),
        ordered: bool,
        of_iterator: bool,
    ) {
        let source = (0..2000_u64).inspect(|record| assert!(!of_iterator || *record != at));
        let calls = || {
            let mut scores = stream(source.clone()).task(score).workers(workers);
            if let Some(records) = in_flight {
                scores = scores.in_flight(records);
            }
            if ordered { scores.ordered() } else { scores.unordered() }
        };
        let mut taken = 0;
        let result = catch_unwind(AssertUnwindSafe(|| calls().for_each(|_| {
            taken += 1;
            assert!(of_iterator || taken <= at);
        })));
        prop_assert!(result.is_err());
        prop_assert!(of_iterator || taken == at + 1, "the caller was called again after it panicked");
        if of_iterator {
            let mut seen = 0;
            let result = catch_unwind(AssertUnwindSafe(|| thread::scope(|scope| {
                for score in calls().iter(scope) {
                    score.unwrap();
                    seen += 1;
                }
            })));
            prop_assert!(result.is_err());
            prop_assert!(seen <= at);
        }
    }
}

#[test]
fn dropping_the_scores_stops_an_endless_iterator() {
    for workers in [1, 2, 5] {
        for ordered in [true, false] {
            let (pulled, handed) = (AtomicU64::new(0), AtomicU64::new(0));
            thread::scope(|scope| {
                let source = counted(u64::MAX, 64, &pulled, &handed);
                let scores = stream(source).task(score).workers(workers).in_flight(64);
                let scores = if ordered {
                    scores.ordered()
                } else {
                    scores.unordered()
                };
                handed.fetch_add(100, SeqCst);
                assert_eq!(scores.iter(scope).take(100).count(), 100);
            });
            assert!(pulled.into_inner() <= 164);
        }
    }
}

#[test]
fn a_slow_consumer_holds_back_the_iterator() {
    let pulled = AtomicU64::new(0);
    thread::scope(|scope| {
        let source = (0..).inspect(|_| {
            pulled.fetch_add(1, SeqCst);
        });
        let mut scores = stream(source).task(score).in_flight(10).iter(scope);
        for taken in 1..20 {
            assert!(scores.next().is_some());
            thread::sleep(Duration::from_millis(1));
            assert!(pulled.load(SeqCst) <= taken + 10);
        }
    });
}

/// Makes a run over a silent source, and returns how the run ends. The run is stopped by its deadline, or by its
/// token once three scores are delivered. The source stays silent until `silence` after the deadline, and then ends.
fn end_over_a_silent_source(
    workers: usize,
    ordered: bool,
    deadline: bool,
    silence: Duration,
) -> Result<Report<()>, Error> {
    let (sender, source) = mpsc::channel::<u64>();
    let token = Cancel::new();
    let pulled = Tally::default();
    let handed = Tally::default();
    thread::scope(|scope| {
        let run = scope.spawn(|| {
            let source = source.into_iter().inspect(|_| pulled.add());
            let scores = stream(source).task(score).workers(workers).in_flight(8);
            let scores = if ordered {
                scores.ordered()
            } else {
                scores.unordered()
            };
            let scores = scores.cancel(&token);
            if deadline {
                scores.deadline(DEADLINE)
            } else {
                scores
            }
            .for_each(|_| handed.add())
        });
        for record in 0..3 {
            sender.send(record).unwrap();
        }
        if deadline {
            // The run has begun once it has pulled a record. Its deadline passes during the sleep.
            while pulled.now() == 0 && !run.is_finished() {
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(DEADLINE + silence);
        } else {
            handed.wait_for(3);
            token.cancel();
        }
        // The worker that is inside the iterator cannot return before the iterator returns.
        drop(sender);
        run.join().unwrap()
    })
}

#[test]
fn a_stop_takes_effect_while_the_source_is_silent() {
    for workers in [1, 2, 4] {
        for (deadline, ordered) in [(true, true), (true, false), (false, true), (false, false)] {
            // After the deadline has passed, the thread that enforces it may have to wait for a core. Then the
            // source must stay silent for longer, so the test tries again. If deadlines had no effect, a longer
            // silence would not help.
            let mut silence = DEADLINE;
            let stopped = loop {
                let result = end_over_a_silent_source(workers, ordered, deadline, silence);
                let is_stopped = matches!(result, Err(Error::Stopped { .. }));
                if is_stopped || !deadline || silence > Duration::from_secs(20) {
                    break (is_stopped, result);
                }
                silence *= 4;
            };
            assert!(stopped.0, "{workers} workers: {:?}", stopped.1);
        }
    }
}

#[test]
fn an_empty_iterator_has_no_scores() {
    let none = || stream(std::iter::empty::<u64>()).task(score).workers(4);
    assert_eq!(none().for_each(|_| panic!("a score")).unwrap().records, 0);
    assert!(none().collect::<Vec<f64>>().unwrap().is_empty());
    assert_eq!(none().aggregate(Count::new()).unwrap().value, 0);
    thread::scope(|scope| assert!(none().iter(scope).next().is_none()));
}

#[test]
fn records_and_scores_need_not_be_sync() {
    let records = (0..500_u64).map(Cell::new);
    let task = |record: &Cell<u64>| Cell::new(record.get() + 1);
    let scores: Vec<Cell<u64>> = stream(records).task(task).workers(3).collect().unwrap();
    assert!(scores.into_iter().map(Cell::into_inner).eq(1..=500));
}

#[test]
fn a_collection_has_gaps_only_if_failures_are_skipped() {
    let odd = |record: &u64| (record % 2 == 1).then_some(*record).ok_or("even");
    let all: Result<Vec<u64>, Error> = stream(1..10_u64).task(fallible(&odd)).collect();
    assert!(matches!(all, Err(Error::Halted { failure, .. }) if failure.index == 1));
    let some: Vec<u64> = stream(1..10_u64)
        .task(fallible(&odd))
        .on_failure(OnFailure::Skip { at_most: 4 })
        .collect()
        .unwrap();
    assert_eq!(some, [1, 3, 5, 7, 9]);
}

/// Each worker scores one record, and no record is done until all four records have been started.
#[test]
fn all_workers_work_at_the_same_time() {
    let inside = AtomicUsize::new(0);
    let together = Tally::default();
    let task = |_: &u64| {
        inside.fetch_add(1, SeqCst);
        together.add();
        together.wait_for(4);
        inside.fetch_sub(1, SeqCst)
    };
    let report = stream(0..4_u64).task(task).workers(4).for_each(|_| {});
    assert_eq!(report.unwrap().scored, 4);
}

#[test]
fn a_dropped_iterator_pulls_no_further_record() {
    for ordered in [false, true] {
        let pulled = AtomicU64::new(0);
        thread::scope(|scope| {
            let source = (0..1000u64).inspect(|_| {
                pulled.fetch_add(1, SeqCst);
            });
            let scores = stream(source).task(score).workers(1).in_flight(1);
            let scores = if ordered {
                scores.ordered()
            } else {
                scores.unordered()
            };
            let mut scores = scores.iter(scope);
            assert!(scores.next().is_some());
        });
        // The worker has pulled the first record, and may have pulled another one in the meantime.
        let pulled = pulled.into_inner();
        assert!(pulled <= 2, "{pulled} records were pulled");
    }
}
