//! The interface through which records are scored outside this process.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::dataset::Position;
use crate::error::{BadRecord, Cause, Error, Interrupted};

/// Somewhere outside this process that scores records: worker processes, a user's program, a service.
///
/// A worker of the run's executor opens a [`Conversation`] for each stretch of records that it reads, so
/// several conversations take place at the same time. Everything else belongs to the implementation: how a
/// record is written, how many are in flight, what is retried, what is supervised. It is made for one run,
/// with the run's [`Cancel`](crate::Cancel) and the time that a record may take.
///
/// How the implementations fit:
///
/// - *The process pool* keeps idle worker processes. A conversation takes one, sends blocks of records, and
///   keeps two blocks in flight. If the process dies, the conversation starts another one and sends it the
///   unanswered records one by one.
/// - *A user's program* takes a JSON line and answers with a JSON line. Opening a conversation takes an idle
///   process. `send` writes a line, and once the limit in flight is reached it waits for the oldest answer
///   first. A thread of its own reads the program's output, since the program may be blocked on writing while
///   this side writes. The fields that the scores need besides the answer stay in the queue of unanswered
///   records. A program that dies, or is restarted after a number of records, is sent the unanswered records
///   again.
/// - *An HTTP service* is asked by an async runtime that all conversations share. `send` starts a request
///   under a semaphore and queues its handle; once the queue is full, it waits for the oldest response.
///   Requests complete in any order and are retried within the runtime; the queue restores the order. After
///   a cancellation, requests in flight are dropped.
pub(crate) trait Elsewhere: Sync {
    /// The score of a record.
    type Score;

    /// The conversation of one thread with the other side.
    type Conversation<'e>: Conversation<Score = Self::Score>
    where
        Self: 'e;

    /// Opens a conversation. It waits for nothing and starts nothing, since the stretch of records may hold
    /// none that can be sent.
    fn open(&self) -> Self::Conversation<'_>;

    /// Called when an error ends the run: conversations of other threads must not wait for the records they
    /// have in flight any longer.
    fn stop(&self);
}

/// Records that one thread sends, and the replies it receives.
///
/// Laws, checked for every implementation by `remote::laws`:
///
/// 1. `visit` is called once for each record that was sent, in the order of sending, until it returns `Break`.
/// 2. A bad record is not scored, and keeps its place.
/// 3. A record that cannot be scored has a reply with the cause, and the conversation goes on.
/// 4. The number of records in flight is bounded: at the bound, `send` waits for replies.
/// 5. After the run is cancelled, each record without an answer soon has [`Interrupted`] as its reply.
/// 6. A conversation that is dropped before [`finish`](Conversation::finish) abandons its records. Their
///    answers never reach another conversation.
pub(crate) trait Conversation {
    /// The score of a record.
    type Score;

    /// Sends the text of a record, or keeps the place of a bad one. Visits the replies that have to be
    /// received before there is room for the record.
    ///
    /// # Errors
    ///
    /// If no record can be scored any more, for example because no process can be started. It ends the run.
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
    /// Same as [`send`](Conversation::send).
    fn finish(self, visit: &mut impl Visit<Self::Score>) -> Result<ControlFlow<()>, Error>;
}

/// Receives each record with its reply, or with what is wrong with it.
pub(crate) trait Visit<S>:
    FnMut(Position, Result<&RecordReply<S>, BadRecord>) -> ControlFlow<()>
{
}

impl<S, F> Visit<S> for F where
    F: FnMut(Position, Result<&RecordReply<S>, BadRecord>) -> ControlFlow<()>
{
}

/// The reply about one record.
pub(crate) struct RecordReply<S> {
    /// `None` once it has been taken.
    outcome: Cell<Option<Result<S, Cause>>>,
    spent: Duration,
}

impl<S> RecordReply<S> {
    /// The score of a record, or why it has none, and the time that was spent on it.
    pub(super) fn new(outcome: Result<S, Cause>, spent: Duration) -> Self {
        RecordReply {
            outcome: Cell::new(Some(outcome)),
            spent,
        }
    }

    /// The score, or why there is none. It can be taken once.
    pub(crate) fn take(&self) -> Result<S, Cause> {
        let outcome = self.outcome.take();
        outcome.unwrap_or_else(|| Err(Interrupted.into()))
    }

    /// The time that was spent on the record, without the time in queues and in transit.
    pub(super) fn spent(&self) -> Duration {
        self.spent
    }
}

/// Scores one record in a conversation of its own.
///
/// # Errors
///
/// Same as [`Conversation::send`].
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
