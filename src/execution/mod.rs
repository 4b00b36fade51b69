//! Executors, which determine which worker runs which parts, and in which portions.
//!
//! An executor knows only numbers: it hands out the units `0..units` of some work in increasing order, in
//! ranges, to numbered workers. The pipeline decides what a unit is (one record of a slice, some kilobytes of
//! a file), so one test can check the laws of every executor.
//!
//! `README.md` in this folder explains when other workers are woken and how long portions are.

mod handout;
mod inline;
mod laws;
mod own_threads;
mod pace;
mod sequential;
mod task_queue;
mod threads;
mod work_stealing;

use std::ops::Range;

pub(crate) use handout::UnitQueue;
pub(crate) use inline::{InlineDecision, InlinePhase, WORTH_WAKING};
pub use laws::assert_laws;
pub(crate) use pace::Pace;
pub use sequential::Sequential;
pub use task_queue::TaskQueue;
pub use threads::{BadThreads, Threads};
pub use work_stealing::WorkStealing;

/// The function that an executor calls with a worker number and a range of units. It returns what this worker
/// does next.
pub type Run<'a> = dyn Fn(usize, Range<usize>) -> Flow + Sync + 'a;

/// Returns the pace of a worker in its last call of [`Run`], or `None` if the clock of the executor determines it.
pub(crate) type PaceOfWorker<'a> = dyn Fn(usize) -> Option<Pace> + Sync + 'a;

/// What a call of [`Run`] asks its worker to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Take the next range.
    Go,
    /// Take nothing until another call has returned [`Go`](Flow::Go), because too much has been done ahead of
    /// its turn. The call that runs the earliest unit in flight never asks for this, so there is always a
    /// call that goes on. If an executor ignores this request, memory is no longer bounded, but the answer is
    /// the same.
    Pause,
    /// Start nothing further, on any worker.
    Stop,
}

/// Units of work, and how they may be run.
#[derive(Clone, Copy)]
#[must_use = "work does nothing until an executor executes it"]
pub struct Work<'a> {
    units: usize,
    most: usize,
    waits: bool,
    run: &'a Run<'a>,
    pace: Option<&'a PaceOfWorker<'a>>,
}

impl<'a> Work<'a> {
    /// Work that consists of the units `0..units`, which are run by calls of `run`.
    pub fn new(units: usize, run: &'a Run<'a>) -> Self {
        Work {
            units,
            most: usize::MAX,
            waits: false,
            run,
            pace: None,
        }
    }

    /// Work that consists of an unknown number of units, which are run by calls of `run` until one of them
    /// returns [`Stop`](Flow::Stop).
    pub fn unbounded(run: &'a Run<'a>) -> Self {
        Self::new(usize::MAX, run)
    }

    /// Allows at most this many calls at the same time, no matter how many workers the executor has.
    pub fn at_most(mut self, calls: usize) -> Self {
        self.most = calls.max(1);
        self
    }

    /// Says whether calls may wait, for input or for a permit. Such calls are made on threads that no rayon
    /// pool needs. A thread of a pool starts other work while it waits inside a task, and the call for which
    /// that other work waits may be further down on the same stack.
    pub fn waiting(mut self, waits: bool) -> Self {
        self.waits = waits;
        self
    }

    /// Sets a function that is called after each call of [`Run`] and returns the pace of the worker. It is needed if a
    /// call waits while other processes work. The clock would count the wait as time of the units, so the executor
    /// would make the portions shorter, and the worker would wait even more often.
    pub(crate) fn paced_by(mut self, pace: &'a PaceOfWorker<'a>) -> Self {
        self.pace = Some(pace);
        self
    }

    /// The pace of a worker in its last call, if the work knows it better than the clock of the executor.
    fn pace(&self, worker: usize) -> Option<Pace> {
        self.pace.and_then(|pace| pace(worker))
    }

    /// The same work with another function, which may pass its calls on to the function of this work.
    pub fn with<'b>(&self, run: &'b Run<'b>) -> Work<'b>
    where
        'a: 'b,
    {
        Work {
            units: self.units,
            most: self.most,
            waits: self.waits,
            run,
            pace: self.pace,
        }
    }

    /// The number of units; `usize::MAX` if it is unknown.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Whether calls may wait.
    pub fn waits(&self) -> bool {
        self.waits
    }

    /// The number of workers that take part, if there are `of` workers.
    pub fn workers(&self, of: usize) -> usize {
        of.min(self.most).max(1)
    }

    /// Runs units as `worker`.
    pub fn run(&self, worker: usize, units: Range<usize>) -> Flow {
        (self.run)(worker, units)
    }
}

/// Runs the units of some work.
///
/// These laws are checked for every executor by [`assert_laws`]:
///
/// 1. **Every unit once.** Ranges are not empty and cover `0..units`, each unit once. If a call returns
///    [`Flow::Stop`], they cover a beginning of `0..units` that includes the range of that call.
/// 2. **In order.** Ranges are handed out in increasing order: when a worker takes a range, every earlier
///    unit has been taken. Two workers may start their ranges in either order.
/// 3. **Numbered workers.** Worker numbers are below [`workers`](Executor::workers) and below the
///    number that the work [allows](Work::at_most). No two calls have the same number at the same time.
/// 4. **Stop.** After a call returns [`Flow::Stop`], no worker takes a range, apart from ranges that other
///    workers take at the same moment. All calls end before [`execute`](Executor::execute) returns.
/// 5. **Pause.** A worker whose call returns [`Flow::Pause`] takes nothing until another worker goes on. If
///    another worker has gone on since this worker's previous call, the worker need not pause. While it
///    pauses, its thread remains available to its rayon pool, because the call for which it waits may be
///    further down on the same stack.
/// 6. **Waiting.** Calls that may [wait](Work::waiting) are not made on the threads of a rayon pool, unless
///    the thread that called [`execute`](Executor::execute) belongs to a pool and is the only worker.
pub trait Executor: Sync {
    /// The name of this executor in comparisons. By default it is the name of the type.
    fn name(&self) -> &str {
        let path = std::any::type_name::<Self>();
        let path = path.split('<').next().unwrap_or(path);
        path.rsplit("::").next().unwrap_or(path)
    }

    /// The number of workers.
    fn workers(&self) -> usize;

    /// Runs all units, and returns when all of them are done.
    fn execute(&self, work: &Work<'_>);
}

/// Runs what worker 0 of `workers` workers would run while the other workers have not woken yet, with `clock`
/// as its clock. Tests compare simulations with it.
#[cfg(test)]
pub(crate) fn execute_by(clock: impl Fn() -> std::time::Duration, work: &Work<'_>, workers: usize) {
    if let Some((units, pace)) = inline::run_inline_by(&clock, work, workers, workers > 1) {
        handout::Handout::new(units, workers, work).work_by(&clock, 0, pace, || ());
    }
}
