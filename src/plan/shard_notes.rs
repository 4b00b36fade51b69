//! What the run of a shard notes beside its answer, for its partial answer.

use std::sync::OnceLock;

use super::records_hash::RecordsHash;

/// What the run of a shard notes beside its answer.
#[derive(Debug, Default)]
pub(super) struct ShardNotes {
    /// The saved state of the plan's aggregator.
    pub(super) state: OnceLock<Vec<u8>>,
    /// The hash of the records that the run has read.
    pub(super) records: RecordsHash,
    /// The columns of the answers of a program or a service, and their kinds, if there are such answers.
    pub(super) kinds: OnceLock<NamedKinds>,
}

/// The names of columns in their order, each with its kind, such as "a number".
pub(super) type NamedKinds = Vec<(String, String)>;
