//! Tests of the thread that calls, on the paused clock of tokio: time passes only when every call waits, so limits can be
//! checked exactly.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::{Instant, sleep};

use super::{Driver, DriverParts};
use crate::calls::answering::attempt;
use crate::calls::slots::{CallSlots, ReadyList};
use crate::calls::turnstile::Turnstile;
use crate::calls::window::{CallWindow, ReadRecord, TakenAnswers};
use crate::calls::{Again, AsyncTask, CallError, CallTally, Calls, RetryReason, fallible_async};
use crate::dataset::Position;
use crate::stop::Cancel;
use crate::sync::{Mutex, into_inner};

/// What became of each record: its score, or the reason why it has none.
type Outcomes = Vec<(u64, Result<u64, String>)>;

/// Calls `task` for the records from 0 on. Returns the outcomes in the order in which they are visited, and the tally.
fn run<T>(calls: &Calls, records: u64, task: &T, stop: &Cancel) -> (Outcomes, CallTally)
where
    T: AsyncTask<u64, Score = u64>,
{
    let window = CallWindow::new(usize::MAX, calls.in_flight, calls.unordered);
    let at = |index| Position {
        index,
        ..Position::default()
    };
    let mut read = (0..records)
        .map(|index| ReadRecord {
            at: at(index),
            record: Ok(index),
            bytes: 1,
            answer: None,
        })
        .collect();
    assert!(window.push(&mut read, || ()));
    window.end(None);
    let tally = Mutex::new(CallTally::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(async {
        let mut driver = Driver::new(DriverParts {
            window: &window,
            turnstile: Turnstile::new(calls).expect("limits that allow a call"),
            slots: CallSlots::new(Arc::new(ReadyList::default())),
            attempt: |record, permit| attempt(task, calls.timeout, record, permit),
            retries: calls.retries,
            stop,
            tally: &tally,
            watch: &|_| {},
            memory: None,
        });
        poll_fn(|context| driver.turn(context)).await;
    });
    let mut outcomes = Vec::new();
    let take_done = || window.take_done(usize::MAX, || false, |_| Ok(true));
    while let TakenAnswers::Records(answered) = take_done() {
        for record in answered {
            let outcome = record.outcome.expect("an outcome");
            outcomes.push((record.index, outcome.map_err(|cause| cause.to_string())));
        }
        window.visited();
    }
    (outcomes, into_inner(tally))
}

/// Notes the calls that a run makes.
#[derive(Default)]
struct Log {
    in_flight: Cell<usize>,
    most_in_flight: Cell<usize>,
    starts: RefCell<Vec<Instant>>,
    /// For each record, the number of tries, and the time before which it must not be tried again.
    tries: RefCell<BTreeMap<u64, (u32, Option<Instant>)>>,
}

/// A call that is in flight as long as this exists.
struct Logged<'l>(&'l Log);

impl Log {
    /// Notes the start of a call, and returns how often the record was tried before.
    fn start(&self, record: u64) -> (u32, Logged<'_>) {
        let now = Instant::now();
        self.in_flight.set(self.in_flight.get() + 1);
        self.most_in_flight
            .set(self.most_in_flight.get().max(self.in_flight.get()));
        self.starts.borrow_mut().push(now);
        let mut tries = self.tries.borrow_mut();
        let (tries, not_before) = tries.entry(record).or_default();
        assert!(not_before.is_none_or(|time| time <= now), "too early");
        *tries += 1;
        (*tries - 1, Logged(self))
    }

    fn tries(&self, record: u64) -> u32 {
        self.tries
            .borrow()
            .get(&record)
            .map_or(0, |(tries, _)| *tries)
    }

    /// The largest number of calls that were started in any second.
    fn most_per_second(&self) -> usize {
        let starts = self.starts.borrow();
        let second = Duration::from_secs(1);
        let within = |(at, first): (usize, &Instant)| {
            starts[at..]
                .iter()
                .take_while(|start| **start - *first < second)
                .count()
        };
        starts.iter().enumerate().map(within).max().unwrap_or(0)
    }
}

impl Drop for Logged<'_> {
    fn drop(&mut self) {
        self.0.in_flight.set(self.0.in_flight.get() - 1);
    }
}

/// What a call does in a generated run.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Behaviour {
    Answers,
    Fails(Again),
    Throttles,
    Panics,
    NeverEnds,
}

