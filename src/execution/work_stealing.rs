//! A rayon pool: the default executor.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use rayon::{Scope, ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use super::handout::{Handout, Pace};
use super::{Executor, Work, alone, crew};
use crate::error::Error;
use crate::machine::{Pinning, usable_cores};
use crate::sync::{Mutex, lock};

/// Runs parts on a rayon pool.
///
/// The calling thread runs the first units itself and looks at the clock: ten cheap records never
/// wake the pool. When the rest is worth it, each worker of the pool takes portions of it, in
/// order, sized by the clock. Portions rather than rayon's halving, because parts that start in
/// order leave a finished prefix behind at any time, so that scores can be written in order from
/// bounded memory. A task that uses rayon itself still shares the pool by work stealing.
#[derive(Debug)]
pub struct WorkStealing {
    pool: Pool,
    /// Where the workers of a pool of its own are kept, if anywhere.
    pinning: Option<Arc<Pinning>>,
}

#[derive(Debug)]
enum Pool {
    /// The pool the call is made in: rayon's global one, or the one that runs the caller.
    Ambient,
    /// A pool of its own, started when it is first needed.
    Own {
        threads: usize,
        /// `None` where the threads could not be started.
        pool: OnceLock<Option<ThreadPool>>,
    },
    /// One that somebody else has started.
    Given(Arc<ThreadPool>),
}

impl WorkStealing {
    /// On a pool of `threads` workers of its own. They are started when there is work for them.
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
            pinning: None,
        }
    }

    /// On a pool of its own with a worker for each core this process may use, see
    /// [`usable_cores`].
    pub fn all_cores() -> Self {
        Self::new(usable_cores())
    }

    /// On the pool the call is made in: the one whose [`install`](ThreadPool::install) runs the
    /// caller, else rayon's global pool.
    pub fn ambient() -> Self {
        WorkStealing {
            pool: Pool::Ambient,
            pinning: None,
        }
    }

    /// On this pool, whoever else uses it.
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
            pinning: None,
        }
    }

    /// Keeps each worker on a hardware thread of its own, where the system allows that (Linux
    /// does): one on each core that this process may use, then on the hardware threads beside them.
    /// For workers of its own pool; those of another are not moved.
    ///
    /// What is scored before the pool wakes still runs on the calling thread, wherever that is.
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

    /// Keeps each worker of a pool of its own at the place that `pinning` has for it.
    pub(crate) fn pinned_by(mut self, pinning: Arc<Pinning>) -> Self {
        if let Pool::Own { pool, .. } = &mut self.pool {
            // Workers that have been started before would be anywhere.
            *pool = OnceLock::new();
            self.pinning = Some(pinning);
        }
        self
    }

    /// Starts the workers now, where they would else be started by the first run that needs them.
    ///
    /// # Errors
    ///
    /// Where the threads cannot be started. A run then goes on with the calling thread alone.
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

    /// Runs something inside the pool, where what rayon shares out goes to the workers of this one.
    ///
    /// Records are scored by threads that are none of the pool's before it wakes, and wherever a run
    /// may wait for input or for a limit. A task that itself keeps many cores busy, as a
    /// [`Match`](crate::task::matching::Match) does against a large reference, keeps those of this pool
    /// busy when it is installed. This starts the workers; it runs on the calling thread where they
    /// cannot be started.
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

    /// Shares out what the calling thread has left over.
    fn share(&self, units: Range<usize>, workers: usize, pace: Pace, work: &Work<'_>) {
        if work.waits() {
            return crew::share(units, workers, pace, work, self.pinning.as_deref());
        }
        let crowd = &Crowd {
            handout: Handout::new(units.clone(), workers, work),
            resting: Mutex::default(),
        };
        // Workers are numbered by their loops, not by their threads: a thread that waits inside a
        // task may pick up another loop meanwhile.
        let on_pool = || {
            rayon::scope(|scope| {
                for worker in 1..workers {
                    scope.spawn(move |scope| crowd.work(scope, worker, pace));
                }
                crowd.work(scope, 0, pace);
            });
        };
        match &self.pool {
            Pool::Ambient => on_pool(),
            Pool::Own { threads, pool } => match pool.get_or_init(|| self.build(*threads).ok()) {
                Some(pool) => pool.install(on_pool),
                // Without threads there is still this one.
                None => _ = work.run(0, units),
            },
            Pool::Given(pool) => pool.install(on_pool),
        }
    }

    fn build(&self, threads: usize) -> Result<ThreadPool, ThreadPoolBuildError> {
        let mut pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|number| format!("manyhands-{number}"));
        if let Some(pinning) = self.pinning.clone() {
            pool = pool.start_handler(move |number| pinning.pin(number));
        }
        pool.build()
    }
}

/// Workers that share the threads of a pool.
struct Crowd<'w> {
    handout: Handout<'w>,
    /// Workers that have been told to rest, and their paces.
    resting: Mutex<Vec<(usize, Pace)>>,
}

impl Crowd<'_> {
    fn work<'s>(&'s self, scope: &Scope<'s>, worker: usize, pace: Pace) {
        let rests = self.handout.work(worker, pace, || self.call_back(scope));
        if let Some(pace) = rests {
            lock(&self.resting).push((worker, pace));
        }
    }

    /// Sends those that rest back to work.
    fn call_back<'s>(&'s self, scope: &Scope<'s>) {
        for (worker, pace) in std::mem::take(&mut *lock(&self.resting)) {
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
        // One worker that is to be kept on a core is not the calling thread.
        let one_worker = workers == 1 && self.pinning.is_none();
        if let Some((units, pace)) = alone::begin(work, workers, one_worker) {
            self.share(units, workers, pace, work);
        }
    }
}
