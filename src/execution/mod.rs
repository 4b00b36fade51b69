//! Execution: who runs the parts, and in which portions.
//!
//! An executor knows only numbers: units `0..units` of work, handed out in increasing order in
//! ranges, to numbered workers. What a unit is (one record of a slice, some kilobytes of a file)
//! is the pipeline's affair, so one conformance test covers every executor.

mod handout;
mod laws;
mod sequential;
mod threads;
mod work_stealing;

use std::num::NonZero;
use std::ops::Range;

pub use laws::assert_laws;
pub use sequential::Sequential;
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
    /// the earliest unit in flight, so that there is always one that goes on.
    Rest,
    /// Start nothing further.
    Stop,
}

/// Runs the units of a piece of work.
///
/// Laws, checked for every executor by [`assert_laws`]:
///
/// 1. `run` is called with ranges that cover `0..units`, each unit once, unless a call stops.
/// 2. Ranges are handed out in increasing order: when a range is started, every earlier unit has
///    been started.
/// 3. The worker number is below [`workers`](Executor::workers), and no two calls share one at the
///    same time.
/// 4. After a call stops, no range is started; those in flight are finished before
///    [`execute`](Executor::execute) returns.
/// 5. A worker that is told to rest gives its thread back, it does not block it: a thread of a pool
///    may have other work underneath that the others wait for.
pub trait Executor: Sync {
    /// How many calls of `run` there may be at the same time.
    fn workers(&self) -> usize;

    /// Runs all units, and returns when all are done.
    fn execute(&self, units: usize, run: &Run<'_>);
}

/// How many cores this process may use: its affinity mask and the quota of its control group
/// count, not only what the machine has.
pub fn usable_cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}
