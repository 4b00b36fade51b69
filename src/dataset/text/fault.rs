//! The reason why no more of an input can be read.

use std::borrow::Cow;
use std::collections::TryReserveError;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::limit::OUT_OF_MEMORY;
use crate::error::{BadRecord, Error};

/// The reason why no more of an input can be read. Unlike an [`Error`], it can be reported to several callers.
#[derive(Clone, Debug)]
pub(super) enum InputFault {
    /// The system, or the reader, returned an error.
    Unreadable(Arc<io::Error>),
    /// The input has become shorter.
    Changed,
    /// The input is not acceptable, for the reason in this message.
    Refused(Cow<'static, str>),
    /// The compressed input is damaged or incomplete, for the reason in this message.
    Damaged(String),
    /// A record that is required to read the others, such as a header, is bad.
    BadRecord { line: u64, reason: BadRecord },
}

impl InputFault {
    pub(super) const fn refused(message: &'static str) -> Self {
        InputFault::Refused(Cow::Borrowed(message))
    }

    pub(super) fn bad_record(line: u64, reason: BadRecord) -> Self {
        InputFault::BadRecord { line, reason }
    }

    /// Converts the fault to the error of a run. `name` is the name of the input.
    pub(super) fn error(&self, name: &Path) -> Error {
        match self {
            InputFault::Unreadable(error) => {
                Error::unreadable(name, io::Error::new(error.kind(), Arc::clone(error)))
            }
            InputFault::Changed => Error::changed(name),
            InputFault::Refused(message) => Error::input(name, message.as_ref()),
            InputFault::Damaged(message) => Error::input(name, message),
            InputFault::BadRecord { line, reason } => {
                Error::bad_record(name, *line, reason.clone())
            }
        }
    }
}

impl From<io::Error> for InputFault {
    fn from(error: io::Error) -> Self {
        InputFault::Unreadable(Arc::new(error))
    }
}

impl From<TryReserveError> for InputFault {
    fn from(_: TryReserveError) -> Self {
        InputFault::refused(OUT_OF_MEMORY)
    }
}
