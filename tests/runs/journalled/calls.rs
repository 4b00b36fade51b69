//! Streams of calls that go on.

use std::error::Error as _;

use manyhands::calls::{CallError, fallible_async};

use super::*;

/// Asks the oracle for each record, as an async function.
fn answers(
    place: &Place,
    records: &[u64],
    oracle: &Oracle,
    is_ordered: bool,
    stop: Option<(u64, &Cancel)>,
) -> Result<Vec<f64>, Error> {
    let journal = place.open(Syncing::AtOnce);
    let ask = async |record: &u64| {
        tokio::task::yield_now().await;
        let answer = oracle.ask(*record);
        if let Some((asks, cancel)) = stop
            && oracle.asked() >= asks
        {
            cancel.cancel();
        }
        answer
    };
    let never = Cancel::new();
    let stream = stream(records.iter().copied())
        .task_async(ask)
        .cancel(stop.map_or(&never, |(_, cancel)| cancel))
        .journal(&journal);
    let stream = match is_ordered {
        true => stream.ordered(),
        false => stream.unordered(),
    };
    let mut answers = Vec::new();
    let run = stream.for_each(|answer| answers.push(answer));
    journal.close().unwrap();
    run.map(|_| answers)
}

#[test]
fn a_stream_of_calls_goes_on_and_asks_nothing_again_that_was_answered() {
    for is_ordered in [true, false] {
        let place = Place::new();
        let oracle = Oracle::default();
        // Some records are equal.
        let records: Vec<u64> = (0..2000).map(|number| number % 700).collect();
        let stop = Cancel::new();
        let stopped = answers(&place, &records, &oracle, is_ordered, Some((500, &stop)));
        assert!(matches!(stopped.unwrap_err(), Error::Stopped { .. }));
        let asked = oracle.asked();
        assert!((500..2000).contains(&asked));
        let mut all = answers(&place, &records, &oracle, is_ordered, None).unwrap();
        assert_eq!(oracle.asked(), 2000);
        let again = answers(&place, &records, &oracle, true, None).unwrap();
        assert_eq!(oracle.asked(), 2000);
        if is_ordered {
            assert_eq!(again, all);
        }
        all.sort_by(f64::total_cmp);
        let expected: Vec<f64> = (0..2000).map(|ask| f64::from(ask) + 0.1).collect();
        assert_eq!(all, expected);
    }
}

#[test]
fn a_failed_call_and_a_failed_step_are_tried_again_but_an_answered_call_is_not() {
    let place = Place::new();
    let calls = AtomicU64::new(0);
    let mut sums = Vec::new();
    for run in 0..3 {
        let journal = place.open(Syncing::AtOnce);
        let call = fallible_async(async |number: &u64| {
            calls.fetch_add(1, SeqCst);
            match (run, number % 10) {
                (0, 3) => Err(CallError::new("no answer")),
                _ => Ok(*number),
            }
        });
        let step = fallible(|answer: &u64| match (run, answer % 10) {
            (0 | 1, 5) => Err("no score"),
            _ => Ok(*answer as f64),
        });
        let report = stream(0..100_u64)
            .task_async(call)
            .then(step)
            .on_failure(OnFailure::SKIP)
            .journal(&journal)
            .aggregate(Sum::new())
            .unwrap();
        sums.push((report.value, report.failed, calls.swap(0, SeqCst)));
        journal.close().unwrap();
    }
    let all = 99.0 * 50.0;
    let (threes, fives) = (10.0 * 48.0, 10.0 * 50.0);
    let expected = [
        (all - threes - fives, 20, 100),
        (all - fives, 10, 10),
        (all, 0, 0),
    ];
    assert_eq!(sums, expected);
}

#[test]
fn an_answer_that_cannot_be_kept_ends_the_stream() {
    let place = Place::new();
    let journal = place.open(Syncing::AtOnce);
    let error = stream(0..100_u64)
        .task_async(async |number: &u64| serde_json::json!({ "number": number }))
        .on_failure(OnFailure::SKIP)
        .journal_by(&journal, |number: &u64, contents: &mut Contents| {
            contents.serialize(number);
        })
        .for_each(|_| panic!("an answer counts that is not kept"))
        .unwrap_err();
    assert!(
        error.to_string().contains("cannot be read again"),
        "{error}"
    );
    assert!(error.source().is_none());
    assert_eq!(journal.close().unwrap(), None);
}
