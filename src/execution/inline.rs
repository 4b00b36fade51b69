//! The inline phase: the calling thread runs the first units by itself, and wakes other workers only if the
//! remaining units are worth sharing.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::pace::Pace;
use super::{Flow, Work};

/// The calling thread does not wake other workers before it has worked for this long. Before that, the
/// times of the first units are too uncertain to predict those of the rest.
pub(crate) const INLINE_TIME: Duration = Duration::from_micros(10);
/// Other workers are woken only if the remaining units would keep the calling thread busy for at least this
/// long. Waking a worker costs about 10 µs on each of the two threads, and two workers halve the remaining
/// time at best.
pub(crate) const WORTH_WAKING: Duration = Duration::from_micros(50);
/// Between two looks at the clock, the number of finished units grows at most by this factor, so that
/// ten units of 100 ns need only two looks.
const GROWTH: usize = 3;
/// Unless [`UNSEEN_FRACTION`] allows more, at most this many units run between two looks at the clock,
/// because later units may be far slower.
const UNSEEN: usize = 32;
/// One worker's share of the remaining units, divided by this number, may run between two looks at
/// the clock if that is more than [`UNSEEN`]. A run whose units become slow right after a look takes at
/// most a quarter longer, and a run whose units stay cheap does not pay for many looks.
const UNSEEN_FRACTION: usize = 4;

/// What the calling thread does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InlineDecision {
    /// The calling thread runs these units itself.
    Run(Range<usize>),
    /// The calling thread shares these remaining units with other workers. The pace is that of the units so
    /// far.
    Share(Range<usize>, Pace),
    /// All units are done.
    Finished,
}

/// The state of an inline phase. Its decisions depend only on the elapsed time, which is supplied by a clock,
/// a simulation or a test.
#[derive(Clone, Debug)]
pub(crate) struct InlinePhase {
    units: usize,
    workers: usize,
    /// The number of units that have been handed out. All of them are done by the next call of
    /// [`next`](InlinePhase::next).
    done: usize,
    /// Whether other workers may be woken at all.
    may_share: bool,
}

impl InlinePhase {
    /// Creates the inline phase of a run over `units` units, which up to `workers` workers may run. If
    /// `may_share` is false, the calling thread runs all units at once and the clock is not read.
    pub(crate) fn new(units: usize, workers: usize, may_share: bool) -> Self {
        InlinePhase {
            units,
            workers,
            done: 0,
            may_share,
        }
    }

    /// Decides what comes next. `elapsed` returns the time since the first unit began; it is called
    /// only if the decision depends on it.
    pub(crate) fn next(&mut self, elapsed: impl FnOnce() -> Duration) -> InlineDecision {
        if self.done == self.units {
            return InlineDecision::Finished;
        }
        let mut portion = 1;
        if !self.may_share {
            portion = self.units;
        } else if self.done > 0 {
            let elapsed = elapsed();
            let units = self.units - self.done;
            let left = elapsed.as_secs_f64() / self.done as f64 * units as f64;
            if elapsed >= INLINE_TIME && left >= WORTH_WAKING.as_secs_f64() {
                return InlineDecision::Share(self.done..self.units, Pace::of(self.done, elapsed));
            }
            let unseen = UNSEEN.max(units / (UNSEEN_FRACTION * self.workers));
            portion = unseen.min(self.done.saturating_mul(GROWTH));
        }
        let end = self.units.min(self.done.saturating_add(portion));
        InlineDecision::Run(std::mem::replace(&mut self.done, end)..end)
    }
}

/// Runs units as worker 0 until the remaining units are worth sharing among `workers` workers. Returns the
/// remaining units and the pace of the units so far, or `None` if all units are done or a call has returned
/// [`Flow::Stop`].
///
/// If calls may wait, all units are shared at once: ten calls of a service should take as long as one call,
/// and the calling thread would learn how long a call takes only after the first one.
pub(super) fn run_inline(
    work: &Work<'_>,
    workers: usize,
    may_share: bool,
) -> Option<(Range<usize>, Pace)> {
    let began = Instant::now();
    run_inline_by(|| began.elapsed(), work, workers, may_share)
}

