//! An iterator from which several workers take records.
//!
//! No thread reads on behalf of the others. One of the workers that want records holds the iterator and pulls records
//! from it. It puts each record where the other workers can take it *before* it asks for the next one. So records are
//! live: while this worker is stuck in `next`, it does not hold back the records that have come so far, and idle
//! workers take them.
//!
//! Records are stored in a ring with two ends, each of which has its own lock. The end that is filled is locked
//! together with the iterator; the end from which records are taken is locked only while records are moved out.
//! Passing a record through the ring costs two plain stores and no locked (atomic read-modify-write) instruction.
//!
//! Alternatives were measured with two workers, an empty task and 256 records per call. The processor time per
//! record, as a multiple of the time with the ring, is 4 for a Chase–Lev deque whose owner's end is locked with the
//! iterator (each record is popped by a locked instruction, or stolen into a deque and popped from there), 5 for a
//! locked `VecDeque`, 5 for a bounded array queue, 9 and 16 for two unbounded queues of linked blocks, and 16 for a
//! bounded channel that is fed by a thread. If each worker pulls straight into its own vector, the time is 0.4 times
//! that of the ring, but records are not live. Keeping records live thus costs about 2 ns per record.

#[cfg(all(test, shuttle))]
mod model;
#[cfg(all(test, not(shuttle)))]
mod tests;
mod waiting;

use std::thread::panicking;

use rtrb::{Consumer, Producer, RingBuffer};

use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use crate::sync::{Mutex, MutexGuard, lock, try_lock};
use waiting::{WaitFor, WaitingWorkers};

/// The maximum number of records in the ring, and the maximum number of records that one call takes.
const CAPACITY: usize = 1024;

/// Whether a worker waits a moment before it takes few records or falls asleep. It is false under a model checker,
/// where time does not pass.
const WAITS_A_MOMENT: bool = !cfg!(shuttle);

/// How many times a worker checks whether the iterator is free again before it rests. Checking is worthwhile because
/// pulling a few cheap records takes less time than falling asleep and being woken.
const CHECKS_BEFORE_REST: usize = if WAITS_A_MOMENT { 10 } else { 0 };
/// Number of spin hints between two checks, so that the worker does not contend for the lock.
const SPINS_PER_CHECK: usize = 8;

/// The records of an iterator, shared by several workers.
pub(crate) struct SharedIterator<R, I> {
    filling: Mutex<FillingEnd<R, I>>,
    taking: Mutex<TakingEnd<R>>,
    closed: AtomicBool,
    /// Number of workers that want records and have found none.
    idle_workers: AtomicUsize,
    waiting: WaitingWorkers,
}

/// The end of the ring that is filled by the worker that holds the iterator.
struct FillingEnd<R, I> {
    /// The iterator; `None` once it has ended.
    iterator: Option<I>,
    ring: Producer<R>,
}

/// The end of the ring from which workers take records.
struct TakingEnd<R> {
    ring: Consumer<R>,
    /// Index of the first record in the ring.
    first: u64,
}

impl<R, I: Iterator<Item = R>> SharedIterator<R, I> {
    pub(crate) fn new(iterator: I) -> Self {
        let (filled, emptied) = RingBuffer::new(CAPACITY);
        SharedIterator {
            filling: Mutex::new(FillingEnd {
                iterator: Some(iterator),
                ring: filled,
            }),
            taking: Mutex::new(TakingEnd {
                ring: emptied,
                first: 0,
            }),
            closed: AtomicBool::new(false),
            idle_workers: AtomicUsize::new(0),
            waiting: WaitingWorkers::new(),
        }
    }

    /// Moves at least one and at most `most` consecutive records to the end of `into`, and returns the index of the
    /// first of them. Waits until there is a record. Returns `None` once all records have been taken, or after
    /// [`close`](Self::close).
    ///
    /// A worker should take one record at a time if records are slow to score, because no other worker can take
    /// records from it. It should also do so if it works alone, because no other worker would start the first record
    /// while it waits for the second. At most [`CAPACITY`] records are moved at once.
    ///
    /// # Panics
    ///
    /// Panics on the thread that pulled if the iterator panics. The other threads can still take the records that
    /// came before the panic; after that, the iterator has ended for them.
    pub(crate) fn take(&self, most: usize, into: &mut Vec<R>) -> Option<u64> {
        let most = most.clamp(1, CAPACITY);
        if let Some(puller) = self.puller() {
            return self.take_as_puller(puller, most, into);
        }
        self.idle_workers.fetch_add(1, Relaxed);
        let taken = self.take_while_another_pulls(most, into);
        self.idle_workers.fetch_sub(1, Relaxed);
        taken
    }

