//! What can go wrong: an [`Error`] ends a run, a [`Failure`] costs one record.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::stop::StopReason;

/// Why a run could not be finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An input could not be opened or read, or is not what it should be.
    #[error("{}: {message}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// What was found, and what to do about it.
        message: String,
        /// What the operating system said, where it said something.
        #[source]
        source: Option<io::Error>,
    },
    /// A record of an input that is of use as a whole only is not what it should be.
    #[error("{place}: {reason}")]
    Record {
        /// Where it stands.
        place: Place,
        /// What was expected, what was found.
        reason: BadRecord,
    },
    /// The scores could not be written.
    #[error("cannot write the scores: {0}")]
    Output(#[source] io::Error),
    /// An output cannot be written where it was asked to be, or did not get its name in the end.
    #[error("{}: {reason}", path.display())]
    Destination {
        /// The path as it was given.
        path: PathBuf,
        /// What stands in the way, what to do about it, and where the output is if it was written.
        reason: String,
    },
    /// The plan asks for what cannot be.
    #[error("{0}")]
    Plan(String),
    /// Records could not be scored, one more than the run was told to [put up with](OnFailure).
    #[error("{failure}")]
    Halted {
        /// The failure that was one too many, in the order of the records.
        failure: Failure,
        /// How many records before it have a score.
        scored: u64,
    },
    /// A record could not be scored, where records are handed on one by one.
    #[error("{0}")]
    Failed(#[source] Failure),
    /// The run was stopped from outside before it had come to the end.
    #[error("stopped after {records} records: {reason}")]
    Stopped {
        /// Why.
        reason: StopReason,
        /// How many records from the beginning were done, without a gap.
        records: u64,
    },
    /// The executor did not run every unit of work exactly once; see
    /// [`assert_laws`](crate::execution::assert_laws).
    #[error("the executor ran {ran} of {units} units")]
    Executor {
        /// How many units it ran.
        ran: usize,
        /// How many there were.
        units: usize,
    },
    /// The limit allows nothing, see [`Limit::check`](crate::Limit::check), or cannot be kept, as a
    /// [timeout](crate::plan::Plan::timeout) by threads.
    #[error("a limit of {what}: {remedy}")]
    Limit {
        /// What it allows, as `0 records in flight`.
        what: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// What is to be measured cannot be.
    #[error("cannot measure: {0}")]
    Measure(String),
    /// A worker process could not be started, or again after it had died.
    #[error("cannot start a worker process: {message}")]
    Process {
        /// Which program, and why.
        message: String,
    },
    /// The threads of a pool could not be started.
    #[error("cannot start {}: {source}; the limit of threads may be too low (ulimit -u, pids.max)", a_thread(*threads))]
    Workers {
        /// How many were asked for.
        threads: usize,
        /// What the pool said.
        source: Cause,
    },
}

fn a_thread(threads: usize) -> String {
    match threads {
        1 => "a thread".to_owned(),
        several => format!("{several} threads"),
    }
}

impl Error {
    pub(crate) fn input(path: &Path, message: impl Into<String>) -> Self {
        Error::Input {
            path: path.to_owned(),
            message: message.into(),
            source: None,
        }
    }

    /// That a thread beside the workers could not be started.
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
            "changed while it was being read; run again when nobody writes to it",
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

/// The cause of a [`Failure`]: any error that may cross threads.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A record that could not be scored.
///
/// Displays as `reviews.jsonl:812:44: what was expected`, or with the record's number where the
/// records are in memory.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Index of the record in the dataset, from 0.
    pub index: u64,
    /// Where the record stands, if it comes from a file.
    pub place: Option<Place>,
    /// The worker that met it, from 0.
    pub worker: usize,
    /// Why it could not be scored.
    pub cause: Arc<dyn std::error::Error + Send + Sync>,
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

/// A place in a file, for people and editors: `file:line:column`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: Arc<Path>,
    /// The line, from 1.
    pub line: u64,
    /// The column in bytes, from 1, where one is known.
    pub column: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.line)?;
        self.column.map_or(Ok(()), |column| write!(f, ":{column}"))
    }
}

/// A record that is not what the task needs: not JSON, without the field, of another type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadRecord {
    /// What was expected, what was found.
    pub message: String,
    /// The column in bytes, from 1, where one is known.
    pub column: Option<u64>,
}

impl BadRecord {
    pub(crate) fn new(message: impl Into<String>, column: impl Into<Option<u64>>) -> Self {
        BadRecord {
            message: message.into(),
            column: column.into(),
        }
    }
}

/// A task that panicked. The panic is caught at the record; the pool and the run go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the task panicked: {message}{}", at(place.as_deref()))]
pub struct Panicked {
    /// What the panic said.
    pub message: String,
    /// Where in the program it happened, as `file:line:column`.
    pub place: Option<String>,
}

fn at(place: Option<&str>) -> String {
    place.map_or(String::new(), |place| format!(", at {place}"))
}

/// A record that its worker process did not live through: it died twice at it, the second time with
/// this record alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the worker process died: {how}")]
pub struct Died {
    /// How, as `killed by signal 9`.
    pub how: String,
}

/// A record about which its worker process gave no answer in the time that a plan allows for one record,
/// twice, the second time with this record alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no answer within {} s; the worker process was killed", after.as_secs_f64())]
pub struct TimedOut {
    /// The time allowed.
    pub after: Duration,
}

/// A record that was started and is not finished, because the run is to stop. It is no failure: the
/// pipeline takes the record for one that was never started.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the run was stopped before the record was finished")]
pub(crate) struct Interrupted;

/// What becomes of a run when a record cannot be scored.
///
/// Failures are judged in the order of the records, so that a run that is halted is halted by the same
/// record on every executor. Where the aggregator is
/// [commutative](crate::Aggregator::COMMUTATIVE) its answer ends with that record. Where it is
/// not, it may go on to the end of the partial the record belongs to, since a partial cannot be cut.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum OnFailure {
    /// The others are still scored; the report counts and lists the failures. One failure more than
    /// this many halts the run.
    Skip {
        /// How many may fail.
        at_most: u64,
    },
    /// The others are still scored while no larger share of the records so far has failed, from 0 to
    /// 1. Of fewer than [`OnFailure::GRACE`] records the share is taken of so many.
    SkipShare {
        /// Which share may fail.
        at_most: f64,
    },
    /// No further records are started; the run is halted by the first failure.
    Stop,
}

impl OnFailure {
    /// However many fail, the others are scored.
    pub const SKIP: OnFailure = OnFailure::Skip { at_most: u64::MAX };

    /// Records that must have been met before a share of them tells anything.
    pub const GRACE: u64 = 1000;

    /// Whether a run ends with the failure of the record at `index`, so many having failed up to it.
    pub(crate) fn ends(self, failed: u64, index: u64) -> bool {
        match self {
            OnFailure::Stop => true,
            OnFailure::Skip { at_most } => failed > at_most,
            OnFailure::SkipShare { at_most } => {
                // NaN allows none.
                failed as f64 > at_most.max(0.0) * (index + 1).max(Self::GRACE) as f64
            }
        }
    }

    /// Whether a run of so many records, that has come to its end, has too many failures after all.
    pub(crate) fn is_exceeded(self, failed: u64, records: u64) -> bool {
        match self {
            OnFailure::SkipShare { at_most } => failed as f64 > at_most.max(0.0) * records as f64,
            OnFailure::Stop | OnFailure::Skip { .. } => self.ends(failed, records) && failed > 0,
        }
    }
}

impl Default for OnFailure {
    fn default() -> Self {
        OnFailure::SKIP
    }
}
