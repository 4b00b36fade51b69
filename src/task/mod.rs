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
