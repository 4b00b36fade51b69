//! Tests permits with real threads and the real clock. No assertion depends on how late a thread wakes up.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use super::{Limit, Permits};
use crate::error::Error;
use crate::stop::Cancel;

fn permits(limit: Limit) -> Permits {
    Permits::new(&limit).unwrap()
}

#[test]
fn a_limit_that_allows_nothing_is_refused() {
    let none = Limit::none();
    let nothing = [
        Limit::in_flight(0),
        none.budget(0),
        none.per_second(1.0).burst(0),
        none.per_second(0.0),
        none.per_second(-1.0),
        none.per_second(f64::NAN),
        none.per_second(f64::INFINITY),
    ];
    for limit in nothing {
        let refused = Permits::new(&limit);
        assert!(matches!(refused, Err(Error::Limit { .. })), "{limit}");
    }
    // These limits have the largest values, and some rates have a period that is longer than a clock can
    // represent.
    let most = Limit::in_flight(usize::MAX)
        .budget(u64::MAX)
        .burst(u32::MAX);
    for rate in [f64::MIN_POSITIVE, 1e-12, 0.3, 1.0, 1e9, f64::MAX] {
        let permits = permits(most.per_second(rate));
        assert!(permits.acquire(u64::MAX, || false).is_some(), "{rate}");
        assert!(permits.is_whole());
    }
}

#[test]
fn a_limit_of_workers_needs_no_permits() {
    assert!(!Limit::none().waits() && !Limit::in_flight(1).waits());
    assert!(Limit::none().per_second(1.0).waits() && Limit::none().budget(1).waits());
    assert_eq!(Limit::in_flight(3).workers(8), 3);
    assert_eq!(Limit::in_flight(8).workers(3), 3);
    assert_eq!(Limit::none().workers(3), 3);

    let permits = permits(Limit::in_flight(1));
    let both = (permits.acquire(1, || false), permits.acquire(1, || false));
    assert!(both.0.is_some() && both.1.is_some());
    assert!(permits.acquire(1, || true).is_none());

    // If there is no budget, the weight of a record does not matter.
    let permits = self::permits(Limit::none().per_second(1e9));
    let both = [(); 2].map(|()| permits.acquire(u64::MAX, || false));
    assert!(both.iter().all(Option::is_some));
}

#[test]
fn a_limit_is_plain_data() {
    let limit = Limit::in_flight(4).per_second(2.5).budget(7).burst(3);
    let text = serde_json::to_string(&limit).unwrap();
    assert_eq!(serde_json::from_str::<Limit>(&text).unwrap(), limit);
    assert_eq!(serde_json::from_str::<Limit>("{}").unwrap(), Limit::none());
    assert!(serde_json::from_str::<Limit>(r#"{"inflight":4}"#).is_err());
    assert_eq!(Limit::none().to_string(), "none");
}

#[test]
fn never_over_the_limit_under_sixty_four_threads() {
    const BUDGET: u64 = 100;
    const MOST: usize = 9;
    let permits = permits(Limit::in_flight(MOST).budget(BUDGET));
    let (weights, inside, done) = (AtomicU64::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for seed in 0..64_u64 {
            let (permits, weights, inside, done) = (&permits, &weights, &inside, &done);
            scope.spawn(move || {
                for record in 0..200 {
                    let weight = (seed * 200 + record) * 7_919 % 131;
                    let counted = weight.min(BUDGET);
                    let permit = permits.acquire(weight, || false).unwrap();
                    assert!(weights.fetch_add(counted, SeqCst) + counted <= BUDGET);
                    assert!(inside.fetch_add(1, SeqCst) < MOST);
                    thread::yield_now();
                    inside.fetch_sub(1, SeqCst);
                    weights.fetch_sub(counted, SeqCst);
                    done.fetch_add(1, SeqCst);
                    // The permit is also returned after a panic.
                    let _ = catch_unwind(AssertUnwindSafe(|| {
                        let _permit = permit;
                        if record % 3 == 0 {
                            resume_unwind(Box::new(()));
                        }
                    }));
                }
            });
        }
    });
    assert_eq!(done.into_inner(), 64 * 200);
    assert!(permits.is_whole());
}

#[test]
fn a_permit_is_refused_while_all_are_out() {
    let permits = permits(Limit::in_flight(2).budget(10));
    // Whether a record of this weight has to wait. The call asks once, and gives up at the next check.
    let refused = |weight| {
        let looks = AtomicUsize::new(0);
        let permit = permits.acquire(weight, || looks.fetch_add(1, SeqCst) > 0);
        permit.is_none()
    };
    let first = permits.acquire(9, || false).unwrap();
    assert!(refused(2), "11 in flight where 10 are allowed");
    let second = permits.acquire(1, || false).unwrap();
    assert!(refused(0), "three records in flight where two are allowed");
    drop(first);
    assert!(refused(10));
    assert!(!refused(9));
    drop(second);
    assert!(!refused(10));
    assert!(permits.is_whole());
}

#[test]
fn a_heavy_record_is_alone_and_light_ones_do_not_pass_it() {
    let permits = permits(Limit::none().budget(10));
    let order = Mutex::new(Vec::new());
    let first = permits.acquire(4, || false).unwrap();
    thread::scope(|scope| {
        let (permits, order) = (&permits, &order);
        for (place, weight) in [1_000, 1, 2].into_iter().enumerate() {
            scope.spawn(move || {
                let permit = permits.acquire(weight, || false).unwrap();
                order.lock().unwrap().push(weight);
                drop(permit);
            });
            // The next record asks for a permit when this one waits. There would be room for the light
            // records.
            assert!(wait_until(|| permits.waiting() > place));
        }
        assert!(order.lock().unwrap().is_empty());
        drop(first);
    });
    let order = order.into_inner().unwrap();
    assert_eq!((order[0], order.len()), (1_000, 3));
    assert!(permits.is_whole());
}

#[test]
fn a_stop_ends_the_wait_with_and_without_an_interrupt() {
    for interrupted in [false, true] {
        // The next token would come after the end of the test.
        let permits = permits(Limit::none().per_second(1e-6).budget(1));
        let permit = permits.acquire(1, || false).unwrap();
        let token = Cancel::new();
        thread::scope(|scope| {
            let waiters: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| permits.acquire(1, || token.is_cancelled()).is_none()))
                .collect();
            assert!(wait_until(|| permits.waiting() == 8));
            token.cancel();
            if interrupted {
                permits.interrupt();
            }
            assert!(waiters.into_iter().all(|waiter| waiter.join().unwrap()));
        });
        drop(permit);
        assert!(permits.is_whole());
    }
}

