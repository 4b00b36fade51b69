//! Hands out units in increasing order, in portions that follow the clock.
//!
//! A portion should last long enough that taking it costs nothing beside it, and no longer: a
//! record that turns out dear holds up only the neighbours in its own portion. Between the two,
//! portions shrink towards the end, so that the workers finish together. Guided self-scheduling
//! (Polychronopoulos and Kuck, 1987), with the clock for bounds.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::{Flow, Work};
use crate::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A portion lasts at least this long, as far as the units before it tell …
const LEAST: Duration = Duration::from_micros(10);
/// … and at most this long.
const MOST: Duration = Duration::from_micros(250);
/// Within these, a worker takes this fraction of its fair share of what is left.
const FRACTION: usize = 4;
/// A portion is at most this many times the last one, since the records to come may be dearer.
const GROWTH: usize = 8;

/// How many units make a portion, going by what the last ones cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    least: usize,
    most: usize,
}

impl Pace {
    /// One by one, where nothing is known.
    pub(crate) fn one() -> Self {
        Pace { least: 1, most: 1 }
    }

    /// The pace of so many units in so long a time.
    pub(crate) fn of(units: usize, elapsed: Duration) -> Self {
        let nanos_a_unit = (elapsed.as_nanos() / units.max(1) as u128).max(1);
        let units_in = |time: Duration| {
            let units_in = usize::try_from(time.as_nanos() / nanos_a_unit).unwrap_or(usize::MAX);
            units_in.clamp(1, units.saturating_mul(GROWTH))
        };
        Pace {
            least: units_in(LEAST),
            most: units_in(MOST),
        }
    }

    /// The next portion where `fair` units would be a fair one.
    pub(super) fn portion(self, fair: usize) -> usize {
        fair.clamp(self.least, self.most)
    }
}

/// The units not yet handed out.
#[derive(Debug)]
pub(crate) struct Queue {
    next: AtomicUsize,
    units: usize,
    workers: usize,
}

impl Queue {
    /// These units, for so many workers.
    pub(crate) fn new(units: Range<usize>, workers: usize) -> Self {
        Queue {
            next: AtomicUsize::new(units.start),
            units: units.end,
            workers,
        }
    }

    /// The next portion for a worker of this pace; `None` where nothing is left.
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

/// The units not yet handed out, and what to do with them.
pub(super) struct Handout<'w> {
    queue: Queue,
    work: &'w Work<'w>,
}

impl<'w> Handout<'w> {
    pub(super) fn new(units: Range<usize>, workers: usize, work: &'w Work<'w>) -> Self {
        Handout {
            queue: Queue::new(units, workers),
            work,
        }
    }

    /// Works through portions as `worker`, until nothing is left, or it is told to rest: then its
    /// pace is returned, and whoever it waits for is still at work. Calls `went_on` after each
    /// portion that did not end so.
    pub(super) fn work(&self, worker: usize, pace: Pace, went_on: impl Fn()) -> Option<Pace> {
        let since = Instant::now();
        self.work_by(|| since.elapsed(), worker, pace, went_on)
    }

    /// The same, by a clock that goes from any time on.
    pub(super) fn work_by(
        &self,
        clock: impl Fn() -> Duration,
        worker: usize,
        pace: Pace,
        went_on: impl Fn(),
    ) -> Option<Pace> {
        let closing = CloseOnPanic(&self.queue);
        let mut pace = pace;
        let mut rests = None;
        while let Some(units) = self.queue.take(pace) {
            let (began, length) = (clock(), units.len());
            let flow = self.work.run(worker, units);
            pace = Pace::of(length, clock() - began);
            match flow {
                Flow::Go => went_on(),
                Flow::Rest => {
                    rests = Some(pace);
                    break;
                }
                Flow::Stop => self.queue.close(),
            }
        }
        std::mem::forget(closing);
        rests
    }
}

/// Hands out nothing further when a worker unwinds: what has panicked outside a task ends the run,
/// and the others need not go on to the end before that is told.
struct CloseOnPanic<'h>(&'h Queue);

impl Drop for CloseOnPanic<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}
