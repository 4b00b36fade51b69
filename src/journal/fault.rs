//! Errors of a journal, with what the user can do about them.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::format::BadLine;
use crate::error::Error;

/// Why a journal cannot be written any more. Every thread that uses the journal from then on gets an error of its own.
#[derive(Clone, Debug)]
pub(super) struct JournalFault {
    /// The file, if it is not the journal.
    path: Option<PathBuf>,
    reason: String,
}

impl JournalFault {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        JournalFault {
            path: None,
            reason: reason.into(),
        }
    }

    /// The fault after the system has refused to do this, such as `written`.
    pub(super) fn of_system(done: &str, error: &io::Error) -> Self {
        JournalFault::new(format!(
            "cannot be {done}: {error}; {}, then run again with this journal, which has the answers that are on the \
             disk",
            remedy_for(error)
        ))
    }

    /// The same fault of another file.
    pub(super) fn of_file(self, path: &Path) -> Self {
        JournalFault {
            path: Some(path.to_owned()),
            ..self
        }
    }

    /// The error. `journal` is the path of the journal.
    pub(super) fn error(&self, journal: &Path) -> Error {
        Error::Destination {
            path: self.path.as_deref().unwrap_or(journal).to_owned(),
            reason: self.reason.clone(),
        }
    }
}

/// The error of a journal that cannot be created, opened or removed.
pub(super) fn cannot(path: &Path, done: &str, error: &io::Error) -> Error {
    let remedy = remedy_for(error);
    JournalFault::new(format!(
        "cannot be {done}: {error}; {remedy}, then run again"
    ))
    .error(path)
}

fn remedy_for(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => "make room",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "allow writing to the file and its folder"
        }
        ErrorKind::NotFound => "create its folder",
        _ => "find out what is wrong with the disk",
    }
}

/// The error of a journal that another run uses.
pub(super) fn in_use(path: &Path) -> Error {
    JournalFault::new("another run is using it; wait until that run ends, or stop it").error(path)
}

/// The error of a journal that exists but should not.
pub(super) fn exists(path: &Path) -> Error {
    JournalFault::new(
        "exists already, and may hold the answers of a run that has not finished; open it to use them, or delete the file \
         to begin anew",
    )
    .error(path)
}

/// The error of a file that is not used as a journal.
pub(super) fn bad_line(path: &Path, bad: &BadLine) -> Error {
    let message = match bad {
        BadLine::NoJournal => {
            "is not a journal of manyhands; move the file away, or give the output another name"
                .to_owned()
        }
        BadLine::OtherFormat { format, version } => format!(
            "has format {format} of journals, written by manyhands {version}; go on with that version, or delete the \
             file to begin anew"
        ),
        BadLine::Damaged => damage(0, "the first line has been changed"),
    };
    Error::input(path, message)
}

/// The error of a journal whose bytes from `at` on are not those that were written.
pub(super) fn damaged(path: &Path, at: u64, what: &str) -> Error {
    Error::input(path, damage(at, what))
}

/// The error of a journal of which everything before the byte `at` was verified, and the bytes behind have been changed.
pub(super) fn damaged_behind(path: &Path, at: u64) -> Error {
    let message = format!(
        "damaged at byte {at}: bytes that were on the disk have been changed; restore the file from a copy, keep only the answers \
         before that byte, which are whole (truncate -s {at} -- '{}'), or delete it to begin anew without its answers",
        path.display()
    );
    Error::input(path, message)
}

fn damage(at: u64, what: &str) -> String {
    format!(
        "damaged at byte {at}: {what}; restore the file from a copy, or delete it to begin anew without its answers"
    )
}

/// The error of a temporary file beside the journal.
pub(super) fn no_scratch(path: &Path, error: &io::Error) -> Error {
    let reason = format!(
        "its answers cannot be looked up with a temporary file in its folder: {error}; make room there, then run again with \
         this journal"
    );
    JournalFault::new(reason).error(path)
}
