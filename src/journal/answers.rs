//! A journal of answers that all have the same fingerprint.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

use super::encoded::{encode, not_encoded};
use super::{DescribedRun, Journal, KeptAt, Syncing, check_unused};
use crate::error::Error;
use crate::synced::OpenOutput;

/// A journal of a run: a file that keeps the score of each record, so that a later run takes the scores over, whatever has
/// ended this one. A [`Pipeline`](crate::Pipeline::journal) uses it.
///
/// A score is taken over by a record that has the same contents, from runs that have opened the journal with the same
/// *fingerprint*. This is any value that says what else determines the scores, such as the version of the task and its
/// parameters. It must be another one whenever the task would give other scores, or scores of another type. It must be the
/// same whenever they are to be taken over, so it should have no hash map, whose order differs.
///
/// The records may change between the runs: those that are new or changed are scored. Each score is taken over once, so each
/// of several equal records keeps its own. Records that fail or are skipped are tried again.
///
/// The file is locked: no two runs use it at the same time. If it cannot be written, the run ends with an error, and what was
/// on the disk before stays good.
///
/// ```
/// use manyhands::journal::{AnswerJournal, Syncing};
/// use manyhands::prelude::*;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("lengths.journal");
/// let words = vec!["many", "hands", "make", "light", "work"];
/// let fingerprint = ("number of bytes", 1);
///
/// // The first run is stopped before its end.
/// let journal = AnswerJournal::open(&path, &fingerprint, Syncing::Seldom)?;
/// let stop = Cancel::new();
/// let task = |word: &&str| {
///     if *word == "make" {
///         stop.cancel();
///     }
///     word.len() as f64
/// };
/// let report = Pipeline::new(&words, task)
///     .executor(&Sequential)
///     .cancel(&stop)
///     .journal(&journal)
///     .aggregate_so_far(Mean::new())?;
/// assert_eq!(report.scored, 3);
/// journal.close()?;
///
/// // The second one goes on.
/// let journal = AnswerJournal::open(&path, &fingerprint, Syncing::Seldom)?;
/// let report = Pipeline::new(&words, |word: &&str| word.len() as f64)
///     .journal(&journal)
///     .aggregate(Mean::new())?;
/// assert_eq!((report.scored, report.value), (5, 4.4));
/// assert_eq!(journal.resumed().taken_over, 3);
/// journal.remove()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AnswerJournal {
    journal: Journal,
    run: DescribedRun,
    fingerprint: u128,
    syncing: Syncing,
}

/// What a run has taken over from its journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Resumed {
    /// Number of answers of earlier runs that were taken over.
    pub taken_over: u64,
    /// Number of the other answers of earlier runs. Their records have changed, are no longer in the input, or come after the
    /// end of a run that was stopped; or something else that determines the answers has changed.
    pub left: u64,
}

impl fmt::Debug for AnswerJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerJournal")
            .field("path", &self.journal.path())
            .finish_non_exhaustive()
    }
}

impl AnswerJournal {
    /// Opens the journal at this path, or creates it if there is none. If the end of the file is torn because a run was
    /// killed, the torn bytes are cut off.
    ///
    /// # Errors
    ///
    /// Returns an error if another run uses the journal, if the file is not a journal or is damaged elsewhere than at its end,
    /// if it cannot be read or written, or if the fingerprint cannot be serialised.
    pub fn open(
        path: impl AsRef<Path>,
        fingerprint: &(impl Serialize + ?Sized),
        syncing: Syncing,
    ) -> Result<Self, Error> {
        let path = path.as_ref();
        let mut bytes = Vec::new();
        encode(fingerprint, &mut bytes)
            .map_err(|error| not_encoded("the fingerprint of the run", &error).error(path))?;
        let run = DescribedRun {
            is_paid: syncing == Syncing::AtOnce,
            parts: vec![("the fingerprint".to_owned(), XxHash3_128::oneshot(&bytes))],
            outputs: Vec::new(),
        };
        Self::open_for(path, &run, syncing)
    }

    /// Opens or creates the journal of a run.
    pub(crate) fn open_for(
        path: &Path,
        run: &DescribedRun,
        syncing: Syncing,
    ) -> Result<Self, Error> {
        let journal = match fs::symlink_metadata(path).is_ok() {
            true => Journal::open(path, run, syncing),
            false => Journal::create(path, run, syncing),
        };
        Ok(AnswerJournal {
            journal: journal?,
            run: run.clone(),
            fingerprint: run.fingerprint(),
            syncing,
        })
    }

