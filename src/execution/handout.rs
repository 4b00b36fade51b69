//! Hands out units in increasing order, in portions that follow the clock.
//!
//! A portion should last long enough that taking it costs nothing beside it, and no longer: a
//! record that turns out dear holds up only the neighbours in its own portion. Portions also
//! shrink towards the end, so that the workers finish together. Guided self-scheduling
//! (Polychronopoulos and Kuck, 1987), with the clock as an upper bound.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::Run;

/// How long a portion should last.
const PORTION: Duration = Duration::from_micros(250);
/// A portion grows by this factor at most, since the records to come may be dearer.
const GROWTH: usize = 8;
/// The most a portion may be, as a fraction of its fair share of what is left.
const TAIL: usize = 4;

/// The units not yet handed out.
pub(super) struct Handout {
    next: AtomicUsize,
    units: usize,
    workers: usize,
}

impl Handout {
    pub(super) fn new(first: usize, units: usize, workers: usize) -> Self {
        Handout {
            next: AtomicUsize::new(first),
            units,
            workers,
        }
    }

    /// Works through portions as `worker` until nothing is left.
    pub(super) fn work(&self, worker: usize, mut portion: usize, run: &Run<'_>) {
        while let Some(units) = self.take(portion) {
            let (began, length) = (Instant::now(), units.len());
            if run(worker, units).is_break() {
                self.next.store(self.units, Relaxed);
                return;
            }
            portion = next_portion(length, began.elapsed());
        }
    }

    fn take(&self, portion: usize) -> Option<Range<usize>> {
        let mut next = self.next.load(Relaxed);
        while next < self.units {
            let most = (self.units - next) / (TAIL * self.workers);
            let end = next + portion.min(most).max(1);
            match self.next.compare_exchange_weak(next, end, Relaxed, Relaxed) {
                Ok(_) => return Some(next..end),
                Err(now) => next = now,
            }
        }
        None
    }
}

/// The portion that would last as long as one should, going by the last one.
pub(super) fn next_portion(length: usize, elapsed: Duration) -> usize {
    let nanos_a_unit = (elapsed.as_nanos() / length.max(1) as u128).max(1);
    let portion = usize::try_from(PORTION.as_nanos() / nanos_a_unit).unwrap_or(usize::MAX);
    portion.clamp(1, length.saturating_mul(GROWTH))
}
