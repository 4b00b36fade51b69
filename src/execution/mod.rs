//! Execution: who runs the parts, and in which portions.
//!
//! An executor knows only numbers: units `0..units` of work, handed out in increasing order in
//! ranges, to numbered workers. What a unit is (one record of a slice, some kilobytes of a file)
//! is the pipeline's affair, so one conformance test covers every executor.

mod handout;
mod sequential;
mod work_stealing;

use std::num::NonZero;
use std::ops::{ControlFlow, Range};

pub use sequential::Sequential;
pub use work_stealing::WorkStealing;

/// What an executor runs: `(worker, units)` → go on, or start nothing further.
pub type Run<'a> = dyn Fn(usize, Range<usize>) -> ControlFlow<()> + Sync + 'a;

/// Runs the units of a piece of work.
///
/// Laws, checked for every executor by one test:
///
/// 1. `run` is called with ranges that cover `0..units`, each unit once, unless a call breaks.
/// 2. Ranges are handed out in increasing order: when a range is started, every earlier unit has
///    been started.
/// 3. The worker number is below [`workers`](Executor::workers), and no two calls share one at the
///    same time.
/// 4. After a call breaks, no range is started; those in flight are finished before
///    [`execute`](Executor::execute) returns.
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