    /// Removes the journal that an earlier run has left at this path, without reading it.
    ///
    /// # Errors
    ///
    /// Returns an error if another run uses the journal, if there is none, or if it cannot be removed.
    pub fn discard(path: impl AsRef<Path>) -> Result<(), Error> {
        Journal::discard(path.as_ref())
    }

    /// Returns an error if a run is using the journal at this path.
    pub(crate) fn check_unused(path: &Path) -> Result<(), Error> {
        check_unused(path)
    }

    /// Whether the journal has answers of earlier runs.
    pub(crate) fn has_earlier(&self) -> bool {
        self.journal.has_earlier()
    }

    /// If the journal has answers, but none that could fit this run: what the runs differ in.
    pub(crate) fn differences(&self) -> Option<Vec<String>> {
        self.journal.differences()
    }

    /// The number of answers of runs with another fingerprint that may have cost money.
    pub(crate) fn paid_by_others(&self) -> u64 {
        self.journal.paid_by_others()
    }

    /// The path of the journal.
    pub fn path(&self) -> &Path {
        self.journal.path()
    }

    /// What was taken over so far.
    pub fn resumed(&self) -> Resumed {
        let counts = self.journal.counts();
        Resumed {
            taken_over: counts.taken_over,
            left: counts.earlier - counts.taken_over,
        }
    }

    /// Ends the use of the journal by a run that has ended early. The journal then has every answer of the run, and stays for
    /// the next one. Returns its path. If it has no answer at all, it is removed.
    ///
    /// # Errors
    ///
    /// Returns an error if the answers could not be written, or if the file cannot be removed.
    pub fn close(self) -> Result<Option<PathBuf>, Error> {
        let counts = self.journal.counts();
        if counts.earlier + counts.kept == 0 {
            self.journal.remove()?;
            return Ok(None);
        }
        let path = self.journal.path().to_owned();
        self.journal.close()?;
        Ok(Some(path))
    }

    /// Removes the journal, because the results of the run are complete.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be removed.
    pub fn remove(self) -> Result<(), Error> {
        self.journal.remove()
    }

    /// Gives the file another name.
    pub(crate) fn rename(&mut self, to: &Path) -> Result<(), Error> {
        self.journal.rename(to)
    }

    /// Notes that the run has completed these outputs, which are about to get their names.
    pub(crate) fn outputs_are_complete(&self, outputs: Vec<u128>) -> Result<(), Error> {
        let run = DescribedRun {
            outputs,
            ..self.run.clone()
        };
        self.journal.describe(&run)
    }

    /// Whether the answers may have cost money.
    pub(crate) fn is_paid(&self) -> bool {
        self.run.is_paid
    }

    /// Whether the last run that has used the journal had the same fingerprint.
    pub(crate) fn last_was_same(&self) -> bool {
        self.journal.last_was_same()
    }

    /// Whether an earlier run with the same fingerprint has completed the output with this hash.
    pub(crate) fn has_completed(&self, output: u128) -> bool {
        self.journal.has_completed(output)
    }

    /// Syncs an output of the run now and then, as [`Journal::sync_along`] says.
    pub(crate) fn sync_along(&self, output: Arc<OpenOutput>) {
        self.journal.sync_along(output);
    }

    /// The answer that an earlier run has kept for a record with these contents, read by `decode`.
    pub(crate) fn find<T>(
        &self,
        index: u64,
        contents: u128,
        decode: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let key = contents ^ self.fingerprint;
        let mut answer = Vec::new();
        if !self.journal.find(index, key, &mut answer)? {
            return Ok(None);
        }
        match decode(&answer) {
            Some(answer) => Ok(Some(answer)),
            None => Err(Error::input(
                self.journal.path(),
                "an answer in the journal cannot be read; remove the journal and run again",
            )),
        }
    }

    /// Keeps the answer for a record with these contents.
    pub(crate) fn keep(&self, index: u64, contents: u128, answer: &[u8]) -> Result<KeptAt, Error> {
        self.journal
            .keep(index, contents ^ self.fingerprint, answer)
    }

    /// Waits until what was kept up to there is on the disk, but at most this long. Returns whether it is.
    pub(crate) fn wait(&self, at: KeptAt, at_most: Duration) -> Result<bool, Error> {
        self.journal.wait(at, at_most)
    }

    /// Waits until an answer may count, but at most this long. Returns whether it may.
    pub(super) fn wait_if_paid(&self, at: KeptAt, at_most: Duration) -> Result<bool, Error> {
        match self.syncing {
            Syncing::AtOnce => self.wait(at, at_most),
            Syncing::Seldom => Ok(true),
        }
    }
}