/// Only the first worker in the queue checks by itself, so an interrupt has to wake the others.
#[test]
fn an_interrupt_reaches_the_workers_behind_the_first() {
    let permits = permits(Limit::none().budget(1));
    let permit = permits.acquire(1, || false).unwrap();
    let token = Cancel::new();
    thread::scope(|scope| {
        let first = scope.spawn(|| permits.acquire(1, || false).is_some());
        wait_until(|| permits.waiting() == 1);
        let behind = scope.spawn(|| permits.acquire(1, || token.is_cancelled()).is_none());
        wait_until(|| permits.waiting() == 2);
        token.cancel();
        permits.interrupt();
        let left = wait_until(|| permits.waiting() == 1);
        drop(permit);
        assert!(first.join().unwrap() && behind.join().unwrap());
        assert!(left, "the one behind the first was not woken");
    });
    assert!(permits.is_whole());
}

/// If all waiting workers checked by themselves, the checks of a thousand workers would add up.
#[test]
fn only_the_first_in_the_queue_checks_by_itself() {
    let permits = permits(Limit::none().budget(1));
    let permit = permits.acquire(1, || false).unwrap();
    let looks = [const { AtomicUsize::new(0) }; 2];
    thread::scope(|scope| {
        let (permits, looks) = (&permits, &looks);
        for (place, looks) in looks.iter().enumerate() {
            let look = move || {
                looks.fetch_add(1, SeqCst);
                false
            };
            scope.spawn(move || permits.acquire(1, look).is_some());
            wait_until(|| permits.waiting() > place);
        }
        let before = looks[0].load(SeqCst);
        let looked = wait_until(|| looks[0].load(SeqCst) >= before + 20);
        // The second worker checks once when it arrives. A thread may wake spuriously, but not this often.
        let behind = looks[1].load(SeqCst);
        drop(permit);
        assert!(looked, "the first does not check");
        assert!(behind < 10, "the second checked {behind} times");
    });
    assert!(permits.is_whole());
}

/// Waits until another thread has made a condition true. Returns false if that does not happen in time.
fn wait_until(holds: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    while !holds() {
        if began.elapsed() > Duration::from_secs(60) {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
    true
}

#[test]
fn no_span_of_time_sees_more_starts_than_the_rate_allows() {
    for (rate, burst) in [(400.0, None), (50.0, Some(8)), (20_000.0, None)] {
        let limit = Limit::none().per_second(rate);
        let limit = burst.map_or(limit, |burst| limit.burst(burst));
        let most = burst.map_or((rate / 100.0).max(1.0), f64::from);
        let starts = starts(&permits(limit));
        // A permit was granted between the two instants around the call, so permits with both instants
        // in a span were granted in that span.
        for (from, _) in &starts {
            for (_, to) in &starts {
                let inside = starts.iter().filter(|(a, b)| a >= from && b <= to).count() as f64;
                let time = to.saturating_duration_since(*from).as_secs_f64();
                let allowed = most + rate * time;
                assert!(
                    inside <= allowed + 1e-6,
                    "{inside} in {time} s at {rate} a second"
                );
            }
        }
    }
}

/// The instants at which threads asked for permits, and at which they received them.
fn starts(permits: &Permits) -> Vec<(Instant, Instant)> {
    let starts = Mutex::new(Vec::new());
    let enough = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !enough.load(SeqCst) {
                    let asked = Instant::now();
                    if let Some(permit) = permits.acquire(1, || enough.load(SeqCst)) {
                        let mut starts = starts.lock().unwrap();
                        starts.push((asked, Instant::now()));
                        enough.fetch_or(starts.len() >= 40, SeqCst);
                        drop(permit);
                    }
                }
            });
        }
    });
    starts.into_inner().unwrap()
}
