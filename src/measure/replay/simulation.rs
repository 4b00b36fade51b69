//! A discrete-event simulation of the executors.
//!
//! The same code that hands out units to threads hands them out here, to any number of simulated workers. Each
//! unit takes its recorded time on a simulated clock. An event occurs when a worker wakes or has finished its
//! units; the worker then takes the next units.
//!
//! If several busy cores are slower than one alone, every busy worker is slowed down by the same factor, which
//! depends on the number of busy workers. There are therefore two clocks. `progress` is the time that a busy
//! worker would have needed alone; an assignment ends when `progress` has advanced by the time of the
//! assignment. `time` is the real time, which advances faster than `progress` by that factor.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::time::Duration;

use super::costs::Costs;
use crate::execution::{InlineDecision, InlinePhase, Pace, UnitQueue};
use crate::measure::record_times::Stretch;

/// A simulated executor. All times are in seconds.
pub(super) struct Simulation<'a> {
    pub(super) workers: usize,
    pub(super) costs: &'a Costs,
    /// The slowdown for a number of busy workers: 2 is twice the time.
    pub(super) slowdown: &'a dyn Fn(usize) -> f64,
}

/// Units that a worker is handed at once.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Assignment {
    pub(super) worker: usize,
    pub(super) units: Range<usize>,
}

/// The result of a simulation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SimulatedRun {
    /// Time in seconds until all units are done.
    pub(super) time: f64,
    /// Number of workers that had any units.
    pub(super) workers: usize,
}

impl Simulation<'_> {
    /// Runs all units. Calls `observe` with each assignment when it begins.
    pub(super) fn run(
        &self,
        stretches: &[Stretch],
        observe: &mut dyn FnMut(Assignment),
    ) -> SimulatedRun {
        let mut clock = SimulatedClock {
            slowdown: self.slowdown,
            progress: 0.0,
            time: 0.0,
        };
        let units = stretches.iter().map(|stretch| stretch.units).sum();
        let mut times = UnitTimes::new(stretches);
        let mut inline = InlinePhase::new(units, self.workers, self.workers > 1);
        let mut workers = 1;
        loop {
            match inline.next(|| duration(clock.time)) {
                InlineDecision::Run(units) => {
                    let time = times.take(&units) + self.costs.step;
                    observe(Assignment { worker: 0, units });
                    clock.advance_to(clock.progress + time, 1);
                }
                InlineDecision::Share(units, pace) => {
                    let mut observe = |assignment: Assignment| {
                        workers = workers.max(assignment.worker + 1);
                        observe(assignment);
                    };
                    self.share(units, pace, &mut times, &mut clock, &mut observe);
                    clock.time += self.costs.end;
                    break;
                }
                InlineDecision::Finished => break,
            }
        }
        SimulatedRun {
            time: clock.time,
            workers,
        }
    }

    /// Runs the units that the workers share.
    fn share(
        &self,
        units: Range<usize>,
        pace: Pace,
        times: &mut UnitTimes<'_>,
        clock: &mut SimulatedClock<'_>,
        observe: &mut dyn FnMut(Assignment),
    ) {
        let queue = UnitQueue::new(units, self.workers);
        let start = clock.progress;
        let wakes = (0..self.workers).map(|worker| {
            let at = start + self.costs.wakes(worker, self.workers);
            Reverse(WorkerEvent {
                at,
                worker,
                finished: None,
                pace,
            })
        });
        let mut events: BinaryHeap<_> = wakes.collect();
        let mut busy = 0;
        // The time at which the queue is free again, because it serves one worker at a time.
        let mut queue_free = start;
        let mut is_empty = false;
        while let Some(Reverse(mut event)) = events.pop() {
            if is_empty && event.finished.is_none() && !self.costs.waits_for_all {
                continue;
            }
            clock.advance_to(event.at, busy);
            if let Some((length, from)) = event.finished.take() {
                event.pace = Pace::of(length, duration(clock.time - from));
                busy -= 1;
            }
            let Some(units) = queue.take(event.pace) else {
                is_empty = true;
                continue;
            };
            busy += 1;
            queue_free = clock.progress.max(queue_free) + self.costs.taking;
            event.at = queue_free + self.costs.step + times.take(&units);
            event.finished = Some((units.len(), clock.time));
            let worker = event.worker;
            observe(Assignment { worker, units });
            events.push(Reverse(event));
        }
    }
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// The two clocks, in seconds. See the description of this module.
struct SimulatedClock<'a> {
    slowdown: &'a dyn Fn(usize) -> f64,
    progress: f64,
    time: f64,
}

impl SimulatedClock<'_> {
    /// Advances both clocks until `progress` has this value, while this number of workers is busy.
    fn advance_to(&mut self, progress: f64, busy: usize) {
        self.time += (progress - self.progress) * (self.slowdown)(busy.max(1));
        self.progress = progress;
    }
}

/// An event: a worker wakes, or has finished its units.
struct WorkerEvent {
    /// When the event happens, as a value of `progress`.
    at: f64,
    worker: usize,
    /// The number of units that the worker has finished and the time at which it began them; `None` if the
    /// worker wakes.
    finished: Option<(usize, f64)>,
    pace: Pace,
}

impl Ord for WorkerEvent {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let by_time = self.at.total_cmp(&other.at);
        by_time.then(self.worker.cmp(&other.worker))
    }
}

impl PartialOrd for WorkerEvent {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for WorkerEvent {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for WorkerEvent {}

/// The times of the units, which are taken in order.
struct UnitTimes<'s> {
    stretches: std::slice::Iter<'s, Stretch>,
    /// Number of units left in the current stretch.
    left: usize,
    /// Time of a unit in the current stretch, in seconds.
    seconds_per_unit: f64,
}

impl<'s> UnitTimes<'s> {
    fn new(stretches: &'s [Stretch]) -> Self {
        UnitTimes {
            stretches: stretches.iter(),
            left: 0,
            seconds_per_unit: 0.0,
        }
    }

    /// Time of these units in seconds. These units must directly follow the units of the previous call.
    fn take(&mut self, units: &Range<usize>) -> f64 {
        let (mut wanted, mut seconds) = (units.len(), 0.0);
        while wanted > 0 {
            if self.left == 0 {
                let Some(stretch) = self.stretches.next() else {
                    break;
                };
                (self.left, self.seconds_per_unit) = (stretch.units, stretch.seconds_per_unit());
            }
            let taken = wanted.min(self.left);
            seconds += taken as f64 * self.seconds_per_unit;
            wanted -= taken;
            self.left -= taken;
        }
        seconds
    }
}
