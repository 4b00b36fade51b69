//! An iterator from which several workers take records.
//!
//! No thread reads for the others. One of the workers that want records holds the iterator and pulls, and puts each
//! record where the others can take it *before* it asks for the next one. So records are live: while one worker is
//! stuck in `next`, no worker holds the records that have come so far, and an idle worker takes them.
//!
//! Records lie in a ring that one side fills and the other empties, each behind a lock of its own: the filling end is
//! locked together with the iterator, the taking end for as long as it takes to move records out. A record costs two
//! plain stores and no locked instruction.
//!
//! Alternatives were measured with two workers, an empty task and 256 records a call. As processor time per record,
//! relative to the ring: a Chase–Lev deque whose owner's end is locked with the iterator takes 4 (each record is
//! popped by a locked instruction, or stolen into a deque and popped from there), a locked `VecDeque` 5, a bounded
//! array queue 5, unbounded queues of linked blocks 9 and 16, and a bounded channel fed by a thread 16. Pulling
//! straight into the worker's own vector takes 0.4 and is not live: being live costs about 2 ns per record.

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

/// The number of records that the ring holds, and the most that one call takes.
const CAPACITY: usize = 1024;

/// Whether a worker waits a moment before it takes few records or falls asleep. Time does not pass under a model
/// checker.
const WAITS_A_MOMENT: bool = !cfg!(shuttle);

/// How often a worker checks whether the iterator is free again before it rests: pulling a few cheap records takes
/// less time than falling asleep and being woken.
const CHECKS_BEFORE_REST: usize = if WAITS_A_MOMENT { 10 } else { 0 };
/// Number of spin hints between two checks, so that the worker does not contend for the lock.
const SPINS_PER_CHECK: usize = 8;

/// Records of an iterator, for several workers.
pub(crate) struct SharedIterator<R, I> {
    filling: Mutex<FillingEnd<R, I>>,
    taking: Mutex<TakingEnd<R>>,
    closed: AtomicBool,
    /// Number of workers that want records and have found none.
    idle_workers: AtomicUsize,
    waiting: WaitingWorkers,
}

/// The end of the ring that the worker with the iterator fills.
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

    /// Moves at least one and up to `most` consecutive records to the end of `into`, and returns the index of the
    /// first; waits until there is one. Returns `None` once all have been taken, or after [`close`](Self::close).
    ///
    /// A worker should take one record at a time if records are slow, because no other worker can take them back from
    /// it, and if it works alone, because no other worker would start the first while it waits for the second. At
    /// most [`CAPACITY`] records are moved at once.
    ///
    /// # Panics
    ///
    /// Panics on the thread that pulled, if the iterator panics. For all other threads the iterator has ended, once
    /// they have taken the records that came before.
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
        // If there are few records and another worker is pulling more, this worker naps once so that records gather.
        // If records are cheap, taking them one by one as they arrive takes longer than scoring them.
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
    /// that is inside the iterator's `next` returns when that does, and the record is dropped.
    pub(crate) fn close(&self) {
        self.closed.store(true, Relaxed);
        self.waiting.call_all();
    }

    /// Number of workers that want records and have found none.
    #[cfg(all(test, not(shuttle)))]
    fn idle_workers(&self) -> usize {
        self.idle_workers.load(Relaxed)
    }

    /// Whether no worker holds the iterator. Also true after [`close`](Self::close), when no worker may pull any
    /// more.
    fn is_free(&self) -> bool {
        self.closed.load(Relaxed) || try_lock(&self.filling).is_some()
    }

    /// The right to pull, if no other worker has it.
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

    /// Pulls if the ring is empty, and then takes records from the ring.
    fn take_as_puller(
        &self,
        mut puller: Puller<'_, R, I>,
        most: usize,
        into: &mut Vec<R>,
    ) -> Option<u64> {
        while !self.closed.load(Relaxed) {
            self.pull(&mut puller.filling, most);
            // Workers that were woken during the pull may have taken all of them.
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

    /// Fills the ring until it holds `most` records. Pulls none if the ring is not empty.
    fn pull(&self, filling: &mut FillingEnd<R, I>, most: usize) {
        let mut held = CAPACITY - filling.ring.slots();
        if held > 0 {
            return;
        }
        // The iterator is taken out of `filling`, so that it is gone if it panics.
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

    /// Takes records from the ring if it holds at least `enough`. If other workers are idle too, takes only a fair
    /// share.
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

/// When dropped, even by a panic, wakes a worker that may pull next, or all of them if the iterator is over.
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
