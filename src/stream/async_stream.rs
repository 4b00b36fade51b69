//! Scores the records of any iterator with an async function.

use std::cell::Cell;
use std::thread::Scope;
use std::time::Duration;

use super::async_steps::{AnswerItself, HandedOver, Indexed, NextStep, StepRef};
use super::each::{ForEach, TakenOnce};
use super::scores::{self, Attempt, Scores, ScoresSetup};
use crate::aggregation::Aggregator;
use crate::calls::{AsyncTask, AwaitedRecord, CallSurroundings, Calls};
use crate::dataset::Records;
use crate::error::{Error, OnFailure};
use crate::execution::TaskQueue;
use crate::machine::usable_cores;
use crate::pipeline::{Order, Pipeline};
use crate::report::Report;
use crate::stop::Cancel;
use crate::task::Task;

/// The number of calls in flight, unless the caller sets another one.
const IN_FLIGHT: usize = 16;

/// A stream whose records are scored by an async function, with the settings of its run. It is created by
/// [`task_async`](super::Untasked::task_async).
///
/// The iterator may be endless or slow. At most [`in_flight`](AsyncStream::in_flight) calls are in flight at the same time,
/// and no more records than [`Calls::outstanding`] says are taken from the iterator before they are answered and passed on
/// to a worker. The scores, their order and the bits of an aggregate are those of a [`Stream`](super::Stream) whose task
/// makes the same calls one after the other.
///
/// ```
/// use manyhands::prelude::*;
///
/// let answers = stream(1..=100_u64)
///     .task_async(async |n: &u64| {
///         tokio::task::yield_now().await;
///         n * n
///     })
///     .then(|square: &u64| (*square as f64).sqrt())
///     .in_flight(8)
///     .aggregate((Count::new(), Sum::new()))?;
/// assert_eq!(answers.value, (100, 5050.0));
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a stream does nothing until its scores are asked for"]
pub struct AsyncStream<'a, I, T, U = AnswerItself> {
    records: I,
    task: T,
    step: U,
    calls: Calls,
    run: AsyncRun<'a>,
}

/// The settings of a run apart from those of its calls.
#[derive(Clone, Copy, Debug)]
struct AsyncRun<'a> {
    workers: usize,
    stack_size: Option<usize>,
    ordered: bool,
    on_failure: Option<OnFailure>,
    cancel: Option<&'a Cancel>,
    deadline: Option<Duration>,
}

impl<I, T> AsyncStream<'static, I, T> {
    pub(super) fn new(records: I, task: T) -> Self {
        AsyncStream {
            records,
            task,
            step: AnswerItself,
            calls: Calls::in_flight(IN_FLIGHT),
            run: AsyncRun {
                workers: usable_cores(),
                stack_size: None,
                ordered: true,
                on_failure: None,
                cancel: None,
                deadline: None,
            },
        }
    }
}

impl<'a, I, T> AsyncStream<'a, I, T> {
    /// Computes the score of a record from its answer with `task`, on the [workers](AsyncStream::workers). A step that
    /// needs a processor core belongs here: inside the async function, it would hold up all other calls.
    ///
    /// A closure must name the type of its argument, as in `|answer: &String| answer.len()`. If the step needs the record
    /// as well, the async function returns both.
    pub fn then<N>(self, task: N) -> AsyncStream<'a, I, T, NextStep<N>> {
        AsyncStream {
            step: NextStep(task),
            records: self.records,
            task: self.task,
            calls: self.calls,
            run: self.run,
        }
    }
}

impl<'a, I, T, U> AsyncStream<'a, I, T, U> {
    pub(super) fn with_task<V>(self, task: impl FnOnce(T) -> V) -> AsyncStream<'a, I, V, U> {
        AsyncStream {
            task: task(self.task),
            records: self.records,
            step: self.step,
            calls: self.calls,
            run: self.run,
        }
    }
}

