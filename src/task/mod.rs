//! The task: the function that scores one record.
//!
//! Every closure `Fn(&Record) -> Score` is a task that cannot fail; [`fallible`] makes a task from a closure that
//! returns a `Result`; a type that has its own state can implement [`Task`].
//!
//! The score must depend only on the record. Then any worker can score any record, and the answer does not depend
//! on the executor.

pub mod matching;
pub mod sentiment;

use std::convert::Infallible;

use crate::error::Cause;

/// A function that scores one record.
///
/// ```
/// use manyhands::prelude::*;
///
/// struct Longest;
/// impl Task<str> for Longest {
///     type Score = usize;
///     type Error = std::convert::Infallible;
///     fn score(&self, record: &str) -> Result<usize, Self::Error> {
///         Ok(record.split_whitespace().map(str::len).max().unwrap_or(0))
///     }
/// }
/// assert_eq!(Longest.score("many hands make light work"), Ok(5));
/// ```
///
/// # Locks across rayon
///
/// A task may use rayon, and may run pipelines of its own. In a rayon pool, a task must not hold a lock while it
/// does so if other records take the same lock. While a thread of a pool waits for `join`, for a parallel iterator
/// or for a pipeline, rayon gives it other work of the pool. If this work is another record, that record waits for
/// a lock that its own thread holds, and the run hangs. The same applies to a lock that is held across
/// `rayon::yield_now`, and to a lazy value (`OnceLock`, `LazyLock`) whose initialiser uses rayon.
///
/// ```no_run
/// use std::sync::Mutex;
/// use manyhands::prelude::*;
///
/// let seen = Mutex::new(0);
/// let half = |n: &usize| rayon::join(|| n / 2, || n % 2).0;
/// // Hangs sooner or later on `WorkStealing`, because the lock is held while `join` waits.
/// let wrong = |n: &usize| *seen.lock().unwrap() += half(n);
/// // Does not hang, because rayon is used before the lock is taken.
/// let right = |n: &usize| {
///     let half = half(n);
///     *seen.lock().unwrap() += half;
/// };
/// # let _ = wrong;
/// Pipeline::new(&(0..1000), right).aggregate(Count::new())?;
/// # Ok::<(), manyhands::Error>(())
/// ```
///
/// On a [`TaskQueue`](crate::TaskQueue) that is started from a thread outside of any pool, both closures are safe:
/// the threads of the queue belong to no pool, so a waiting thread does nothing else.
///
/// # Panics
///
/// A panic in a task becomes the failure of its record and is not printed. For this purpose, the first run wraps
/// the panic hook of the process. A hook that is set later replaces the wrapper, and is also called for panics in
/// tasks. If a task gives work to another thread and that work panics, the panic is printed. It becomes the
/// failure of the record if it propagates to the task, as it does from `join`.
pub trait Task<R: ?Sized>: Sync {
    /// The score of a record.
    type Score;
    /// The reason why a record has no score; [`Infallible`] if every record can be scored.
    type Error: Into<Cause>;

    /// Scores a record.
    ///
    /// # Errors
    ///
    /// Returns an error if the record cannot be scored. A panic counts as an error, too: the pipeline catches
    /// it and continues with the next record. The error [`Skipped`](crate::error::Skipped) says that the record
    /// needs no score; such a record is not a failure.
    fn score(&self, record: &R) -> Result<Self::Score, Self::Error>;

    /// The outcome of the record with this index that is known without scoring it. A pipeline asks for it before it waits for
    /// a permit to score the record.
    #[doc(hidden)]
    #[inline]
    fn recall(&self, index: u64, record: &R) -> Option<Result<Self::Score, Self::Error>> {
        let _ = (index, record);
        None
    }

    /// Scores the record with this index, whose outcome is not known. The index is no part of the record: it only tells equal
    /// records apart.
    #[doc(hidden)]
    #[inline]
    fn score_at(&self, index: u64, record: &R) -> Result<Self::Score, Self::Error> {
        let _ = index;
        self.score(record)
    }
}

impl<R: ?Sized, S, F> Task<R> for F
where
    F: Fn(&R) -> S + Sync,
{
    type Score = S;
    type Error = Infallible;

    #[inline]
    fn score(&self, record: &R) -> Result<S, Infallible> {
        Ok(self(record))
    }
}

/// Creates a task from a closure that may fail.
///
/// ```
/// use manyhands::prelude::*;
///
/// let numbers = ["1", "2", "many"];
/// let parse = fallible(|text: &&str| text.parse::<f64>());
/// let report = Pipeline::new(&numbers, parse).aggregate(Sum::new())?;
/// assert_eq!((report.value, report.failed), (3.0, 1));
/// assert_eq!(report.failures[0].to_string(), "record 3: invalid float literal");
/// # Ok::<(), manyhands::Error>(())
/// ```
pub fn fallible<F>(task: F) -> Fallible<F> {
    Fallible(task)
}

/// A task that was created by [`fallible`].
#[derive(Clone, Copy, Debug)]
pub struct Fallible<F>(F);

impl<R: ?Sized, S, E, F> Task<R> for Fallible<F>
where
    F: Fn(&R) -> Result<S, E> + Sync,
    E: Into<Cause>,
{
    type Score = S;
    type Error = E;

    #[inline]
    fn score(&self, record: &R) -> Result<S, E> {
        (self.0)(record)
    }
}
