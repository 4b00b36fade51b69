//! A whole run in one call: it takes a dataset, a task, an executor and an aggregator, and returns a report.
//!
//! `pipeline/README.md` explains in which order records are scored, judged, counted and observed.

mod collector;
mod frontier;
mod journalled;
mod lookahead;
#[cfg(all(test, shuttle))]
mod model;
mod order;
mod outcome;
mod output_block;
mod outstanding;
mod pending;
mod run;
mod skips;
mod step;
mod step_progress;
mod stopwatch;
mod worker;

use std::io;
use std::sync::OnceLock;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::aggregation::Aggregator;
use crate::dataset::Dataset;
use crate::error::{Error, OnFailure};
use crate::execution::{Executor, Work, WorkStealing};
use crate::limit::{Limit, Permits};
use crate::report::{Report, Timing};
use crate::sink::Sink;
use crate::stop::{Cancel, DeadlineGuard};
use crate::task::Task;

pub(crate) use order::Order;
use run::PipelineRun;
pub use stopwatch::Stopwatch;

/// A dataset, the task that scores its records, and the options of the run.
///
/// ```
/// use manyhands::prelude::*;
///
/// let words = vec!["many", "hands", "make", "light", "work"];
/// let report = Pipeline::new(&words, |word: &&str| word.len() as f64)
///     .executor(&WorkStealing::new(4))
///     .aggregate((Count::new(), Mean::new()))?;
/// assert_eq!(report.value, (5, 4.4));
/// assert_eq!(report.scored, 5);
/// # Ok::<(), manyhands::Error>(())
/// ```
#[must_use = "a pipeline does nothing until it aggregates"]
pub struct Pipeline<'a, D: Dataset + ?Sized, T, S> {
    dataset: &'a D,
    task: T,
    executor: Option<&'a dyn Executor>,
    on_failure: OnFailure,
    progress: &'a (dyn Fn(u64) + Sync),
    sink: Option<&'a dyn Sink<S>>,
    cancel: Option<&'a Cancel>,
    deadline: Option<Duration>,
    limit: Limit,
    weigh: Option<&'a Weigh<'a, D>>,
    /// The maximum number of records of a stream that have been taken and whose scores have not been
    /// delivered yet.
    most_outstanding: Option<u64>,
}

