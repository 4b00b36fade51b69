//! The files that a run writes record by record.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::complete::CompleteRunFiles;
use super::destination::PartialFile;
use super::failures::FailuresFile;
use super::frames::{push_frame, split_frame};
use super::scores::ScoresFile;
use crate::dataset::LentRecord;
use crate::error::Error;
use crate::plan::{RunJournal, Scored};
use crate::sink::{RecordOutcome, Room, Sink};

/// The files that a run writes record by record: its scores, its failed records, or both. Pass it to a run with
/// [`RunOptions::scores`](crate::plan::RunOptions::scores).
#[derive(Debug)]
pub struct RunFiles {
    scores: Option<ScoresFile>,
    failures: Option<FailuresFile>,
}

impl RunFiles {
    /// Combines the files. Returns `None` if there are none.
    pub fn new(scores: Option<ScoresFile>, failures: Option<FailuresFile>) -> Option<Self> {
        let has_any = scores.is_some() || failures.is_some();
        has_any.then_some(RunFiles { scores, failures })
    }

    /// The scores file.
    pub fn scores(&self) -> Option<&ScoresFile> {
        self.scores.as_ref()
    }

    /// The file of the failed records.
    pub fn failures(&self) -> Option<&FailuresFile> {
        self.failures.as_ref()
    }

    /// Syncs the scores during the run, whenever the journal of the run syncs answers that can be computed again. Little is then
    /// left to sync when the scores are complete. Scores that are not [synced](super::Output::synced) stay so. If the scores
    /// cannot be synced, the run ends with an error.
    pub fn sync_with(&self, journal: &RunJournal) {
        let scores = self.scores.as_ref().and_then(ScoresFile::to_sync);
        if let Some(scores) = scores {
            journal.sync_along(Arc::clone(scores));
        }
    }

    /// Completes the files after a complete run. [Publish](CompleteRunFiles::publish) them to rename them into place. Returns
    /// `None` if [`keep_partial`](RunFiles::keep_partial) was called before.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`ScoresFile::complete`] and [`FailuresFile::complete`].
    pub fn complete(&self) -> Result<Option<CompleteRunFiles>, Error> {
        let scores = self.scores.as_ref().map(ScoresFile::complete).transpose()?;
        if scores.as_ref().is_some_and(Option::is_none) {
            return Ok(None);
        }
        let failures = self.failures.as_ref();
        let failures = failures.map(FailuresFile::complete_files).transpose()?;
        Ok(Some(CompleteRunFiles::new(
            scores.flatten(),
            failures.flatten(),
        )))
    }

    /// Keeps what was written so far as partial files. Returns the partial file of the scores.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if a file cannot be kept under any name.
    pub fn keep_partial(&self) -> Result<Option<PartialFile>, Error> {
        let scores = self.scores.as_ref().map(ScoresFile::keep_partial);
        if let Some(failures) = &self.failures {
            failures.keep_partial()?;
        }
        scores.transpose().map(Option::flatten)
    }

    /// Removes the files.
    pub fn discard(&self) {
        self.scores.iter().for_each(ScoresFile::discard);
        self.failures.iter().for_each(FailuresFile::discard);
    }

    /// Returns the partial file of the scores, or `None` if none was kept.
    pub fn partial(&self) -> Option<PartialFile> {
        self.scores.as_ref().and_then(ScoresFile::partial)
    }
}

impl Sink<Scored> for RunFiles {
    fn render(
        &self,
        index: u64,
        outcome: RecordOutcome<'_, Scored>,
        record: Option<LentRecord<'_>>,
        bytes: &mut Vec<u8>,
    ) {
        match (&self.scores, &self.failures) {
            (Some(scores), Some(failures)) => {
                push_frame(bytes, |bytes| scores.render(index, outcome, record, bytes));
                push_frame(bytes, |bytes| {
                    failures.render(index, outcome, record, bytes)
                });
            }
            (Some(scores), None) => scores.render(index, outcome, record, bytes),
            (None, Some(failures)) => failures.render(index, outcome, record, bytes),
            (None, None) => {}
        }
    }

    fn wants_records(&self) -> bool {
        self.failures.is_some() || self.scores.as_ref().is_some_and(Sink::wants_records)
    }

    fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> io::Result<Room> {
        let (scores, failures) = match (&self.scores, &self.failures) {
            (Some(scores), Some(failures)) => (scores, failures),
            (Some(scores), None) => return scores.write(records, bytes),
            (None, Some(failures)) => return failures.write(records, bytes),
            (None, None) => return Ok(Room::Free),
        };
        let (mut of_scores, mut of_failures) = (Vec::with_capacity(bytes.len()), Vec::new());
        let mut rest = &bytes[..];
        while let Some((line, after)) = split_frame(rest)
            && let Some((failed, after)) = split_frame(after)
        {
            of_scores.extend_from_slice(line);
            of_failures.extend_from_slice(failed);
            rest = after;
        }
        drop(bytes);
        let first = failures.write(records.clone(), of_failures)?;
        match scores.write(records, of_scores)? {
            Room::Free => Ok(first),
            Room::Full => Ok(Room::Full),
        }
    }

    fn end_at(&self, record: u64) {
        self.scores.iter().for_each(|scores| scores.end_at(record));
        self.failures
            .iter()
            .for_each(|failures| failures.end_at(record));
    }
}
