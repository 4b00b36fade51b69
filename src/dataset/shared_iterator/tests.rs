//! Workers that share an iterator, on real threads: each record is taken once and under its own index, and no record
//! waits while a worker is idle.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::SharedIterator;

/// A time longer than anything in these tests takes: a thread that waits this long is stuck.
const STUCK: Duration = Duration::from_secs(60);

/// A count that one thread waits for and other threads raise.
#[derive(Default)]
struct Count {
    count: Mutex<usize>,
    changed: Condvar,
}

impl Count {
    fn add(&self) {
        *self.count.lock().unwrap() += 1;
        self.changed.notify_all();
    }

    /// Whether the count reaches `least` within [`STUCK`].
    fn reaches(&self, least: usize) -> bool {
        let count = self.count.lock().unwrap();
        let waited = self
            .changed
            .wait_timeout_while(count, STUCK, |count| *count < least);
        !waited.unwrap().1.timed_out()
    }
}

/// All records that workers took, as pairs of index and record in any order.
fn take_all<I>(
    iterator: &SharedIterator<u64, I>,
    workers: usize,
    most: impl Fn(usize) -> usize + Sync,
) -> Vec<(u64, u64)>
where
    I: Iterator<Item = u64> + Send,
{
    let work = |worker: usize| {
        let (mut all, mut taken, mut turn) = (Vec::new(), Vec::new(), worker);
        loop {
            let most = most(turn);
            let Some(first) = iterator.take(most, &mut taken) else {
                return all;
            };
            assert!((1..=most.max(1)).contains(&taken.len()));
            all.extend((first..).zip(taken.drain(..)));
            turn += workers;
        }
    };
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|worker| scope.spawn(move || work(worker)))
            .collect();
        let of_each = threads.into_iter().map(|thread| thread.join().unwrap());
        of_each.flatten().collect()
    })
}

/// Delays the iterator before some records, by yielding the thread or by sleeping for some microseconds.
fn stall(pattern: u64, record: u64) {
    match (pattern ^ record).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56 {
        0..2 => thread::sleep(Duration::from_micros(pattern % 200)),
        2..8 => thread::yield_now(),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_record_is_taken_once_under_its_index(
        records in 0u64..6000,
        workers in 1usize..=16,
        sizes in prop::collection::vec(prop_oneof![0usize..5, 0usize..100, 900usize..2000], 1..7),
        pattern: u64,
        stalls: bool,
    ) {
        let source = (0..records).map(|record| {
            if stalls {
                stall(pattern, record);
            }
            record * 3
        });
        let iterator = SharedIterator::new(source);
        let mut taken = take_all(&iterator, workers, |turn| sizes[turn % sizes.len()]);
        taken.sort_unstable();
        prop_assert!(taken.iter().copied().eq((0..records).map(|record| (record, record * 3))));
        prop_assert_eq!(iterator.take(1, &mut Vec::new()), None);
    }

    /// After some of the records, the iterator waits until all records that it has yielded are done.
    #[test]
    fn records_are_taken_while_the_iterator_waits(
        bursts in prop::collection::vec(1usize..50, 1..20),
        workers in 2usize..=8,
        most in 1usize..100,
    ) {
        let done = Count::default();
        let mut sum = 0;
        let ends: Vec<usize> = bursts.iter().map(|burst| { sum += burst; sum }).collect();
        let source = (0..=sum).map(|record| {
            if ends.contains(&record) {
                assert!(done.reaches(record), "the worker that pulls holds records back");
            }
            record as u64
        });
        let iterator = SharedIterator::new(source);
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    let mut taken = Vec::new();
                    while iterator.take(most, &mut taken).is_some() {
                        taken.drain(..).for_each(|_| done.add());
                    }
                });
            }
        });
        prop_assert!(done.reaches(sum + 1));
    }

    #[test]
    fn records_before_a_panic_are_taken_and_no_worker_hangs(
        before in 0u64..300,
        workers in 1usize..=8,
        most in 1usize..100,
    ) {
        let source = (0..).inspect(|record| assert!(*record < before, "enough"));
        let iterator = SharedIterator::new(source);
        let taken = Mutex::new(Vec::new());
        let panics = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| loop {
                    let mut records = Vec::new();
                    match catch_unwind(AssertUnwindSafe(|| iterator.take(most, &mut records))) {
                        Ok(Some(_)) => taken.lock().unwrap().extend(records),
                        Ok(None) => break,
                        Err(_) => { panics.fetch_add(1, SeqCst); }
                    }
                });
            }
        });
        let mut taken = taken.into_inner().unwrap();
        taken.sort_unstable();
        prop_assert!(taken.into_iter().eq(0..before));
        prop_assert_eq!(panics.into_inner(), 1);
    }
}

type Boxed = Box<dyn Iterator<Item = u64> + Send>;

