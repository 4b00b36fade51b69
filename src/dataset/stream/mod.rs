//! A source of records of unknown length: any iterator, pulled by whichever worker is free.
//!
//! There is no thread that reads for the others. Of the workers that want records one holds the
//! iterator and pulls, and lays each record down where the others can take it *before* it asks for
//! the next one. So the source is live: while one worker is stuck in `next`, what has come so far
//! is in nobody's hands, and goes to whoever is idle.
//!
//! Records lie ready in a ring that one side fills and the other empties, each behind a lock of its
//! own: the filling end is locked with the iterator, the taking end for as long as it takes to move
//! records out. So a record costs two plain stores and no locked instruction.
//!
//! What was tried in its place, as processor time a record with two workers, an empty task and 256
//! records a call, where the ring is 1: a Chase–Lev deque, the owner's end with the iterator, 4 (each
//! record is popped by a locked instruction, or stolen into a deque and popped from there); a locked
//! `VecDeque` 5; a bounded array queue 5; unbounded queues of linked blocks 9 and 16; a bounded
//! channel with a thread that feeds it 16. Pulling straight into the worker's own vector takes 0.4,
//! and is not live: what it costs to be live is about 2 ns a record.

#[cfg(all(test, shuttle))]
mod model;
#[cfg(all(test, not(shuttle)))]
mod tests;
mod waiting;

use std::thread::panicking;

use rtrb::{Consumer, Producer, RingBuffer};

use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use crate::sync::{Mutex, MutexGuard, lock, try_lock};
use waiting::{Depth, Waiting};

/// Records that may lie ready, and so the most that one call takes.
const READY: usize = 1024;

/// Whether a worker waits a moment before it takes little or falls asleep. Time does not pass under
/// a model checker.
const PATIENT: bool = !cfg!(shuttle);

/// How often a worker looks whether the iterator is free again before it rests, since to pull a few
/// cheap records takes less than to fall asleep and be woken …
const LOOKS: usize = if PATIENT { 10 } else { 0 };
/// … and how many turns it waits between two looks, so as not to pull at the lock.
const TURNS: usize = 8;

/// Records of an iterator, for several workers.
pub(crate) struct Pull<R, I> {
    source: Mutex<Source<R, I>>,
    ready: Mutex<Ready<R>>,
    closed: AtomicBool,
    /// Workers that want records and have found none.
    hungry: AtomicUsize,
    waiting: Waiting,
}

/// The end that is filled.
struct Source<R, I> {
    /// The iterator; gone once it has ended.
    records: Option<I>,
    ready: Producer<R>,
}

/// The end that is emptied.
struct Ready<R> {
    records: Consumer<R>,
    /// Index of the first of them.
    first: u64,
}

impl<R, I: Iterator<Item = R>> Pull<R, I> {
    pub(crate) fn new(records: I) -> Self {
        let (filled, emptied) = RingBuffer::new(READY);
        Pull {
            source: Mutex::new(Source {
                records: Some(records),
                ready: filled,
            }),
            ready: Mutex::new(Ready {
                records: emptied,
                first: 0,
            }),
            closed: AtomicBool::new(false),
            hungry: AtomicUsize::new(0),
            waiting: Waiting::new(),
        }
    }

    /// Moves at least one and up to `most` consecutive records to the end of `into`, and returns
    /// the index of the first, as they came out of the iterator; waits until there is one. `None`
    /// once all have been taken, or after [`close`](Self::close).
    ///
    /// The records taken should not last long (`most` is 1 for those that do): nobody takes them
    /// back from a worker that is busy. A worker that is alone should take one at a time, since
    /// nobody else works on the first while it waits for the second. At most [`READY`] come at once.
    ///
    /// # Panics
    ///
    /// Where the iterator does, on the thread that pulled. To all others the stream has ended, once
    /// what came before has been taken.
    pub(crate) fn take(&self, most: usize, into: &mut Vec<R>) -> Option<u64> {
        let most = most.clamp(1, READY);
        if let Some(puller) = self.puller() {
            return self.take_as_puller(puller, most, into);
        }
        self.hungry.fetch_add(1, Relaxed);
        let taken = self.take_beside_puller(most, into);
        self.hungry.fetch_sub(1, Relaxed);
        taken
    }

