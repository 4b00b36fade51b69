//! Files that are complete, but do not have their final names yet.

use super::destination::Destination;
use crate::error::Error;
use crate::plan::{WrittenFailures, WrittenFile};

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
    failures: Option<CompleteFailures>,
}

/// The file of failures and that of the reasons.
#[derive(Debug)]
pub(super) struct CompleteFailures {
    pub(super) records: CompleteFile,
    pub(super) reasons: CompleteFile,
    pub(super) contents: FailuresContents,
}

/// What is known of the contents of a file of failures, as stated for [`WrittenFailures`].
#[derive(Debug)]
pub(super) struct FailuresContents {
    pub(super) is_compressed: bool,
    pub(super) header_bytes: u64,
    pub(super) heads: Vec<u128>,
}

impl CompleteRunFiles {
    pub(super) fn new(scores: Option<CompleteFile>, failures: Option<CompleteFailures>) -> Self {
        CompleteRunFiles { scores, failures }
    }

    /// Returns the scores file, if there is one.
    pub fn scores(&self) -> Option<&CompleteFile> {
        self.scores.as_ref()
    }

    /// Returns what the file of failures and that of the reasons contain. `None` if there are none, or if the outputs are
    /// not [hashed](super::Output::hashed).
    pub fn failures(&self) -> Option<WrittenFailures> {
        let CompleteFailures {
            records,
            reasons,
            contents,
        } = self.failures.as_ref()?;
        Some(WrittenFailures {
            records: records.written()?,
            reasons: reasons.written()?,
            is_compressed: contents.is_compressed,
            header_bytes: contents.header_bytes,
            heads: contents.heads.clone(),
        })
    }

    /// Renames the files into place: the scores, the failed records, and their reasons, in this order.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`CompleteFile::publish`]. The files after the one with the error are removed.
    pub fn publish(self) -> Result<(), Error> {
        self.scores.map_or(Ok(()), CompleteFile::publish)?;
        let Some(failures) = self.failures else {
            return Ok(());
        };
        failures.records.publish()?;
        failures.reasons.publish()
    }
}
