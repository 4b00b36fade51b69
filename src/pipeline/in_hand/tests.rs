//! Room for records in hand: how much there is, who waits for it, and who need not.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use super::InHand;

/// Waits until another thread has brought something about.
fn wait_until(holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "it never came about"
        );
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn there_is_room_for_the_most_and_no_more() {
    let in_hand = InHand::new(4);
    assert_eq!(in_hand.most(), 4);
    assert!(in_hand.try_take(3) && !in_hand.try_take(2) && in_hand.try_take(1));
    assert!(!in_hand.try_take(1) && !in_hand.try_take(u64::MAX) && in_hand.try_take(0));
    in_hand.give_back(2);
    assert!(!in_hand.try_take(3) && in_hand.try_take(2));
    in_hand.give_back(0);
    assert!(!in_hand.try_take(1));
    // Who finds room waits for nothing, and is not asked for anything.
    in_hand.give_back(4);
    assert!(in_hand.take(4, || panic!("there is room")));
}

#[test]
fn a_worker_waits_until_enough_is_given_back() {
    let in_hand = InHand::new(4);
    assert!(in_hand.try_take(4));
    let looks = AtomicUsize::new(0);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| in_hand.take(2, || _ = looks.fetch_add(1, SeqCst)));
        for given_back in 0..2 {
            wait_until(|| looks.load(SeqCst) > given_back);
            assert!(
                !waiting.is_finished(),
                "room for {given_back} is too little"
            );
            in_hand.give_back(1);
        }
        assert!(waiting.join().unwrap());
    });
    assert!(!in_hand.try_take(1), "what was waited for is taken");
    assert_eq!(in_hand.waiting.load(SeqCst), 0);
}

#[test]
fn a_worker_that_makes_room_itself_does_not_wait() {
    let in_hand = InHand::new(2);
    assert!(in_hand.try_take(2));
    assert!(in_hand.take(1, || in_hand.give_back(1)));
    assert_eq!(in_hand.waiting.load(SeqCst), 0);
    assert!(!in_hand.try_take(1));
}

#[test]
fn nobody_waits_once_it_is_closed() {
    let in_hand = InHand::new(1);
    assert!(in_hand.try_take(1));
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| in_hand.take(1, || ())))
            .collect();
        wait_until(|| in_hand.waiting.load(SeqCst) == 3);
        in_hand.close();
        assert!(waiting.into_iter().all(|worker| !worker.join().unwrap()));
    });
    // Room that there is may still be taken; what there is no room for is not waited for.
    assert!(!in_hand.take(1, || ()));
    in_hand.give_back(1);
    assert!(in_hand.take(1, || ()));
}
