//! The failure of a record that a program or a service has refused.

/// The failure of a record that a [program](crate::plan::ExecOptions) or a service has refused: it has answered with a
/// reason, as in `{"error": "no such product"}`, or with a status that says so, and not with values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// The reason, in the words of the program or of the service.
    pub reason: String,
}
