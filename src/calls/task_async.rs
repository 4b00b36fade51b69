//! Async functions as tasks.

use std::convert::Infallible;

use super::CallError;
use super::memory::CallMemory;

/// An async function that scores one record.
///
/// Every async closure `async |record: &R| score` is such a task; [`fallible_async`] makes one from a closure that returns
/// a `Result`. All futures of a run are polled by one thread, so they need not be `Send`.
pub trait AsyncTask<R: ?Sized> {
    /// The score of a record.
    type Score;
    /// The reason why a call has no score; [`Infallible`] if every call has one.
    type Error: Into<CallError>;

    /// Scores a record.
    ///
    /// # Errors
    ///
    /// Returns an error if the call fails. The record may then be tried again, as the [`Calls`](super::Calls) and the
    /// [`CallError`] say. A panic counts as an error that is not tried again.
    fn score(&self, record: &R) -> impl Future<Output = Result<Self::Score, Self::Error>>;

    /// Where the answers of earlier runs are, if this task takes them over. Records are known by their index and their
    /// contents.
    #[doc(hidden)]
    fn memory(&self) -> Option<&dyn CallMemory<Option<(u64, R)>, Self::Score>>
    where
        R: Sized,
    {
        None
    }
}

impl<R: ?Sized, S, F> AsyncTask<R> for F
where
    F: AsyncFn(&R) -> S,
{
    type Score = S;
    type Error = Infallible;

    async fn score(&self, record: &R) -> Result<S, Infallible> {
        Ok(self(record).await)
    }
}

/// Creates a task from an async closure that may fail.
///
/// ```
/// use manyhands::calls::{AwaitedRecord, Calls, fallible_async};
/// use manyhands::prelude::*;
///
/// let numbers = vec!["1", "2", "many"];
/// let parse = fallible_async(async |text: &&str| text.parse::<f64>());
/// let calls = Calls::in_flight(8);
/// let report = calls.answer(&numbers, |text: &&'static str| *text, &parse, &manyhands::Cancel::new(), |answers| {
///     Pipeline::new(answers, fallible(AwaitedRecord::take)).aggregate(Sum::new())
/// })??;
/// assert_eq!((report.value, report.failed), (3.0, 1));
/// # Ok::<(), manyhands::Error>(())
/// ```
pub fn fallible_async<F>(task: F) -> FallibleAsync<F> {
    FallibleAsync(task)
}

/// A task that was created by [`fallible_async`].
#[derive(Clone, Copy, Debug)]
pub struct FallibleAsync<F>(F);

impl<R: ?Sized, S, E, F> AsyncTask<R> for FallibleAsync<F>
where
    F: AsyncFn(&R) -> Result<S, E>,
    E: Into<CallError>,
{
    type Score = S;
    type Error = E;

    async fn score(&self, record: &R) -> Result<S, E> {
        (self.0)(record).await
    }
}
