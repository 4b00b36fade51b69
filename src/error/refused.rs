//! The failure of a record that a program has refused.

/// The failure of a record that a [program](crate::plan::ExecOptions) has refused: it has answered with a reason, as in
/// `{"error": "no such product"}`, and not with values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// The reason, in the words of the program.
    pub reason: String,
}
