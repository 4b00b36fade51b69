//! The default executor, which runs on a rayon pool.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use rayon::{Scope, ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use super::handout::Handout;
use super::own_threads::{ThreadOptions, run_on_own_threads};
use super::pace::Pace;
use super::{Executor, Work, inline};
use crate::error::Error;
use crate::machine::{Pinning, usable_cores};
use crate::sync::{Mutex, lock};

/// Runs parts on a rayon pool.
///
/// The calling thread runs the first units itself and reads the clock, so ten cheap records never wake the
/// pool. If the remaining units are worth it, each worker of the pool takes portions of them, in order, and
/// the clock determines the length of the portions. The units are not halved recursively as in rayon's own
/// iterators. Because portions are taken in order, a prefix of the units is finished at any time, so that
/// scores can be written in order from bounded memory. A task that uses rayon itself still shares the pool by
/// work stealing.
///
/// # Stack overflow
///
/// A task that overflows the stack of its thread aborts the process, as in any Rust program; it cannot be
/// caught as a failure of its record. If the executor has its own pool, the threads of that pool therefore
/// have a stack that is at least as large as the main thread's, see [`stack_size`](WorkStealing::stack_size).
/// The threads of any other pool have the stack size that was chosen when the pool was built; in rayon's
/// global pool, this is 2 MiB unless the environment variable `RUST_MIN_STACK` specifies another size.
#[derive(Debug)]
pub struct WorkStealing {
    pool: Pool,
    /// How this executor starts threads, in its own pool or for one run.
    options: ThreadOptions,
}

#[derive(Debug)]
enum Pool {
    /// The pool of the calling thread, or rayon's global pool if that thread is in no pool.
    Ambient,
    /// The executor's own pool, which is started when it is first needed.
    Own {
        threads: usize,
        /// `None` if the threads could not be started.
        pool: OnceLock<Option<ThreadPool>>,
    },
    /// A pool that the caller has started.
    Given(Arc<ThreadPool>),
}

impl WorkStealing {
    /// Creates an executor with its own pool of `threads` workers, which are started when they are first
    /// needed.
    ///
    /// ```
    /// use manyhands::prelude::*;
    ///
    /// let numbers: Vec<f64> = (0..1000).map(f64::from).collect();
    /// let sum = |threads| {
    ///     Pipeline::new(&numbers, |x: &f64| x.sqrt())
    ///         .executor(&WorkStealing::new(threads))
    ///         .aggregate(Sum::new())
    /// };
    /// assert_eq!(sum(1)?.value.to_bits(), sum(3)?.value.to_bits());
    /// # Ok::<(), manyhands::Error>(())
    /// ```
    pub fn new(threads: usize) -> Self {
        let (threads, pool) = (threads.max(1), OnceLock::new());
        WorkStealing {
            pool: Pool::Own { threads, pool },
            options: ThreadOptions::default(),
        }
    }

    /// Creates an executor with its own pool, which has a worker for each core that this process may use, see
    /// [`usable_cores`].
    pub fn all_cores() -> Self {
        Self::new(usable_cores())
    }

    /// Creates an executor that runs on the pool of the calling thread, that is, the pool whose
    /// [`install`](ThreadPool::install) runs this thread's code, or on rayon's global pool if the thread is
    /// in no pool.
    pub fn ambient() -> Self {
        WorkStealing {
            pool: Pool::Ambient,
            options: ThreadOptions::default(),
        }
    }

