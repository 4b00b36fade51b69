//! The journal of `score`, from which a run goes on where an earlier one has ended.

use std::path::{Path, PathBuf};

use manyhands::Error;
use manyhands::plan::{Opened, RunJournal};

use super::Score;
use crate::cli::command_error::CommandError;
use crate::cli::{note, text};

impl Score {
    /// The journal of a shard that is left although its outputs are all there.
    pub(super) fn journal_left(&self) -> Option<PathBuf> {
        let path = self.shard.path().map(RunJournal::beside);
        path.filter(|path| self.resume && RunJournal::exists(path))
    }

    /// Returns the path of the journal that the command keeps, or `None` if it keeps none. A program or a service may take
    /// long or cost money, so its answers are always kept beside a scores file.
    ///
    /// # Errors
    ///
    /// Returns an error if the user wants a journal and there is no file that it could belong to, or if an earlier run has left
    /// a journal and the user does not say what becomes of it.
    pub(super) fn journal_path(&self, opened: &Opened) -> Result<Option<PathBuf>, CommandError> {
        let is_shard = self.shard.is_wanted();
        let output = match is_shard {
            true => self.shard.path(),
            false => self.scores.as_deref().filter(|_| !self.scores_on_stdout()),
        };
        let is_file = |path: &&Path| path.metadata().map_or(true, |found| found.is_file());
        let Some(output) = output.filter(is_file) else {
            return match self.resume {
                true => Err(CommandError::Usage(
                    "--resume: the answers are kept beside the scores file, so it must be a file; name one with -o".to_owned(),
                )),
                false => Ok(None),
            };
        };
        let path = RunJournal::beside(output);
        if self.resume {
            return Ok(Some(path));
        }
        if RunJournal::exists(&path) {
            match self.force {
                true => RunJournal::discard(&path)?,
                false => return Err(left(path).into()),
            }
        }
        let is_paid = opened.plan().scorer.outside().is_some();
        Ok((is_paid && !is_shard).then_some(path))
    }
}

/// Publishes the outputs of a run, which are complete. The journal stays until the report is printed: if the command is
/// killed before that, the next run with --resume does the rest.
pub(super) fn publish(
    publish: impl FnOnce() -> Result<(), Error>,
    journal: Option<&mut RunJournal>,
) -> Result<(), Error> {
    journal.map_or(Ok(()), RunJournal::outputs_are_complete)?;
    publish()
}

/// Removes the journal of a run whose outputs are complete and whose report is printed.
pub(super) fn remove(journal: Option<RunJournal>) -> Result<(), Error> {
    journal.map_or(Ok(()), RunJournal::remove)
}

/// The error for a journal that an earlier run has left, if the user does not say what becomes of it.
fn left(path: PathBuf) -> Error {
    Error::Destination {
        path,
        reason:
            "is left from a run that ended early; go on from there with --resume, or start anew with --force"
                .to_owned(),
    }
}

/// Ends the use of the journal by a run that has ended with an error, which was printed, and prints where its answers are. If
/// the journal itself has failed, its error is not printed again.
pub(super) fn close_after(
    journal: Option<RunJournal>,
    error: &str,
    quiet: bool,
) -> Result<(), Error> {
    let path = journal.as_ref().map(|journal| journal.path().to_owned());
    match (close(journal, quiet), path) {
        (Err(failed), Some(path)) if failed.to_string() == error => {
            note(format_args!(
                "  the answers that are on the disk are in {}; the same command with --resume goes on from there",
                text::plain(path.display())
            ));
            Ok(())
        }
        (closed, _) => closed,
    }
}

/// Ends the use of the journal by a run that has ended early, and prints where its answers are.
pub(super) fn close(journal: Option<RunJournal>, quiet: bool) -> Result<(), Error> {
    let path = journal.map_or(Ok(None), RunJournal::close)?;
    if let Some(path) = path.filter(|_| !quiet) {
        note(format_args!(
            "note: the answers are kept in {}; the same command with --resume goes on from there",
            text::plain(path.display())
        ));
    }
    Ok(())
}
