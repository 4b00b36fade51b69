//! Tests of workers that share an iterator. A model checker runs their steps in many different orders.
//!
//! The stores inside the ring are not among these steps, but there are steps before and after each store. A nap does
//! not time out under the model checker, so a worker that misses a call causes a deadlock.

use shuttle::sync::{Arc, Condvar, Mutex};
use shuttle::thread;

use super::SharedIterator;
use crate::sync::check_model as check;

fn take_all<I: Iterator<Item = u64>>(
    iterator: &SharedIterator<u64, I>,
    most: usize,
) -> Vec<(u64, u64)> {
    let (mut all, mut taken) = (Vec::new(), Vec::new());
    while let Some(first) = iterator.take(most, &mut taken) {
        all.extend((first..).zip(taken.drain(..)));
    }
    all
}

#[test]
fn every_record_is_taken_once() {
    check(|| {
        let source = (0..7u64).inspect(|_| thread::yield_now());
        let iterator = Arc::new(SharedIterator::new(source));
        let workers = [1, 2, 5].map(|most| {
            let iterator = Arc::clone(&iterator);
            thread::spawn(move || take_all(&iterator, most))
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
fn records_are_taken_while_the_iterator_waits_for_them() {
    check(|| {
        let done = Arc::new((Mutex::new(0), Condvar::new()));
        let seen = Arc::clone(&done);
        let source = (0..5u64).inspect(move |record| {
            if [2, 3].contains(record) {
                let (count, changed) = &*seen;
                let count = count.lock().unwrap();
                drop(changed.wait_while(count, |count| *count < *record).unwrap());
            }
        });
        let iterator = Arc::new(SharedIterator::new(source));
        let workers = [1, 4, 4].map(|most| {
            let (iterator, done) = (Arc::clone(&iterator), Arc::clone(&done));
            thread::spawn(move || {
                let mut taken = Vec::new();
                while iterator.take(most, &mut taken).is_some() {
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
fn closing_wakes_all_workers_that_wait() {
    check(|| {
        let returned = Arc::new((Mutex::new(0), Condvar::new()));
        let seen = Arc::clone(&returned);
        let entered = Arc::new((Mutex::new(false), Condvar::new()));
        let entered_inside = Arc::clone(&entered);
        let iterator = Arc::new(SharedIterator::new(std::iter::once_with(move || {
            *entered_inside.0.lock().unwrap() = true;
            entered_inside.1.notify_all();
            let (count, changed) = &*seen;
            drop(
                changed
                    .wait_while(count.lock().unwrap(), |count| *count < 2)
                    .unwrap(),
            );
            0u64
        })));
        let workers = [1, 2, 2].map(|most| {
            let (iterator, returned) = (Arc::clone(&iterator), Arc::clone(&returned));
            thread::spawn(move || {
                assert_eq!(iterator.take(most, &mut Vec::new()), None);
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
        iterator.close();
        workers
            .into_iter()
            .for_each(|worker| worker.join().unwrap());
    });
}
