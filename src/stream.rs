//! Scores the records of any iterator on every core, in one call: in the order of the records or as they are done,
//! with a limit on the number of records in flight.

#[cfg(feature = "async")]
mod async_journal;
#[cfg(feature = "async")]
mod async_steps;
#[cfg(feature = "async")]
mod async_stream;
mod each;
mod scores;

use std::marker::PhantomData;
use std::thread::Scope;
use std::time::Duration;

use crate::aggregation::Aggregator;
#[cfg(feature = "async")]
use crate::calls::AsyncTask;
use crate::dataset::Records;
use crate::error::{Error, OnFailure};
use crate::execution::TaskQueue;
use crate::limit::Limit;
use crate::machine::usable_cores;
use crate::pipeline::{Order, Pipeline};
use crate::report::Report;
use crate::stop::Cancel;
use crate::task::Task;

#[cfg(feature = "async")]
pub use async_steps::{AnswerItself, NextStep};
#[cfg(feature = "async")]
pub use async_stream::AsyncStream;
use each::{ForEach, TakenOnce};
pub use scores::Scores;
use scores::{Attempt, ScoresSetup};

/// The records of an iterator, to be scored by several workers.
///
/// The iterator may be endless or slow: a free worker pulls the next record, and no record has to wait for the one
/// after it. No worker pulls further ahead than [`in_flight`](Stream::in_flight) allows.
///
/// No thread reads on behalf of the others, and records do not pass through a channel. With a task that does nothing,
/// a record takes 0.7 times the processor time that it takes through rayon's `par_bridge` (0.8 in order), and at most
/// a quarter of what it takes through a hand-written crossbeam channel. The documentation of [`TaskQueue`] lists the
/// alternatives that were measured.
///
/// A run that is stopped while a worker waits for the iterator ends when the iterator's `next` returns, because
/// `next` cannot be interrupted. If a channel may be silent for long, close it, or wait on it with a timeout.
///
/// ```
/// use manyhands::prelude::*;
///
/// let mut squares = Vec::new();
/// stream(1..=5_u64)
///     .task(|n: &u64| n * n)
///     .in_flight(64)
///     .for_each(|square| squares.push(square))?;
/// assert_eq!(squares, [1, 4, 9, 16, 25]);
/// # Ok::<(), manyhands::Error>(())
/// ```
pub fn stream<R, I>(records: impl IntoIterator<IntoIter = I>) -> Untasked<R, I>
where
    I: Iterator<Item = R>,
{
    Untasked {
        records: records.into_iter(),
        record: PhantomData,
    }
}

/// A stream that has no task yet, created by [`stream`].
#[derive(Debug)]
#[must_use = "a stream does nothing until its scores are asked for"]
pub struct Untasked<R, I> {
    records: I,
    record: PhantomData<fn() -> R>,
}

impl<R, I: Iterator<Item = R>> Untasked<R, I> {
    /// Scores every record with `task`.
    ///
    /// A closure must name the type of its argument, as in `|n: &u64| n * n`.
    pub fn task<T: Task<R>>(self, task: T) -> Stream<'static, R, I, T> {
        Stream {
            records: Records::new(self.records),
            task,
            workers: usable_cores(),
            stack_size: None,
            in_flight: None,
            ordered: true,
            limit: Limit::none(),
            on_failure: None,
            cancel: None,
            deadline: None,
        }
    }

    /// Scores every record with an async function, such as a call to a service.
    ///
    /// At most 16 calls are in flight at the same time, see [`in_flight`](AsyncStream::in_flight). The module
    /// [`calls`](crate::calls) explains where the futures run, and what happens inside a runtime.
    ///
    /// ```
    /// use std::time::Duration;
    /// use manyhands::prelude::*;
    ///
    /// let lengths: Vec<usize> = stream("many hands make light work".split(' '))
    ///     .task_async(async |word: &&str| {
    ///         // A real task would wait for a service here.
    ///         tokio::time::sleep(Duration::from_millis(1)).await;
    ///         word.len()
    ///     })
    ///     .in_flight(64)
    ///     .collect()?;
    /// assert_eq!(lengths, [4, 5, 4, 5, 4]);
    /// # Ok::<(), manyhands::Error>(())
    /// ```
    #[cfg(feature = "async")]
    pub fn task_async<T: AsyncTask<R>>(self, task: T) -> AsyncStream<'static, I, T> {
        AsyncStream::new(self.records, task)
    }
}