/// Returns the weight of a record.
type Weigh<'a, D> = dyn for<'r> Fn(&<D as Dataset>::Record<'r>) -> u64 + Sync + 'a;

impl<'a, D, T, S> Pipeline<'a, D, T, S>
where
    D: Dataset + ?Sized,
    T: for<'r> Task<D::Record<'r>, Score = S>,
    S: Send,
{
    /// Scores every record of `dataset` with `task`.
    ///
    /// If the task is a closure, it must name the type of its argument, as in `|x: &f64| x.sqrt()`.
    pub fn new(dataset: &'a D, task: T) -> Self {
        Pipeline {
            dataset,
            task,
            executor: None,
            on_failure: OnFailure::default(),
            progress: &|_| {},
            sink: None,
            cancel: None,
            deadline: None,
            limit: Limit::none(),
            weigh: None,
            most_outstanding: None,
        }
    }

    /// Uses this executor for the run. Without this call, the run uses a [`WorkStealing`] pool with one
    /// worker for each usable core. This pool is started when it is first needed, and is shared by all
    /// pipelines without an executor of their own.
    pub fn executor(mut self, executor: &'a dyn Executor) -> Self {
        self.executor = Some(executor);
        self
    }

    /// Sets what happens to the run when a record cannot be scored.
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }

    /// Reports progress: from time to time, a worker calls `progress` with the [`size`](Dataset::size) of the
    /// parts that it has done since its last call.
    pub fn progress(mut self, progress: &'a (dyn Fn(u64) + Sync)) -> Self {
        self.progress = progress;
        self
    }

    /// Also passes every score to `sink`, in the order of the records.
    pub fn scores(mut self, sink: &'a dyn Sink<S>) -> Self {
        self.sink = Some(sink);
        self
    }

    /// Limits how many records are in flight at the same time, and how many are started per second. The
    /// answer does not depend on the limit.
    ///
    /// If the limit has a rate or a budget, the records are scored on threads that are started for the run,
    /// even if the executor has a rayon pool, so that no thread of the pool waits for a permit.
    pub fn limit(mut self, limit: Limit) -> Self {
        self.limit = limit;
        self
    }

    /// Sets the weight of each record, for a [budget](Limit::budget). Without this call, each record weighs
    /// 1.
    ///
    /// ```
    /// use manyhands::prelude::*;
    ///
    /// let sizes = [900_u64, 20, 30, 700, 2_000, 10];
    /// let report = Pipeline::new(&sizes, |size: &u64| vec![0_u8; *size as usize].len())
    ///     .limit(Limit::none().budget(1_000))
    ///     .weigh(&|size: &u64| *size)
    ///     .aggregate(Count::new())?;
    /// assert_eq!(report.value, 6);
    /// # Ok::<(), manyhands::Error>(())
    /// ```
    pub fn weigh(mut self, weigh: &'a (dyn for<'r> Fn(&D::Record<'r>) -> u64 + Sync + 'a)) -> Self {
        self.weigh = Some(weigh);
        self
    }

    /// Stops the run when this much time has passed since it began.
    ///
    /// ```
    /// use std::time::Duration;
    /// use manyhands::prelude::*;
    ///
    /// let report = Pipeline::new(&(0..usize::MAX), |n: &usize| n % 10)
    ///     .deadline(Duration::from_millis(20))
    ///     .aggregate_so_far(Count::new())?;
    /// assert_eq!(report.value, report.records);
    /// assert!(!report.end.is_finished());
    /// # Ok::<(), manyhands::Error>(())
    /// ```
    pub fn deadline(mut self, after: Duration) -> Self {
        self.deadline = Some(after);
        self
    }

    /// Stops the run when `cancel` is cancelled: records that have been started are finished, and no others
    /// are started. The run returns as soon as the slowest of those records is done.
    pub fn cancel(mut self, cancel: &'a Cancel) -> Self {
        self.cancel = Some(cancel);
        self
    }

    /// Runs the pipeline, and combines the scores.
    ///
    /// # Errors
    ///
    /// Returns an error if the dataset cannot be read, the sink cannot be written, too many records fail, or
    /// the run is stopped. In the last two cases, [`aggregate_so_far`](Pipeline::aggregate_so_far) returns an
    /// answer.
    ///
    /// # Panics
    ///
    /// Panics if the aggregator panics, or if a score panics when it is dropped. The calling thread then
    /// panics with the same payload, after the other workers have finished their current portions. If a task
    /// panics, this is only a failure of its record. A task that overflows the stack aborts the process, see
    /// [`WorkStealing`].
    pub fn aggregate<A: Aggregator<S>>(self, aggregator: A) -> Result<Report<A::Output>, Error> {
        self.aggregate_so_far(aggregator)?.finished()
    }

    /// Runs the pipeline, and combines the scores even if the run is stopped, or halted by failures, before
    /// its end; see [`Report::end`]. In that case, the answer covers the longest beginning of the dataset in
    /// which every record is done.
    ///
    /// # Errors
    ///
    /// Returns an error if the dataset cannot be read or the sink cannot be written.
    ///
    /// # Panics
    ///
    /// Panics in the same cases as [`aggregate`](Pipeline::aggregate).
    pub fn aggregate_so_far<A: Aggregator<S>>(
        self,
        aggregator: A,
    ) -> Result<Report<A::Output>, Error> {
        let order = match (A::COMMUTATIVE, self.dataset.is_stream()) {
            (true, _) => Order::Any,
            (false, true) => Order::Records,
            (false, false) => Order::Blocks,
        };
        self.run(aggregator, order)
    }

    /// Sets the maximum number of records that have been taken and whose scores have not been delivered yet.
    pub(crate) fn most_outstanding(mut self, records: usize) -> Self {
        self.most_outstanding = Some(records as u64);
        self
    }

    pub(crate) fn run<A: Aggregator<S>>(
        self,
        aggregator: A,
        order: Order,
    ) -> Result<Report<A::Output>, Error> {
        let began = Instant::now();
        let permits = Permits::new(&self.limit)?;
        let token = match (self.cancel, self.deadline) {
            (given, None) => given.cloned(),
            (given, Some(_)) => Some(given.map_or_else(Cancel::new, Cancel::child)),
        };
        let deadline = self.deadline.zip(token.as_ref());
        let deadline =
            deadline.map(|(after, token)| DeadlineGuard::start_after(began, after, token));
        let _deadline = deadline.transpose().map_err(Error::no_thread)?;
        let executor = self.executor.unwrap_or_else(|| shared_pool());
        let workers = self.limit.workers(executor.workers());
        let run = PipelineRun::new(
            &self,
            aggregator,
            order,
            workers,
            began,
            token.as_ref(),
            permits,
        );
        let units = |worker, units| run.units(worker, units);
        let stream = self.dataset.is_stream();
        let pace = |worker| run.pace_elsewhere(worker);
        let mut work = Work::new(run.unit_count(), &units)
            .at_most(workers)
            .waiting(stream || self.limit.waits());
        if stream {
            work = work.paced_by(&pace);
        }
        match &token {
            Some(token) if stream => {
                closing_when(token, || run.close(), || executor.execute(&work))
                    .map_err(Error::no_thread)?;
            }
            _ => executor.execute(&work),
        }
        let executed = began.elapsed();
        let outcome = run.into_outcome()?;
        let value = outcome.aggregator.finish();
        let wall = began.elapsed();
        let timing = Timing {
            wall,
            cpu: None,
            finish: wall - executed,
            workers: outcome.workers,
            slowest: outcome.slowest,
        };
        let totals = outcome.totals;
        Ok(Report {
            value,
            end: outcome.end,
            records: totals.records,
            scored: totals.records - totals.failed - totals.skipped,
            failed: totals.failed,
            skipped: totals.skipped,
            failures: totals.failures,
            timing,
        })
    }
}

/// Calls `run`. If the token is cancelled before `run` returns, calls `close`, because a worker that waits
/// for records, or for room for them, does not check the token.
///
/// # Errors
///
/// Returns an error, without calling `run`, if the thread that checks the token cannot be started.
fn closing_when(token: &Cancel, close: impl FnOnce() + Send, run: impl FnOnce()) -> io::Result<()> {
    /// The time between two checks of the token.
    const CHECK_INTERVAL: Duration = Duration::from_millis(5);

    thread::scope(|scope| {
        let (running, ended) = mpsc::channel::<()>();
        let check = move || {
            while ended.recv_timeout(CHECK_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                if token.is_cancelled() {
                    return close();
                }
            }
        };
        let thread = thread::Builder::new().name("manyhands-closing".to_owned());
        thread.spawn_scoped(scope, check)?;
        run();
        drop(running);
        Ok(())
    })
}

/// The pool that is shared by all pipelines without an executor of their own.
fn shared_pool() -> &'static WorkStealing {
    static POOL: OnceLock<WorkStealing> = OnceLock::new();
    POOL.get_or_init(WorkStealing::all_cores)
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn pipelines_without_an_executor_share_one_pool() {
        assert!(std::ptr::eq(shared_pool(), shared_pool()));
        assert_eq!(shared_pool().workers(), WorkStealing::all_cores().workers());
    }
}
