//! Files that are complete, but do not have their final names yet.

use super::destination::Destination;
use crate::error::Error;
use crate::plan::WrittenFile;

/// A file that is complete and still has its temporary name. If the output is [synced](super::Output::synced), the
/// contents are on the disk. The file is removed if this value is dropped. [`publish`](CompleteFile::publish) renames it
/// into place.
///
/// If the output is standard output, a pipe or a device, everything has already been written there.
#[derive(Debug)]
#[must_use = "the file is removed unless it is published"]
pub struct CompleteFile {
    destination: Destination,
    /// What the file contains, for error messages.
    contents: String,
}

impl CompleteFile {
    /// Completes a file to which everything has been written. Errors of [`publish`](CompleteFile::publish) describe the
    /// file as `contents`.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if the output is synced and the file cannot be synced. The file is then removed.
    pub(super) fn new(
        destination: Destination,
        contents: impl Into<String>,
    ) -> Result<Self, Error> {
        destination.sync()?;
        Ok(CompleteFile {
            destination,
            contents: contents.into(),
        })
    }

    /// Returns the length and the hash of the bytes of the file, or `None` if the output is not
    /// [hashed](super::Output::hashed).
    pub fn written(&self) -> Option<WrittenFile> {
        self.destination.written()
    }

    /// Renames the file into place.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Destination::finish`].
    pub fn publish(self) -> Result<(), Error> {
        self.destination.publish(&self.contents)
    }
}

/// The files of a run, which are complete and still have their temporary names, as described for [`CompleteFile`].
#[derive(Debug, Default)]
#[must_use = "the files are removed unless they are published"]
pub struct CompleteRunFiles {
    scores: Option<CompleteFile>,
    /// The failed records, and their reasons.
    failures: Option<[CompleteFile; 2]>,
}

impl CompleteRunFiles {
    pub(super) fn new(scores: Option<CompleteFile>, failures: Option<[CompleteFile; 2]>) -> Self {
        CompleteRunFiles { scores, failures }
    }

    /// Returns the scores file, if there is one.
    pub fn scores(&self) -> Option<&CompleteFile> {
        self.scores.as_ref()
    }

    /// Renames the files into place: the scores, the failed records, and their reasons, in this order.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`CompleteFile::publish`]. The files after the one with the error are removed.
    pub fn publish(self) -> Result<(), Error> {
        let mut files = self
            .scores
            .into_iter()
            .chain(self.failures.into_iter().flatten());
        files.try_for_each(CompleteFile::publish)
    }
}
