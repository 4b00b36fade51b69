//! The interface through which records are scored outside this process.

use std::cell::{Cell, OnceCell};
use std::ops::ControlFlow;
use std::time::Duration;

use crate::dataset::{OwnedRecord, Position, TextRecord};
use crate::error::{BadRecord, Cause, Error, Interrupted};

/// Something outside this process that scores records, such as worker processes or a service.
///
/// A worker of the run's executor opens a [`Conversation`] for each stretch of records that it reads, so several
/// conversations take place at the same time. Everything else is up to the implementation: how a record is
/// written, how many records are in flight, what is retried, and what is supervised. An implementation is created
/// for one run, with the run's [`Cancel`](crate::Cancel) and the time that a record may take.
///
/// How different implementations fit this interface:
///
/// - *The process pool* keeps idle worker processes. A conversation takes one of these processes, sends blocks of
///   records to it, and keeps two blocks in flight. If the process dies, the conversation starts another one and
///   sends it the unanswered records one by one.
/// - *An HTTP service* receives its requests from an async runtime that all conversations share. `send` starts a
///   request under a semaphore and queues its handle; once the queue is full, it waits for the oldest response.
///   Requests complete in any order and are retried within the runtime; the queue restores the order. After a
///   cancellation, requests in flight are dropped.
pub(crate) trait Elsewhere: Sync {
    /// The score of a record.
    type Score;

    /// The conversation of one thread with the other side.
    type Conversation<'e>: Conversation<Score = Self::Score>
    where
        Self: 'e;

    /// Opens a conversation. This does not wait for anything or start anything, since the conversation may turn
    /// out to have no record that can be sent.
    fn open(&self) -> Self::Conversation<'_>;

    /// Called when an error ends the run. From then on, the conversations of other threads must not wait for their
    /// records in flight.
    fn stop(&self);
}

/// Records that one thread sends, and the replies it receives.
///
/// Every implementation must obey the following laws, which `remote::laws` checks:
///
/// 1. `visit` is called once for each record that was sent, in the order of sending, until it returns `Break`.
/// 2. A bad record is not scored, but is visited at its place in the order.
/// 3. A record that cannot be scored has a reply with the cause, and the conversation goes on.
/// 4. The number of records in flight is bounded: at the bound, `send` waits for replies.
/// 5. After the run is cancelled, each record without an answer soon has [`Interrupted`] as its reply.
/// 6. A conversation that is dropped before [`finish`](Conversation::finish) abandons its records. Their
///    answers never reach another conversation.
pub(crate) trait Conversation {
    /// The score of a record.
    type Score;

    /// Sends the text of a record, or keeps the place of a bad record. First visits the replies that must be
    /// received before another record may be in flight.
    ///
    /// # Errors
    ///
    /// Returns an error if no record can be scored any more, for example because no process can be started. The
    /// error ends the run.
    fn send(
        &mut self,
        at: Position,
        record: Result<&str, BadRecord>,
        visit: &mut impl Visit<Self::Score>,
    ) -> Result<ControlFlow<()>, Error>;

    /// Visits the replies that are outstanding.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`send`](Conversation::send).
    fn finish(self, visit: &mut impl Visit<Self::Score>) -> Result<ControlFlow<()>, Error>;
}

/// Receives each record with its reply, or with the reason why it is a bad record.
pub(crate) trait Visit<S>:
    FnMut(Position, Result<&RecordReply<S>, BadRecord>) -> ControlFlow<()>
{
}

impl<S, F> Visit<S> for F where
    F: FnMut(Position, Result<&RecordReply<S>, BadRecord>) -> ControlFlow<()>
{
}

/// The reply for one record that was scored outside this process.
pub struct RecordReply<S> {
    /// `None` after the outcome has been taken.
    outcome: Cell<Option<Result<S, Cause>>>,
    spent: Duration,
    /// The record, if the sink of the run wants it.
    record: OnceCell<OwnedRecord>,
}

impl<S> RecordReply<S> {
    /// Creates a reply from the score of a record, or the reason why it has none, and the time that was spent on
    /// the record.
    pub(super) fn new(outcome: Result<S, Cause>, spent: Duration) -> Self {
        RecordReply {
            outcome: Cell::new(Some(outcome)),
            spent,
            record: OnceCell::new(),
        }
    }

    /// Adds the record.
    pub(super) fn with_record(&self, record: OwnedRecord) {
        let _ = self.record.set(record);
    }

    /// The record, if it was added.
    pub(crate) fn record(&self) -> Option<TextRecord<'_>> {
        self.record.get().map(OwnedRecord::record)
    }

    /// Takes the score, or the reason why there is none. This can be done only once.
    ///
    /// # Errors
    ///
    /// Returns the reason why the record has no score.
    pub fn take(&self) -> Result<S, Cause> {
        let outcome = self.outcome.take();
        outcome.unwrap_or_else(|| Err(Interrupted.into()))
    }

    /// Calls `look` with the score, if there is one and it was not taken.
    pub(super) fn score<E>(&self, look: impl FnOnce(&S) -> Result<(), E>) -> Result<(), E> {
        let outcome = self.outcome.take();
        let looked = match &outcome {
            Some(Ok(score)) => look(score),
            _ => Ok(()),
        };
        self.outcome.set(outcome);
        looked
    }

    /// The time that was spent on the record, without the time in queues and in transit.
    pub(super) fn spent(&self) -> Duration {
        self.spent
    }
}

/// Scores one record in a separate conversation.
///
/// # Errors
///
/// Returns the same errors as [`Conversation::send`].
pub(crate) fn ask<E: Elsewhere>(
    elsewhere: &E,
    at: Position,
    text: &str,
) -> Result<Result<E::Score, Cause>, Error> {
    let mut outcome = Err(Interrupted.into());
    let mut visit = |_, reply: Result<&RecordReply<E::Score>, BadRecord>| {
        if let Ok(reply) = reply {
            outcome = reply.take();
        }
        ControlFlow::Continue(())
    };
    let mut conversation = elsewhere.open();
    if conversation.send(at, Ok(text), &mut visit)?.is_continue() {
        let _ = conversation.finish(&mut visit)?;
    }
    Ok(outcome)
}