/// A stream with its task and the settings of its run.
#[derive(Debug)]
#[must_use = "a stream does nothing until its scores are asked for"]
pub struct Stream<'a, R, I, T> {
    records: Records<R, I>,
    task: T,
    workers: usize,
    stack_size: Option<usize>,
    in_flight: Option<usize>,
    ordered: bool,
    limit: Limit,
    on_failure: Option<OnFailure>,
    cancel: Option<&'a Cancel>,
    deadline: Option<Duration>,
}

impl<'a, R, I, T> Stream<'a, R, I, T>
where
    R: Send,
    I: Iterator<Item = R> + Send,
    T: Task<R>,
    T::Score: Send,
{
    /// Sets the number of threads. By default, there is one thread for each core that this process may use.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// Gives each thread that is started a stack of this many bytes. By default, the stack is as large as
    /// the main thread's, see [`TaskQueue::stack_size`].
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// Sets how many records may be taken from the iterator before their scores have been passed on: to the closure,
    /// to the aggregator, or by [`iter`](Stream::iter) to its caller. The run uses at most this number of workers.
    ///
    /// A limit of a few hundred records does not slow the run down. If the limit equals the number of workers, each
    /// record is pulled and passed on by itself, which takes most of the time if records are cheap to score.
    pub fn in_flight(mut self, records: usize) -> Self {
        self.in_flight = Some(records.max(1));
        self
    }

    /// Passes scores on in the order of the records. This is the default.
    pub fn ordered(mut self) -> Self {
        self.ordered = true;
        self
    }

    /// Passes each score on as soon as it is done.
    pub fn unordered(mut self) -> Self {
        self.ordered = false;
        self
    }

    /// Limits how many records are started per second, and the total weight of the records in flight.
    pub fn limit(mut self, limit: Limit) -> Self {
        self.limit = limit;
        self
    }

    /// Sets what happens to the run when a record cannot be scored. It has no effect on [`iter`](Stream::iter), which
    /// yields each failure in its place, so that the caller of `iter` decides what happens.
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = Some(on_failure);
        self
    }

    /// Stops the run when `cancel` is cancelled. If a worker is waiting for the iterator at that moment, the run
    /// stops when the iterator returns.
    pub fn cancel<'b>(self, cancel: &'b Cancel) -> Stream<'b, R, I, T> {
        Stream {
            cancel: Some(cancel),
            records: self.records,
            task: self.task,
            workers: self.workers,
            stack_size: self.stack_size,
            in_flight: self.in_flight,
            ordered: self.ordered,
            limit: self.limit,
            on_failure: self.on_failure,
            deadline: self.deadline,
        }
    }

    /// Stops the run when this much time has passed since the run began. If a worker is waiting for the iterator at
    /// that moment, the run stops when the iterator returns.
    pub fn deadline(mut self, after: Duration) -> Self {
        self.deadline = Some(after);
        self
    }

    /// Calls `take` with every score, on a thread that has the score, and never on two threads at once. While `take`
    /// is slow, no more records are pulled than may be in flight. Failures and the number of skipped records are in the
    /// report.
    ///
    /// # Errors
    ///
    /// Returns an error if too many records fail or the run is stopped. By then, `take` has received the scores
    /// that were done.
    ///
    /// # Panics
    ///
    /// Panics if the iterator or `take` panics.
    pub fn for_each(self, mut take: impl FnMut(T::Score) + Send) -> Result<Report<()>, Error> {
        let order = self.order(Order::AsDone);
        let for_each = ForEach::new(|_, score| take(score));
        self.with_task(TakenOnce).run(for_each, order)
    }

    /// Collects the scores, in the order of the records unless the stream is [`unordered`](Stream::unordered). Records
    /// that the task [skips](crate::error::Skipped) have no score in the collection.
    ///
    /// ```
    /// use manyhands::prelude::*;
    ///
    /// let lengths: Vec<usize> = stream("many hands make".split(' '))
    ///     .task(|word: &&str| word.len())
    ///     .collect()?;
    /// assert_eq!(lengths, [4, 5, 4]);
    /// # Ok::<(), manyhands::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if a record fails, unless failures are skipped, or if the run is stopped.
    pub fn collect<C>(mut self) -> Result<C, Error>
    where
        C: Default + Extend<T::Score> + Send,
    {
        // A collection does not show which scores are missing from it, so a failure stops the run by default.
        self.on_failure.get_or_insert(OnFailure::Stop);
        let mut all = C::default();
        self.for_each(|score| all.extend([score]))?;
        Ok(all)
    }

    /// Combines the scores.
    ///
    /// # Errors
    ///
    /// Returns an error if too many records fail or the run is stopped.
    pub fn aggregate<A: Aggregator<T::Score>>(
        self,
        aggregator: A,
    ) -> Result<Report<A::Output>, Error> {
        let order = if A::COMMUTATIVE {
            Order::Any
        } else {
            Order::Records
        };
        self.run(aggregator, order)
    }

    /// Returns an iterator over the scores. If a record fails or is skipped, the iterator returns an `Err` in its
    /// place, because its caller gets no report with the counts. If the iterator is dropped early, no further record
    /// is started.
    ///
    /// The workers run on threads of the `scope`.
    ///
    /// ```
    /// use manyhands::prelude::*;
    ///
    /// let numbers = ["1", "2", "many", "4"];
    /// let parse = fallible(|text: &&str| text.parse::<u32>());
    /// std::thread::scope(|scope| {
    ///     let scores = stream(numbers).task(parse).in_flight(8).iter(scope);
    ///     let messages: Vec<_> = scores.map(|score| score.map_err(|failure| failure.to_string())).collect();
    ///     assert_eq!(messages[1], Ok(2));
    ///     assert_eq!(messages[2], Err("record 3: invalid digit found in string".to_owned()));
    /// });
    /// ```
    pub fn iter<'scope>(self, scope: &'scope Scope<'scope, '_>) -> Scores<'scope, T::Score>
    where
        'a: 'scope,
        R: 'scope,
        I: 'scope,
        T: Send + 'scope,
        T::Score: 'scope,
    {
        let setup = ScoresSetup {
            token: self.cancel.map_or_else(Cancel::new, Cancel::child),
            // Of the records that may be in flight, half may wait in the channel.
            waiting: self.in_flight.map(|records| records / 2),
            stack_size: self.stack_size,
        };
        scores::start(scope, setup, move |token, pass_on| {
            let in_flight = self.in_flight.map(|records| records.div_ceil(2));
            let order = self.order(Order::AsDone);
            let stream = self.with_task(|task| TakenOnce(Attempt(task)));
            let for_each = ForEach::new(pass_on);
            let stream = Stream {
                in_flight,
                ..stream
            };
            stream.cancel(token).run(for_each, order).map(|_| ())
        })
    }

    fn order(&self, otherwise: Order) -> Order {
        if self.ordered {
            Order::Records
        } else {
            otherwise
        }
    }

    fn with_task<U>(self, task: impl FnOnce(T) -> U) -> Stream<'a, R, I, U> {
        Stream {
            task: task(self.task),
            records: self.records,
            workers: self.workers,
            stack_size: self.stack_size,
            in_flight: self.in_flight,
            ordered: self.ordered,
            limit: self.limit,
            on_failure: self.on_failure,
            cancel: self.cancel,
            deadline: self.deadline,
        }
    }

    fn run<A: Aggregator<T::Score>>(
        self,
        aggregator: A,
        order: Order,
    ) -> Result<Report<A::Output>, Error> {
        let workers = self.in_flight.unwrap_or(usize::MAX).min(self.workers);
        let mut executor = TaskQueue::new(workers);
        if let Some(bytes) = self.stack_size {
            executor = executor.stack_size(bytes);
        }
        let mut pipeline = Pipeline::new(&self.records, TaskRef(&self.task))
            .executor(&executor)
            .limit(self.limit)
            .on_failure(self.on_failure.unwrap_or_default());
        if let Some(records) = self.in_flight {
            pipeline = pipeline.most_outstanding(records);
        }
        if let Some(cancel) = self.cancel {
            pipeline = pipeline.cancel(cancel);
        }
        if let Some(after) = self.deadline {
            pipeline = pipeline.deadline(after);
        }
        pipeline.run(aggregator, order)?.finished()
    }
}

/// A task that calls another task by reference.
struct TaskRef<'t, T>(&'t T);

impl<R, T: Task<R>> Task<R> for TaskRef<'_, T> {
    type Score = T::Score;
    type Error = T::Error;

    #[inline]
    fn score(&self, record: &R) -> Result<T::Score, T::Error> {
        self.0.score(record)
    }
}
