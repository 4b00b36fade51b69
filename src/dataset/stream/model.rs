//! Models of the stream, which a model checker runs under many schedules.
//!
//! The stores of the ring are not scheduling points, but there are some around each of them. A wait never
//! times out here, so a missed notification shows as a deadlock.

use shuttle::sync::{Arc, Condvar, Mutex};
use shuttle::thread;

use super::Pull;
use crate::sync::check_model as check;

fn take_all<I: Iterator<Item = u64>>(pull: &Pull<u64, I>, most: usize) -> Vec<(u64, u64)> {
    let (mut all, mut taken) = (Vec::new(), Vec::new());
    while let Some(first) = pull.take(most, &mut taken) {
        all.extend((first..).zip(taken.drain(..)));
    }
    all
}

#[test]
fn model_every_record_once() {
    check(|| {
        let source = (0..7u64).inspect(|_| thread::yield_now());
        let pull = Arc::new(Pull::new(source));
        let workers = [1, 2, 5].map(|most| {
            let pull = Arc::clone(&pull);
            thread::spawn(move || take_all(&pull, most))
        });
        let mut all: Vec<_> = workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect();
        all.sort_unstable();
        assert!(all.into_iter().eq((0..7).map(|record| (record, record))));
    });
}

#[test]
fn model_the_iterator_waits_for_what_it_yielded() {
    check(|| {
        let done = Arc::new((Mutex::new(0), Condvar::new()));
        let others = Arc::clone(&done);
        let source = (0..5u64).inspect(move |record| {
            if [2, 3].contains(record) {
                let (count, changed) = &*others;
                let count = count.lock().unwrap();
                drop(changed.wait_while(count, |count| *count < *record).unwrap());
            }
        });
        let pull = Arc::new(Pull::new(source));
        let workers = [1, 4, 4].map(|most| {
            let (pull, done) = (Arc::clone(&pull), Arc::clone(&done));
            thread::spawn(move || {
                let mut taken = Vec::new();
                while pull.take(most, &mut taken).is_some() {
                    *done.0.lock().unwrap() += taken.drain(..).len() as u64;
                    done.1.notify_all();
                }
            })
        });
        workers
            .into_iter()
            .for_each(|worker| worker.join().unwrap());
        assert_eq!(*done.0.lock().unwrap(), 5);
    });
}

#[test]
fn model_closing_wakes_the_workers_that_wait() {
    check(|| {
        let returned = Arc::new((Mutex::new(0), Condvar::new()));
        let others = Arc::clone(&returned);
        let entered = Arc::new((Mutex::new(false), Condvar::new()));
        let door = Arc::clone(&entered);
        let pull = Arc::new(Pull::new(std::iter::once_with(move || {
            *door.0.lock().unwrap() = true;
            door.1.notify_all();
            let (count, changed) = &*others;
            drop(
                changed
                    .wait_while(count.lock().unwrap(), |count| *count < 2)
                    .unwrap(),
            );
            0u64
        })));
        let workers = [1, 2, 2].map(|most| {
            let (pull, returned) = (Arc::clone(&pull), Arc::clone(&returned));
            thread::spawn(move || {
                assert_eq!(pull.take(most, &mut Vec::new()), None);
                *returned.0.lock().unwrap() += 1;
                returned.1.notify_all();
            })
        });
        let (open, changed) = &*entered;
        drop(
            changed
                .wait_while(open.lock().unwrap(), |open| !*open)
                .unwrap(),
        );
        pull.close();
        workers
            .into_iter()
            .for_each(|worker| worker.join().unwrap());
    });
}
