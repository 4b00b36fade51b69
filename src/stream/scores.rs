//! The scores of a stream as an iterator.

use std::iter::FusedIterator;
use std::panic::resume_unwind;
use std::thread::{Builder, Scope, ScopedJoinHandle};

use crossbeam_channel::{Receiver, bounded};

use crate::error::{Cause, Error, Failure, Skipped};
use crate::machine::default_stack_size;
use crate::panics;
use crate::stop::Cancel;
use crate::task::Task;

/// The number of scores that may wait to be taken from the iterator, unless the number of records in flight is
/// limited.
const WAITING_SCORES: usize = 1024;

/// An iterator over the scores of a stream, created by [`Stream::iter`](super::Stream::iter).
///
/// If a record cannot be scored, the iterator returns an [`Error::Failed`] in its place, and continues with the next
/// record. If the task skips a record, the iterator returns an [`Error::Skipped`] in its place, and continues as well.
/// If the run is stopped, the last element is an [`Error::Stopped`]. If the thread of the run cannot be
/// started, the only element is an [`Error::Workers`].
///
/// # Panics
///
/// If the iterator of the records panics, this iterator panics after it has returned the scores of the records before
/// the panic.
#[derive(Debug)]
pub struct Scores<'scope, S> {
    /// The scores. If a record has none, its index and the cause take the place of the score.
    scores: Option<Receiver<Result<S, (u64, Cause)>>>,
    /// The token that stops the run if the iterator is dropped before the end.
    token: Cancel,
    run: Option<ScopedJoinHandle<'scope, Result<(), Error>>>,
    /// The reason why the run could not be started. The iterator returns this error once.
    error: Option<Error>,
}

/// A task whose failures and skipped records are scores too, so that each of them is delivered in its place.
pub(super) struct Attempt<T>(pub(super) T);

impl<R, T: Task<R>> Task<R> for Attempt<T> {
    type Score = Result<T::Score, Cause>;
    type Error = std::convert::Infallible;

    fn score(&self, record: &R) -> Result<Self::Score, Self::Error> {
        let scored = panics::caught(|| self.0.score(record));
        Ok(scored
            .map_err(|panicked| Cause::from(*panicked))
            .and_then(|scored| scored.map_err(Into::into)))
    }
}

/// How the scores of a stream are passed to an iterator.
pub(super) struct ScoresSetup {
    /// Stops the run.
    pub(super) token: Cancel,
    /// The number of scores that may wait to be taken, if it is limited.
    pub(super) waiting: Option<usize>,
    pub(super) stack_size: Option<usize>,
}

/// Starts a thread that calls `run` with the token of the run and with a function that passes on the index and the outcome
/// of each record. The thread is one of the workers.
pub(super) fn start<'scope, S: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    setup: ScoresSetup,
    run: impl FnOnce(&Cancel, Box<dyn FnMut(u64, Result<S, Cause>) + Send + '_>) -> Result<(), Error>
    + Send
    + 'scope,
) -> Scores<'scope, S> {
    let waiting = setup.waiting.unwrap_or(WAITING_SCORES).min(WAITING_SCORES);
    let (sender, scores) = bounded(waiting);
    let token = setup.token;
    let own = token.clone();
    let run = move || {
        let pass_on = |index, scored: Result<S, Cause>| {
            let scored = scored.map_err(|cause| (index, cause));
            if sender.send(scored).is_err() {
                own.cancel();
            }
        };
        run(&own, Box::new(pass_on))
    };
    let thread = Builder::new()
        .name("manyhands-stream".to_owned())
        .stack_size(setup.stack_size.unwrap_or_else(default_stack_size));
    let (run, error) = match thread.spawn_scoped(scope, run) {
        Ok(run) => (Some(run), None),
        Err(source) => (None, Some(Error::no_thread(source))),
    };
    Scores {
        scores: Some(scores),
        token,
        run,
        error,
    }
}

/// The error that takes the place of a record without a score.
fn error_of(index: u64, cause: Cause) -> Error {
    match cause.downcast::<Skipped>() {
        Ok(skipped) => Error::Skipped {
            index,
            skipped: *skipped,
        },
        Err(cause) => Error::Failed(Failure::new(index, None, 0, cause)),
    }
}

impl<S> Iterator for Scores<'_, S> {
    type Item = Result<S, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(score) = self.scores.as_ref().and_then(|scores| scores.recv().ok()) {
            return Some(score.map_err(|(index, cause)| error_of(index, cause)));
        }
        self.scores = None;
        if let Some(error) = self.error.take() {
            return Some(Err(error));
        }
        match self.run.take()?.join() {
            Ok(ended) => ended.err().map(Err),
            Err(panic) => resume_unwind(panic),
        }
    }
}

impl<S> FusedIterator for Scores<'_, S> {}

impl<S> Drop for Scores<'_, S> {
    fn drop(&mut self) {
        if self.run.is_some() {
            self.token.cancel();
        }
    }
}
