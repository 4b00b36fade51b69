//! The failures of records for which a service gave no answer, or none that can be used.

/// The failure of a record for which a service could not be reached, or could not answer, in any of the attempts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unavailable {
    /// What went wrong in the last attempt.
    pub reason: String,
}

/// The failure of a record for which the answer of a service is not what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct UnusableAnswer {
    /// What was expected, and what was found.
    pub reason: String,
}
