//! A plain loop. Its answer is the reference for other executors, and its time is the base of every speed-up.

use super::{Executor, Work};

/// Runs all units on the calling thread, in order, in one call. It uses no clock, no pool and no
/// portions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sequential;

impl Executor for Sequential {
    fn name(&self) -> &str {
        "sequential"
    }

    fn workers(&self) -> usize {
        1
    }

    fn execute(&self, work: &Work<'_>) {
        if work.units() > 0 {
            let _ = work.run(0, 0..work.units());
        }
    }
}
