//! Pipelines whose scores are kept in a journal.

use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Pipeline;
use crate::dataset::Dataset;
use crate::journal::{AnswerJournal, ByHash, JournalledTask, RecordAnswers, RecordContents};
use crate::task::Task;

impl<'a, D, T, S> Pipeline<'a, D, T, S>
where
    D: Dataset + ?Sized,
    T: for<'r> Task<D::Record<'r>, Score = S>,
    S: Serialize + DeserializeOwned + Send,
{
    /// Takes scores over from a journal, and keeps the others in it, so that a run that is interrupted goes on: a later run
    /// ends as this one would have, with the same bits. A score is taken over by a record with the same hash, so the
    /// [`Hash`] of a record must contain everything that determines its score. [`journal_by`](Pipeline::journal_by) says it
    /// for other records. The example of [`AnswerJournal`] goes on with a run that was stopped.
    ///
    /// What is taken over needs no permit of a [limit](Pipeline::limit).
    ///
    /// With [`Syncing::AtOnce`](crate::journal::Syncing::AtOnce), each score is on the disk before it counts. The worker waits
    /// for it, which costs at most one sync of the disk per record and worker, since workers that wait at the same time share
    /// a sync. If the task itself waits most of the time, more workers than cores help, as in `TaskQueue::new(64)`.
    ///
    /// Scores are written with serde. A score that cannot be read again, or a journal that cannot be written, ends the run
    /// with an error.
    pub fn journal(
        self,
        journal: &'a AnswerJournal,
    ) -> Pipeline<'a, D, JournalledTask<'a, T, ByHash>, S>
    where
        for<'r> D::Record<'r>: Hash,
    {
        self.journalled(journal, ByHash)
    }

    /// Takes scores over from a journal as [`journal`](Pipeline::journal) does. `contents` adds everything of a record that
    /// determines its score to the [`Contents`](crate::journal::Contents).
    ///
    /// ```
    /// use manyhands::journal::{AnswerJournal, Contents, Syncing};
    /// use manyhands::prelude::*;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("roots.journal");
    /// let journal = AnswerJournal::open(&path, "square roots", Syncing::Seldom)?;
    /// let numbers = [4.0, 9.0, 2.25];
    /// let report = Pipeline::new(&numbers, |x: &f64| x.sqrt())
    ///     .journal_by(&journal, |x: &f64, contents: &mut Contents| contents.serialize(x))
    ///     .aggregate(Sum::new())?;
    /// assert_eq!(report.value, 6.5);
    /// journal.remove()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn journal_by<C>(
        self,
        journal: &'a AnswerJournal,
        contents: C,
    ) -> Pipeline<'a, D, JournalledTask<'a, T, C>, S>
    where
        C: for<'r> RecordContents<D::Record<'r>>,
    {
        self.journalled(journal, contents)
    }

    fn journalled<C>(
        self,
        journal: &'a AnswerJournal,
        contents: C,
    ) -> Pipeline<'a, D, JournalledTask<'a, T, C>, S> {
        Pipeline {
            task: JournalledTask::new(self.task, RecordAnswers::new(journal, contents)),
            dataset: self.dataset,
            executor: self.executor,
            on_failure: self.on_failure,
            progress: self.progress,
            sink: self.sink,
            cancel: self.cancel,
            deadline: self.deadline,
            limit: self.limit,
            weigh: self.weigh,
            most_outstanding: self.most_outstanding,
        }
    }
}
