//! The messages that a run and its worker processes exchange.
//!
//! The run greets the process, which answers with its version. Then the run sends the setup; the process prepares
//! it and reports [`ReadyMessage`]. From then on, the run sends blocks of records, each with a note, and the
//! process sends answers in the order of the records. The process reports counters with its answers.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::dataset::Position;
use crate::error::Cause;

/// The greeting that a new process is sent. It differs from [`WELCOME`], so that a program that repeats its input
/// is not mistaken for a worker.
pub(super) const GREETING: &[u8; 28] = b"manyhands: are you a worker?";

/// The answer of a worker of this version.
pub(super) const WELCOME: &[u8] =
    concat!("manyhands ", env!("CARGO_PKG_VERSION"), ": I am.").as_bytes();

/// The command-line argument that makes a program a worker.
pub(super) const ARGUMENT: &str = "worker";

/// The longest time for which a worker holds back finished answers before it sends them. It is short, so that a
/// run can be stopped, and so that few answers are lost if a later record kills the process.
pub(super) const ANSWER_INTERVAL: Duration = Duration::from_millis(5);

/// What a worker reports when it is ready.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReadyMessage {
    /// Processor time of the setup, in nanoseconds.
    pub(super) cpu: u64,
    /// Whether the process stays on the hardware thread that it was assigned.
    pub(super) in_place: bool,
}

/// The run's side of the protocol. The types must be the same as in the [`WorkerProcess`] on the other side.
pub(crate) trait Coordinator: Sync {
    /// The note that is sent before each block of records.
    type Note: Serialize;
    /// The answer for a record, in the form in which it is sent.
    type Answer: DeserializeOwned;
    /// What a process has counted since its last report.
    type Counters: DeserializeOwned;
    /// The score of a record.
    type Score;

    /// The note for the next block.
    fn note(&self) -> Self::Note;

    /// Converts the answer of a worker to the score of a record.
    fn score(&self, at: Position, answer: Self::Answer) -> Result<Self::Score, Cause>;

    /// Adds the counts that a process has reported.
    fn count(&self, counters: Self::Counters);
}

/// The worker's side of the protocol: scores the records that it is sent. The types must be the same as in the
/// [`Coordinator`] on the other side.
pub(crate) trait WorkerProcess: Sized {
    /// The note that is received before each block of records.
    type Note: DeserializeOwned;
    /// The answer for a record, in the form in which it is sent.
    type Answer: Serialize;
    /// What this process has counted since its last report.
    type Counters: Serialize;

    /// Prepares what `setup` requests.
    ///
    /// # Errors
    ///
    /// Returns a message for the user if that is impossible.
    fn begin(setup: &[u8]) -> Result<Self, String>;

    /// Takes the note of the next block into account.
    fn note(&mut self, note: Self::Note);

    /// Scores a record.
    fn answer(&mut self, text: &str) -> Self::Answer;

    /// Returns what has been counted since the last call.
    fn counters(&mut self) -> Self::Counters;
}
