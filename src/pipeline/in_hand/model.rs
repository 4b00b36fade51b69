//! Room for records in hand under every order of steps that the model checker comes up with, which
//! tells when all threads wait: a model that ends has lost no wake-up.

use std::sync::Arc;

use super::InHand;
use crate::sync::atomic::{AtomicU64, Ordering::SeqCst};
use crate::sync::{check_model, thread};

const MOST: u64 = 3;

#[test]
fn room_given_back_reaches_those_who_wait_for_it() {
    check_model(|| {
        let (in_hand, taken) = (Arc::new(InHand::new(MOST)), Arc::new(AtomicU64::new(0)));
        let workers = [[1, 3], [2, 2], [3, 1]].map(|records| {
            let (in_hand, taken) = (Arc::clone(&in_hand), Arc::clone(&taken));
            thread::spawn(move || {
                for records in records {
                    assert!(in_hand.take(records, || ()));
                    let now = taken.fetch_add(records, SeqCst) + records;
                    assert!(now <= MOST, "{now} records in hand");
                    taken.fetch_sub(records, SeqCst);
                    in_hand.give_back(records);
                }
            })
        });
        for worker in workers {
            worker.join().unwrap();
        }
        assert!(in_hand.try_take(MOST));
    });
}

#[test]
fn nobody_waits_for_room_that_will_not_come() {
    check_model(|| {
        let in_hand = Arc::new(InHand::new(MOST));
        assert!(in_hand.try_take(MOST));
        let workers = [1, 2].map(|records| {
            let in_hand = Arc::clone(&in_hand);
            thread::spawn(move || in_hand.take(records, || ()))
        });
        in_hand.close();
        for worker in workers {
            assert!(!worker.join().unwrap());
        }
    });
}
