//! An executor that is looked at while it works.

use std::time::{Duration, Instant};

use crate::execution::{Executor, Work};
use crate::sync::{Mutex, into_inner, lock};

/// What one call was handed, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Portion {
    pub(super) worker: usize,
    pub(super) units: std::ops::Range<usize>,
    /// Since the executor began.
    pub(super) from: Duration,
    pub(super) until: Duration,
}

/// Puts down which worker was handed what when.
pub(super) struct Watched<'e> {
    executor: &'e dyn Executor,
    portions: Mutex<Vec<Portion>>,
}

impl<'e> Watched<'e> {
    pub(super) fn new(executor: &'e dyn Executor) -> Self {
        Watched {
            executor,
            portions: Mutex::default(),
        }
    }

    /// What has been put down, in the order in which the calls ended.
    pub(super) fn into_portions(self) -> Vec<Portion> {
        into_inner(self.portions)
    }
}

impl Executor for Watched<'_> {
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
            lock(&self.portions).push(Portion {
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
    fn it_is_an_executor_like_the_one_underneath() {
        assert_laws(&Watched::new(&TaskQueue::new(3)));
    }

    #[test]
    fn every_unit_is_put_down_once() {
        let queue = TaskQueue::new(3);
        let watched = Watched::new(&queue);
        let task = |n: &usize| (0..n % 1000).sum::<usize>();
        let report = Pipeline::new(&(0..5000), task)
            .executor(&watched)
            .aggregate(Count::new());
        assert_eq!(report.map(|report| report.value).ok(), Some(5000));
        let mut portions = watched.into_portions();
        portions.sort_by_key(|portion| portion.units.start);
        let mut next = 0;
        for portion in portions {
            assert_eq!(portion.units.start, next);
            assert!(portion.worker < 3 && portion.from <= portion.until);
            next = portion.units.end;
        }
        assert_eq!(next, 5000);
    }
}