    /// Creates an executor that runs on this pool, which may also be used elsewhere.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use manyhands::prelude::*;
    ///
    /// let pool = rayon::ThreadPoolBuilder::new()
    ///     .num_threads(3)
    ///     .stack_size(8 << 20)
    ///     .build()
    ///     .map(Arc::new)?;
    /// let executor = WorkStealing::on(Arc::clone(&pool));
    /// let report = Pipeline::new(&(0..1000), |x: &usize| x % 7).executor(&executor).aggregate(Count::new())?;
    /// assert_eq!((report.value, executor.workers()), (1000, 3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on(pool: Arc<ThreadPool>) -> Self {
        WorkStealing {
            pool: Pool::Given(pool),
            options: ThreadOptions::default(),
        }
    }

    /// Keeps each worker on a hardware thread of its own, if the system supports that (Linux does): first
    /// one worker on each core that this process may use, then workers on the other hardware threads of
    /// those cores. The workers of a pool that is not this executor's own are not moved.
    ///
    /// Records that are scored before the pool wakes are scored on the calling thread, which is not moved
    /// either.
    ///
    /// ```
    /// use manyhands::prelude::*;
    ///
    /// let executor = WorkStealing::all_cores().pinned();
    /// let report = Pipeline::new(&(0..1000), |x: &usize| *x as f64).executor(&executor).aggregate(Sum::new())?;
    /// assert_eq!(report.value, 499_500.0);
    /// # Ok::<(), manyhands::Error>(())
    /// ```
    #[must_use]
    pub fn pinned(self) -> Self {
        self.pinned_by(Arc::new(Pinning::look()))
    }

    /// Keeps each worker of the executor's own pool on the hardware thread that `pinning` assigns to it.
    pub(crate) fn pinned_by(mut self, pinning: Arc<Pinning>) -> Self {
        if matches!(self.pool, Pool::Own { .. }) {
            self.options.pinning = Some(pinning);
        }
        self.restarted()
    }

    /// Gives each thread that this executor starts a stack of this many bytes.
    ///
    /// Without this call, the stack is as large as the main thread's (the soft limit that `ulimit -s` shows
    /// on Linux), or as large as the environment variable `RUST_MIN_STACK` specifies if that is more; it is
    /// 8 MiB if neither is known. The threads of a pool that is not this executor's own keep their stacks,
    /// and so does the calling thread, which scores the first records.
    #[must_use]
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.options.stack_size = Some(bytes);
        self.restarted()
    }

    /// Discards the threads of the executor's own pool, which were started with other options.
    fn restarted(mut self) -> Self {
        if let Pool::Own { pool, .. } = &mut self.pool {
            *pool = OnceLock::new();
        }
        self
    }

    /// Starts the workers now, instead of in the first run that needs them.
    ///
    /// # Errors
    ///
    /// Returns an error if the threads cannot be started. A run then uses only the calling thread.
    pub fn start(&self) -> Result<(), Error> {
        match &self.pool {
            Pool::Own { threads, pool } if pool.get().is_none() => {
                let threads = *threads;
                let built = self.build(threads).map_err(|source| Error::Workers {
                    threads,
                    source: source.into(),
                })?;
                let _ = pool.set(Some(built));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Calls `run` inside the pool, so that rayon's methods in it use the workers of this pool.
    ///
    /// Some records are scored on threads outside the pool: records that are scored before the pool wakes,
    /// and all records of a run that may wait for input or for a limit. A task that itself uses many cores,
    /// as a [`Match`](crate::task::matching::Match) does against a large reference, uses the cores of this
    /// pool if it calls this method. This method starts the workers. If they cannot be started, `run` is
    /// called on the calling thread.
    ///
    /// ```
    /// use manyhands::prelude::*;
    /// use manyhands::task::matching::{Matching, Measure};
    ///
    /// let parts = (0..100_000).map(|number| format!("part no. {number}"));
    /// let task = Matching::by(Measure::Ratio).against(parts);
    /// let executor = WorkStealing::new(4);
    /// let best = |text: &&str| executor.install(|| task.score(text)[0].score);
    /// let report = Pipeline::new(&["part 31337"], best).executor(&executor).aggregate(Mean::new())?;
    /// assert_eq!(report.records, 1);
    /// # Ok::<(), manyhands::Error>(())
    /// ```
    pub fn install<R: Send>(&self, run: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Pool::Ambient => run(),
            Pool::Own { threads, pool } => match pool.get_or_init(|| self.build(*threads).ok()) {
                Some(pool) => pool.install(run),
                None => run(),
            },
            Pool::Given(pool) => pool.install(run),
        }
    }

    /// Shares the units that the calling thread has not run among the workers.
    fn share(&self, units: Range<usize>, workers: usize, pace: Pace, work: &Work<'_>) {
        if work.waits() {
            return run_on_own_threads(units, workers, pace, work, &self.options);
        }
        let shared = &SharedHandout {
            handout: Handout::new(units.clone(), workers, work),
            paused: Mutex::default(),
        };
        // A worker is a loop with a number, not a thread: a thread that waits inside a task may run the loop
        // of another worker meanwhile.
        let on_pool = || {
            rayon::scope(|scope| {
                for worker in 1..workers {
                    scope.spawn(move |scope| shared.work(scope, worker, pace));
                }
                shared.work(scope, 0, pace);
            });
        };
        match &self.pool {
            Pool::Ambient => on_pool(),
            Pool::Own { threads, pool } => match pool.get_or_init(|| self.build(*threads).ok()) {
                Some(pool) => pool.install(on_pool),
                // The threads could not be started, so the calling thread runs all units.
                None => _ = work.run(0, units),
            },
            Pool::Given(pool) => pool.install(on_pool),
        }
    }

    fn build(&self, threads: usize) -> Result<ThreadPool, ThreadPoolBuildError> {
        let mut pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|number| format!("manyhands-{number}"))
            .stack_size(self.options.stack_size());
        if let Some(pinning) = self.options.pinning.clone() {
            pool = pool.start_handler(move |number| pinning.pin(number));
        }
        pool.build()
    }
}

/// A handout whose workers share the threads of a rayon pool.
struct SharedHandout<'w> {
    handout: Handout<'w>,
    /// The workers that have been asked to pause, and their paces. A paused worker occupies no thread.
    paused: Mutex<Vec<(usize, Pace)>>,
}

impl SharedHandout<'_> {
    fn work<'s>(&'s self, scope: &Scope<'s>, worker: usize, pace: Pace) {
        let paused = self.handout.work(worker, pace, || self.resume(scope));
        if let Some(pace) = paused {
            lock(&self.paused).push((worker, pace));
        }
    }

    /// Starts the loops of the paused workers again.
    fn resume<'s>(&'s self, scope: &Scope<'s>) {
        for (worker, pace) in std::mem::take(&mut *lock(&self.paused)) {
            scope.spawn(move |scope| self.work(scope, worker, pace));
        }
    }
}

impl Default for WorkStealing {
    fn default() -> Self {
        Self::all_cores()
    }
}

impl Executor for WorkStealing {
    fn name(&self) -> &str {
        "work-stealing"
    }

    fn workers(&self) -> usize {
        match &self.pool {
            Pool::Ambient => rayon::current_num_threads(),
            Pool::Own { threads, .. } => *threads,
            Pool::Given(pool) => pool.current_num_threads(),
        }
    }

    fn execute(&self, work: &Work<'_>) {
        let workers = work.workers(self.workers());
        // If a single worker is to be pinned, it must not be the calling thread.
        let may_share = workers > 1 || self.options.pinning.is_some();
        if let Some((units, pace)) = inline::run_inline(work, workers, may_share) {
            self.share(units, workers, pace, work);
        }
    }
}
