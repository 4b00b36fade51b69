//! What becomes of the answers of a stream's calls.

use crate::calls::{AsyncTask, AwaitedRecord, CallError};
use crate::error::{Cause, Interrupted};
use crate::task::Task;

/// A task whose records are handed over by an iterator, each of them once, with its index.
pub(super) struct HandedOver<'t, T>(pub(super) &'t T);

impl<R, T: AsyncTask<R>> AsyncTask<Option<(u64, R)>> for HandedOver<'_, T> {
    type Score = T::Score;
    type Error = CallError;

    async fn score(&self, record: &Option<(u64, R)>) -> Result<T::Score, CallError> {
        match record {
            Some((_, record)) => self.0.score(record).await.map_err(Into::into),
            None => Err(CallError::new(Interrupted)),
        }
    }
}

/// The answer of a call is the score of its record.
#[derive(Clone, Copy, Debug)]
pub struct AnswerItself;

impl<O, S> Task<AwaitedRecord<O, S>> for AnswerItself {
    type Score = S;
    type Error = Cause;

    #[inline]
    fn score(&self, record: &AwaitedRecord<O, S>) -> Result<S, Cause> {
        record.take()
    }
}

/// The score of a record is computed from the answer of its call, see [`AsyncStream::then`](super::AsyncStream::then).
#[derive(Clone, Copy, Debug)]
pub struct NextStep<N>(pub(super) N);

impl<O, S, N: Task<S>> Task<AwaitedRecord<O, S>> for NextStep<N> {
    type Score = N::Score;
    type Error = Cause;

    fn score(&self, record: &AwaitedRecord<O, S>) -> Result<N::Score, Cause> {
        let answer = record.take()?;
        // This also holds if the step panics.
        record.set_failed(true);
        let score = self.0.score(&answer).map_err(Into::into)?;
        record.set_failed(false);
        Ok(score)
    }
}

/// A step that calls another step by reference.
pub(super) struct StepRef<'u, U>(pub(super) &'u U);

impl<O, S, U: Task<AwaitedRecord<O, S>>> Task<AwaitedRecord<O, S>> for StepRef<'_, U> {
    type Score = U::Score;
    type Error = U::Error;

    #[inline]
    fn score(&self, record: &AwaitedRecord<O, S>) -> Result<U::Score, U::Error> {
        self.0.score(record)
    }
}

/// Adds the index of the record to its score.
pub(super) struct Indexed<U>(pub(super) U);

impl<O, S, U: Task<AwaitedRecord<O, S>>> Task<AwaitedRecord<O, S>> for Indexed<U> {
    type Score = (u64, U::Score);
    type Error = U::Error;

    fn score(&self, record: &AwaitedRecord<O, S>) -> Result<Self::Score, U::Error> {
        let score = self.0.score(record)?;
        Ok((record.index(), score))
    }
}