/// A channel delivers five records and then is silent: if five workers are idle, they must work on all five records
/// at the same time, regardless of how many records a worker may take.
#[test]
fn a_burst_is_shared_among_all_idle_workers() {
    const IDLE: usize = 5;
    for most in [1, 2, 64, 1000] {
        let iterator: Arc<OnceLock<SharedIterator<u64, Boxed>>> = Arc::default();
        let in_work = Arc::new(Count::default());
        let (of_source, in_work_inside) = (Arc::clone(&iterator), Arc::clone(&in_work));
        let source = (0..=IDLE as u64).inspect(move |&record| {
            if record == 0 {
                while of_source
                    .get()
                    .is_none_or(|iterator| iterator.idle_workers() < IDLE)
                {
                    thread::yield_now();
                }
            }
            if record == IDLE as u64 {
                assert!(in_work_inside.reaches(IDLE));
            }
        });
        assert!(iterator.set(SharedIterator::new(Box::new(source))).is_ok());
        let iterator = iterator.get().unwrap();
        thread::scope(|scope| {
            for _ in 0..=IDLE {
                scope.spawn(|| {
                    let mut taken = Vec::new();
                    while let Some(first) = iterator.take(most, &mut taken) {
                        for (index, _) in (first..).zip(taken.drain(..)) {
                            in_work.add();
                            assert!(index == IDLE as u64 || in_work.reaches(IDLE));
                        }
                    }
                });
            }
        });
    }
}

/// Waiting workers return at once, although the worker inside the iterator's `next` cannot.
#[test]
fn closing_wakes_all_workers_that_wait() {
    for workers in [2, 3, 9] {
        let returned = Count::default();
        let entered = Count::default();
        let iterator = SharedIterator::new(std::iter::once_with(|| {
            entered.add();
            assert!(returned.reaches(workers - 1));
            1
        }));
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    assert_eq!(iterator.take(10, &mut Vec::new()), None);
                    returned.add();
                });
            }
            assert!(entered.reaches(1));
            iterator.close();
        });
        assert_eq!(iterator.take(10, &mut Vec::new()), None);
    }
}

/// A worker that found no record must not keep a core busy while it waits for the next one.
#[test]
fn workers_that_find_no_record_fall_asleep() {
    const IDLE: usize = 3;
    for most in [1, 64] {
        let asleep = Count::default();
        let iterator = SharedIterator::new(std::iter::once_with(|| {
            assert!(asleep.reaches(1), "the others did not fall asleep");
            7
        }));
        let taken = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..=IDLE {
                scope.spawn(|| {
                    let mut records = Vec::new();
                    while iterator.take(most, &mut records).is_some() {
                        taken.fetch_add(records.drain(..).len(), SeqCst);
                    }
                });
            }
            let began = Instant::now();
            while iterator.waiting.asleep() < IDLE && began.elapsed() < STUCK {
                thread::sleep(Duration::from_millis(1));
            }
            if iterator.waiting.asleep() == IDLE {
                asleep.add();
            }
        });
        assert_eq!(taken.into_inner(), 1);
    }
}

/// A worker that works alone must not wait for a second record while the first one could be scored.
#[test]
fn no_more_records_are_pulled_than_are_taken() {
    let pulled = AtomicUsize::new(0);
    let source = (0..20u64).inspect(|_| _ = pulled.fetch_add(1, SeqCst));
    let iterator = SharedIterator::new(source);
    let mut taken = Vec::new();
    for most in [1, 1, 3, 0, 4] {
        let before = taken.len();
        assert_eq!(iterator.take(most, &mut taken), Some(before as u64));
        assert_eq!(taken.len(), before + most.max(1));
        assert_eq!(pulled.load(SeqCst), taken.len());
    }
}

/// No record is taken after the end, even if the iterator would yield records again after `None`.
#[test]
fn no_record_follows_the_end() {
    let mut calls = 0;
    let iterator = SharedIterator::new(std::iter::from_fn(|| {
        calls += 1;
        (calls != 3).then_some(calls)
    }));
    let mut taken = Vec::new();
    assert_eq!(iterator.take(10, &mut taken), Some(0));
    assert_eq!(iterator.take(10, &mut taken), None);
    assert_eq!(iterator.take(10, &mut taken), None);
    assert_eq!(taken, [1, 2]);
}

/// Records that are in the ring when the iterator is dropped are dropped with it, once.
#[test]
fn records_that_are_not_taken_are_dropped() {
    let record = Arc::new(());
    let iterator = SharedIterator::new(std::iter::repeat_with(|| Arc::clone(&record)).take(100));
    let mut taken = Vec::new();
    assert_eq!(iterator.take(10, &mut taken), Some(0));
    assert_eq!((taken.len(), Arc::strong_count(&record)), (10, 11));
    iterator.close();
    drop((iterator, taken));
    assert_eq!(Arc::strong_count(&record), 1);
}
