//! What an executor itself costs here, measured: waking workers, handing out, coming to an end.

use std::hint::black_box;
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::execution::{Executor, Flow, Pace, Queue, Work, usable_cores};
use crate::measure::statistics::median;
use crate::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use crate::sync::{Mutex, into_inner, lock, thread};

/// What is measured is measured so often.
const TIMES: usize = 31;
/// Between two measurements workers have so much time to fall asleep.
const PAUSE: Duration = Duration::from_millis(1);
/// So many workers tell how the time to wake them grows, where there are not as many cores.
const CROWD: usize = 16;

/// What an executor costs, in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Costs {
    /// For each portion, in the worker that has it.
    pub(super) step: f64,
    /// For each portion, in the queue that all take from: while one takes, no other can.
    pub(super) taking: f64,
    /// Once, before the first worker is woken.
    pub(super) first: f64,
    /// To wake one more; worker 0 does that, and begins when it has woken all others.
    pub(super) each: f64,
    /// From waking a worker to its first portion.
    pub(super) latency: f64,
    /// From the last portion to the end.
    pub(super) end: f64,
    /// Whether it does not end before every worker has been awake.
    pub(super) waits_for_all: bool,
}

impl Costs {
    /// When one of so many workers is awake, counted from when they are wanted.
    pub(super) fn wakes(&self, worker: usize, of: usize) -> f64 {
        match worker {
            0 => self.first + self.each * (of - 1) as f64,
            _ => self.first + self.each * worker as f64 + self.latency,
        }
    }
}

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
}

impl Costs {
    pub(super) fn measure(_kind: Kind) -> Self {
        Costs::default()
    }
}

/// When the workers of an executor began and when it came back, since they were wanted.
#[derive(Debug)]
struct Woken {
    /// Worker 0.
    first: f64,
    /// The others, sorted.
    others: Vec<f64>,
    /// When all had begun, or the last that would.
    all: f64,
    back: f64,
}

/// Runs a little work on an executor and looks when its workers begin. With `together` none is done
/// before all have begun.
fn wake(executor: &dyn Executor, together: bool) -> Woken {
    /// Longer than the calling thread goes on alone.
    const ALONE: Duration = Duration::from_micros(50);
    /// Whoever has not begun by then, does not count.
    const LATEST: Duration = Duration::from_millis(5);
    let workers = executor.workers();
    let since: Mutex<Option<Instant>> = Mutex::default();
    let begun: Mutex<Vec<(usize, Instant)>> = Mutex::default();
    let count = AtomicUsize::new(0);
    let run = |worker: usize, units: Range<usize>| {
        let now = Instant::now();
        if units.start == 0 {
            while now.elapsed() < ALONE {
                std::hint::spin_loop();
            }
            *lock(&since) = Some(Instant::now());
            return Flow::Go;
        }
        lock(&begun).push((worker, now));
        count.fetch_add(1, SeqCst);
        while together && count.load(SeqCst) < workers && now.elapsed() < LATEST {
            std::hint::spin_loop();
        }
        Flow::Go
    };
    executor.execute(&Work::new(1 + workers, &run));
    let back = Instant::now();
    let since = into_inner(since).unwrap_or(back);
    let after = |at: Instant| (at - since).as_secs_f64();
    let begun = into_inner(begun);
    let first = begun.iter().find(|(worker, _)| *worker == 0);
    let others = begun.iter().filter(|(worker, _)| *worker != 0);
    let mut others: Vec<f64> = others.map(|(_, at)| after(*at)).collect();
    others.sort_by(f64::total_cmp);
    let all = begun.iter().map(|(_, at)| after(*at)).fold(0.0, f64::max);
    Woken {
        first: first.map_or(f64::NAN, |(_, at)| after(*at)),
        others,
        all,
        back: after(back),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::{TaskQueue, WorkStealing};
    #[test]
    fn explore() {
        for workers in [2, 4, 8, 16, 32] {
            let executors: [&dyn Executor; 2] =
                [&WorkStealing::new(workers), &TaskQueue::new(workers)];
            for e in executors {
                for together in [true, false] {
                    wake(e, together);
                    let all: Vec<Woken> = (0..31)
                        .map(|_| {
                            std::thread::sleep(PAUSE);
                            wake(e, together)
                        })
                        .collect();
                    let m = |f: &dyn Fn(&Woken) -> f64| {
                        let mut v: Vec<f64> = all
                            .iter()
                            .map(|w| f(w) * 1e6)
                            .filter(|x| x.is_finite())
                            .collect();
                        v.sort_by(f64::total_cmp);
                        if v.is_empty() {
                            (f64::NAN, f64::NAN, f64::NAN)
                        } else {
                            (v[0], v[v.len() / 2], v[v.len() * 9 / 10])
                        }
                    };
                    println!(
                        "{workers} {} together={together} first {:.1?} other0 {:.1?} otherlast {:.1?} n {:.1?} tail {:.1?}",
                        e.name(),
                        m(&|w| w.first),
                        m(&|w| w.others.first().copied().unwrap_or(f64::NAN)),
                        m(&|w| w.others.last().copied().unwrap_or(f64::NAN)),
                        m(&|w| w.others.len() as f64 / 1e6),
                        m(&|w| w.back - w.all)
                    );
                }
            }
        }
    }
}
