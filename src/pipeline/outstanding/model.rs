//! Tests the room for outstanding records under the model checker, which tries many orders of the threads'
//! steps. It reports a deadlock, so a model that ends has lost no wake-up.

use std::sync::Arc;

use super::Outstanding;
use crate::sync::atomic::{AtomicU64, Ordering::SeqCst};
use crate::sync::{check_model, thread};

const MOST: u64 = 3;

#[test]
fn room_given_back_reaches_the_workers_that_wait_for_it() {
    check_model(|| {
        let (outstanding, taken) = (
            Arc::new(Outstanding::new(MOST)),
            Arc::new(AtomicU64::new(0)),
        );
        let workers = [[1, 3], [2, 2], [3, 1]].map(|records| {
            let (outstanding, taken) = (Arc::clone(&outstanding), Arc::clone(&taken));
            thread::spawn(move || {
                for records in records {
                    assert!(outstanding.take(records, || ()));
                    let now = taken.fetch_add(records, SeqCst) + records;
                    assert!(now <= MOST, "{now} records outstanding");
                    taken.fetch_sub(records, SeqCst);
                    outstanding.give_back(records);
                }
            })
        });
        for worker in workers {
            worker.join().unwrap();
        }
        assert!(outstanding.try_take(MOST));
    });
}

#[test]
fn no_worker_waits_for_room_that_will_not_come() {
    check_model(|| {
        let outstanding = Arc::new(Outstanding::new(MOST));
        assert!(outstanding.try_take(MOST));
        let workers = [1, 2].map(|records| {
            let outstanding = Arc::clone(&outstanding);
            thread::spawn(move || outstanding.take(records, || ()))
        });
        outstanding.close();
        for worker in workers {
            assert!(!worker.join().unwrap());
        }
    });
}