/// What the call for this record does at this try.
fn behaviour(seed: u64, faults: u64, record: u64, tries: u32) -> Behaviour {
    let mut random = fastrand::Rng::with_seed(seed ^ record << 8 ^ u64::from(tries) << 40);
    if random.u64(0..100) >= faults {
        return Behaviour::Answers;
    }
    match random.u8(0..7) {
        0 => Behaviour::Fails(Again::AsUsual),
        1 => Behaviour::Fails(Again::Once),
        2 => Behaviour::Fails(Again::Never),
        3 => Behaviour::Fails(Again::After(Duration::from_millis(random.u64(0..3_000)))),
        4 => Behaviour::Throttles,
        5 => Behaviour::Panics,
        _ => Behaviour::NeverEnds,
    }
}

/// How often a record is tried, and whether it has a score in the end.
fn expected(seed: u64, faults: u64, record: u64, retries: u32) -> (u32, bool) {
    let (mut tries, mut asked_once) = (0, false);
    loop {
        let is_allowed = match behaviour(seed, faults, record, tries) {
            Behaviour::Answers => return (tries + 1, true),
            Behaviour::Panics | Behaviour::Fails(Again::Never) => false,
            Behaviour::Fails(Again::Once) => !std::mem::replace(&mut asked_once, true),
            _ => true,
        };
        if !is_allowed || tries >= retries {
            return (tries + 1, false);
        }
        tries += 1;
    }
}

#[derive(Clone, Debug)]
struct Generated {
    seed: u64,
    records: u64,
    faults: u64,
    latency: u64,
    retries: u32,
    in_flight: usize,
    adaptive: bool,
    rate: Option<f64>,
    unordered: bool,
}

