//! What an executor itself costs here, measured just before it is simulated: waking workers, handing
//! out, coming to an end.
//!
//! Nothing here is a constant of some other machine. What is measured is told by the lower quartile: a
//! machine that others use too lets threads wait for a core, which is not the executor's cost.

use std::ops::Range;
use std::thread;
use std::time::{Duration, Instant};

use crate::execution::{Executor, Flow, Pace, Queue, TaskQueue, Work, WorkStealing};
use crate::machine::usable_cores;
use crate::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use crate::sync::{Mutex, into_inner, lock};

/// What is measured is measured so often.
const TIMES: usize = 25;
/// Between two measurements workers have so much time to fall asleep.
const PAUSE: Duration = Duration::from_millis(1);
/// Two workers tell what it takes to wake the first, …
const PAIR: usize = 2;
/// … and so many, what it takes to wake one more. They need no core each, since they wait most of the
/// time.
const CROWD: usize = 16;

/// An executor that can be simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    WorkStealing,
    TaskQueue,
}

impl Kind {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "work-stealing" => Some(Kind::WorkStealing),
            "task-queue" => Some(Kind::TaskQueue),
            _ => None,
        }
    }

    fn with(self, workers: usize) -> Box<dyn Executor> {
        match self {
            Kind::WorkStealing => Box::new(WorkStealing::new(workers)),
            Kind::TaskQueue => Box::new(TaskQueue::new(workers)),
        }
    }
}

/// What an executor costs, in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Costs {
    /// For each portion, in the worker that has it.
    pub(super) step: f64,
    /// For each portion, in the queue that all take from: while one takes, no other can.
    pub(super) taking: f64,
    /// Before the first worker is woken.
    pub(super) first: f64,
    /// To wake one more. Worker 0 wakes the others, one after the other, and begins after that.
    pub(super) each: f64,
    /// From waking a worker to its first portion.
    pub(super) latency: f64,
    /// From the last portion to the end.
    pub(super) end: f64,
    /// Whether it does not end before every worker has been awake.
    pub(super) waits_for_all: bool,
}

impl Costs {
    /// Measures them; what a portion costs in the pipeline is known from the records.
    pub(super) fn measure(kind: Kind, step: f64) -> Self {
        let pair = Woken::often(&*kind.with(PAIR));
        let crowd = Woken::often(&*kind.with(CROWD));
        let more = (CROWD - PAIR) as f64;
        let each = ((crowd.first - pair.first) / more).max(0.0);
        Costs {
            step,
            taking: taking(usable_cores().max(PAIR)),
            first: (pair.first - each).max(0.0),
            each,
            latency: (pair.second - pair.first).max(0.0),
            end: pair.end,
            // A thread of its own has to be joined; a task in a pool is taken by whoever is awake.
            waits_for_all: kind == Kind::TaskQueue,
        }
    }

    /// When one of so many workers is awake, counted from when they are wanted.
    pub(super) fn wakes(&self, worker: usize, of: usize) -> f64 {
        match worker {
            0 => self.first + self.each * (of - 1) as f64,
            _ => self.first + self.each * worker as f64 + self.latency,
        }
    }
}

/// When workers of an executor began, since they were wanted, in seconds.
#[derive(Clone, Copy, Debug)]
struct Woken {
    /// Worker 0, which had woken the others.
    first: f64,
    /// The first of the others.
    second: f64,
    /// From the end of the last call to the end.
    end: f64,
}

impl Woken {
    fn often(executor: &dyn Executor) -> Woken {
        // Starts the threads of a pool.
        Woken::once(executor);
        let woken: Vec<Woken> = (0..TIMES)
            .map(|_| {
                thread::sleep(PAUSE);
                Woken::once(executor)
            })
            .collect();
        let of = |value: &dyn Fn(&Woken) -> f64| lower_quartile(woken.iter().map(value).collect());
        Woken {
            first: of(&|one| one.first),
            second: of(&|one| one.second),
            end: of(&|one| one.end),
        }
    }

    /// Runs a little work on an executor: after a beginning that makes it worth waking the others, a unit
    /// for each worker, which is not done before all have begun.
    fn once(executor: &dyn Executor) -> Woken {
        /// Longer than the calling thread goes on alone.
        const BEGINNING: Duration = Duration::from_micros(50);
        /// Who waits gives its core away for so long.
        const NAP: Duration = Duration::from_micros(20);
        /// Nobody waits longer.
        const LATEST: Duration = Duration::from_millis(10);

        let workers = executor.workers();
        let calls: Mutex<Vec<(usize, Instant, Instant)>> = Mutex::default();
        let begun = AtomicUsize::new(0);
        let run = |worker: usize, units: Range<usize>| {
            let from = Instant::now();
            if units.start == 0 {
                while from.elapsed() < BEGINNING {
                    std::hint::spin_loop();
                }
            } else {
                begun.fetch_add(1, SeqCst);
                while begun.load(SeqCst) < workers && from.elapsed() < LATEST {
                    thread::sleep(NAP);
                }
            }
            lock(&calls).push((worker, from, Instant::now()));
            Flow::Go
        };
        executor.execute(&Work::new(1 + workers, &run));
        let back = Instant::now();
        let mut calls = into_inner(calls);
        calls.sort_by_key(|(_, from, _)| *from);
        let mut calls = calls.into_iter();
        let wanted = calls.next().map_or(back, |(_, _, until)| until);
        let (mut first, mut second, mut last) = (None, None, wanted);
        for (worker, from, until) in calls {
            let place = if worker == 0 { &mut first } else { &mut second };
            place.get_or_insert(from);
            last = last.max(until);
        }
        let after = |at: Option<Instant>| at.map_or(f64::NAN, |at| (at - wanted).as_secs_f64());
        Woken {
            first: after(first),
            second: after(second),
            end: (back - last).as_secs_f64(),
        }
    }
}

/// What it takes to take a portion while all others do the same.
fn taking(threads: usize) -> f64 {
    const PORTIONS: usize = 50_000;
    let once = || {
        let queue = Queue::new(0..PORTIONS, threads);
        let take_all = || while queue.take(Pace::one()).is_some() {};
        let began = Instant::now();
        thread::scope(|scope| {
            for _ in 1..threads {
                // A thread that cannot be started takes none: the cost is that among fewer.
                let _ = thread::Builder::new().spawn_scoped(scope, take_all);
            }
            take_all();
        });
        began.elapsed().as_secs_f64() / PORTIONS as f64
    };
    lower_quartile((0..TIMES / 5).map(|_| once()).collect())
}

/// The lower quartile of what was measured; 0 where nothing was.
fn lower_quartile(mut values: Vec<f64>) -> f64 {
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 4).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_times() {
        for kind in [Kind::WorkStealing, Kind::TaskQueue] {
            let costs = Costs::measure(kind, 1e-7);
            println!("{kind:?} {costs:?}");
            let Costs {
                first,
                each,
                latency,
                end,
                taking,
                ..
            } = costs;
            for cost in [first, each, latency] {
                assert!((0.0..1.0).contains(&cost), "{costs:?}");
            }
            assert!(end > 0.0 && taking > 0.0, "{costs:?}");
            // Whoever is woken later wakes later.
            assert!(costs.wakes(5, 9) >= costs.wakes(4, 9));
        }
        assert_eq!(Kind::of("TaskQueue"), None);
    }
}
