//! A simulation of the executors: the recorded times of the units, handed out by the very code that
//! hands them out to threads, to as many workers as one likes, by a clock that is made up.
//!
//! Events are those of a discrete simulation: a worker wakes, or has finished a portion, and takes the
//! next one. Where all cores together do not get done as many times as much as one, every worker at
//! work is slowed down alike, by how many are at work just then. So there are two clocks: `done` says
//! how much each worker at work has got done, and portions end when that has gone on by what they
//! take; the `time` goes on faster, by the slowdown.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::time::Duration;

use super::costs::Costs;
use crate::execution::{Decision, InlinePhase, Pace, Queue};
use crate::measure::record_times::Stretch;

/// What is simulated.
pub(super) struct Crew<'a> {
    pub(super) workers: usize,
    pub(super) costs: &'a Costs,
    /// How many times longer everything takes while so many workers are at work.
    pub(super) slowdown: &'a dyn Fn(usize) -> f64,
}

/// What a worker is handed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Portion {
    pub(super) worker: usize,
    pub(super) units: Range<usize>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ran {
    /// Seconds until all units are done.
    pub(super) time: f64,
    /// How many workers had any.
    pub(super) workers: usize,
}

impl Crew<'_> {
    /// Runs all units; `see` is shown each portion as it begins.
    pub(super) fn run(&self, stretches: &[Stretch], see: &mut dyn FnMut(Portion)) -> Ran {
        let mut clock = Clock {
            slowdown: self.slowdown,
            done: 0.0,
            time: 0.0,
        };
        let units = stretches.iter().map(|stretch| stretch.units).sum();
        let mut times = Times::new(stretches);
        let mut inline = InlinePhase::new(units, self.workers, self.workers > 1);
        let mut workers = 1;
        loop {
            match inline.next(|| duration(clock.time)) {
                Decision::Run(units) => {
                    let takes = times.of(&units) + self.costs.step;
                    see(Portion { worker: 0, units });
                    clock.reach(clock.done + takes, 1);
                }
                Decision::Share(units, pace) => {
                    let mut first = |portion: Portion| {
                        workers = workers.max(portion.worker + 1);
                        see(portion);
                    };
                    self.share(units, pace, &mut times, &mut clock, &mut first);
                    clock.time += self.costs.end;
                    break;
                }
                Decision::Finished => break,
            }
        }
        Ran {
            time: clock.time,
            workers,
        }
    }

    fn share(
        &self,
        units: Range<usize>,
        pace: Pace,
        times: &mut Times<'_>,
        clock: &mut Clock<'_>,
        see: &mut dyn FnMut(Portion),
    ) {
        let queue = Queue::new(units, self.workers);
        let since = clock.done;
        let wakes = (0..self.workers).map(|worker| {
            let at = since + self.costs.wakes(worker, self.workers);
            Reverse(Event {
                at,
                worker,
                at_work: None,
                pace,
            })
        });
        let mut events: BinaryHeap<_> = wakes.collect();
        let mut active = 0;
        // When the queue has answered the last one who asked.
        let mut answered = since;
        let mut is_empty = false;
        while let Some(Reverse(mut event)) = events.pop() {
            if is_empty && event.at_work.is_none() && !self.costs.waits_for_all {
                continue;
            }
            clock.reach(event.at, active);
            if let Some((length, from)) = event.at_work.take() {
                event.pace = Pace::of(length, duration(clock.time - from));
                active -= 1;
            }
            let Some(units) = queue.take(event.pace) else {
                is_empty = true;
                continue;
            };
            active += 1;
            answered = clock.done.max(answered) + self.costs.taking;
            event.at = answered + self.costs.step + times.of(&units);
            event.at_work = Some((units.len(), clock.time));
            let worker = event.worker;
            see(Portion { worker, units });
            events.push(Reverse(event));
        }
    }
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// The two clocks.
struct Clock<'a> {
    slowdown: &'a dyn Fn(usize) -> f64,
    done: f64,
    time: f64,
}

impl Clock<'_> {
    /// Goes on until those at work have got so much done.
    fn reach(&mut self, done: f64, active: usize) {
        self.time += (done - self.done) * (self.slowdown)(active.max(1));
        self.done = done;
    }
}

/// Something that happens to a worker: it wakes, or has finished what it was handed.
struct Event {
    /// When, by what those at work have got done.
    at: f64,
    worker: usize,
    /// How many units it was at, and since what time.
    at_work: Option<(usize, f64)>,
    pace: Pace,
}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let by_time = self.at.total_cmp(&other.at);
        by_time.then(self.worker.cmp(&other.worker))
    }
}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Event {}

/// The times of units, asked for in their order.
struct Times<'s> {
    stretches: std::slice::Iter<'s, Stretch>,
    /// How many units are left of the present stretch, and what each takes.
    left: usize,
    each: f64,
}

impl<'s> Times<'s> {
    fn new(stretches: &'s [Stretch]) -> Self {
        Times {
            stretches: stretches.iter(),
            left: 0,
            each: 0.0,
        }
    }

    /// What these units take, which follow those asked for last.
    fn of(&mut self, units: &Range<usize>) -> f64 {
        let (mut wanted, mut seconds) = (units.len(), 0.0);
        while wanted > 0 {
            if self.left == 0 {
                let Some(stretch) = self.stretches.next() else {
                    break;
                };
                (self.left, self.each) = (stretch.units, stretch.each());
            }
            let taken = wanted.min(self.left);
            seconds += taken as f64 * self.each;
            wanted -= taken;
            self.left -= taken;
        }
        seconds
    }
}
