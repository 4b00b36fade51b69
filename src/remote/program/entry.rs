//! A record of a run, from the time it is read until it is visited with its answer.

use std::time::Duration;

use crate::dataset::{OwnedRecord, Position};
use crate::error::{BadRecord, Cause};
use crate::journal::KeptAt;
use crate::remote::blame::EndsAlone;
use crate::remote::{AnswerValue, ProgramAnswer};

/// A record, and what is known about its answer. This type is small, because it is moved several times for each record.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) at: Position,
    /// A bad record is never sent.
    pub(super) record: Result<OwnedRecord, Box<BadRecord>>,
    bytes: usize,
    /// Number of bytes of the record, and of an answer that was taken over.
    held_bytes: usize,
    /// Whether the answer was taken over from an earlier run.
    pub(super) is_taken_over: bool,
    /// The answer, or the reason why there is none; `None` until one of them is known.
    pub(super) outcome: Option<Result<ProgramAnswer, Cause>>,
    /// Whether it is certain that the outcome belongs to this record.
    pub(super) is_verified: bool,
    /// Where the answer was kept for later runs, if it was.
    pub(super) kept: Option<KeptAt>,
    pub(super) spent: Duration,
    /// How many processes have ended while they had only this record.
    pub(super) ends_alone: EndsAlone,
    /// Number of times that the record was tried again after it had failed.
    pub(super) retries: u32,
}

impl Entry {
    pub(super) fn new(at: Position, record: Result<OwnedRecord, Box<BadRecord>>) -> Self {
        let text = |record: &OwnedRecord| record.record().as_str().len();
        let bytes = record.as_ref().map_or(0, text);
        Entry {
            at,
            bytes,
            held_bytes: bytes,
            is_taken_over: false,
            record,
            outcome: None,
            is_verified: false,
            kept: None,
            spent: Duration::ZERO,
            ends_alone: EndsAlone::default(),
            retries: 0,
        }
    }

    /// A record with the answer that an earlier run has kept for it.
    pub(super) fn answered(at: Position, record: OwnedRecord, answer: ProgramAnswer) -> Self {
        let mut entry = Entry::new(at, Ok(record));
        entry.held_bytes += bytes_of(&answer);
        entry.outcome = Some(Ok(answer));
        entry.is_verified = true;
        entry.is_taken_over = true;
        entry
    }

    /// Number of bytes that this record takes while it waits to be visited, without an answer that is still to come.
    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Number of bytes of the record.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether the record has no answer, because it could not be read or its call has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.record.is_err() || matches!(self.outcome, Some(Err(_)))
    }

    /// Whether the record can be visited.
    pub(super) fn is_done(&self) -> bool {
        self.record.is_err() || self.outcome.is_some() && self.is_verified
    }

    /// Sets an outcome that is certain.
    pub(super) fn fail(&mut self, cause: Cause) {
        self.outcome = Some(Err(cause));
        self.is_verified = true;
    }
}

/// Number of bytes that an answer takes, approximately.
pub(super) fn bytes_of(answer: &ProgramAnswer) -> usize {
    let value = |value: &AnswerValue| match value {
        AnswerValue::Number(_) => 0,
        AnswerValue::Text(text) | AnswerValue::Json(text) => text.len(),
    };
    let values = answer.iter();
    let each = size_of::<(String, AnswerValue)>();
    values
        .map(|(name, found)| each + name.len() + value(found))
        .sum()
}
