//! What can go wrong: an [`Error`] ends a run, a [`Failure`] costs one record.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    /// A record could not be scored, and the run was told to stop at the first such record.
    #[error("{failure}")]
    Halted {
        /// The first record, in the order of the data, that could not be scored.
        failure: Failure,
        /// How many records had been scored by then.
        scored: u64,
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
    /// The limit allows nothing; see [`Limit::check`](crate::Limit::check).
    #[error("a limit of {what}: {remedy}")]
    Limit {
        /// What it allows, as `0 records in flight`.
        what: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The threads of a pool could not be started.
    #[error("cannot start {threads} worker threads: {source}")]
    Workers {
        /// How many were asked for.
        threads: usize,
        /// What the pool said.
        source: rayon::ThreadPoolBuildError,
    },
}

impl Error {
    pub(crate) fn input(path: &Path, message: impl Into<String>) -> Self {
        Error::Input {
            path: path.to_owned(),
            message: message.into(),
            source: None,
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
    /// Why it could not be scored.
    pub cause: Arc<dyn std::error::Error + Send + Sync>,
}

impl Failure {
    pub(crate) fn new(index: u64, mut place: Option<Place>, cause: Cause) -> Self {
        if let (Some(place), Some(bad)) = (&mut place, cause.downcast_ref::<BadRecord>()) {
            place.column = bad.column;
        }
        Failure {
            index,
            place,
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
#[error("the task panicked: {message}")]
pub struct Panicked {
    /// What the panic said.
    pub message: String,
}

impl Panicked {
    pub(crate) fn new(payload: &(dyn std::any::Any + Send)) -> Self {
        let message = payload
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "with a value that is not text".to_owned());
        Panicked { message }
    }
}

/// What becomes of a run when a record cannot be scored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OnFailure {
    /// The others are still scored; the report counts and lists the failures.
    #[default]
    Skip,
    /// No further records are started; the run ends with [`Error::Halted`], which names the first
    /// failure in the order of the data, the same one on every executor.
    Stop,
}
