//! The journal of `score`, from which a run goes on where an earlier one has ended.

use std::path::{Path, PathBuf};

use indicatif::HumanCount;
use manyhands::Error;
use manyhands::plan::{Opened, RunJournal};

use super::Score;
use crate::cli::command_error::CommandError;
use crate::cli::endings::journal_note;
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
    pub(super) fn journal_path(
        &self,
        opened: &Opened,
        quiet: bool,
    ) -> Result<Option<PathBuf>, CommandError> {
        let is_shard = self.shard.is_wanted();
        let Some(output) = self.journalled_output() else {
            return match self.resume {
                true => Err(CommandError::Usage(
                    "--resume: the answers are kept beside the scores file, so it must be a file; name one with -o".to_owned(),
                )),
                false => Ok(None),
            };
        };
        let path = RunJournal::beside(output);
        if self.resume {
            if !RunJournal::exists(&path) && !is_shard && !self.force {
                check_without_journal(output, quiet)?;
            }
            return Ok(Some(path));
        }
        if RunJournal::exists(&path) && !self.force {
            return Err(left(&path).into());
        }
        let is_paid = opened.plan().scorer.outside().is_some();
        Ok((is_paid && !is_shard).then_some(path))
    }

    /// The output to which a journal belongs, if it is a file.
    fn journalled_output(&self) -> Option<&Path> {
        let output = match self.shard.is_wanted() {
            true => self.shard.path(),
            false => self.scores.as_deref().filter(|_| !self.scores_on_stdout()),
        };
        output.filter(|path| path.metadata().map_or(true, |found| found.is_file()))
    }

    /// Removes the journal that an earlier run has left, if the user wants to start anew.
    pub(super) fn discard_journal(&self) -> Result<(), Error> {
        let is_left = |path: &PathBuf| self.force && !self.resume && RunJournal::exists(path);
        match self
            .journalled_output()
            .map(RunJournal::beside)
            .filter(is_left)
        {
            Some(path) => RunJournal::discard(&path),
            None => Ok(()),
        }
    }

    /// Publishes the outputs of a run, which are complete. The journal stays until the report is printed: if the command is
    /// killed before that, the next run with --resume does the rest.
    pub(super) fn publish(
        &self,
        publish: impl FnOnce() -> Result<(), Error>,
        journal: Option<&mut RunJournal>,
    ) -> Result<(), Error> {
        if let Some(journal) = journal {
            let failures = self.failures.paths().into_iter().flatten();
            let others = [self.scores.as_deref(), self.shard.path(), self.page.path()];
            let others = others.into_iter().flatten().map(Path::to_owned);
            journal.outputs_are_complete(others.chain(failures))?;
        }
        publish()
    }
}

/// Says what it means that a run is to go on which has no journal.
///
/// # Errors
///
/// Returns an error if the output exists.
fn check_without_journal(output: &Path, quiet: bool) -> Result<(), Error> {
    if output.exists() {
        return Err(Error::Destination {
            path: output.to_owned(),
            reason: "already exists, and there is no journal beside it to go on with: the run that wrote it has ended; choose \
                     another name, or score everything anew with --force"
                .to_owned(),
        });
    }
    let partial = output.with_added_extension("partial");
    if partial.exists() && !quiet {
        note(format_args!(
            "note: there is no journal beside {}, so no answers are taken over; a new run begins",
            text::plain(partial.display())
        ));
    }
    Ok(())
}

/// Prints why no answer of the journal is taken over, if all are of other commands.
pub(super) fn note_other_command(journal: &RunJournal) {
    let Some(names) = journal.differences() else {
        return;
    };
    let differs = match names.is_empty() {
        true => String::new(),
        false => format!(", which differs in {}", names.join(", ")),
    };
    note(format_args!(
        "note: the answers in {} are of another command{}; every record is scored anew",
        text::plain(journal.path().display()),
        text::plain(differs)
    ));
}

/// Ends the use of the journal by a run whose outputs are complete and whose report is printed. The journal is removed, unless
/// this number of records have failed, which the user may want to try again, or it has paid answers of other commands.
///
/// The failed records of a shard do not count: the shard ends with success, so its engine does not run it again, and the journal
/// would stay for ever.
pub(super) fn end(journal: Option<RunJournal>, failed: u64, quiet: bool) -> Result<(), Error> {
    let Some(journal) = journal else {
        return Ok(());
    };
    let of_others = journal.paid_by_others();
    // A scorer of this library would fail for the same reason again.
    let failed = if journal.is_paid() { failed } else { 0 };
    if failed == 0 && of_others == 0 {
        return journal.remove();
    }
    let Some(path) = journal.close()?.filter(|_| !quiet) else {
        return Ok(());
    };
    let path = text::plain(path.display());
    if failed > 0 {
        let several = match failed {
            1 => "1 record has".to_owned(),
            several => format!("{} records have", HumanCount(several)),
        };
        note(format_args!(
            "note: {several} failed; the answers of the others are kept in {path}; the same command with --resume tries the \
             failed records again"
        ));
    }
    if of_others > 0 {
        let several = match of_others {
            1 => "1 answer of another command stays".to_owned(),
            several => format!("{} answers of other commands stay", HumanCount(several)),
        };
        note(format_args!(
            "note: {several} in {path}; delete the file if you do not need them"
        ));
    }
    Ok(())
}

/// The error for a journal that an earlier run has left, or that another run is using, if the user does not say what becomes
/// of it.
fn left(path: &Path) -> Error {
    let reason = match RunJournal::has_complete_outputs(path) {
        true => {
            "has the answers of a run in which records have failed, or which was killed at its end, or of another command; try \
             failed records again with --resume, or start anew with --force"
        }
        false => {
            "is left from a run that ended early; go on from there with --resume, or start anew with --force"
        }
    };
    RunJournal::left_behind(path).map_or_else(
        |in_use| in_use,
        |path| Error::Destination {
            path,
            reason: reason.to_owned(),
        },
    )
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
        note(format_args!("{}", journal_note(&path)));
    }
    Ok(())
}
