//! A task whose scores are kept.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::contents::RecordContents;
use super::record_answers::RecordAnswers;
use crate::error::{Cause, EndsRun};
use crate::task::Task;

/// The time after which a worker looks again whether the journal can still be written.
const LONG: Duration = Duration::from_secs(60);

/// A task that scores only records for which a journal has no score, and keeps the scores of these. It is created by
/// [`Pipeline::journal`](crate::Pipeline::journal).
#[derive(Clone, Copy, Debug)]
pub struct JournalledTask<'a, T, C> {
    task: T,
    answers: RecordAnswers<'a, C>,
}

impl<'a, T, C> JournalledTask<'a, T, C> {
    pub(crate) fn new(task: T, answers: RecordAnswers<'a, C>) -> Self {
        JournalledTask { task, answers }
    }
}

impl<R: ?Sized, T, C> Task<R> for JournalledTask<'_, T, C>
where
    T: Task<R>,
    T::Score: Serialize + DeserializeOwned,
    C: RecordContents<R>,
{
    type Score = T::Score;
    type Error = Cause;

    /// Scores a record of which only the contents are known.
    fn score(&self, record: &R) -> Result<T::Score, Cause> {
        match self.recall(0, record) {
            Some(known) => known,
            None => self.score_at(0, record),
        }
    }

    fn recall(&self, index: u64, record: &R) -> Option<Result<T::Score, Cause>> {
        let found = self.answers.find(index, record);
        found.map_err(|error| EndsRun(error).into()).transpose()
    }

    fn score_at(&self, index: u64, record: &R) -> Result<T::Score, Cause> {
        let score = self.task.score_at(index, record).map_err(Into::into)?;
        let kept = self.answers.keep(index, record, &score);
        let at = kept.map_err(EndsRun)?;
        while !self.answers.wait(at, LONG).map_err(EndsRun)? {}
        Ok(score)
    }
}
