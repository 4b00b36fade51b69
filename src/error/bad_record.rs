//! The reason why a record is bad.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::FailureKind;

/// A record that the task cannot use, because it is not JSON, lacks the field, or has a value of another type in the
/// field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadRecord {
    /// What was expected, and what was found in the record.
    pub message: String,
    /// The column in bytes, counted from 1, if it is known.
    pub column: Option<u64>,
    /// The kind of reason why the task cannot use the record.
    pub kind: FailureKind,
    /// True if the input cannot be read beyond this record, for example because a quote is not closed. The run then
    /// ends with an error, no matter what its failure policy is.
    pub(crate) is_last: bool,
    /// The record, if its dataset has added it.
    pub(crate) record: Option<RejectedRecord>,
}

/// A record that cannot be given to a task. Only the dataset that has added it to a [`BadRecord`] knows its type.
#[derive(Clone)]
pub(crate) struct RejectedRecord(Arc<dyn Any + Send + Sync>);

impl BadRecord {
    /// Creates the reason why a record is [malformed](FailureKind::Malformed). `message` says what was expected, and
    /// what was found.
    pub fn new(message: impl Into<String>, column: impl Into<Option<u64>>) -> Self {
        BadRecord {
            message: message.into(),
            column: column.into(),
            kind: FailureKind::Malformed,
            is_last: false,
            record: None,
        }
    }

    /// The same reason, with the record that it is about.
    pub(crate) fn with_record(self, record: RejectedRecord) -> Self {
        BadRecord {
            record: Some(record),
            ..self
        }
    }

    /// Takes out the record, which may be long, so that a failure that is kept does not hold it.
    pub(crate) fn take_record(&mut self) -> Option<RejectedRecord> {
        self.record.take()
    }

    /// The same reason, but of another kind.
    #[must_use]
    pub fn of_kind(self, kind: FailureKind) -> Self {
        BadRecord { kind, ..self }
    }

    /// Creates the reason why a record is bad, and marks the record as the last one that can be read.
    pub(crate) fn last(message: impl Into<String>, column: impl Into<Option<u64>>) -> Self {
        BadRecord {
            is_last: true,
            ..BadRecord::new(message, column)
        }
    }
}

impl RejectedRecord {
    pub(crate) fn new<R: Any + Send + Sync>(record: Arc<R>) -> Self {
        RejectedRecord(record)
    }

    /// The record, if it has this type.
    pub(crate) fn downcast<R: Any>(&self) -> Option<&R> {
        self.0.downcast_ref()
    }
}

/// All records compare as equal, so that only the reasons themselves are compared.
impl PartialEq for RejectedRecord {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for RejectedRecord {}

impl fmt::Debug for RejectedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RejectedRecord")
    }
}
