//! Runs whose records are scored by async functions.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use manyhands::calls::{
    Again, AsyncTask, AwaitedRecord, CallError, CallTally, Calls, RetryReason, fallible_async,
};
use manyhands::error::Cause;
use manyhands::prelude::*;
use manyhands::report::{End, Report};
use manyhands::{Cancel, StopReason};

type Numbers = Vec<u64>;

/// The sum of the scores of these records, and the tally.
fn sum<T>(
    calls: &Calls,
    records: &Numbers,
    task: &T,
    stop: &Cancel,
) -> (Report<(f64, u64)>, CallTally)
where
    T: AsyncTask<u64, Score = f64> + Sync,
{
    let answered = calls.answer(
        records,
        |number: &u64| *number,
        task,
        stop,
        |answers| {
            let task = fallible(AwaitedRecord::take);
            let report = Pipeline::new(answers, task)
                .cancel(stop)
                .aggregate_so_far((Sum::new(), Count::new()));
            (report.expect("a report"), answers.tally())
        },
    );
    answered.expect("a run")
}

/// Counts how many calls are in flight at once.
#[derive(Default)]
struct CountedInFlight {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl CountedInFlight {
    async fn during<R>(&self, call: impl Future<Output = R>) -> R {
        let now = self.now.fetch_add(1, SeqCst) + 1;
        self.most.fetch_max(now, SeqCst);
        let result = call.await;
        self.now.fetch_sub(1, SeqCst);
        result
    }
}

#[test]
fn every_record_is_answered_and_no_more_calls_are_in_flight_than_allowed() {
    let records: Numbers = (0..5_000).collect();
    let in_flight = CountedInFlight::default();
    let task = async |number: &u64| {
        let time = Duration::from_micros(number * 7919 % 500);
        in_flight.during(tokio::time::sleep(time)).await;
        *number as f64
    };
    let (report, tally) = sum(&Calls::in_flight(37), &records, &task, &Cancel::new());
    assert_eq!(report.value, (12_497_500.0, 5_000));
    assert!(report.end.is_finished());
    assert_eq!(
        (tally.calls, tally.in_flight, tally.failures),
        (5_000, 0, 0)
    );
    let most = in_flight.most.load(SeqCst);
    assert!(most <= 37 && most == tally.most_in_flight, "{most}");
}

#[test]
fn a_failed_call_is_tried_again_as_its_error_says() {
    let records: Numbers = (0..4).collect();
    let tries: [AtomicUsize; 4] = Default::default();
    let task = fallible_async(async |number: &u64| {
        let again = [
            Again::After(Duration::from_millis(1)),
            Again::Never,
            Again::Once,
            Again::AsUsual,
        ];
        let number = *number as usize;
        let tries = tries[number].fetch_add(1, SeqCst);
        match tries {
            3 => Ok(number as f64),
            _ => Err(CallError::new("no")
                .again(again[number])
                .reason(RetryReason::BadAnswer)),
        }
    });
    let (report, tally) = sum(
        &Calls::in_flight(2).retries(3),
        &records,
        &task,
        &Cancel::new(),
    );
    assert_eq!((report.value, report.failed), ((3.0, 2), 2));
    let tries = tries.each_ref().map(|tries| tries.load(SeqCst));
    assert_eq!(tries, [4, 1, 2, 4]);
    assert_eq!(tally.retries[&RetryReason::BadAnswer], 7);
    assert_eq!((tally.calls, tally.failures), (11, 2));
}

#[test]
fn a_panic_costs_its_record_and_a_timeout_too() {
    let records: Numbers = (0..100).collect();
    let task = async |number: &u64| match number {
        17 => panic!("seventeen"),
        23 => std::future::pending().await,
        _ => 1.0,
    };
    let calls = Calls::in_flight(8).timeout(Duration::from_millis(50));
    let (report, _) = sum(&calls, &records, &task, &Cancel::new());
    assert_eq!((report.value, report.failed), ((98.0, 98), 2));
    let reasons: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
    assert!(reasons[0].contains("seventeen"), "{reasons:?}");
    assert_eq!(reasons[1], "record 24: no answer within 0.05 s");
}

#[test]
fn a_budget_ends_the_run_after_the_records_that_were_started() {
    let records: Numbers = (0..1_000).collect();
    let calls = Calls::in_flight(10).budget(500);
    let control = calls.control();
    let task = async |number: &u64| {
        tokio::time::sleep(Duration::from_micros(number % 7 * 100)).await;
        control.spend(10);
        1.0
    };
    let stop = Cancel::new();
    let (report, tally) = sum(&calls, &records, &task, &stop);
    assert!(
        matches!(report.end, End::Stopped(StopReason::Budget)),
        "{:?}",
        report.end
    );
    assert_eq!(report.records, tally.calls);
    assert_eq!(report.value.1, tally.calls);
    assert!((490..=600).contains(&tally.spent), "{tally:?}");
}

#[test]
fn a_stop_ends_a_run_that_waits_for_calls() {
    let records: Numbers = (0..100).collect();
    let stop = Cancel::new();
    let task = async |number: &u64| {
        if *number == 50 {
            stop.cancel();
            std::future::pending::<()>().await;
        }
        1.0
    };
    let (report, _) = sum(&Calls::in_flight(4), &records, &task, &stop);
    assert!(matches!(report.end, End::Stopped(StopReason::Cancelled)));
    assert!(report.value.1 <= 50);
}

#[test]
fn the_runtime_of_the_user_is_used() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let value = runtime.block_on(async {
        let run = tokio::task::spawn_blocking(|| {
            let records: Numbers = (0..100).collect();
            let task = fallible_async(async |number: &u64| {
                let number = *number;
                tokio::spawn(async move { number as f64 })
                    .await
                    .map_err(Cause::from)
            });
            sum(&Calls::in_flight(4), &records, &task, &Cancel::new())
                .0
                .value
        });
        run.await.expect("no panic")
    });
    assert_eq!(value, (4_950.0, 100));
}

#[test]
fn limits_that_allow_nothing_are_refused() {
    let task = async |_: &u64| 1.0;
    let calls = Calls::in_flight(4).per_second(0.0);
    let refused = calls.answer(
        &vec![1],
        |number: &u64| *number,
        &task,
        &Cancel::new(),
        |_| (),
    );
    assert!(refused.is_err());
}
