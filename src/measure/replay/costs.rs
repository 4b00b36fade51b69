//! The costs of an executor itself on this machine, measured just before it is simulated: the costs of waking
//! workers, handing out units, and ending the run.
//!
//! No cost is a constant from another machine. The lower quartile of repeated measurements counts, because on a
//! busy machine a thread also waits for a core, which is not a cost of the executor.

use std::ops::Range;
use std::thread;
use std::time::{Duration, Instant};

use crate::execution::{Executor, Flow, Pace, TaskQueue, UnitQueue, Work, WorkStealing};
use crate::machine::usable_cores;
use crate::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use crate::sync::{Mutex, into_inner, lock};

/// Number of times that the measurement is repeated.
const TIMES: usize = 25;
/// Pause between two measurements, in which workers fall asleep.
const PAUSE: Duration = Duration::from_millis(1);
/// Number of workers with which the cost to wake the first one is measured.
const FEW_WORKERS: usize = 2;
/// Number of workers with which the cost to wake one more is measured. The workers do not need a core each,
/// because they wait most of the time.
const MANY_WORKERS: usize = 16;

/// An executor that can be simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SimulatedExecutor {
    WorkStealing,
    TaskQueue,
}

impl SimulatedExecutor {
    /// The executor of this name; `None` if it cannot be simulated.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "work-stealing" => Some(SimulatedExecutor::WorkStealing),
            "task-queue" => Some(SimulatedExecutor::TaskQueue),
            _ => None,
        }
    }

    fn start(self, workers: usize) -> Box<dyn Executor> {
        match self {
            SimulatedExecutor::WorkStealing => Box::new(WorkStealing::new(workers)),
            SimulatedExecutor::TaskQueue => Box::new(TaskQueue::new(workers)),
        }
    }
}

/// What an executor costs, in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Costs {
    /// Cost of an assignment, for the worker that has it.
    pub(super) step: f64,
    /// Time for which an assignment occupies the queue: while one worker takes units, the others wait.
    pub(super) taking: f64,
    /// Time from the decision to share until the first worker is woken.
    pub(super) first: f64,
    /// Time to wake one more worker. Worker 0 wakes the others, one after the other, before it begins.
    pub(super) each: f64,
    /// Time from waking a worker to its first assignment.
    pub(super) latency: f64,
    /// Time from the last assignment to the end of the run.
    pub(super) end: f64,
    /// True if the run does not end before every worker has been awake.
    pub(super) waits_for_all: bool,
}

impl Costs {
    /// Measures the costs of an executor. `step` is known from the recorded times.
    pub(super) fn measure(executor: SimulatedExecutor, step: f64) -> Self {
        let few = WakeTimes::measure(&*executor.start(FEW_WORKERS));
        let many = WakeTimes::measure(&*executor.start(MANY_WORKERS));
        let more = (MANY_WORKERS - FEW_WORKERS) as f64;
        let each = ((many.first - few.first) / more).max(0.0);
        Costs {
            step,
            taking: taking(usable_cores().max(FEW_WORKERS)),
            first: (few.first - each).max(0.0),
            each,
            latency: (few.second - few.first).max(0.0),
            end: few.end,
            // A queue joins its threads; in a pool, any worker that is awake takes a task.
            waits_for_all: executor == SimulatedExecutor::TaskQueue,
        }
    }

    /// Time in seconds from the decision to share until this worker is awake, if there are `workers` workers.
    pub(super) fn wakes(&self, worker: usize, workers: usize) -> f64 {
        match worker {
            0 => self.first + self.each * (workers - 1) as f64,
            _ => self.first + self.each * worker as f64 + self.latency,
        }
    }
}

/// When the workers of an executor begin and end, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct WakeTimes {
    /// Time from the decision to share until worker 0 begins, after it has woken the others.
    first: f64,
    /// Time from the decision to share until the first of the other workers begins.
    second: f64,
    /// Time from the end of the last call to the end of the run.
    end: f64,
}

/// A call of a worker: its number, when it began and when it ended.
type TimedCall = (usize, Instant, Instant);

impl WakeTimes {
    /// The lower quartiles of repeated measurements.
    fn measure(executor: &dyn Executor) -> WakeTimes {
        // The first run starts the threads of a pool.
        WakeTimes::measure_once(executor);
        let times: Vec<WakeTimes> = (0..TIMES)
            .map(|_| {
                thread::sleep(PAUSE);
                WakeTimes::measure_once(executor)
            })
            .collect();
        let quartile = |figure: fn(&WakeTimes) -> f64| lower_quartile(times.iter().map(figure));
        WakeTimes {
            first: quartile(|one| one.first),
            second: quartile(|one| one.second),
            end: quartile(|one| one.end),
        }
    }

