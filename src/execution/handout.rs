//! Hands out units in increasing order, in portions whose length is set by the clock.
//!
//! A portion lasts just long enough that taking it costs little in comparison. It does not last longer,
//! because a slow record holds up the other records of its portion. Between these bounds, portions shrink
//! towards the end of the run, so that all workers finish at about the same time. This is guided
//! self-scheduling (Polychronopoulos and Kuck, 1987) with bounds set by the clock.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::pace::Pace;
use super::{Flow, Work};
use crate::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A worker takes its fair share of the remaining units, divided by this number, within the bounds of its
/// pace.
const FRACTION: usize = 4;

/// The units that have not been handed out yet.
#[derive(Debug)]
pub(crate) struct UnitQueue {
    next: AtomicUsize,
    units: usize,
    workers: usize,
}

impl UnitQueue {
    /// Creates a queue of these units for `workers` workers.
    pub(crate) fn new(units: Range<usize>, workers: usize) -> Self {
        UnitQueue {
            next: AtomicUsize::new(units.start),
            units: units.end,
            workers,
        }
    }

    /// Takes the next portion for a worker of this pace; `None` if no unit is left.
    pub(crate) fn take(&self, pace: Pace) -> Option<Range<usize>> {
        let mut next = self.next.load(Relaxed);
        while next < self.units {
            let left = self.units - next;
            let end = next + pace.portion(left / (FRACTION * self.workers)).min(left);
            match self.next.compare_exchange_weak(next, end, Relaxed, Relaxed) {
                Ok(_) => return Some(next..end),
                Err(now) => next = now,
            }
        }
        None
    }

    fn close(&self) {
        self.next.store(self.units, Relaxed);
    }
}

/// The units that have not been handed out yet, and the work to which they belong.
pub(super) struct Handout<'w> {
    queue: UnitQueue,
    work: &'w Work<'w>,
}

impl<'w> Handout<'w> {
    pub(super) fn new(units: Range<usize>, workers: usize, work: &'w Work<'w>) -> Self {
        Handout {
            queue: UnitQueue::new(units, workers),
            work,
        }
    }

    /// Runs portions as `worker` until no unit is left or a call asks to pause. Returns `None` if no unit is
    /// left. If a call asked to pause, returns the worker's pace; the call for which the worker must wait is
    /// then still in flight. Calls `went_on` after each portion whose call did not ask to pause.
    pub(super) fn work(&self, worker: usize, pace: Pace, went_on: impl Fn()) -> Option<Pace> {
        let since = Instant::now();
        self.work_by(|| since.elapsed(), worker, pace, went_on)
    }

    /// Like [`work`](Handout::work), but reads the time from `clock`, which may count from any moment.
    pub(super) fn work_by(
        &self,
        clock: impl Fn() -> Duration,
        worker: usize,
        pace: Pace,
        went_on: impl Fn(),
    ) -> Option<Pace> {
        let closing = CloseOnPanic(&self.queue);
        let mut pace = pace;
        let mut paused = None;
        while let Some(units) = self.queue.take(pace) {
            let (began, length) = (clock(), units.len());
            let flow = self.work.run(worker, units);
            let elapsed = clock() - began;
            let known = self.work.pace(worker);
            pace = known.unwrap_or_else(|| Pace::of(length, elapsed));
            match flow {
                Flow::Go => went_on(),
                Flow::Pause => {
                    paused = Some(pace);
                    break;
                }
                Flow::Stop => self.queue.close(),
            }
        }
        std::mem::forget(closing);
        paused
    }
}

/// Closes the queue when a worker unwinds. A panic outside a task ends the run, so the other workers need not
/// finish the remaining units before the panic is reported.
struct CloseOnPanic<'h>(&'h UnitQueue);

impl Drop for CloseOnPanic<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}
