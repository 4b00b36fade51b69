//! The kinds of reasons for which records fail.

use super::{BadRecord, Died, Failure, Panicked, Refused, TimedOut, Unavailable, UnusableAnswer};

/// The kind of reason for which a record could not be scored. Failures of one kind have messages that differ only in
/// details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum FailureKind {
    /// The record is not UTF-8 text.
    NotUtf8,
    /// The record is longer than a record may be.
    TooLong,
    /// The record is not of its format, for example because its JSON is broken.
    Malformed,
    /// The record lacks a field, or the field has no value.
    Missing,
    /// A field has a value that the task cannot use, such as a number instead of a text.
    WrongValue,
    /// The task [panicked](Panicked).
    Panicked,
    /// The worker process [died](Died).
    Died,
    /// The record took [too long](TimedOut).
    TimedOut,
    /// The program or the service that scores records has [refused](Refused) the record.
    Refused,
    /// The service that scores records could not be reached, or [could not answer](Unavailable).
    Unavailable,
    /// The answer of the service that scores records [cannot be used](UnusableAnswer).
    UnusableAnswer,
    /// The task returned an error of another type.
    Other,
}

impl Failure {
    /// The kind of reason for which the record could not be scored.
    pub fn kind(&self) -> FailureKind {
        let cause = &*self.cause;
        if let Some(bad) = cause.downcast_ref::<BadRecord>() {
            bad.kind
        } else if cause.is::<Panicked>() {
            FailureKind::Panicked
        } else if cause.is::<Died>() {
            FailureKind::Died
        } else if cause.is::<TimedOut>() {
            FailureKind::TimedOut
        } else if cause.is::<Refused>() {
            FailureKind::Refused
        } else if cause.is::<Unavailable>() {
            FailureKind::Unavailable
        } else if cause.is::<UnusableAnswer>() {
            FailureKind::UnusableAnswer
        } else {
            FailureKind::Other
        }
    }
}
