//! The beginning of a piece of work: the calling thread by itself.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::handout::Pace;
use super::{Flow, Work};

/// The calling thread begins alone for this long …
const ALONE: Duration = Duration::from_micros(20);
/// … and wakes the others if what is left would take it at least this long: waking costs some ten
/// microseconds on each side, and halves the rest at best if there are two.
const WORTH_WAKING: Duration = Duration::from_micros(50);
/// The calling thread goes on with at most this many times what it has done before it looks at the
/// clock again …
const GROWTH: usize = 3;
/// … and with at most so many units, since those to come may be far dearer than those before, …
const UNSEEN: usize = 32;
/// … or this fraction of a worker's share of what is left, if that is more: so a run that turns out
/// dear at the worst moment is at most a quarter longer for it, and one that stays cheap is not made
/// twice as long by looks at the clock.
const UNSEEN_FRACTION: usize = 4;

/// What the calling thread does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It runs these units.
    Run(Range<usize>),
    /// It shares the rest, which has this pace so far.
    Share(Range<usize>, Pace),
    /// Nothing is left.
    End,
}

/// How far the calling thread has come by itself. What it does next follows from that and from the
/// time, whoever tells it: the clock, or a simulation.
#[derive(Clone, Debug)]
pub(crate) struct Beginning {
    units: usize,
    workers: usize,
    one_worker: bool,
    /// The units that have been handed out; all of them are done when it is asked for the next.
    done: usize,
}

impl Beginning {
    /// The beginning of so many units that so many workers may share. With `one_worker` they never
    /// do, and nobody need look at the clock.
    pub(crate) fn new(units: usize, workers: usize, one_worker: bool) -> Self {
        Beginning {
            units,
            workers,
            one_worker,
            done: 0,
        }
    }

    /// What comes next, so long after the first unit was begun.
    pub(crate) fn next(&mut self, elapsed: impl FnOnce() -> Duration) -> Step {
        if self.done == self.units {
            return Step::End;
        }
        let mut portion = 1;
        if self.one_worker {
            portion = self.units;
        } else if self.done > 0 {
            let elapsed = elapsed();
            let pace = Pace::of(self.done, elapsed);
            let units = self.units - self.done;
            let left = elapsed.as_secs_f64() / self.done as f64 * units as f64;
            if elapsed >= ALONE && left >= WORTH_WAKING.as_secs_f64() {
                return Step::Share(self.done..self.units, pace);
            }
            let unseen = units / (UNSEEN_FRACTION * self.workers);
            portion = pace
                .portion(usize::MAX)
                .min(unseen.max(UNSEEN))
                .min(self.done.saturating_mul(GROWTH));
        }
        let end = self.units.min(self.done.saturating_add(portion));
        Step::Run(std::mem::replace(&mut self.done, end)..end)
    }
}

/// Runs units as worker 0, until the rest is worth sharing among so many workers; returns that rest,
/// and its pace. With `one_worker` it never is. Where units may wait all of them are: to call a service
/// ten times should take as long as to call it once, and who is alone cannot tell before the first call
/// is over.
pub(super) fn begin(
    work: &Work<'_>,
    workers: usize,
    one_worker: bool,
) -> Option<(Range<usize>, Pace)> {
    let began = Instant::now();
    begin_by(|| began.elapsed(), work, workers, one_worker)
}

/// The same, by a clock that tells the time since now.
pub(super) fn begin_by(
    clock: impl Fn() -> Duration,
    work: &Work<'_>,
    workers: usize,
    one_worker: bool,
) -> Option<(Range<usize>, Pace)> {
    let units = work.units();
    if work.waits() && !one_worker && units > 1 {
        return Some((0..units, Pace::one()));
    }
    let mut beginning = Beginning::new(units, workers, one_worker);
    loop {
        match beginning.next(&clock) {
            // Alone there is nothing ahead of its turn, and no cause to rest.
            Step::Run(units) if work.run(0, units.clone()) != Flow::Stop => {}
            Step::Share(units, pace) => return Some((units, pace)),
            Step::Run(_) | Step::End => return None,
        }
    }
}
