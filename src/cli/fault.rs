//! What ends a command before its work is done, and the exit code for it.

use std::io;

use manyhands::Error;
use manyhands::exit::Exit;

/// What ends a command before its work is done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The command line asks for what cannot be, in a way that clap cannot see.
    #[error("{0}")]
    Usage(String),
    /// The library says so.
    #[error(transparent)]
    Library(#[from] Error),
    /// Something other than scores could not be written.
    #[error("{what}: {error}")]
    Write {
        /// What could not be done, as in "cannot write the report".
        what: String,
        /// What the system said.
        error: io::Error,
    },
}

impl Fault {
    /// For what could not be written.
    pub(super) fn write(what: impl Into<String>) -> impl FnOnce(io::Error) -> Fault {
        move |error| Fault::Write {
            what: what.into(),
            error,
        }
    }

    /// How the command ends.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Fault::Usage(_) => Exit::Usage,
            Fault::Library(error) => Exit::of_error(error),
            Fault::Write { error, .. } => Exit::of_write(error),
        }
    }
}
