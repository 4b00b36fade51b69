//! Async functions whose answers are kept.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::AsyncTask;
use super::memory::CallMemory;
use crate::error::Error;
use crate::journal::{KeptAt, RecordAnswers, RecordContents};

/// An async function that is called only for records for which a journal has no answer, and whose answers are kept. It is
/// created by [`AsyncStream::journal`](crate::stream::AsyncStream::journal).
#[derive(Clone, Copy, Debug)]
pub struct JournalledCalls<'a, T, C> {
    task: T,
    answers: RecordAnswers<'a, C>,
}

impl<'a, T, C> JournalledCalls<'a, T, C> {
    pub(crate) fn new(task: T, answers: RecordAnswers<'a, C>) -> Self {
        JournalledCalls { task, answers }
    }
}

impl<R, T, C> AsyncTask<R> for JournalledCalls<'_, T, C>
where
    T: AsyncTask<R> + Sync,
    T::Score: Serialize + DeserializeOwned,
    C: RecordContents<R>,
{
    type Score = T::Score;
    type Error = T::Error;

    async fn score(&self, record: &R) -> Result<T::Score, T::Error> {
        self.task.score(record).await
    }

    fn memory(&self) -> Option<&dyn CallMemory<Option<(u64, R)>, T::Score>> {
        Some(self)
    }
}

impl<R, T, C, S> CallMemory<Option<(u64, R)>, S> for JournalledCalls<'_, T, C>
where
    T: Sync,
    S: Serialize + DeserializeOwned,
    C: RecordContents<R>,
{
    fn find(&self, record: &Option<(u64, R)>) -> Result<Option<S>, Error> {
        match record {
            Some((index, record)) => self.answers.find(*index, record),
            None => Ok(None),
        }
    }

    fn keep(&self, record: &Option<(u64, R)>, answer: &S) -> Result<KeptAt, Error> {
        match record {
            Some((index, record)) => self.answers.keep(*index, record, answer),
            None => Ok(KeptAt::default()),
        }
    }

    fn wait(&self, at: KeptAt, at_most: Duration) -> Result<bool, Error> {
        self.answers.wait(at, at_most)
    }
}
