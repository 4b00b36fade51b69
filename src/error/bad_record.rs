//! The reason why a record is bad.

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
    /// Whether the input cannot be read beyond this record, for example because a quote is not closed. A run then ends
    /// with an error, whatever its policy about failures is.
    pub(crate) is_last: bool,
}

impl BadRecord {
    /// Creates the reason why a record is [malformed](FailureKind::Malformed). `message` says what was expected, and
    /// what was found.
    pub fn new(message: impl Into<String>, column: impl Into<Option<u64>>) -> Self {
        BadRecord {
            message: message.into(),
            column: column.into(),
            kind: FailureKind::Malformed,
            is_last: false,
        }
    }

    /// The same reason, but of another kind.
    #[must_use]
    pub fn of_kind(self, kind: FailureKind) -> Self {
        BadRecord { kind, ..self }
    }

    /// Creates the reason why a record is bad, and why the input cannot be read beyond it.
    pub(crate) fn last(message: impl Into<String>, column: impl Into<Option<u64>>) -> Self {
        BadRecord {
            is_last: true,
            ..BadRecord::new(message, column)
        }
    }
}
