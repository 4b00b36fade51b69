//! The journal of a run, from which a later run takes answers over.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use twox_hash::XxHash3_128;

use super::Opened;
use super::fingerprint::fingerprint;
use super::kept_answer::{decode_answer, encode_answer};
use crate::dataset::TextRecord;
use crate::error::Error;
use crate::journal::{AnswerJournal, AnswerMemory, KeptAt, Resumed, Syncing};
use crate::remote::ProgramAnswer;
use crate::synced::OpenOutput;

/// The journal of a run: a file that keeps the answer for each record as soon as it is known, so that a later run of the
/// same plan takes the answers over, whatever has ended this one. A run uses it if it is given in its
/// [`RunOptions`](super::RunOptions::journal).
///
/// An answer is taken over by a record that has the same contents, and if everything that determines the answer is the same:
/// the scorer with its options, the scored fields, and the contents of the files that the scorer reads and of those that
/// are arguments of its program. So the input may change between the runs: records that are new or changed are scored. Each
/// answer is taken over once, so each of several equal records keeps its own. Failures are not kept. Limits,
/// the number of workers, headers of calls and outputs may differ.
///
/// Answers of a program or a service are on the disk before they count, so none of them is paid for twice. Those of other
/// scorers are synced now and then.
///
/// The journal is locked: no two runs use it at the same time.
///
/// ```
/// use manyhands::plan::{Plan, RunJournal, RunOptions};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("reviews.journal");
/// let opened = Plan::new(["data/reviews.jsonl"]).open()?;
///
/// let journal = RunJournal::open(&path, &opened)?;
/// let first = opened.run(RunOptions::default().journal(&journal))?;
/// journal.close()?;
///
/// let journal = RunJournal::open(&path, &opened)?;
/// let second = opened.run(RunOptions::default().journal(&journal))?;
/// assert_eq!(second.resumed.unwrap().taken_over, first.report.scored);
/// assert_eq!(second.digest, first.digest);
/// journal.remove()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RunJournal {
    answers: AnswerJournal,
    /// Whether the file has the name of a journal whose run has completed its outputs.
    has_complete: bool,
}

impl RunJournal {
    /// Returns the path of the journal that belongs to an output: the path of the output with `.journal` appended.
    pub fn beside(output: &Path) -> PathBuf {
        output.with_added_extension("journal")
    }

    /// Whether an earlier run has left a journal at this path.
    pub fn exists(path: &Path) -> bool {
        let found = |path: &Path| fs::symlink_metadata(path).is_ok();
        found(path) || found(&complete_of(path))
    }

    /// Whether the run that has left the journal at this path had completed its outputs. It has left the journal because records
    /// have failed, because the journal has paid answers of other commands, or because it was killed while it renamed the
    /// outputs into place. Some outputs may then exist already.
    pub fn has_complete_outputs(path: &Path) -> bool {
        !path.exists() && complete_of(path).exists()
    }

    /// The file of the journal that an earlier run has left at this path.
    ///
    /// # Errors
    ///
    /// Returns an error if another run is using the journal.
    pub fn left_behind(path: &Path) -> Result<PathBuf, Error> {
        let path = match RunJournal::has_complete_outputs(path) {
            true => complete_of(path),
            false => path.to_owned(),
        };
        AnswerJournal::check_unused(&path)?;
        Ok(path)
    }

    /// Removes the journal that an earlier run has left at this path.
    ///
    /// # Errors
    ///
    /// Returns an error if another run uses the journal, or if it cannot be removed.
    pub fn discard(path: &Path) -> Result<(), Error> {
        for path in [path.to_owned(), complete_of(path)] {
            if fs::symlink_metadata(&path).is_ok() {
                AnswerJournal::discard(&path)?;
            }
        }
        Ok(())
    }

    /// Opens the journal at this path, or creates it if there is none. If the end of the file is torn because a run was
    /// killed, the torn bytes are cut off.
    ///
    /// # Errors
    ///
    /// Returns an error if another run uses the journal, if the file is not a journal or is damaged elsewhere than at its end,
    /// if the file or a file that the scorer reads cannot be read, or if the journal cannot be written.
    pub fn open(path: &Path, opened: &Opened) -> Result<Self, Error> {
        let plan = opened.plan();
        let syncing = match plan.scorer.outside() {
            Some(_) => Syncing::AtOnce,
            None => Syncing::Seldom,
        };
        let run = fingerprint(plan)?;
        // A journal of complete outputs keeps its name, because these outputs may exist until this run replaces them.
        let has_complete = RunJournal::has_complete_outputs(path);
        let complete = has_complete.then(|| complete_of(path));
        let path = complete.as_deref().unwrap_or(path);
        Ok(RunJournal {
            answers: AnswerJournal::open_for(path, &run, syncing)?,
            has_complete,
        })
    }

    /// If the journal has answers, but all of them are of other commands, so that none can be taken over: what the last of
    /// these differs in from this run, such as `the URL` and `the file score.py`.
    pub fn differences(&self) -> Option<Vec<String>> {
        self.answers.differences()
    }

    /// The number of answers in the journal that are of other commands, of a program or a service. They may have cost money.
    pub fn paid_by_others(&self) -> u64 {
        self.answers.paid_by_others()
    }

    /// The path of the journal.
    pub fn path(&self) -> &Path {
        self.answers.path()
    }

