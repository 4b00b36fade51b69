//! Errors. An [`Error`] ends a run, and a [`Failure`] concerns only one record. A record may also be [`Skipped`], which
//! is no failure.

mod bad_record;
mod ends_run;
mod kind;
mod no_answer;
mod not_written;
mod on_failure;
mod refused;
mod unavailable;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::stop::StopReason;

pub use bad_record::BadRecord;
pub(crate) use bad_record::RejectedRecord;
pub(crate) use ends_run::EndsRun;
pub use kind::FailureKind;
pub use no_answer::{Died, TimedOut};
pub(crate) use not_written::NotWritten;
use not_written::not_written;
pub(crate) use on_failure::FailureCount;
pub use on_failure::OnFailure;
pub use refused::Refused;
pub use unavailable::{Unavailable, UnusableAnswer};

/// The reason why a run cannot be finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An input cannot be opened or read, or has invalid contents.
    #[error("{}: {message}", path.display())]
    Input {
        /// The path of the file.
        path: PathBuf,
        /// What is wrong with the input, and what the user can do about it.
        message: String,
        /// The error that the operating system returned, if it returned one.
        #[source]
        source: Option<io::Error>,
    },
    /// A record is invalid, in an input whose records must all be valid, such as a reference.
    #[error("{place}: {reason}")]
    Record {
        /// The place of the record.
        place: Place,
        /// What was expected, and what was found in the record.
        reason: BadRecord,
    },
    /// A sink or an output of the run cannot be written. If it is an [output](crate::output), the message names it.
    #[error("{}", not_written(.0))]
    Output(#[source] io::Error),
    /// An output cannot be created, written, or renamed into place.
    #[error("{}: {reason}", path.display())]
    Destination {
        /// The path as the user gave it.
        path: PathBuf,
        /// The problem, what the user can do about it, and where the output is if it was written.
        reason: String,
    },
    /// The plan is invalid, for the reason in this message.
    #[error("{0}")]
    Plan(String),
    /// Partial answers of shards cannot be merged, for the reason in this message, which names the shard or its file and
    /// says what to do.
    #[error("{0}")]
    Merge(String),
    /// More records could not be scored than the [policy](OnFailure) of the run allows.
    #[error("{failure}")]
    Halted {
        /// The first failure, in the order of the records, that the policy does not allow.
        failure: Failure,
        /// Number of records before the failed record that have a score.
        scored: u64,
    },
    /// The result would be of no use, because all of the first records failed for the same kind of reason (see
    /// [`OnFailure::SkipUnlessAllFail`]), or because a record failed in a run whose time is measured.
    #[error("{failure}; {why}")]
    Unusable {
        /// The first failure.
        failure: Failure,
        /// Why the run was ended, and what the user can do about it.
        why: String,
    },
    /// A record could not be scored. Only a stream that returns scores one by one returns this error.
    #[error("{0}")]
    Failed(#[source] Failure),
    /// A record was skipped by the task. Only a stream that returns scores one by one returns this error, because the
    /// caller of such a stream gets no report that counts the skipped records.
    #[error("record {}: {skipped}", index + 1)]
    Skipped {
        /// Index of the record, counted from 0.
        index: u64,
        /// The reason that the task gave.
        skipped: Skipped,
    },
    /// A signal, a deadline or the caller stopped the run before its end.
    #[error("stopped after {records} records: {reason}")]
    Stopped {
        /// What stopped the run.
        reason: StopReason,
        /// Number of records, counted from the first record without a gap, that were done.
        records: u64,
    },
    /// The executor did not run every unit of work exactly once. Use [`assert_laws`](crate::execution::assert_laws)
    /// to test an executor.
    #[error("the executor ran {ran} of {units} units")]
    Executor {
        /// Number of units that were run.
        ran: usize,
        /// Number of units that the executor should have run.
        units: usize,
    },
    /// The limit allows no records (see [`Limit::check`](crate::Limit::check)), or the executor cannot enforce the
    /// limit, for example a [timeout](crate::plan::Plan::timeout) if the workers are threads.
    #[error("a limit of {what}: {remedy}")]
    Limit {
        /// The value of the limit, for example `0 records in flight`.
        what: String,
        /// What the user can do about it.
        remedy: &'static str,
    },
    /// The measurement is impossible, for the reason in this message.
    #[error("cannot measure: {0}")]
    Measure(String),
    /// A worker process could not be started, or could not be replaced after its death.
    #[error("cannot start a worker process: {message}")]
    Process {
        /// The program that could not be started, and the reason.
        message: String,
    },
    /// A [program](crate::plan::ExecOptions) that scores records does not work: none of its processes has answered a
    /// record, or it writes more or fewer answers than it is sent records.
    #[error("{message}")]
    Program {
        /// The program, and the reason.
        message: String,
    },
    /// The threads of a pool could not be started.
    #[error("cannot start {}: {source}; {}", a_thread(*threads), remedy_for(source))]
    Workers {
        /// Number of threads that were requested.
        threads: usize,
        /// The error that the operating system or the thread pool returned.
        source: Cause,
    },
}

fn a_thread(threads: usize) -> String {
    match threads {
        1 => "a thread".to_owned(),
        several => format!("{several} threads"),
    }
}

/// Returns what to do if a thread cannot be started.
fn remedy_for(source: &Cause) -> &'static str {
    #[cfg(unix)]
    if let Some(error) = source.downcast_ref::<io::Error>()
        && let Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE) =
            rustix::io::Errno::from_io_error(error)
    {
        return "allow more open files (ulimit -n)";
    }
    let _ = source;
    "the limit of threads may be too low (ulimit -u, pids.max)"
}

