//! An executor whose workers run on threads of their own.

use std::sync::Arc;

use super::own_threads::{ThreadOptions, run_on_own_threads};
use super::{Executor, Work, inline};
use crate::machine::{Pinning, usable_cores};

/// Runs parts on threads of its own, which may wait for input, for a permit or for a service.
///
/// The threads are started only for a run that is long enough to be worth it, and end with the run. They take
/// their units from a queue. If the number of units is known in advance, this queue is a counter. Records
/// that arrive one by one, from an iterator or a pipe, are taken by whichever worker is free, so no record is
/// read before a worker is ready to score it.
///
/// The queue between an iterator and the workers is a ring buffer, which is filled by the worker that pulls
/// records. It was chosen by measurement. With two workers and a task that does nothing, a record costs 4
/// times as much processor time through crossbeam's deque as through the ring buffer, 5 times through a
/// locked `VecDeque` or crossbeam's bounded array queue, 9 to 16 times through its unbounded queues, and 16
/// times through its bounded channel with a thread that feeds it (`cargo bench --bench streams`).
///
/// [`WorkStealing`](super::WorkStealing) does the same in a rayon pool. That is better for tasks that
/// compute, in particular for tasks that use rayon themselves.
///
/// # Stack overflow
///
/// A task that overflows the stack of its thread aborts the process, as in any Rust program; it cannot
/// be caught as a failure of its record. The threads therefore have a stack that is at least as large as
/// the main thread's, so that a task which fits the main thread also fits a worker. See
/// [`stack_size`](TaskQueue::stack_size).
#[derive(Clone, Debug)]
pub struct TaskQueue {
    workers: usize,
    options: ThreadOptions,
}

/// The maximum number of workers of a queue. A larger number is a mistake, and no system can start that many
/// threads.
const MOST_WORKERS: usize = 1 << 16;

impl TaskQueue {
    /// Creates an executor with this many workers. The calling thread is one of them.
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
            workers: workers.clamp(1, MOST_WORKERS),
            options: ThreadOptions::default(),
        }
    }

    /// Keeps each worker on a hardware thread of its own, as [`WorkStealing::pinned`] does.
    ///
    /// [`WorkStealing::pinned`]: super::WorkStealing::pinned
    #[must_use]
    pub fn pinned(self) -> Self {
        self.pinned_by(Arc::new(Pinning::look()))
    }

    /// Keeps each worker on the hardware thread that `pinning` assigns to it.
    pub(crate) fn pinned_by(mut self, pinning: Arc<Pinning>) -> Self {
        self.options.pinning = Some(pinning);
        self
    }

    /// Gives each thread a stack of this many bytes.
    ///
    /// Without this call, the stack is as large as the main thread's (the soft limit that `ulimit -s` shows
    /// on Linux), or as large as the environment variable `RUST_MIN_STACK` specifies if that is more; it is
    /// 8 MiB if neither is known. The calling thread is a worker too, and keeps the stack that it has.
    #[must_use]
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.options.stack_size = Some(bytes);
        self
    }
}

impl Default for TaskQueue {
    /// Creates an executor with a worker for each core that this process may use.
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
        // The calling thread is never pinned, so if a single worker is to be pinned, it needs a thread of its
        // own.
        let may_share = workers > 1 || self.options.pinning.is_some();
        if let Some((units, pace)) = inline::run_inline(work, workers, may_share) {
            run_on_own_threads(units, workers, pace, work, &self.options);
        }
    }
}
