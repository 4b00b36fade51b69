//! Execution: who runs the parts, and in which portions.
//!
//! An executor knows only numbers: units `0..units` of work, handed out in increasing order in
//! ranges, to numbered workers. What a unit is (one record of a slice, some kilobytes of a file)
//! is the pipeline's affair, so one conformance test covers every executor.

mod alone;
mod crew;
mod handout;
mod laws;
mod sequential;
mod task_queue;
mod threads;
mod work_stealing;

use std::ops::Range;

pub(crate) use alone::{Beginning, Step};
pub(crate) use handout::{Pace, Queue};
pub use laws::assert_laws;
pub use sequential::Sequential;
pub use task_queue::TaskQueue;
pub use threads::{BadThreads, Threads};
pub use work_stealing::WorkStealing;

/// What an executor runs: `(worker, units)` → what to do next.
pub type Run<'a> = dyn Fn(usize, Range<usize>) -> Flow + Sync + 'a;

/// What a call of [`Run`] asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Go,
    /// Hand this worker nothing further until some other call has returned [`Go`](Flow::Go): more
    /// has been done ahead of its turn than there is room for. Never asked for by the call that runs
    /// the earliest unit in flight, so that there is always one that goes on. An executor that hands
    /// out more all the same loses nothing but the bound on memory.
    Rest,
    /// Start nothing further.
    Stop,
}

/// What is to be run, and how.
#[derive(Clone, Copy)]
#[must_use = "work does nothing until an executor executes it"]
pub struct Work<'a> {
    units: usize,
    most: usize,
    waits: bool,
    run: &'a Run<'a>,
}

impl<'a> Work<'a> {
    /// So many units, run by calls of `run`.
    pub fn new(units: usize, run: &'a Run<'a>) -> Self {
        Work {
            units,
            most: usize::MAX,
            waits: false,
            run,
        }
    }

    /// As many units as there turn out to be: until a call says [`Stop`](Flow::Stop).
    pub fn unbounded(run: &'a Run<'a>) -> Self {
        Self::new(usize::MAX, run)
    }

    /// With at most this many calls at the same time, however many workers there are.
    pub fn at_most(mut self, calls: usize) -> Self {
        self.most = calls.max(1);
        self
    }

    /// Whether calls may wait: for input, for a permit. Such calls are made by threads that nobody
    /// else needs. A thread of a pool takes up other work while it waits inside a task, and whoever
    /// that other work waits for may be the one underneath.
    pub fn waiting(mut self, waits: bool) -> Self {
        self.waits = waits;
        self
    }

    /// The same work, done by calls of `run` instead, which may pass them on.
    pub fn with<'b>(&self, run: &'b Run<'b>) -> Work<'b> {
        Work {
            units: self.units,
            most: self.most,
            waits: self.waits,
            run,
        }
    }

    /// How many units there are; `usize::MAX` where nobody knows.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Whether calls may wait.
    pub fn waits(&self) -> bool {
        self.waits
    }

    /// How many of so many workers take part.
    pub fn workers(&self, of: usize) -> usize {
        of.min(self.most).max(1)
    }

    /// Runs units as `worker`.
    pub fn run(&self, worker: usize, units: Range<usize>) -> Flow {
        (self.run)(worker, units)
    }
}

/// Runs the units of a piece of work.
///
/// Laws, checked for every executor by [`assert_laws`]:
///
/// 1. Ranges cover `0..units`, each unit once, unless a call stops.
/// 2. Ranges are handed out in increasing order: when a range is started, every earlier unit has
///    been started.
/// 3. The worker number is below [`workers`](Executor::workers) and below what the work
///    [allows](Work::at_most), and no two calls share one at the same time.
/// 4. After a call stops, no range is started; those in flight are finished before
///    [`execute`](Executor::execute) returns.
/// 5. A worker that is told to rest gives its thread back where the thread may have other work
///    underneath that the others wait for.
/// 6. Calls that may [wait](Work::waiting) are made by threads that nobody else needs.
pub trait Executor: Sync {
    /// What it is called where several are compared; the name of its type, unless it has a better one.
    fn name(&self) -> &str {
        let path = std::any::type_name::<Self>();
        let path = path.split('<').next().unwrap_or(path);
        path.rsplit("::").next().unwrap_or(path)
    }

    /// How many workers it has.
    fn workers(&self) -> usize;

    /// Runs all units, and returns when all are done.
    fn execute(&self, work: &Work<'_>);
}

/// What worker 0 of so many does while the others have not woken, by a clock of one's own: simulations
/// are held against it.
#[cfg(test)]
pub(crate) fn execute_by(clock: impl Fn() -> std::time::Duration, work: &Work<'_>, workers: usize) {
    if let Some((units, pace)) = alone::begin_by(&clock, work, workers, workers == 1) {
        handout::Handout::new(units, workers, work).work_by(&clock, 0, pace, || ());
    }
}