    /// Takes where somebody else was found pulling.
    fn take_beside_puller(&self, most: usize, into: &mut Vec<R>) -> Option<u64> {
        // Few records, and someone who is pulling more: they are left to gather for one nap. To
        // take them one by one as they come costs more than the cheapest are worth.
        let mut enough = if PATIENT { most.div_ceil(4) } else { 1 };
        let mut looks = 0;
        while !self.closed.load(Relaxed) {
            let over = self.waiting.is_over();
            if let Some(first) = self.take_ready(if over { 1 } else { enough }, most, into) {
                return Some(first);
            }
            if over {
                break;
            }
            if looks < LOOKS {
                looks += 1;
                (0..TURNS).for_each(|_| std::hint::spin_loop());
            } else if enough > 1 {
                self.waiting.wait(Depth::Nap, || self.is_free());
                enough = 1;
            } else {
                let stirs = || self.is_free() || !lock(&self.ready).records.is_empty();
                self.waiting.wait(Depth::Sleep, stirs);
            }
            if let Some(puller) = self.puller() {
                return self.take_as_puller(puller, most, into);
            }
        }
        None
    }

    /// Nothing more is pulled or taken; those that wait return at once. Whoever is inside the
    /// iterator's `next` returns with it, and what it yields is dropped.
    pub(crate) fn close(&self) {
        self.closed.store(true, Relaxed);
        self.waiting.call_all();
    }

    /// How many workers want records and have found none.
    #[cfg(all(test, not(shuttle)))]
    pub(crate) fn hungry(&self) -> usize {
        self.hungry.load(Relaxed)
    }

    /// Whether nobody is pulling, or nobody is to pull any more.
    fn is_free(&self) -> bool {
        self.closed.load(Relaxed) || try_lock(&self.source).is_some()
    }

    /// The right to pull, if nobody else has it.
    fn puller(&self) -> Option<Puller<'_, R, I>> {
        let source = try_lock(&self.source)?;
        let leaving = Leaving {
            waiting: &self.waiting,
            for_good: false,
        };
        Some(Puller { source, leaving })
    }

    /// Takes what lies ready or, if nothing does, pulls.
    fn take_as_puller(
        &self,
        mut puller: Puller<'_, R, I>,
        most: usize,
        into: &mut Vec<R>,
    ) -> Option<u64> {
        while !self.closed.load(Relaxed) {
            self.pull(&mut puller.source, most);
            // Those that were called meanwhile may have left nothing.
            if let Some(first) = self.take_ready(1, most, into) {
                return Some(first);
            }
            if puller.source.records.is_none() {
                break;
            }
        }
        puller.leaving.for_good = true;
        None
    }

    /// Lays records down until `most` lie ready, or one does that was left from before.
    fn pull(&self, source: &mut Source<R, I>, most: usize) {
        let mut lying = READY - source.ready.slots();
        if lying > 0 {
            return;
        }
        // Taken out of its place, so that it is gone if it panics.
        let Some(mut records) = source.records.take() else {
            return;
        };
        while lying < most && !self.closed.load(Relaxed) {
            let Some(record) = records.next() else {
                return;
            };
            let laid_down = source.ready.push(record);
            assert!(laid_down.is_ok(), "only this end fills the ring");
            self.waiting.call_sleeper();
            lying += 1;
            if lying == most {
                lying = READY - source.ready.slots();
            }
        }
        source.records = Some(records);
    }

    /// Takes what lies ready if it is `enough`: a fair share of it, if others are hungry too.
    fn take_ready(&self, enough: usize, most: usize, into: &mut Vec<R>) -> Option<u64> {
        let mut ready = lock(&self.ready);
        let lying = ready.records.slots();
        if lying < enough || self.closed.load(Relaxed) {
            return None;
        }
        let hungry = self.hungry.load(Relaxed).max(1);
        let share = lying.div_ceil(hungry).min(most);
        let records = ready.records.read_chunk(share).ok()?;
        into.extend(records);
        let first = ready.first;
        ready.first += share as u64;
        Some(first)
    }
}

/// The worker that holds the iterator. The lock is let go before the others are told.
struct Puller<'p, R, I> {
    source: MutexGuard<'p, Source<R, I>>,
    leaving: Leaving<'p>,
}

/// Tells, also by a panic, that somebody else may pull, or that there is nothing more to wait for.
struct Leaving<'p> {
    waiting: &'p Waiting,
    for_good: bool,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        if self.for_good || panicking() {
            self.waiting.call_all();
        } else {
            self.waiting.call_one();
        }
    }
}
