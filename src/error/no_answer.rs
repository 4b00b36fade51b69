//! The failures of records for which a process gave no answer.

use std::time::Duration;

/// The failure of a record at which worker processes died that had been sent only this record: two processes, or five if
/// the signal KILL ended them, since the system may kill an innocent process for lack of memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the worker process died: {how}")]
pub struct Died {
    /// How the process ended, for example `killed by signal 9`.
    pub how: String,
}

/// The failure of a record that was sent twice to a worker process and twice got no answer within the time that the
/// plan allows for one record. The second time, the process had been sent only this record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no answer within {} s; the worker process was killed", after.as_secs_f64())]
pub struct TimedOut {
    /// The time that the plan allows for one record.
    pub after: Duration,
}
