//! The options of a run: who receives its progress and its scores, and what can stop it.

use std::time::{Duration, Instant};

use super::shard_notes::ShardNotes;
use super::{CallsNow, RunJournal, Scored};
use crate::error::Error;
use crate::machine::Machine;
#[cfg(any(unix, feature = "http"))]
use crate::remote::ColumnKinds;
use crate::sink::Sink;
use crate::stop::{Cancel, DeadlineGuard};

/// The options of a run: who receives its progress and its scores, and what can stop it. By default, the run
/// reports nothing while it runs, and only its plan can stop it.
#[derive(Clone, Copy, Default)]
pub struct RunOptions<'a> {
    pub(super) progress: Option<&'a (dyn Fn(u64) + Sync)>,
    pub(super) scores: Option<&'a dyn Sink<Scored>>,
    pub(super) cancel: Option<&'a Cancel>,
    pub(super) calls: Option<&'a (dyn Fn(CallsNow) + Sync)>,
    pub(super) machine: Option<&'a Machine>,
    pub(super) command: &'a [String],
    pub(super) shard: Option<&'a ShardNotes>,
    pub(super) journal: Option<&'a RunJournal>,
}

impl<'a> RunOptions<'a> {
    /// Calls `progress` repeatedly, each time with the number of additional bytes that are done. It is not called
    /// while the records come from a stream.
    #[must_use]
    pub fn progress(mut self, progress: &'a (dyn Fn(u64) + Sync)) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Calls `show` ten times a second with the numbers of the calls, if a service scores the records.
    #[must_use]
    pub fn calls(mut self, show: &'a (dyn Fn(CallsNow) + Sync)) -> Self {
        self.calls = Some(show);
        self
    }

    /// Writes every score to this sink, in the order of the records. If the plan scores a [sample](super::Sampling), the
    /// sink renders each record with its index in the input, and the blocks that it writes are numbered by the places
    /// of the records in the sample.
    #[must_use]
    pub fn scores(mut self, sink: &'a dyn Sink<Scored>) -> Self {
        self.scores = Some(sink);
        self
    }

    /// Stops the run when this token is cancelled. The answer then covers the records that are done at that time.
    #[must_use]
    pub fn cancel(mut self, cancel: &'a Cancel) -> Self {
        self.cancel = Some(cancel);
        self
    }

    /// Takes answers over from this journal, and keeps the answers of the run in it. The journal must have been opened for
    /// this plan.
    #[must_use]
    pub fn journal(mut self, journal: &'a RunJournal) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Puts these facts about the machine into the answer. Without this option, the run collects the facts itself,
    /// which takes about a millisecond.
    #[must_use]
    pub fn machine(mut self, machine: &'a Machine) -> Self {
        self.machine = Some(machine);
        self
    }

    /// Puts these arguments of a command into the answer, so that reports say how the run was started. They must
    /// contain no secrets.
    #[must_use]
    pub fn command(mut self, arguments: &'a [String]) -> Self {
        self.command = arguments;
        self
    }

    /// Notes what the partial answer of a shard needs beside the answer.
    pub(super) fn shard(mut self, notes: &'a ShardNotes) -> Self {
        self.shard = Some(notes);
        self
    }

    /// Notes the kinds of the columns that the answers of a program or a service have, if the run is that of a shard.
    #[cfg(any(unix, feature = "http"))]
    pub(super) fn note_kinds(&self, kinds: &ColumnKinds) {
        if let Some(notes) = self.shard {
            _ = notes.kinds.set(kinds.settled());
        }
    }

    /// Creates the token of a run. It is cancelled when the caller cancels the run, and when the time `deadline` has passed
    /// since `began`. The guard of the deadline must live as long as the run.
    pub(super) fn token_until(
        &self,
        began: Instant,
        deadline: Option<Duration>,
    ) -> Result<(Cancel, Option<DeadlineGuard>), Error> {
        let token = self.cancel.map_or_else(Cancel::new, Cancel::child);
        let guard = deadline.map(|after| DeadlineGuard::start_after(began, after, &token));
        let guard = guard.transpose().map_err(Error::no_thread)?.flatten();
        Ok((token, guard))
    }
}
