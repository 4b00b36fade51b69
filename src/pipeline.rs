//! The pattern in one function: dataset, task, executor, aggregator; out comes a report.

mod ahead;
mod frontier;
mod held;
mod in_hand;
mod met;
#[cfg(all(test, shuttle))]
mod model;
mod outcome;
mod piece;
mod run;
mod settle;
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

pub(crate) use run::Order;
use run::Run;
pub use stopwatch::Stopwatch;

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
    /// How many records of a stream may have been taken that are not handed on yet.
    in_hand: Option<u64>,
}

/// Says what a record weighs.
type Weigh<'a, D> = dyn for<'r> Fn(&<D as Dataset>::Record<'r>) -> u64 + Sync + 'a;

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
            deadline: None,
            limit: Limit::none(),
            weigh: None,
            in_hand: None,
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

    /// Tells how much more of the dataset is done, in its [`size`](Dataset::size), now and
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

    /// Limits how many records are in flight and how many are started in a second. The answer stays
    /// the same.
    ///
    /// A rate is waited for on threads that nobody else needs, even where the executor has a rayon
    /// pool. Those of the pool stay free.
    pub fn limit(mut self, limit: Limit) -> Self {
        self.limit = limit;
        self
    }

    /// Says what a record weighs, for a [budget](Limit::budget); without, each weighs 1.
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

    /// Stops after so long.
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
        self.aggregate_so_far(aggregator)?.finished()
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

    /// So many records may have been taken that are not handed on yet.
    pub(crate) fn in_hand(mut self, records: usize) -> Self {
        self.in_hand = Some(records as u64);
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
        let run = Run::new(
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
        let work = Work::new(run.unit_count(), &units)
            .at_most(workers)
            .waiting(stream || self.limit.waits());
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

/// Calls `run`, and `close` when the token is cancelled meanwhile: a worker does not look at the token
/// while it waits for records, or for room for them.
///
/// # Errors
///
/// If the thread that looks at the token cannot be started. `run` is not called then.
fn closing_when(token: &Cancel, close: impl FnOnce() + Send, run: impl FnOnce()) -> io::Result<()> {
    /// How often the token is looked at.
    const TICK: Duration = Duration::from_millis(5);

    thread::scope(|scope| {
        let (running, ended) = mpsc::channel::<()>();
        let look = move || {
            while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                if token.is_cancelled() {
                    return close();
                }
            }
        };
        let thread = thread::Builder::new().name("manyhands-closing".to_owned());
        thread.spawn_scoped(scope, look)?;
        run();
        drop(running);
        Ok(())
    })
}

/// The pool of the pipelines that name no executor.
fn shared_pool() -> &'static WorkStealing {
    static POOL: OnceLock<WorkStealing> = OnceLock::new();
    POOL.get_or_init(WorkStealing::all_cores)
}