/// Like [`run_inline`], but reads the time since the call of this function from `clock`.
pub(super) fn run_inline_by(
    clock: impl Fn() -> Duration,
    work: &Work<'_>,
    workers: usize,
    may_share: bool,
) -> Option<(Range<usize>, Pace)> {
    let units = work.units();
    if work.waits() && may_share && units > 1 {
        return Some((0..units, Pace::one()));
    }
    let mut phase = InlinePhase::new(units, workers, may_share);
    loop {
        match phase.next(&clock) {
            // A request to pause has no effect, because there is no other call for which this worker could
            // wait.
            InlineDecision::Run(units) if work.run(0, units.clone()) != Flow::Stop => {}
            InlineDecision::Share(units, pace) => return Some((units, pace)),
            InlineDecision::Run(_) | InlineDecision::Finished => return None,
        }
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Runs an inline phase in which unit `n` takes `cost(n)`. Returns the number of units that ran
    /// inline, the time they took, and how often the clock was read.
    fn inline(
        units: usize,
        workers: usize,
        cost: impl Fn(usize) -> Duration,
    ) -> (usize, Duration, usize) {
        let mut phase = InlinePhase::new(units, workers, workers > 1);
        let (mut time, reads) = (Duration::ZERO, Cell::new(0));
        let clock = |time: Duration| {
            reads.set(reads.get() + 1);
            time
        };
        let mut done = 0;
        loop {
            match phase.next(|| clock(time)) {
                InlineDecision::Run(run) => {
                    assert_eq!(run.start, done, "units were left out or run twice");
                    time += run.clone().map(&cost).sum::<Duration>();
                    done = run.end;
                }
                InlineDecision::Share(rest, _) => {
                    assert_eq!(rest, done..units);
                    return (done, time, reads.get());
                }
                InlineDecision::Finished => {
                    assert_eq!(done, units);
                    return (done, time, reads.get());
                }
            }
        }
    }

    fn nanos(nanos: u64) -> impl Fn(usize) -> Duration {
        move |_| Duration::from_nanos(nanos)
    }

    #[test]
    fn a_short_run_wakes_no_worker_and_rarely_reads_the_clock() {
        for (units, cost) in [
            (0, 0),
            (1, 1_000_000_000),
            (10, 100),
            (10, 5_000),
            (500, 100),
        ] {
            let (done, _, reads) = inline(units, 4, nanos(cost));
            assert_eq!(done, units, "{units} units of {cost} ns");
            assert!(reads <= 20, "{reads} looks for {units} units of {cost} ns");
        }
        assert_eq!(inline(10, 4, nanos(100)).2, 2);
    }

    #[test]
    fn one_worker_runs_everything_without_a_clock() {
        assert_eq!(inline(1_000_000, 1, nanos(1_000)).2, 0);
    }

    #[test]
    fn slow_units_are_shared_after_the_first() {
        for workers in [2, 16] {
            assert_eq!(inline(1_000, workers, nanos(10_000)).0, 1);
            // There are only two units, of 2 ms each.
            assert_eq!(inline(2, workers, nanos(2_000_000)).0, 1);
        }
    }

    #[test]
    fn cheap_units_are_shared_once_they_are_worth_it() {
        let (_, time, _) = inline(1_000_000, 2, nanos(10));
        assert!(time >= INLINE_TIME && time < 5 * INLINE_TIME, "{time:?}");
    }

    #[test]
    fn cheap_units_at_first_do_not_keep_slow_ones_from_the_other_workers() {
        for workers in [2, 3, 16] {
            for cheap in [1, 10, 100, 399] {
                let cost = |unit| Duration::from_nanos(if unit < cheap { 50 } else { 1_000_000 });
                let (done, _, _) = inline(800, workers, cost);
                let unseen = UNSEEN.max(800 / (UNSEEN_FRACTION * workers));
                assert!(
                    done <= cheap + unseen,
                    "{done} units ran inline, {cheap} of them cheap"
                );
            }
        }
    }
}