    /// Runs a first unit that is long enough for the executor to wake its workers, and then one unit for
    /// each worker, which waits until all workers have begun.
    fn measure_once(executor: &dyn Executor) -> WakeTimes {
        /// Duration of the first unit: longer than the calling thread works alone.
        const FIRST_UNIT: Duration = Duration::from_micros(50);
        /// How long a waiting worker sleeps before it looks again.
        const NAP: Duration = Duration::from_micros(20);
        /// The longest time that a worker waits for the others.
        const LONGEST_WAIT: Duration = Duration::from_millis(10);

        let workers = executor.workers();
        let calls: Mutex<Vec<TimedCall>> = Mutex::default();
        let begun = AtomicUsize::new(0);
        let run = |worker: usize, units: Range<usize>| {
            let from = Instant::now();
            if units.start == 0 {
                while from.elapsed() < FIRST_UNIT {
                    std::hint::spin_loop();
                }
            } else {
                begun.fetch_add(1, SeqCst);
                while begun.load(SeqCst) < workers && from.elapsed() < LONGEST_WAIT {
                    thread::sleep(NAP);
                }
            }
            lock(&calls).push((worker, from, Instant::now()));
            Flow::Go
        };
        executor.execute(&Work::new(1 + workers, &run));
        WakeTimes::of(into_inner(calls), Instant::now())
    }

    /// The times of a run whose first unit was one call, and which ended at `end`.
    fn of(mut calls: Vec<TimedCall>, end: Instant) -> WakeTimes {
        calls.sort_by_key(|(_, from, _)| *from);
        let mut calls = calls.into_iter();
        let decision = calls.next().map_or(end, |(_, _, until)| until);
        let (mut first, mut second, mut last) = (None, None, decision);
        for (worker, from, until) in calls {
            let begin = if worker == 0 { &mut first } else { &mut second };
            begin.get_or_insert(from);
            last = last.max(until);
        }
        let after = |at: Option<Instant>| at.map_or(f64::NAN, |at| (at - decision).as_secs_f64());
        WakeTimes {
            first: after(first),
            second: after(second),
            end: (end - last).as_secs_f64(),
        }
    }
}

/// Time in seconds to take units from the queue while this number of threads does the same.
fn taking(threads: usize) -> f64 {
    const UNITS: usize = 50_000;
    let measure = || {
        let queue = UnitQueue::new(0..UNITS, threads);
        let take_all = || while queue.take(Pace::one()).is_some() {};
        let began = Instant::now();
        thread::scope(|scope| {
            for _ in 1..threads {
                // If a thread cannot be started, the others take its units.
                let _ = thread::Builder::new().spawn_scoped(scope, take_all);
            }
            take_all();
        });
        began.elapsed().as_secs_f64() / UNITS as f64
    };
    lower_quartile((0..TIMES / 5).map(|_| measure()))
}

/// The lower quartile of the finite values; 0 if there are none.
fn lower_quartile(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 4).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_known_calls() {
        let start = Instant::now();
        let at = |micros: u64| start + Duration::from_micros(micros);
        // Worker 0 runs the first unit until 50 µs; worker 2 begins before worker 0 and worker 1 do.
        let calls = vec![
            (2, at(58), at(70)),
            (0, at(60), at(70)),
            (1, at(61), at(75)),
            (0, at(0), at(50)),
        ];
        let times = WakeTimes::of(calls, at(79));
        let micros = [times.first, times.second, times.end].map(|time| (time * 1e6).round());
        assert_eq!(micros, [10.0, 8.0, 4.0]);
        // No other worker has begun.
        let alone = WakeTimes::of(vec![(0, at(0), at(50)), (0, at(50), at(60))], at(60));
        assert!(alone.first == 0.0 && alone.second.is_nan());
    }

    #[test]
    fn the_lower_quartile_leaves_out_what_is_not_a_number() {
        let values = [f64::NAN, 4.0, 1.0, 3.0, 2.0, 5.0];
        assert_eq!(lower_quartile(values.into_iter()), 2.0);
        assert_eq!(lower_quartile([f64::NAN].into_iter()), 0.0);
    }

    #[test]
    fn measured_costs_are_finite_times() {
        for executor in [
            SimulatedExecutor::WorkStealing,
            SimulatedExecutor::TaskQueue,
        ] {
            let costs = Costs::measure(executor, 1e-7);
            let Costs {
                first,
                each,
                latency,
                end,
                taking,
                ..
            } = costs;
            for cost in [first, each, latency, end, taking] {
                assert!(cost >= 0.0 && cost.is_finite(), "{costs:?}");
            }
            // Workers are woken one after the other.
            assert!(costs.wakes(5, 9) >= costs.wakes(4, 9));
        }
        assert_eq!(SimulatedExecutor::named("TaskQueue"), None);
    }
}
