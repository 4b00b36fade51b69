//! The error with which a command fails, and the exit code for this error.

use std::io;

use manyhands::Error;
use manyhands::exit::Exit;

/// The error with which a command fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The arguments are wrong or contradict each other in a way that clap cannot detect.
    #[error("{0}")]
    Usage(String),
    /// The library returned an error.
    #[error(transparent)]
    Library(#[from] Error),
    /// An output other than the scores could not be written.
    #[error("{what}: {error}")]
    Write {
        /// What failed, for example "cannot write the report".
        what: String,
        /// The error that the operating system returned.
        error: io::Error,
    },
}

impl CommandError {
    /// Returns a function for `map_err`, which turns the error of a failed write into a [`CommandError`]. `what` names
    /// the action that failed, for example "cannot write the report".
    pub(super) fn write(what: impl Into<String>) -> impl FnOnce(io::Error) -> CommandError {
        move |error| CommandError::Write {
            what: what.into(),
            error,
        }
    }

    /// Returns the exit code for this error.
    pub(super) fn exit(&self) -> Exit {
        match self {
            CommandError::Usage(_) => Exit::Usage,
            CommandError::Library(error) => Exit::of_error(error),
            CommandError::Write { error, .. } => Exit::of_write(error),
        }
    }
}