impl Error {
    pub(crate) fn input(path: &Path, message: impl Into<String>) -> Self {
        Error::Input {
            path: path.to_owned(),
            message: message.into(),
            source: None,
        }
    }

    /// The error of a run whose first `records` records have all failed for the same kind of reason. `first` is the
    /// failure of the first record.
    pub fn all_failed(first: Failure, records: u64) -> Self {
        let why = match records {
            1 => "no other record was read".to_owned(),
            _ => format!("all of the first {records} records failed for the same kind of reason"),
        };
        Error::Unusable {
            failure: first,
            why,
        }
    }

    /// Makes the error of a thread that could not be started and is not a worker.
    pub(crate) fn no_thread(source: io::Error) -> Self {
        Error::Workers {
            threads: 1,
            source: source.into(),
        }
    }

    pub(crate) fn bad_record(path: &Path, line: u64, reason: BadRecord) -> Self {
        let place = Place {
            path: Arc::from(path),
            line,
            column: reason.column,
        };
        Error::Record { place, reason }
    }

    pub(crate) fn changed(path: &Path) -> Self {
        Self::input(
            path,
            "changed while it was being read; run again once no program writes to it",
        )
    }

    pub(crate) fn unreadable(path: &Path, source: io::Error) -> Self {
        let message = match source.kind() {
            io::ErrorKind::NotFound => "no such file; check the name and the folder".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied; it must be readable".to_owned(),
            _ => format!("cannot be read: {source}"),
        };
        Error::Input {
            path: path.to_owned(),
            message,
            source: Some(source),
        }
    }
}

/// The cause of a [`Failure`]: any error that can be sent between threads.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The failure of a record that could not be scored.
///
/// The failure is displayed as its place, for example `reviews.jsonl:812:44: `, followed by the cause. If the records
/// are in memory, the number of the record takes the place of the file, line and column.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Index of the record in the dataset, counted from 0.
    pub index: u64,
    /// The place of the record, if it comes from a file.
    pub place: Option<Place>,
    /// Number of the worker that tried to score the record, counted from 0.
    pub worker: usize,
    /// The error because of which the record could not be scored.
    pub cause: Arc<dyn std::error::Error + Send + Sync>,
}

/// The column of a line that a column of a record is. `before` is the number of bytes before the record in its line, if
/// columns of the record are columns of a line.
pub(crate) fn column_in_line(column: Option<u64>, before: Option<u64>) -> Option<u64> {
    column.zip(before).map(|(column, before)| before + column)
}