impl<'a, R, I, T, U> AsyncStream<'a, I, T, U>
where
    R: Send + Sync,
    I: Iterator<Item = R> + Send,
    T: AsyncTask<R> + Sync,
    T::Score: Send,
    U: Task<AwaitedRecord<Option<(u64, R)>, T::Score>>,
    U::Score: Send,
{
    /// Sets all limits on the calls together, and how often they are tried again. A later
    /// [`in_flight`](AsyncStream::in_flight), [`per_second`](AsyncStream::per_second),
    /// [`timeout`](AsyncStream::timeout) or [`retries`](AsyncStream::retries) changes a single one.
    ///
    /// ```
    /// use manyhands::calls::Calls;
    /// use manyhands::prelude::*;
    ///
    /// let calls = Calls::adaptive(64).budget(1_000_000);
    /// let control = calls.control();
    /// let lengths: Vec<usize> = stream(["many", "hands"])
    ///     .task_async(async |word: &&str| {
    ///         control.spend(word.len() as u64);
    ///         word.len()
    ///     })
    ///     .calls(calls.clone())
    ///     .collect()?;
    /// assert_eq!((lengths, control.spent()), (vec![4, 5], 9));
    /// # Ok::<(), manyhands::Error>(())
    /// ```
    pub fn calls(mut self, calls: Calls) -> Self {
        self.calls = calls;
        self
    }

    /// Sets how many calls may be in flight at the same time. The default is 16.
    pub fn in_flight(mut self, calls: usize) -> Self {
        self.calls = self.calls.most_in_flight(calls);
        self
    }

    /// Starts at most this many calls per second, see [`Calls::per_second`].
    pub fn per_second(mut self, calls: f64) -> Self {
        self.calls = self.calls.per_second(calls);
        self
    }

    /// Gives up a call after this time, see [`Calls::timeout`].
    pub fn timeout(mut self, time: Duration) -> Self {
        self.calls = self.calls.timeout(time);
        self
    }

    /// Tries a record whose call has failed again, see [`Calls::retries`].
    pub fn retries(mut self, times: u32) -> Self {
        self.calls = self.calls.retries(times);
        self
    }

    /// Sets the number of threads that pass the answers on, and that run the step after the call, see
    /// [`then`](AsyncStream::then). By default, there is one thread for each core that this process may use. All futures
    /// run on one further thread.
    pub fn workers(mut self, workers: usize) -> Self {
        self.run.workers = workers.max(1);
        self
    }

    /// Gives each worker that is started a stack of this many bytes, see [`TaskQueue::stack_size`].
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.run.stack_size = Some(bytes);
        self
    }

    /// Passes scores on in the order of the records. This is the default.
    pub fn ordered(mut self) -> Self {
        self.run.ordered = true;
        self
    }

    /// Passes each score on as soon as it is done.
    pub fn unordered(mut self) -> Self {
        self.run.ordered = false;
        self
    }

    /// Sets what happens to the run when a record cannot be scored, see [`Stream::on_failure`](super::Stream::on_failure).
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.run.on_failure = Some(on_failure);
        self
    }

    /// Stops the run when `cancel` is cancelled. Calls in flight are dropped. If the iterator is waiting at that moment, the
    /// run stops when it returns.
    pub fn cancel<'b>(self, cancel: &'b Cancel) -> AsyncStream<'b, I, T, U> {
        AsyncStream {
            run: AsyncRun {
                cancel: Some(cancel),
                ..self.run
            },
            records: self.records,
            task: self.task,
            step: self.step,
            calls: self.calls,
        }
    }

    /// Stops the run when this much time has passed since the run began, as [`cancel`](AsyncStream::cancel) does.
    pub fn deadline(mut self, after: Duration) -> Self {
        self.run.deadline = Some(after);
        self
    }

    /// Calls `take` with every score, see [`Stream::for_each`](super::Stream::for_each).
    ///
    /// # Errors
    ///
    /// Returns an error if too many records fail, if the run is stopped, or if it cannot be started, see
    /// [`Calls::answer`]. By then, `take` has received the scores that were done.
    ///
    /// # Panics
    ///
    /// Panics if the iterator or `take` panics.
    pub fn for_each(self, mut take: impl FnMut(U::Score) + Send) -> Result<Report<()>, Error> {
        let for_each = ForEach::new(|_, score| take(score));
        self.with_step(TakenOnce).run_each(for_each)
    }

    /// Collects the scores, see [`Stream::collect`](super::Stream::collect).
    ///
    /// # Errors
    ///
    /// Returns an error if a record fails, unless failures are skipped, if the run is stopped, or if it cannot be started.
    pub fn collect<C>(mut self) -> Result<C, Error>
    where
        C: Default + Extend<U::Score> + Send,
    {
        // A collection does not show which scores are missing from it, so a failure stops the run by default.
        self.run.on_failure.get_or_insert(OnFailure::Stop);
        let mut all = C::default();
        self.for_each(|score| all.extend([score]))?;
        Ok(all)
    }

    /// Combines the scores.
    ///
    /// # Errors
    ///
    /// Returns an error if too many records fail, if the run is stopped, or if it cannot be started.
    pub fn aggregate<A: Aggregator<U::Score>>(
        self,
        aggregator: A,
    ) -> Result<Report<A::Output>, Error> {
        let order = match A::COMMUTATIVE {
            true => Order::Any,
            false => Order::Records,
        };
        self.execute(aggregator, order)
    }

    /// Returns an iterator over the scores, see [`Stream::iter`](super::Stream::iter).
    ///
    /// ```
    /// use manyhands::calls::fallible_async;
    /// use manyhands::prelude::*;
    ///
    /// let numbers = ["1", "2", "many", "4"];
    /// let parse = fallible_async(async |text: &&str| text.parse::<u32>());
    /// std::thread::scope(|scope| {
    ///     let scores = stream(numbers).task_async(parse).iter(scope);
    ///     let messages: Vec<_> = scores.map(|score| score.map_err(|failure| failure.to_string())).collect();
    ///     assert_eq!(messages[1], Ok(2));
    ///     assert_eq!(messages[2], Err("record 3: invalid digit found in string".to_owned()));
    /// });
    /// ```
    pub fn iter<'scope>(self, scope: &'scope Scope<'scope, '_>) -> Scores<'scope, U::Score>
    where
        'a: 'scope,
        I: 'scope,
        T: Send + 'scope,
        U: Send + 'scope,
        U::Score: 'scope,
    {
        let setup = ScoresSetup {
            token: self.run.cancel.map_or_else(Cancel::new, Cancel::child),
            waiting: None,
            stack_size: self.run.stack_size,
        };
        scores::start(scope, setup, move |token, mut pass_on| {
            let stream = self.with_step(|step| TakenOnce(Indexed(Attempt(step))));
            let for_each = ForEach::new(|_, (index, scored)| pass_on(index, scored));
            stream.cancel(token).run_each(for_each).map(|_| ())
        })
    }

    fn with_step<V>(self, step: impl FnOnce(U) -> V) -> AsyncStream<'a, I, T, V> {
        AsyncStream {
            step: step(self.step),
            records: self.records,
            task: self.task,
            calls: self.calls,
            run: self.run,
        }
    }

    /// Runs with an aggregator that does not use the indices of the records.
    fn run_each<A: Aggregator<U::Score>>(self, aggregator: A) -> Result<Report<A::Output>, Error> {
        if self.run.ordered {
            return self.execute(aggregator, Order::Records);
        }
        let calls = self.calls.unordered(true);
        AsyncStream { calls, ..self }.execute(aggregator, Order::AsDone)
    }

    fn execute<A: Aggregator<U::Score>>(
        self,
        aggregator: A,
        order: Order,
    ) -> Result<Report<A::Output>, Error> {
        let run = self.run;
        let mut executor = TaskQueue::new(run.workers);
        if let Some(bytes) = run.stack_size {
            executor = executor.stack_size(bytes);
        }
        let token = run.cancel.map_or_else(Cancel::new, Cancel::child);
        let records = (0..).zip(self.records);
        let records = Records::new(records.map(|record| Cell::new(Some(record))));
        let around = CallSurroundings {
            memory: self.task.memory(),
            ..CallSurroundings::default()
        };
        let task = HandedOver(&self.task);
        let answered =
            self.calls
                .answer_in(around, &records, Cell::take, &task, &token, |answers| {
                    let mut pipeline = Pipeline::new(answers, StepRef(&self.step))
                        .executor(&executor)
                        .on_failure(run.on_failure.unwrap_or_default())
                        .cancel(&token);
                    if let Some(after) = run.deadline {
                        pipeline = pipeline.deadline(after);
                    }
                    pipeline.run(aggregator, order)?.finished()
                });
        answered?.0
    }
}
