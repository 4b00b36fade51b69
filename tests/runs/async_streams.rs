//! These tests cover streams whose records are scored by async functions.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use manyhands::calls::{CallError, Calls, RetryReason, fallible_async};
use manyhands::prelude::*;
use manyhands::{Cancel, Error, StopReason};
use proptest::prelude::*;

use crate::order_sensitive::{List, NaiveSum};

/// Waits for a time that differs for each record.
async fn pause(record: u64, most: u64) {
    match record * 7_919 % (most + 1) {
        0 => {}
        1 => tokio::task::yield_now().await,
        time => tokio::time::sleep(Duration::from_micros(time * 50)).await,
    }
}

fn value(record: u64) -> f64 {
    (record as f64).sqrt() - 0.1
}

/// Records that are neither `Clone` nor `Copy`.
struct Owned(u64);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_score_comes_once_and_in_order_if_asked(
        records in 0..600_u64,
        in_flight in 1..40_usize,
        outstanding in 1..100_usize,
        workers in 1..4_usize,
        most in 0..12_u64,
        ordered in any::<bool>(),
    ) {
        let now = AtomicUsize::new(0);
        let most_at_once = AtomicUsize::new(0);
        let stream = stream((0..records).map(Owned))
            .task_async(async |record: &Owned| {
                most_at_once.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                pause(record.0, most).await;
                now.fetch_sub(1, SeqCst);
                record.0
            })
            .calls(Calls::in_flight(in_flight).outstanding(outstanding))
            .workers(workers);
        let stream = if ordered { stream } else { stream.unordered() };
        let mut scores = Vec::new();
        let report = stream.for_each(|score| scores.push(score)).unwrap();
        prop_assert_eq!((report.records, report.scored, report.failed), (records, records, 0));
        if !ordered {
            scores.sort_unstable();
        }
        prop_assert!(scores.iter().copied().eq(0..records));
        prop_assert!(most_at_once.load(SeqCst) <= in_flight);
    }

    #[test]
    fn aggregates_have_the_bits_of_a_plain_loop(
        records in 0..400_u64,
        in_flight in 1..40_usize,
        workers in 1..4_usize,
        most in 0..8_u64,
    ) {
        let loop_scores: Vec<f64> = (0..records).map(|record| value(record).exp()).collect();
        let answers = || {
            stream(0..records)
                .task_async(async |record: &u64| {
                    pause(*record, most).await;
                    value(*record)
                })
                .then(|value: &f64| value.exp())
                .in_flight(in_flight)
                .workers(workers)
        };
        let plain = Pipeline::new(&loop_scores, |score: &f64| *score)
            .executor(&Sequential)
            .aggregate((Sum::new(), Variance::new()))
            .unwrap();
        let report = answers().aggregate((Sum::new(), Variance::new())).unwrap();
        prop_assert_eq!(format!("{:?}", report.value), format!("{:?}", plain.value));
        let in_order = answers().aggregate((NaiveSum::<false>::default(), List::default())).unwrap();
        let naive = loop_scores.iter().fold(0.0, |sum, score| sum + score);
        prop_assert_eq!(in_order.value.0, naive);
        prop_assert_eq!(in_order.value.1.len() as u64, records);
    }

    #[test]
    fn iterators_yield_every_record_in_its_place(
        records in 0..300_u64,
        in_flight in 1..20_usize,
        ordered in any::<bool>(),
    ) {
        let task = fallible_async(async |record: &u64| {
            pause(*record, 5).await;
            match record % 10 {
                3 => Err("it ends in 3"),
                4 => panic!("it ends in 4"),
                _ => Ok(*record),
            }
        });
        let step = fallible(|record: &u64| match record % 10 {
            5 => Err("it ends in 5"),
            6 => panic!("it ends in 6"),
            _ => Ok(*record),
        });
        let stream = stream(0..records).task_async(task).then(step).in_flight(in_flight);
        let stream = if ordered { stream } else { stream.unordered() };
        let mut yielded = std::thread::scope(|scope| {
            let scores = stream.iter(scope);
            scores.map(|score| match score {
                Ok(record) => (record, None),
                Err(Error::Failed(failure)) => (failure.index, Some(failure.to_string())),
                Err(other) => panic!("{other}"),
            }).collect::<Vec<_>>()
        });
        if !ordered {
            yielded.sort();
        }
        prop_assert!(yielded.iter().map(|(record, _)| *record).eq(0..records));
        for (record, failure) in yielded {
            let digit = record % 10;
            match failure {
                None => prop_assert!(!(3..=6).contains(&digit)),
                Some(message) => {
                    prop_assert!(message.contains(&format!("ends in {digit}")), "{}", message);
                    prop_assert!(message.starts_with(&format!("record {}: ", record + 1)), "{}", message);
                }
            }
        }
    }
}

#[test]
fn reports_name_the_records_of_an_unordered_stream() {
    let task = fallible_async(async |record: &u64| {
        let time = if *record == 70 {
            30_000
        } else {
            record * 37 % 2_000
        };
        tokio::time::sleep(Duration::from_micros(time)).await;
        if record % 100 == 7 {
            Err("seven")
        } else {
            Ok(*record)
        }
    });
    let step = fallible(|record: &u64| match record % 100 {
        9 => Err("nine"),
        _ => Ok(()),
    });
    let report = stream(0..1_000_u64)
        .task_async(task)
        .then(step)
        .unordered()
        .for_each(|()| ())
        .unwrap();
    let mut failed: Vec<(u64, String)> = (report.failures.iter())
        .map(|failure| (failure.index, failure.to_string()))
        .collect();
    failed.sort();
    let expected = (0..1_000).filter(|record| [7, 9].contains(&(record % 100)));
    assert!(failed.iter().map(|(index, _)| *index).eq(expected));
    assert!(failed.iter().all(|(index, message)| match index % 100 {
        7 => message.ends_with("seven"),
        _ => message.ends_with("nine"),
    }));
    assert_eq!(report.timing.slowest[0].index, 70);
}

