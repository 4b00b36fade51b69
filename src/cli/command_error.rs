//! The error of a command, and the exit code for it.

use std::io;

use manyhands::Error;
use manyhands::exit::Exit;

/// The error of a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The arguments contradict each other in a way that clap cannot detect.
    #[error("{0}")]
    Usage(String),
    /// An error of the library.
    #[error(transparent)]
    Library(#[from] Error),
    /// An output other than the scores could not be written.
    #[error("{what}: {error}")]
    Write {
        /// What failed, for example "cannot write the report".
        what: String,
        /// The error of the operating system.
        error: io::Error,
    },
}

impl CommandError {
    /// Makes the error of a failed write.
    pub(super) fn write(what: impl Into<String>) -> impl FnOnce(io::Error) -> CommandError {
        move |error| CommandError::Write {
            what: what.into(),
            error,
        }
    }

    /// Returns how the command ends with this error.
    pub(super) fn exit(&self) -> Exit {
        match self {
            CommandError::Usage(_) => Exit::Usage,
            CommandError::Library(error) => Exit::of_error(error),
            CommandError::Write { error, .. } => Exit::of_write(error),
        }
    }
}