impl Failure {
    pub(crate) fn new(index: u64, mut place: Option<Place>, worker: usize, cause: Cause) -> Self {
        if let (Some(place), Some(bad)) = (&mut place, cause.downcast_ref::<BadRecord>()) {
            place.column = bad.column;
        }
        Failure {
            index,
            place,
            worker,
            cause: Arc::from(cause),
        }
    }
}

impl Failure {
    /// The same failure, with the column of its line in place of the column of its record. `before` is the number of bytes
    /// before the record in its line, if columns of the record are columns of a line.
    pub(crate) fn in_line(mut self, before: Option<u64>) -> Self {
        if let Some(place) = &mut self.place {
            place.column = column_in_line(place.column, before);
        }
        self
    }

    /// The same failure with another index of the record.
    pub(crate) fn with_index(self, index: u64) -> Self {
        Failure { index, ..self }
    }

    /// Whether the records after this one cannot be read, so that the run ends here with an error.
    pub(crate) fn is_last(&self) -> bool {
        let bad = self.cause.downcast_ref::<BadRecord>();
        bad.is_some_and(|bad| bad.is_last)
    }

    /// The error that ends the run, if the records after this one cannot be read.
    pub(crate) fn as_end_of_run(&self) -> Option<Error> {
        let reason = self.cause.downcast_ref::<BadRecord>()?;
        let place = self.place.clone()?;
        reason.is_last.then(|| Error::Record {
            place,
            reason: reason.clone(),
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.cause),
            None => write!(f, "record {}: {}", self.index + 1, self.cause),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.cause)
    }
}

/// A place in a file. It is displayed as `file:line:column`, which people and editors understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path of the file.
    pub path: Arc<Path>,
    /// The number of the line, counted from 1.
    pub line: u64,
    /// The column in bytes, counted from 1, if it is known.
    pub column: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.line)?;
        self.column.map_or(Ok(()), |column| write!(f, ":{column}"))
    }
}

/// A panic of the task at a record. The panic is caught, so that the pool and the run go on with the other records.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the task panicked: {message}{}", at(place.as_deref()))]
pub struct Panicked {
    /// The message of the panic.
    pub message: String,
    /// The place in the program at which the task panicked, as `file:line:column`.
    pub place: Option<String>,
}

fn at(place: Option<&str>) -> String {
    place.map_or(String::new(), |place| format!(", at {place}"))
}

/// The error with which a task says that a record needs no score, for example because a field of it is empty.
///
/// The pipeline recognises this error, and counts the record as [skipped](crate::Report::skipped) instead of failed. A
/// skipped record is done: the run goes on, and its answer covers the record, but no aggregator observes it, it is not
/// listed among the failures, and no [policy](OnFailure) counts it as a failure. A [`Sink`](crate::sink::Sink) receives
/// the reason in place of a score, in the order of the records.
///
/// The error of the task must be this type itself, or a [`Cause`] that was made from it. If this type is only the
/// [source](std::error::Error::source) of another error, the record fails.
///
/// ```
/// use manyhands::error::{Cause, Skipped};
/// use manyhands::prelude::*;
///
/// let stars = ["4", "", "five", "2"];
/// let parse = fallible(|text: &&str| match *text {
///     "" => Err(Cause::from(Skipped::new("no stars were given"))),
///     text => Ok(text.parse::<f64>()?),
/// });
/// let report = Pipeline::new(&stars, parse).aggregate(Mean::new())?;
/// assert_eq!(report.value, 3.0);
/// assert_eq!((report.scored, report.failed, report.skipped), (2, 1, 1));
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("skipped: {reason}")]
pub struct Skipped {
    /// Why the record needs no score. Scores files contain this text.
    pub reason: String,
}

impl Skipped {
    /// Skips a record for this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Skipped {
            reason: reason.into(),
        }
    }
}

/// The error of a record that was started but not finished, because the run was stopped. This does not count as a
/// failure: the pipeline treats the record as if it had never been started.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the run was stopped before the record was finished")]
pub(crate) struct Interrupted;
