//! The end of a run because of an error that a task has met.

use super::Error;

/// The error of a record whose task has met an error that ends the run. The record counts as if it had never been started.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct EndsRun(pub(crate) Error);
