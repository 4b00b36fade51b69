//! The task: what is done to one record.
//!
//! Every closure `Fn(&Record) -> Score` is a task that cannot fail; [`fallible`] makes one of a
//! closure that returns a `Result`; a type with state of its own implements [`Task`]. A task's
//! score must depend on its record alone: that is what lets any worker score any record.

pub mod matching;
pub mod sentiment;

use std::convert::Infallible;

use crate::error::Cause;

/// Scores one record.
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
/// A task may use rayon, and run pipelines of its own. In a rayon pool it must not hold a lock
/// meanwhile that other records take: a thread of a pool that waits for `join`, for a parallel iterator
/// or for a pipeline goes on with other work of its pool, and that may be another record, which then
/// waits on this thread for the lock this thread holds. The same goes for locks held across a
/// yield of rayon, and for a lazy value (`OnceLock`, `LazyLock`) whose initialiser uses rayon.
///
/// ```no_run
/// use std::sync::Mutex;
/// use manyhands::prelude::*;
///
/// let seen = Mutex::new(0);
/// let half = |n: &usize| rayon::join(|| n / 2, || n % 2).0;
/// // Hangs sooner or later on `WorkStealing`: the lock is held while `join` waits.
/// let wrong = |n: &usize| *seen.lock().unwrap() += half(n);
/// // Does not: whatever uses rayon is done before the lock is taken.
/// let right = |n: &usize| {
///     let half = half(n);
///     *seen.lock().unwrap() += half;
/// };
/// # let _ = wrong;
/// Pipeline::new(&(0..1000), right).aggregate(Count::new())?;
/// # Ok::<(), manyhands::Error>(())
/// ```
///
/// On a [`TaskQueue`](crate::TaskQueue) that is started from a thread of no pool, both are safe: its
/// threads belong to no pool, so that one that waits does nothing else.
///
/// # Panics
///
/// A panic inside a task prints nothing: it becomes the failure of its record. For that the panic hook
/// of the process is wrapped by the first run; a hook that is set after that replaces it, and is
/// called for panics of tasks too. A panic on another thread that the task has handed work to is
/// printed there, and is told with the record if it comes back to the task, as from `join`.
pub trait Task<R: ?Sized>: Sync {
    /// What one record comes to.
    type Score;
    /// Why a record could not be scored; [`Infallible`] where that cannot be.
    type Error: Into<Cause>;

    /// The score of `record`, or why there is none.
    ///
    /// # Errors
    ///
    /// Where the record cannot be scored. A panic counts as an error too: a pipeline catches it at
    /// the record and goes on.
    fn score(&self, record: &R) -> Result<Self::Score, Self::Error>;
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

/// A task of a closure that may fail.
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

/// The task that [`fallible`] makes.
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
