//! Tests how much room there is for outstanding records, and which workers wait for it.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use super::Outstanding;

/// Waits until another thread has made a condition true.
fn wait_until(holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "the condition never held"
        );
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn there_is_room_for_the_most_and_no_more() {
    let outstanding = Outstanding::new(4);
    assert_eq!(outstanding.most(), 4);
    assert!(outstanding.try_take(3) && !outstanding.try_take(2) && outstanding.try_take(1));
    assert!(!outstanding.try_take(1) && !outstanding.try_take(u64::MAX) && outstanding.try_take(0));
    outstanding.give_back(2);
    assert!(!outstanding.try_take(3) && outstanding.try_take(2));
    outstanding.give_back(0);
    assert!(!outstanding.try_take(1));
    // A worker that finds room does not wait.
    outstanding.give_back(4);
    assert!(outstanding.take(4, || panic!("there is room")));
}

#[test]
fn a_worker_waits_until_enough_is_given_back() {
    let outstanding = Outstanding::new(4);
    assert!(outstanding.try_take(4));
    let looks = AtomicUsize::new(0);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| outstanding.take(2, || _ = looks.fetch_add(1, SeqCst)));
        for given_back in 0..2 {
            wait_until(|| looks.load(SeqCst) > given_back);
            assert!(
                !waiting.is_finished(),
                "room for {given_back} is too little"
            );
            outstanding.give_back(1);
        }
        assert!(waiting.join().unwrap());
    });
    assert!(!outstanding.try_take(1), "what was waited for is taken");
    assert_eq!(outstanding.waiting.load(SeqCst), 0);
}

#[test]
fn a_worker_that_makes_room_itself_does_not_wait() {
    let outstanding = Outstanding::new(2);
    assert!(outstanding.try_take(2));
    assert!(outstanding.take(1, || outstanding.give_back(1)));
    assert_eq!(outstanding.waiting.load(SeqCst), 0);
    assert!(!outstanding.try_take(1));
}

#[test]
fn no_worker_waits_once_it_is_closed() {
    let outstanding = Outstanding::new(1);
    assert!(outstanding.try_take(1));
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| outstanding.take(1, || ())))
            .collect();
        wait_until(|| outstanding.waiting.load(SeqCst) == 3);
        outstanding.close();
        assert!(waiting.into_iter().all(|worker| !worker.join().unwrap()));
    });
    // Free room may still be taken, but no worker waits for more room.
    assert!(!outstanding.take(1, || ()));
    outstanding.give_back(1);
    assert!(outstanding.take(1, || ()));
}