fn generated() -> impl Strategy<Value = Generated> {
    let rate = prop_oneof![
        Just(None),
        (0.4..20.0).prop_map(Some),
        (20.0..3_000.0).prop_map(Some)
    ];
    let numbers = (any::<u64>(), 0..300_u64, 0..60_u64, 0..400_u64, 0..4_u32);
    let limits = (1..40_usize, any::<bool>(), rate, any::<bool>());
    (numbers, limits).prop_map(|(numbers, limits)| {
        let (seed, records, faults, latency, retries) = numbers;
        let (in_flight, adaptive, rate, unordered) = limits;
        Generated {
            seed,
            records,
            faults,
            latency,
            retries,
            in_flight,
            adaptive,
            rate,
            unordered,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_record_has_one_outcome_and_no_limit_is_exceeded(run_of in generated()) {
        let Generated { seed, records, faults, latency, retries, .. } = run_of;
        let log = Log::default();
        let task = fallible_async(async |record: &u64| {
            let (tries, _logged) = log.start(*record);
            let mut random = fastrand::Rng::with_seed(seed ^ record ^ u64::from(tries) << 32);
            sleep(Duration::from_millis(random.u64(0..=latency))).await;
            let error = CallError::new("refused");
            match behaviour(seed, faults, *record, tries) {
                Behaviour::Answers => Ok(record + 7),
                Behaviour::Fails(again) => {
                    if let Again::After(time) = again {
                        let mut tries = log.tries.borrow_mut();
                        tries.entry(*record).or_default().1 = Some(Instant::now() + time);
                    }
                    Err(error.again(again))
                }
                Behaviour::Throttles => Err(error.reason(RetryReason::Throttled)),
                Behaviour::Panics => panic!("refused"),
                Behaviour::NeverEnds => std::future::pending().await,
            }
        });
        let calls = match run_of.adaptive {
            true => Calls::adaptive(run_of.in_flight),
            false => Calls::in_flight(run_of.in_flight),
        };
        let mut calls = calls.timeout(Duration::from_millis(500)).retries(retries);
        if let Some(rate) = run_of.rate {
            calls = calls.per_second(rate);
        }
        let calls = calls.unordered(run_of.unordered);
        let (mut outcomes, tally) = run(&calls, records, &task, &Cancel::new());
        if run_of.unordered {
            outcomes.sort();
        }
        prop_assert!(outcomes.iter().map(|(record, _)| *record).eq(0..records));
        let mut failures = 0;
        let mut all_tries = 0;
        for (record, outcome) in outcomes {
            let (tries, is_scored) = expected(seed, faults, record, retries);
            prop_assert_eq!(log.tries(record), tries, "record {}", record);
            match outcome {
                Ok(score) => prop_assert!(is_scored && score == record + 7),
                Err(reason) => {
                    prop_assert!(!is_scored);
                    prop_assert!(reason.contains("refused") || reason == "no answer within 0.5 s");
                    failures += 1;
                }
            }
            all_tries += u64::from(tries);
        }
        prop_assert_eq!((tally.calls, tally.failures), (all_tries, failures));
        prop_assert_eq!(tally.retries.values().sum::<u64>(), all_tries - records);
        prop_assert_eq!((tally.in_flight, tally.waiting), (0, 0));
        prop_assert_eq!(log.in_flight.get(), 0);
        // A call that answers at once ends before the next one is polled, although both have been started.
        prop_assert!(log.most_in_flight.get() <= tally.most_in_flight);
        prop_assert!(tally.most_in_flight <= run_of.in_flight);
        if let Some(rate) = run_of.rate {
            prop_assert!(log.most_per_second() as f64 <= rate.ceil(), "{} a second", log.most_per_second());
        }
        let held = tally.held_up;
        let together = held.limit + held.rate + held.pause + held.budget + held.room + held.records;
        prop_assert!(together <= tally.elapsed);
        prop_assert!(tally.elapsed - together <= Duration::from_millis(500), "{tally:?}");
    }

    #[test]
    fn a_budget_is_exceeded_by_the_calls_in_flight_at_most(
        seed in any::<u64>(),
        records in 0..200_u64,
        in_flight in 1..20_usize,
        dearest in 1..50_u64,
        budget in 0..3_000_u64,
    ) {
        let price = |record: u64| fastrand::Rng::with_seed(seed ^ record).u64(1..=dearest);
        let calls = Calls::in_flight(in_flight).budget(budget);
        let control = calls.control();
        let task = async |record: &u64| {
            sleep(Duration::from_millis(price(*record) * 31 % 17)).await;
            control.spend(price(*record));
            *record
        };
        let (outcomes, tally) = run(&calls, records, &task, &Cancel::new());
        // The records that were started are the first ones, and each of them has its score.
        let done = outcomes.len() as u64;
        prop_assert!(outcomes.iter().cloned().eq((0..done).map(|record| (record, Ok(record)))));
        let spent: u64 = (0..done).map(price).sum();
        prop_assert_eq!((tally.calls, control.spent()), (done, spent));
        prop_assert_eq!(tally.is_spent, done < records);
        prop_assert!(spent <= budget + in_flight as u64 * dearest);
        if tally.is_spent {
            // The budget is used, apart from what the dearest record might have cost.
            prop_assert!(spent + dearest > budget, "{} of {}", spent, budget);
        }
        if dearest == 1 && budget >= in_flight as u64 {
            prop_assert!(spent <= budget);
        }
    }
}

#[test]
fn the_limit_is_used_to_the_full() {
    let task = async |record: &u64| {
        sleep(Duration::from_millis(20)).await;
        *record
    };
    let (outcomes, tally) = run(&Calls::in_flight(64), 2_000, &task, &Cancel::new());
    assert_eq!((outcomes.len(), tally.most_in_flight), (2_000, 64));
    // 2,000 records in 32 rounds of 20 ms.
    let most = Duration::from_millis(32 * 21);
    assert!(tally.elapsed <= most, "{tally:?}");
    assert!(
        tally.held_up.limit >= Duration::from_millis(31 * 20),
        "{tally:?}"
    );
}

#[test]
fn a_rate_is_used_almost_to_the_full() {
    for (rate, records) in [(0.5, 10), (50.0, 500), (2_000.0, 10_000)] {
        let log = Log::default();
        let task = async |record: &u64| {
            let _logged = log.start(*record);
            *record
        };
        let calls = Calls::in_flight(8).per_second(rate);
        let (_, tally) = run(&calls, records, &task, &Cancel::new());
        let least = records as f64 / rate;
        let seconds = tally.elapsed.as_secs_f64();
        assert!(seconds <= least * 1.05, "{seconds} s instead of {least} s");
        assert!(log.most_per_second() as f64 <= rate.ceil());
        assert!(tally.held_up.rate.as_secs_f64() >= least * 0.8, "{tally:?}");
    }
}

#[test]
fn a_record_that_waits_for_its_retry_gives_its_place_to_others() {
    let order = RefCell::new(Vec::new());
    let task = fallible_async(async |record: &u64| {
        order.borrow_mut().push(*record);
        sleep(Duration::from_secs(1)).await;
        match (*record, order.borrow().len()) {
            (0, 1) => Err(CallError::new("later").again(Again::After(Duration::from_secs(10)))),
            _ => Ok(*record),
        }
    });
    let (outcomes, tally) = run(&Calls::in_flight(1).retries(1), 6, &task, &Cancel::new());
    assert_eq!(*order.borrow(), [0, 1, 2, 3, 4, 5, 0]);
    assert!(outcomes.iter().all(|(_, outcome)| outcome.is_ok()));
    assert!(tally.elapsed >= Duration::from_secs(12), "{tally:?}");
}

#[test]
fn an_adaptive_limit_finds_what_the_service_allows() {
    let log = Log::default();
    let task = fallible_async(async |record: &u64| {
        let (_, _logged) = log.start(*record);
        let is_busy = log.in_flight.get() > 10;
        sleep(Duration::from_millis(100)).await;
        match is_busy {
            true => Err(CallError::new("busy").reason(RetryReason::Throttled)),
            false => Ok(*record),
        }
    });
    let (outcomes, tally) = run(
        &Calls::adaptive(100).retries(20),
        3_000,
        &task,
        &Cancel::new(),
    );
    assert!(outcomes.iter().all(|(_, outcome)| outcome.is_ok()));
    assert!((5..=11).contains(&tally.limit), "{tally:?}");
    // It begins with 16, of which 6 are refused. After that, only one call a round is too many.
    assert_eq!(tally.most_in_flight, 16);
    assert!(
        tally.retries[&RetryReason::Throttled] < 3_000 / 20,
        "{tally:?}"
    );

    let free = async |record: &u64| {
        sleep(Duration::from_millis(100)).await;
        *record
    };
    let (_, tally) = run(&Calls::adaptive(40), 3_000, &free, &Cancel::new());
    assert_eq!((tally.limit, tally.most_in_flight), (40, 40));
}

#[test]
fn the_calls_of_one_round_halve_an_adaptive_limit_once() {
    let task = fallible_async(async |record: &u64| {
        sleep(Duration::from_millis(10 + record)).await;
        Err::<u64, _>(CallError::new("busy").reason(RetryReason::Throttled))
    });
    let (_, tally) = run(&Calls::adaptive(100), 16, &task, &Cancel::new());
    assert_eq!(tally.limit, 8);
}

#[test]
fn a_pause_holds_up_all_calls() {
    let log = Log::default();
    let calls = Calls::in_flight(4);
    let control = calls.control();
    let paused = Cell::new(None);
    let task = async |record: &u64| {
        let _logged = log.start(*record);
        sleep(Duration::from_millis(10)).await;
        if *record == 20 {
            paused.set(Some(Instant::now()));
            control.pause_all(Duration::from_secs(3));
            // A shorter pause does not end a longer one.
            control.pause_all(Duration::from_secs(1));
        }
        *record
    };
    let (outcomes, tally) = run(&calls, 100, &task, &Cancel::new());
    assert_eq!(outcomes.len(), 100);
    let from = paused.get().expect("a pause");
    let until = from + Duration::from_secs(3);
    assert!(
        log.starts
            .borrow()
            .iter()
            .all(|start| *start <= from || *start >= until)
    );
    let held = tally.held_up.pause;
    assert!(
        held > Duration::from_millis(2_900) && held <= Duration::from_secs(3),
        "{held:?}"
    );
}

#[test]
fn a_stop_drops_the_calls() {
    let log = Log::default();
    let stop = Cancel::new();
    let task = async |record: &u64| {
        let _logged = log.start(*record);
        sleep(Duration::from_secs(*record)).await;
        if *record == 5 {
            stop.cancel();
        }
        *record
    };
    let (outcomes, tally) = run(&Calls::in_flight(10), 1_000, &task, &stop);
    assert_eq!((outcomes.len(), log.in_flight.get()), (0, 0));
    assert!(
        tally.calls < 1_000 && tally.elapsed < Duration::from_secs(7),
        "{tally:?}"
    );
}