    /// Takes records while another worker holds the iterator.
    fn take_while_another_pulls(&self, most: usize, into: &mut Vec<R>) -> Option<u64> {
        // If there are few records and another worker is pulling more, this worker naps once so that more records
        // gather. If records are cheap to score, taking them one by one as they arrive takes longer than scoring
        // them.
        let mut enough = if WAITS_A_MOMENT { most.div_ceil(4) } else { 1 };
        let mut checks = 0;
        while !self.closed.load(Relaxed) {
            let over = self.waiting.is_over();
            if let Some(first) = self.take_from_ring(if over { 1 } else { enough }, most, into) {
                return Some(first);
            }
            if over {
                break;
            }
            if checks < CHECKS_BEFORE_REST {
                checks += 1;
                (0..SPINS_PER_CHECK).for_each(|_| std::hint::spin_loop());
            } else if enough > 1 {
                self.waiting.wait(WaitFor::MoreRecords, || self.is_free());
                enough = 1;
            } else {
                let is_worth_a_look = || self.is_free() || !lock(&self.taking).ring.is_empty();
                self.waiting.wait(WaitFor::OneRecord, is_worth_a_look);
            }
            if let Some(puller) = self.puller() {
                return self.take_as_puller(puller, most, into);
            }
        }
        None
    }

    /// Ends the iterator early: workers that wait return at once, and no more records are pulled or taken. A worker
    /// that is inside the iterator's `next` returns when `next` returns, and the record is dropped.
    pub(crate) fn close(&self) {
        self.closed.store(true, Relaxed);
        self.waiting.call_all();
    }

    /// Number of workers that want records and have found none.
    #[cfg(all(test, not(shuttle)))]
    fn idle_workers(&self) -> usize {
        self.idle_workers.load(Relaxed)
    }

    /// Whether no worker holds the iterator. Also returns true after [`close`](Self::close), when no worker may pull
    /// any more.
    fn is_free(&self) -> bool {
        self.closed.load(Relaxed) || try_lock(&self.filling).is_some()
    }

    /// Takes the right to pull. Returns `None` if another worker has it.
    fn puller(&self) -> Option<Puller<'_, R, I>> {
        let filling = try_lock(&self.filling)?;
        let wake_others = WakeOthers {
            waiting: &self.waiting,
            is_over: false,
        };
        Some(Puller {
            filling,
            wake_others,
        })
    }

    /// Pulls records if the ring is empty, and then takes records from the ring.
    fn take_as_puller(
        &self,
        mut puller: Puller<'_, R, I>,
        most: usize,
        into: &mut Vec<R>,
    ) -> Option<u64> {
        while !self.closed.load(Relaxed) {
            self.pull(&mut puller.filling, most);
            // Workers that were woken during the pull may have taken all pulled records.
            if let Some(first) = self.take_from_ring(1, most, into) {
                return Some(first);
            }
            if puller.filling.iterator.is_none() {
                break;
            }
        }
        puller.wake_others.is_over = true;
        None
    }

    /// Fills the ring until it holds `most` records. Pulls no record if the ring is not empty at the start.
    fn pull(&self, filling: &mut FillingEnd<R, I>, most: usize) {
        let mut held = CAPACITY - filling.ring.slots();
        if held > 0 {
            return;
        }
        // The iterator is taken out of `filling`, so that it is no longer there if its `next` panics.
        let Some(mut iterator) = filling.iterator.take() else {
            return;
        };
        while held < most && !self.closed.load(Relaxed) {
            let Some(record) = iterator.next() else {
                return;
            };
            let pushed = filling.ring.push(record);
            assert!(pushed.is_ok(), "only this end fills the ring");
            self.waiting.call_sleeper();
            held += 1;
            if held == most {
                held = CAPACITY - filling.ring.slots();
            }
        }
        filling.iterator = Some(iterator);
    }

    /// Takes records from the ring if the ring holds at least `enough` records. If other workers are idle too, takes
    /// only a fair share of the records.
    fn take_from_ring(&self, enough: usize, most: usize, into: &mut Vec<R>) -> Option<u64> {
        let mut taking = lock(&self.taking);
        let held = taking.ring.slots();
        if held < enough || self.closed.load(Relaxed) {
            return None;
        }
        let idle = self.idle_workers.load(Relaxed).max(1);
        let share = held.div_ceil(idle).min(most);
        let records = taking.ring.read_chunk(share).ok()?;
        into.extend(records);
        let first = taking.first;
        taking.first += share as u64;
        Some(first)
    }
}

/// The worker that holds the iterator. It releases the lock before it wakes another worker.
struct Puller<'p, R, I> {
    filling: MutexGuard<'p, FillingEnd<R, I>>,
    wake_others: WakeOthers<'p>,
}

/// When this value is dropped, even by a panic, it wakes one worker, which may then pull records, or all workers if
/// the iterator has ended.
struct WakeOthers<'p> {
    waiting: &'p WaitingWorkers,
    is_over: bool,
}

impl Drop for WakeOthers<'_> {
    fn drop(&mut self) {
        if self.is_over || panicking() {
            self.waiting.call_all();
        } else {
            self.waiting.call_one();
        }
    }
}
