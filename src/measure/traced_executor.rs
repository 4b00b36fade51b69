//! An executor that records the calls of another executor.

use std::time::{Duration, Instant};

use crate::execution::{Executor, Work};
use crate::sync::{Mutex, into_inner, lock};

/// One call: which units a worker ran, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TracedCall {
    pub(super) worker: usize,
    pub(super) units: std::ops::Range<usize>,
    /// When the call began, as the time since the executor began to execute.
    pub(super) from: Duration,
    /// When the call ended, as the time since the executor began to execute.
    pub(super) until: Duration,
}

/// Runs work on another executor and records every call.
pub(super) struct TracedExecutor<'e> {
    executor: &'e dyn Executor,
    calls: Mutex<Vec<TracedCall>>,
}

impl<'e> TracedExecutor<'e> {
    pub(super) fn new(executor: &'e dyn Executor) -> Self {
        TracedExecutor {
            executor,
            calls: Mutex::default(),
        }
    }

    /// The recorded calls, in the order in which they ended.
    pub(super) fn into_calls(self) -> Vec<TracedCall> {
        into_inner(self.calls)
    }
}

impl Executor for TracedExecutor<'_> {
    fn name(&self) -> &str {
        self.executor.name()
    }

    fn workers(&self) -> usize {
        self.executor.workers()
    }

    fn execute(&self, work: &Work<'_>) {
        let began = Instant::now();
        let run = |worker: usize, units: std::ops::Range<usize>| {
            let from = began.elapsed();
            let flow = work.run(worker, units.clone());
            let until = began.elapsed();
            lock(&self.calls).push(TracedCall {
                worker,
                units,
                from,
                until,
            });
            flow
        };
        self.executor.execute(&work.with(&run));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregation::Count;
    use crate::execution::{TaskQueue, assert_laws};
    use crate::pipeline::Pipeline;

    #[test]
    fn it_keeps_the_laws_of_executors() {
        assert_laws(&TracedExecutor::new(&TaskQueue::new(3)));
    }

    #[test]
    fn every_unit_is_recorded_once() {
        let queue = TaskQueue::new(3);
        let traced = TracedExecutor::new(&queue);
        let task = |n: &usize| (0..n % 1000).sum::<usize>();
        let report = Pipeline::new(&(0..5000), task)
            .executor(&traced)
            .aggregate(Count::new());
        assert_eq!(report.map(|report| report.value).ok(), Some(5000));
        let mut calls = traced.into_calls();
        calls.sort_by_key(|call| call.units.start);
        let mut next = 0;
        for call in calls {
            assert_eq!(call.units.start, next);
            assert!(call.worker < 3 && call.from <= call.until);
            next = call.units.end;
        }
        assert_eq!(next, 5000);
    }
}
