//! Errors that name the output whose write has failed.

use std::fmt;
use std::io;

/// A write to an output has failed. The message names the output.
#[derive(Debug)]
pub(crate) struct NotWritten {
    /// What is written, for example `the scores`.
    what: String,
    /// Where it is written, as the user named it.
    place: String,
    source: io::Error,
}

impl NotWritten {
    /// Adds the name of an output to the error of a write. The kind of the error stays the same.
    pub(crate) fn naming(what: &str, place: &str, source: io::Error) -> io::Error {
        let (what, place) = (what.to_owned(), place.to_owned());
        let kind = source.kind();
        io::Error::new(
            kind,
            NotWritten {
                what,
                place,
                source,
            },
        )
    }
}

impl fmt::Display for NotWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NotWritten {
            what,
            place,
            source,
        } = self;
        write!(f, "cannot write {what} to {place}: {source}")
    }
}

impl std::error::Error for NotWritten {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Returns the message of an error of a write. If the error does not name an output, it is the error of a sink, which
/// receives scores.
pub(super) fn not_written(error: &io::Error) -> String {
    match error.get_ref() {
        Some(inner) if inner.is::<NotWritten>() => inner.to_string(),
        _ => format!("cannot write the scores: {error}"),
    }
}