    /// Notes that these outputs of the run are complete, and are about to get their names. If the journal stays, because the run
    /// is killed or because records have failed, the next run of the same command [knows](RunJournal::has_completed) that
    /// these outputs are those of this one.
    ///
    /// # Errors
    ///
    /// Returns an error if the journal cannot be written, synced or renamed.
    pub fn outputs_are_complete<P: AsRef<Path>>(
        &mut self,
        outputs: impl IntoIterator<Item = P>,
    ) -> Result<(), Error> {
        self.completes(outputs)?;
        if self.has_complete {
            return Ok(());
        }
        self.has_complete = true;
        let complete = complete_of(self.answers.path());
        self.answers.rename(&complete)
    }

    /// Notes that these outputs are about to be completed, also if the run has ended early. The next run of the same command may
    /// replace them.
    ///
    /// # Errors
    ///
    /// Returns an error if the journal cannot be written or synced.
    pub fn completes<P: AsRef<Path>>(
        &self,
        outputs: impl IntoIterator<Item = P>,
    ) -> Result<(), Error> {
        let outputs = outputs.into_iter().map(|path| self.hash_of(path.as_ref()));
        self.answers.outputs_are_complete(outputs.collect())
    }

    /// A hash of the path of an output: of its name, if it is in the folder of the journal, which may have been moved.
    fn hash_of(&self, output: &Path) -> u128 {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let (journal, output) = (absolute(self.path()), absolute(output));
        let path = match (output.file_name(), output.parent() == journal.parent()) {
            (Some(name), true) => Path::new(name),
            _ => &output,
        };
        XxHash3_128::oneshot(path.as_os_str().as_encoded_bytes())
    }

    /// Whether the journal has answers that this run can take over.
    pub fn goes_on(&self) -> bool {
        self.answers.has_earlier() && self.differences().is_none()
    }

    /// Whether the answers may have cost money: those of a program or a service.
    pub fn is_paid(&self) -> bool {
        self.answers.is_paid()
    }

    /// Whether an earlier run of the same command has completed this output, so that this run may replace it.
    pub fn has_completed(&self, output: &Path) -> bool {
        // The name of the journal says that the output to which it belongs is complete.
        let is_own = self.has_complete
            && self.answers.last_was_same()
            && complete_of(&RunJournal::beside(output)) == self.path();
        is_own || self.answers.has_completed(self.hash_of(output))
    }

    /// Syncs an output of the run now and then, if the journal is synced seldom.
    pub(crate) fn sync_along(&self, output: Arc<OpenOutput>) {
        self.answers.sync_along(output);
    }

    /// What the run has taken over so far.
    pub fn resumed(&self) -> Resumed {
        self.answers.resumed()
    }

    /// Ends the use of the journal by a run that has ended early, or in which records have failed. The journal then has every
    /// answer of the run, and stays for the next one. Returns its path. If it has no answer at all, it is removed.
    ///
    /// # Errors
    ///
    /// Returns an error if the answers could not be written, or if the file cannot be removed.
    pub fn close(self) -> Result<Option<PathBuf>, Error> {
        self.answers.close()
    }

    /// Removes the journal, because the outputs of the run are complete. If records have failed, it is better
    /// [closed](RunJournal::close): the next run then tries only these again.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be removed.
    pub fn remove(self) -> Result<(), Error> {
        self.answers.remove()
    }
}

/// The path of a journal whose run has completed its outputs.
fn complete_of(path: &Path) -> PathBuf {
    path.with_added_extension("complete")
}

/// The answers of the records of a run in its journal.
pub(super) struct JournalledAnswers<'a>(&'a AnswerJournal);

impl<'a> JournalledAnswers<'a> {
    pub(super) fn new(journal: &'a RunJournal) -> Self {
        JournalledAnswers(&journal.answers)
    }

    /// The answer that an earlier run has kept for this record, read by `decode`.
    pub(super) fn find<T>(
        &self,
        record: &TextRecord<'_>,
        decode: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        if !self.0.has_earlier() {
            return Ok(None);
        }
        let index = record.position().index;
        self.0.find(index, record.content_hash(), decode)
    }

    /// Keeps the answer for this record, written by `encode`.
    pub(super) fn keep(
        &self,
        record: &TextRecord<'_>,
        encode: impl Fn(&mut Vec<u8>),
    ) -> Result<KeptAt, Error> {
        thread_local! {
            /// Memory for an answer, which is used for one record after the other.
            static BYTES: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
        }
        let mut answer = BYTES.take();
        answer.clear();
        encode(&mut answer);
        let index = record.position().index;
        let kept = self.0.keep(index, record.content_hash(), &answer);
        BYTES.set(answer);
        kept
    }

    pub(super) fn wait(&self, at: KeptAt, at_most: Duration) -> Result<bool, Error> {
        self.0.wait(at, at_most)
    }
}

impl AnswerMemory<ProgramAnswer> for JournalledAnswers<'_> {
    fn find(&self, record: &TextRecord<'_>) -> Result<Option<ProgramAnswer>, Error> {
        self.find(record, decode_answer)
    }

    fn keep(&self, record: &TextRecord<'_>, answer: &ProgramAnswer) -> Result<KeptAt, Error> {
        self.keep(record, |to| encode_answer(answer, to))
    }

    fn wait(&self, at: KeptAt, at_most: Duration) -> Result<bool, Error> {
        self.wait(at, at_most)
    }
}
