//! Workers on threads of their own.

use std::sync::Arc;

use super::{Executor, Work, alone, crew};
use crate::machine::{Pinning, usable_cores};

/// Runs parts on threads of its own, which may wait: for input, for a permit, for a service.
///
/// The threads are started for a run that is worth it, and end with it. They take what is next from
/// a queue. Where the units are numbers known beforehand, that queue is a counter; records that
/// arrive one by one from an iterator or a pipe are taken from where they arrive, by whichever worker is
/// free, so that none is read before there is somebody to score it.
///
/// The queue between an iterator and the workers was chosen by measurement: a ring which the worker
/// that pulls fills. With two workers and a task that does nothing, a record costs 4 times as much
/// processor time through crossbeam's deque, 5 times through a locked `VecDeque` or crossbeam's bounded
/// array queue, 9 to 16 times through its unbounded ones, and 16 times through its bounded channel with a
/// thread that feeds it (`cargo bench --bench streams`). The threads are those of
/// [`std::thread::scope`], of which crossbeam's scope is a cover today: where they are started once a
/// run, how costs nothing beside what they do.
///
/// [`WorkStealing`](super::WorkStealing) does the same in a rayon pool. That is the better place for
/// tasks that compute, above all for those that use rayon themselves.
#[derive(Clone, Debug)]
pub struct TaskQueue {
    workers: usize,
    pinning: Option<Arc<Pinning>>,
}

/// More threads than this are a slip of the finger, and no system has them.
const MOST: usize = 1 << 16;

impl TaskQueue {
    /// With so many workers, the calling thread among them.
    ///
    /// ```
    /// use manyhands::prelude::*;
    ///
    /// let numbers: Vec<f64> = (0..1000).map(f64::from).collect();
    /// let report = Pipeline::new(&numbers, |x: &f64| x.sqrt())
    ///     .executor(&TaskQueue::new(4))
    ///     .aggregate(Count::new())?;
    /// assert_eq!(report.value, 1000);
    /// # Ok::<(), manyhands::Error>(())
    /// ```
    pub fn new(workers: usize) -> Self {
        TaskQueue {
            workers: workers.clamp(1, MOST),
            pinning: None,
        }
    }

    /// Keeps each worker on a hardware thread of its own, as [`WorkStealing::pinned`] does.
    ///
    /// [`WorkStealing::pinned`]: super::WorkStealing::pinned
    #[must_use]
    pub fn pinned(self) -> Self {
        self.pinned_by(Arc::new(Pinning::look()))
    }

    /// Keeps each worker at the place that `pinning` has for it.
    pub(crate) fn pinned_by(mut self, pinning: Arc<Pinning>) -> Self {
        self.pinning = Some(pinning);
        self
    }
}

impl Default for TaskQueue {
    /// With a worker for each core this process may use.
    fn default() -> Self {
        Self::new(usable_cores())
    }
}

impl Executor for TaskQueue {
    fn name(&self) -> &str {
        "task-queue"
    }

    fn workers(&self) -> usize {
        self.workers
    }

    fn execute(&self, work: &Work<'_>) {
        let workers = work.workers(self.workers);
        // One worker that is to be kept on a core is not the calling thread.
        let one_worker = workers == 1 && self.pinning.is_none();
        if let Some((units, pace)) = alone::begin(work, workers, one_worker) {
            crew::share(units, workers, pace, work, self.pinning.as_deref());
        }
    }
}
