//! An output that a command asks for.

use std::path::{Path, PathBuf};

use crate::error::Error;

/// The path that means standard input if it is an input, and standard output if it is an output.
pub(super) const STANDARD: &str = "-";

/// An output that a command asks for.
#[derive(Clone, Debug)]
pub struct Output {
    pub(super) what: String,
    pub(super) path: PathBuf,
    pub(super) force: bool,
    pub(super) keeps_partial: bool,
    pub(super) replaces_partial: bool,
    pub(super) synced: bool,
    pub(super) hashed: bool,
    pub(super) exclusive: bool,
}

impl Output {
    /// Describes an output at a path. The path `-` means standard output. Messages call the output `what`, for
    /// example `the scores`.
    pub fn new(what: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Output {
            what: what.into(),
            path: path.into(),
            force: false,
            keeps_partial: false,
            replaces_partial: false,
            synced: false,
            hashed: false,
            exclusive: false,
        }
    }

    /// The path, as the user gave it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sets whether an existing file at the path is replaced.
    #[must_use]
    pub fn force(mut self, force: bool) -> Self {
        self.force = force;
        self
    }

    /// Sets whether a run that ends early keeps what it has written, in a file with `.partial` appended to the name.
    #[must_use]
    pub fn keep_partial(mut self, keep: bool) -> Self {
        self.keeps_partial = keep;
        self
    }

    /// Sets whether the partial file that an earlier run has left is replaced, or removed once the output is complete. A run
    /// that goes on where that run has ended contains its scores.
    #[must_use]
    pub fn replace_partial(mut self, replace: bool) -> Self {
        self.replaces_partial = replace;
        self
    }

    /// Sets whether the file is on the disk before it is renamed into place, and its name afterwards. The file is then
    /// still there after a power failure. If it cannot be synced, the output fails, and the file is removed.
    ///
    /// Standard output, pipes and devices are not synced. Only Unix can sync the name.
    #[must_use]
    pub fn synced(mut self, synced: bool) -> Self {
        self.synced = synced;
        self
    }

    /// Sets whether the bytes of the output are counted and hashed while they are written. If so,
    /// [`Destination::written`](super::Destination::written) returns their number and their hash.
    #[must_use]
    pub fn hashed(mut self, hashed: bool) -> Self {
        self.hashed = hashed;
        self
    }

    /// Sets whether the output is refused while another run of this library writes a file that will have the same name. If
    /// two runs begin at the same moment, both may be refused.
    #[must_use]
    pub fn exclusive(mut self, exclusive: bool) -> Self {
        self.exclusive = exclusive;
        self
    }

    pub(super) fn refused(&self, reason: impl Into<String>) -> Error {
        refused(&self.path, reason)
    }
}

/// Makes the error of an output at this path.
pub(super) fn refused(path: &Path, reason: impl Into<String>) -> Error {
    Error::Destination {
        path: path.to_owned(),
        reason: reason.into(),
    }
}

/// Returns the path of the file that keeps the output of a run that ended early.
pub(super) fn partial_of(path: &Path) -> PathBuf {
    path.with_added_extension("partial")
}