#[test]
fn a_slow_call_holds_up_no_score_of_an_unordered_stream() {
    let others = tokio::sync::Notify::new();
    let mut scores = Vec::new();
    // The first call waits until all other scores have been passed on.
    stream(0..100_u64)
        .task_async(async |record: &u64| {
            if *record == 0 {
                others.notified().await;
            }
            *record
        })
        .in_flight(4)
        .unordered()
        .for_each(|score| {
            scores.push(score);
            if scores.len() == 99 {
                others.notify_one();
            }
        })
        .unwrap();
    assert_eq!((scores.len(), scores.last()), (100, Some(&0)));
}

#[test]
fn a_failure_policy_ends_the_run_and_drops_the_calls() {
    /// Counts how often it is dropped.
    struct Dropped<'d>(&'d AtomicUsize);
    impl Drop for Dropped<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let (started, dropped) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let task = fallible_async(async |record: &u64| {
        started.fetch_add(1, SeqCst);
        let _dropped = Dropped(&dropped);
        match record {
            0..20 => Ok(*record),
            20 => Err("twenty"),
            _ => std::future::pending().await,
        }
    });
    let error = stream(0..)
        .task_async(task)
        .in_flight(50)
        .collect::<Vec<_>>();
    let error = error.expect_err("a failure");
    assert!(error.to_string().contains("record 21: twenty"), "{error}");
    assert_eq!(started.load(SeqCst), dropped.load(SeqCst));
    assert!(started.load(SeqCst) <= 21 + 50);
}

#[test]
fn a_stop_and_a_deadline_end_calls_that_never_return() {
    let waiting = async |record: &u64| {
        if *record >= 10 {
            std::future::pending::<()>().await;
        }
    };
    let error = stream(0..)
        .task_async(waiting)
        .deadline(Duration::from_millis(30))
        .for_each(|()| ());
    assert!(
        matches!(
            error,
            Err(Error::Stopped {
                reason: StopReason::Deadline,
                ..
            })
        ),
        "{error:?}"
    );
    let token = Cancel::new();
    let mut scores = 0;
    let error = stream(0..)
        .task_async(waiting)
        .cancel(&token)
        .for_each(|()| {
            scores += 1;
            if scores == 10 {
                token.cancel();
            }
        });
    assert!(
        matches!(
            error,
            Err(Error::Stopped {
                reason: StopReason::Cancelled,
                ..
            })
        ),
        "{error:?}"
    );
    assert_eq!(scores, 10);
}

#[test]
fn a_panic_of_the_iterator_or_of_the_consumer_reaches_the_caller() {
    let run = |panics_at: u64, consumer_panics_at: u64| {
        let records =
            (0..100_u64).inspect(move |record| assert_ne!(*record, panics_at, "the iterator"));
        let stream = stream(records).task_async(async |record: &u64| *record);
        catch_unwind(AssertUnwindSafe(|| {
            stream.for_each(|score| assert_ne!(score, consumer_panics_at, "the consumer"))
        }))
    };
    for (panics_at, consumer_panics_at, message) in
        [(50, 1_000, "the iterator"), (1_000, 50, "the consumer")]
    {
        let panic = run(panics_at, consumer_panics_at).expect_err("a panic");
        let text = panic.downcast_ref::<String>().expect("a message");
        assert!(text.contains(message), "{text}");
    }
    assert!(run(1_000, 1_000).is_ok());
}

#[test]
fn a_dropped_iterator_of_scores_ends_an_endless_stream() {
    std::thread::scope(|scope| {
        let scores = stream(0_u64..)
            .task_async(async |record: &u64| *record)
            .iter(scope);
        assert_eq!(
            scores.take(3).map(Result::unwrap).collect::<Vec<_>>(),
            [0, 1, 2]
        );
    });
}

#[test]
fn an_error_is_tried_again_and_the_report_is_that_of_its_last_try() {
    let tries = AtomicUsize::new(0);
    let task = fallible_async(async |_: &u64| match tries.fetch_add(1, SeqCst) {
        0 => Err(CallError::new("busy")
            .again(manyhands::calls::Again::After(Duration::ZERO))
            .reason(RetryReason::Throttled)),
        _ => Ok(5),
    });
    let scores: Vec<i32> = stream([1_u64])
        .task_async(task)
        .retries(1)
        .collect()
        .unwrap();
    assert_eq!((scores, tries.load(SeqCst)), (vec![5], 2));
}

/// In a runtime with several threads, a run may be started anywhere. The only thread of a runtime cannot wait for itself.
#[test]
fn runs_start_inside_a_runtime() {
    let run = || {
        stream(0..50_u64)
            .task_async(async |record: &u64| {
                tokio::spawn(std::future::ready(*record)).await.unwrap()
            })
            .then(|record: &u64| *record as f64)
            .aggregate(Sum::new())
            .map(|report| report.value)
    };
    let several = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    assert_eq!(several.block_on(async { run() }).unwrap(), 1_225.0);
    let value = several.block_on(async { tokio::spawn(async move { run() }).await });
    assert_eq!(value.unwrap().unwrap(), 1_225.0);
    let one = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let error = one
        .block_on(async { run() })
        .expect_err("the thread cannot wait");
    assert!(error.to_string().contains("spawn_blocking"), "{error}");
    let value = one.block_on(async { tokio::task::spawn_blocking(run).await });
    assert_eq!(value.unwrap().unwrap(), 1_225.0);
}
