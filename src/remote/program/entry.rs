//! A record of a run, from the time it is read until it is visited with its answer.

use std::time::Duration;

use crate::dataset::{OwnedRecord, Position};
use crate::error::{BadRecord, Cause};
use crate::remote::ProgramAnswer;
use crate::remote::blame::EndsAlone;

/// A record, and what is known about its answer. This type is small, because it is moved several times for each record.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) at: Position,
    /// A bad record is never sent.
    pub(super) record: Result<OwnedRecord, Box<BadRecord>>,
    bytes: usize,
    /// The answer, or the reason why there is none; `None` until one of them is known.
    pub(super) outcome: Option<Result<ProgramAnswer, Cause>>,
    /// Whether it is certain that the outcome belongs to this record.
    pub(super) is_verified: bool,
    pub(super) spent: Duration,
    /// How many processes have ended while they had only this record.
    pub(super) ends_alone: EndsAlone,
    /// Number of times that the record was tried again after it had failed.
    pub(super) retries: u32,
}

impl Entry {
    pub(super) fn new(at: Position, record: Result<OwnedRecord, Box<BadRecord>>) -> Self {
        let text = |record: &OwnedRecord| record.record().as_str().len();
        Entry {
            at,
            bytes: record.as_ref().map_or(0, text),
            record,
            outcome: None,
            is_verified: false,
            spent: Duration::ZERO,
            ends_alone: EndsAlone::default(),
            retries: 0,
        }
    }

    /// Number of bytes of the record.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
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
