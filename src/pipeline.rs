//! The pattern in one function: dataset, task, executor, aggregator; out comes a report.

mod frontier;
mod held;
mod met;
#[cfg(all(test, shuttle))]
mod model;
mod outcome;
mod piece;
mod run;
mod stopwatch;

use std::sync::OnceLock;
use std::time::Instant;

use crate::aggregation::Aggregator;
use crate::dataset::Dataset;
use crate::error::{Error, OnFailure};
use crate::execution::{Executor, Work, WorkStealing};
use crate::report::{End, Report, Timing};
use crate::sink::Sink;
use crate::stop::Cancel;
use crate::task::Task;

use run::{Order, Run};

/// A dataset and a task, and how to run the one over the other.
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
pub struct Pipeline<'a, D: ?Sized, T, S> {
    dataset: &'a D,
    task: T,
    executor: Option<&'a dyn Executor>,
    on_failure: OnFailure,
    progress: &'a (dyn Fn(u64) + Sync),
    sink: Option<&'a dyn Sink<S>>,
    cancel: Option<&'a Cancel>,
}

impl<'a, D, T, S> Pipeline<'a, D, T, S>
where
    D: Dataset + ?Sized,
    T: for<'r> Task<D::Record<'r>, Score = S>,
    S: Send,
{
    /// Scores every record of `dataset` with `task`.
    ///
    /// A closure must name the type it takes, as in `|x: &f64| x.sqrt()`.
    pub fn new(dataset: &'a D, task: T) -> Self {
        Pipeline {
            dataset,
            task,
            executor: None,
            on_failure: OnFailure::default(),
            progress: &|_| {},
            sink: None,
            cancel: None,
        }
    }

    /// Runs on this executor; without, on a [`WorkStealing`] pool with a worker for each usable
    /// core, started when it is first needed and shared by all such pipelines.
    pub fn executor(mut self, executor: &'a dyn Executor) -> Self {
        self.executor = Some(executor);
        self
    }

    /// What becomes of the run when a record cannot be scored.
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }

    /// Tells how much more of the dataset is done, in its [`extent`](Dataset::extent), now and
    /// then, from any worker.
    pub fn progress(mut self, progress: &'a (dyn Fn(u64) + Sync)) -> Self {
        self.progress = progress;
        self
    }

    /// Also hands every score to `sink`, in the order of the records.
    pub fn scores(mut self, sink: &'a dyn Sink<S>) -> Self {
        self.sink = Some(sink);
        self
    }

    /// Stops when this is cancelled: records that have been started are finished, no others are
    /// started. So a run comes back as soon as the slowest of those is done.
    pub fn cancel(mut self, cancel: &'a Cancel) -> Self {
        self.cancel = Some(cancel);
        self
    }

    /// Runs, and combines the scores.
    ///
    /// # Errors
    ///
    /// Where the dataset cannot be read, the sink cannot be written, too many records fail, or the run is
    /// stopped. [`aggregate_so_far`](Pipeline::aggregate_so_far) has an answer in the last two
    /// cases.
    ///
    /// # Panics
    ///
    /// Where the aggregator panics, or a score when it is dropped: on the calling thread, with what
    /// the panic said, once the other workers have finished the portions they are at. A task that
    /// panics is a failure of its record instead.
    pub fn aggregate<A: Aggregator<S>>(self, aggregator: A) -> Result<Report<A::Output>, Error> {
        let report = self.aggregate_so_far(aggregator)?;
        match report.end {
            End::Finished => Ok(report),
            End::Stopped(reason) => Err(Error::Stopped {
                reason,
                records: report.records,
            }),
            End::Halted(failure) => Err(Error::Halted {
                failure,
                scored: report.scored,
            }),
        }
    }

    /// Runs, and combines the scores as far as the run comes before it is stopped or halted by
    /// failures; [`Report::end`] tells. The answer is then that of the longest beginning of the
    /// dataset that is done without a gap.
    ///
    /// # Errors
    ///
    /// Where the dataset cannot be read or the sink cannot be written.
    ///
    /// # Panics
    ///
    /// Where the aggregator panics.
    pub fn aggregate_so_far<A: Aggregator<S>>(
        self,
        aggregator: A,
    ) -> Result<Report<A::Output>, Error> {
        let order = match (A::COMMUTATIVE, self.dataset.is_stream()) {
            (true, _) => Order::Any,
            (false, true) => Order::Records,
            (false, false) => Order::Units,
        };
        self.run(aggregator, order)
    }

    fn run<A: Aggregator<S>>(
        self,
        aggregator: A,
        order: Order,
    ) -> Result<Report<A::Output>, Error> {
        let began = Instant::now();
        let executor = self.executor.unwrap_or_else(|| shared_pool());
        let workers = executor.workers();
        let run = Run::new(&self, aggregator, order, workers, began);
        let units = |worker, units| run.units(worker, units);
        let work = Work::new(run.units, &units)
            .at_most(workers)
            .waiting(self.dataset.is_stream());
        executor.execute(&work);
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
        let reached = outcome.reached;
        Ok(Report {
            value,
            end: outcome.end,
            records: reached.records,
            scored: reached.records - reached.failed,
            failed: reached.failed,
            failures: reached.failures,
            timing,
        })
    }
}

/// The pool of the pipelines that name no executor.
fn shared_pool() -> &'static WorkStealing {
    static POOL: OnceLock<WorkStealing> = OnceLock::new();
    POOL.get_or_init(WorkStealing::all_cores)
}
