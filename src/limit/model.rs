//! Tests permits under the model checker, which tries many orders of the threads' steps.
//!
//! Under the model checker, waits never time out. It reports a deadlock, so a model that ends has lost no
//! wake-up.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use super::{Limit, Permits};
use crate::stop::Cancel;
use crate::sync::{Mutex, check_model, lock, thread};

fn permits(limit: Limit) -> Arc<Permits> {
    Arc::new(Permits::new(&limit).unwrap())
}

/// Runs one thread for each element, and returns when all threads have ended.
fn run<T: Send + 'static>(
    each: impl IntoIterator<Item = T>,
    body: impl Fn(T) + Send + Sync + 'static,
) {
    let body = Arc::new(body);
    let threads: Vec<_> = each
        .into_iter()
        .map(|one| {
            let body = Arc::clone(&body);
            thread::spawn(move || body(one))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn never_more_than_the_limit_and_nothing_is_lost() {
    const BUDGET: u64 = 3;
    const MOST: usize = 2;
    check_model(|| {
        let permits = permits(Limit::in_flight(MOST).budget(BUDGET));
        let inside = Arc::new(Mutex::new((0, 0, 0)));
        let gate = Arc::clone(&permits);
        let counts = Arc::clone(&inside);
        // A record of weight 9 is in flight alone, apart from records of weight 0.
        run([[1, 2], [3, 0], [9, 1], [2, 9]], move |weights| {
            for weight in weights {
                let permit = gate.acquire(weight, || false).unwrap();
                let counted = weight.min(BUDGET);
                {
                    let mut inside = lock(&counts);
                    inside.0 += 1;
                    inside.1 += counted;
                    inside.2 += 1;
                    assert!(inside.0 <= MOST && inside.1 <= BUDGET, "{inside:?}");
                }
                let ended = catch_unwind(AssertUnwindSafe(|| {
                    let _permit = permit;
                    {
                        let mut inside = lock(&counts);
                        inside.0 -= 1;
                        inside.1 -= counted;
                    }
                    if weight == 2 {
                        // `resume_unwind` does not call the panic hook, which would print the panic.
                        resume_unwind(Box::new(()));
                    }
                }));
                assert_eq!(ended.is_err(), weight == 2);
            }
        });
        assert_eq!(*lock(&inside), (0, 0, 8));
        assert!(permits.is_whole());
    });
}

#[test]
fn a_stop_wakes_all_waiting_workers() {
    check_model(|| {
        let permits = permits(Limit::none().budget(2));
        let all = Cancel::new();
        let permit = permits.acquire(2, || false).unwrap();
        let (gate, token) = (Arc::clone(&permits), all.child());
        let stopping = thread::spawn(move || {
            all.cancel();
            gate.interrupt();
        });
        let gate = Arc::clone(&permits);
        run([1, 2, 5], move |weight| {
            assert!(gate.acquire(weight, || token.is_cancelled()).is_none());
        });
        stopping.join().unwrap();
        drop(permit);
        assert!(permits.is_whole());
    });
}

#[test]
fn a_worker_that_gives_up_passes_the_wake_up_on() {
    check_model(|| {
        let permits = permits(Limit::none().budget(2));
        let permit = permits.acquire(1, || false).unwrap();
        let token = Cancel::new();
        let (gate, stop) = (Arc::clone(&permits), token.clone());
        // The first worker waits for `permit`, or is stopped. The second one is never stopped.
        let heavy = thread::spawn(move || drop(gate.acquire(2, || stop.is_cancelled())));
        let gate = Arc::clone(&permits);
        let light = thread::spawn(move || assert!(gate.acquire(1, || false).is_some()));
        token.cancel();
        permits.interrupt();
        drop(permit);
        heavy.join().unwrap();
        light.join().unwrap();
        assert!(permits.is_whole());
    });
}

#[test]
fn first_come_first_served() {
    check_model(|| {
        let permits = permits(Limit::none().budget(2));
        // A worker calls `look` while it holds the lock: when it arrives, and again when it gets its permit. The
        // first entry of a thread in this list is therefore its arrival, and its last entry is its departure.
        let looks = Arc::new(std::sync::Mutex::new(Vec::new()));
        // This thread wakes the workers although no permit is free, as the clock may do. The order must not change.
        let gate = Arc::clone(&permits);
        let waking = thread::spawn(move || gate.interrupt());
        let (gate, log) = (Arc::clone(&permits), Arc::clone(&looks));
        run([1, 2, 1, 5], move |weight| {
            let me = thread::current().id();
            let look = || {
                log.lock().unwrap().push(me);
                false
            };
            assert!(gate.acquire(weight, look).is_some());
        });
        waking.join().unwrap();
        let looks = looks.lock().unwrap();
        let mut came = Vec::new();
        let mut went = Vec::new();
        for (at, who) in looks.iter().enumerate() {
            if !looks[..at].contains(who) {
                came.push(who);
            }
            if !looks[at + 1..].contains(who) {
                went.push(who);
            }
        }
        assert_eq!(came, went);
    });
}
