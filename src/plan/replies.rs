//! The tasks of a plan whose records are scored outside this process.

use std::sync::OnceLock;

use super::scored::Scored;
use crate::dataset::TextRecord;
use crate::error::{Cause, Error, Interrupted};
use crate::remote::{Elsewhere, RecordReply, ask};
use crate::stop::Cancel;
use crate::task::Task;

/// A task that takes the score out of a reply.
pub(super) struct TakeScore;

impl Task<RecordReply<Scored>> for TakeScore {
    type Score = Scored;
    type Error = Cause;

    fn score(&self, reply: &RecordReply<Scored>) -> Result<Scored, Cause> {
        reply.take()
    }
}

/// A task that sends records to be scored outside this process, one at a time, since each record must wait for a
/// permit of the limit.
pub(super) struct AskForEach<'a, E> {
    elsewhere: &'a E,
    /// Cancelled if no record can be scored any more, so that the run stops.
    cancel: &'a Cancel,
    error: OnceLock<Error>,
}

impl<'a, E> AskForEach<'a, E> {
    pub(super) fn new(elsewhere: &'a E, cancel: &'a Cancel) -> Self {
        AskForEach {
            elsewhere,
            cancel,
            error: OnceLock::new(),
        }
    }

    /// The reason why no record could be scored any more, if there is one.
    pub(super) fn into_error(self) -> Option<Error> {
        self.error.into_inner()
    }
}

impl<E: Elsewhere<Score = Scored>> Task<TextRecord<'_>> for &AskForEach<'_, E> {
    type Score = Scored;
    type Error = Cause;

    fn score(&self, record: &TextRecord<'_>) -> Result<Scored, Cause> {
        let answer = ask(self.elsewhere, record.position(), &record.to_json()?);
        answer.unwrap_or_else(|error| {
            let _ = self.error.set(error);
            self.cancel.cancel();
            Err(Interrupted.into())
        })
    }
}
