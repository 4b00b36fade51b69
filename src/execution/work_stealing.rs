//! A rayon pool: the default executor.

use std::ops::Range;
use std::sync::OnceLock;

use rayon::{Scope, ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use super::handout::{Handout, Pace};
use super::{Executor, Work, alone, crew, usable_cores};
use crate::error::Error;
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
        }
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
                let built = build(threads).map_err(|source| Error::Workers { threads, source })?;
                let _ = pool.set(Some(built));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Runs something inside the pool, where what rayon shares out goes to the workers of this one.
    ///
    /// A run begins on the thread that calls it, which otherwise is none of the pool's: the first
    /// records, until it is clear that the rest is worth waking the workers for. That is a pity where
    /// one record alone keeps many cores busy, as with a [`Match`](crate::task::matching::Match)
    /// against a large reference. Inside the pool a run begins there. This starts the workers; it runs
    /// on the calling thread where they cannot be started.
    ///
    /// ```
    /// use manyhands::prelude::*;
    /// use manyhands::task::matching::{Matching, Measure};
    ///
    /// let parts = (0..100_000).map(|number| format!("part no. {number}"));
    /// let task = Matching::by(Measure::Ratio).against(parts);
    /// let executor = WorkStealing::new(4);
    /// let report = executor.install(|| {
    ///     Pipeline::new(&["part 31337"], |text: &&str| task.score(text)[0].score)
    ///         .executor(&executor)
    ///         .aggregate(Mean::new())
    /// })?;
    /// assert_eq!(report.records, 1);
    /// # Ok::<(), manyhands::Error>(())
    /// ```
    pub fn install<R: Send>(&self, run: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Pool::Ambient => run(),
            Pool::Own { threads, pool } => match pool.get_or_init(|| build(*threads).ok()) {
                Some(pool) => pool.install(run),
                None => run(),
            },
        }
    }

    /// Shares out what the calling thread has left over.
    fn share(&self, units: Range<usize>, workers: usize, pace: Pace, work: &Work<'_>) {
        if work.waits() {
            return crew::share(units, workers, pace, work);
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
            Pool::Own { threads, pool } => match pool.get_or_init(|| build(*threads).ok()) {
                Some(pool) => pool.install(on_pool),
                // Without threads there is still this one.
                None => _ = work.run(0, units),
            },
        }
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

fn build(threads: usize) -> Result<ThreadPool, ThreadPoolBuildError> {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|number| format!("manyhands-{number}"))
        .build()
}

impl Default for WorkStealing {
    fn default() -> Self {
        Self::all_cores()
    }
}

impl Executor for WorkStealing {
    fn workers(&self) -> usize {
        match &self.pool {
            Pool::Ambient => rayon::current_num_threads(),
            Pool::Own { threads, .. } => *threads,
        }
    }

    fn execute(&self, work: &Work<'_>) {
        let workers = work.workers(self.workers());
        if let Some((units, pace)) = alone::begin(work, workers == 1) {
            self.share(units, workers, pace, work);
        }
    }
}
