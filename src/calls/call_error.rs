//! Why a call has no score, and whether the record is tried again.

use std::fmt;
use std::time::Duration;

use crate::error::Cause;

/// Why a call has no score, and whether it makes sense to try the record again.
///
/// Every other error becomes a `CallError` that is tried again as often as the limits allow.
///
/// ```
/// use std::time::Duration;
/// use manyhands::calls::{Again, CallError, RetryReason};
///
/// let refused = CallError::new("404 Not Found").again(Again::Never);
/// let busy = CallError::new("429 Too Many Requests")
///     .again(Again::After(Duration::from_secs(3)))
///     .reason(RetryReason::Throttled);
/// assert_eq!(busy.to_string(), "429 Too Many Requests");
/// # let _ = refused;
/// ```
#[derive(Debug)]
pub struct CallError {
    pub(crate) cause: Cause,
    pub(crate) again: Again,
    pub(crate) reason: RetryReason,
}

impl CallError {
    /// An error with this cause, which is tried again as the limits say.
    pub fn new(cause: impl Into<Cause>) -> Self {
        CallError {
            cause: cause.into(),
            again: Again::AsUsual,
            reason: RetryReason::Other,
        }
    }

    /// Sets whether the record is tried again.
    #[must_use]
    pub fn again(mut self, again: Again) -> Self {
        self.again = again;
        self
    }

    /// Sets the kind of the error, under which a report counts the retries.
    #[must_use]
    pub fn reason(mut self, reason: RetryReason) -> Self {
        self.reason = reason;
        self
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl<E: Into<Cause>> From<E> for CallError {
    fn from(error: E) -> Self {
        CallError::new(error)
    }
}

/// Whether a record is tried again after a call has failed. It is never tried more often than the limits allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Again {
    /// As often as the limits allow, after a random pause.
    #[default]
    AsUsual,
    /// As usual, but only once for errors of this kind.
    Once,
    /// Not again: another call would fail in the same way.
    Never,
    /// As often as the limits allow, but not before this time has passed.
    After(Duration),
}

/// The kind of error after which a record is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RetryReason {
    /// The call took longer than it may.
    Timeout,
    /// The service says that it gets too many calls. This halves an adaptive limit.
    Throttled,
    /// The service had an error.
    ServiceError,
    /// There was no connection, or it broke.
    Connection,
    /// The answer was not what was expected.
    BadAnswer,
    /// Any other error.
    Other,
}

impl RetryReason {
    /// All kinds.
    pub const ALL: [RetryReason; 6] = [
        RetryReason::Timeout,
        RetryReason::Throttled,
        RetryReason::ServiceError,
        RetryReason::Connection,
        RetryReason::BadAnswer,
        RetryReason::Other,
    ];

    /// The name of the kind, as it is in reports.
    pub fn name(self) -> &'static str {
        match self {
            RetryReason::Timeout => "timeout",
            RetryReason::Throttled => "throttled",
            RetryReason::ServiceError => "service error",
            RetryReason::Connection => "connection",
            RetryReason::BadAnswer => "bad answer",
            RetryReason::Other => "other",
        }
    }
}

/// The failure of a record whose call took longer than the limits allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no answer within {} s", after.as_secs_f64())]
pub(super) struct CallTimedOut {
    pub(super) after: Duration,
}
