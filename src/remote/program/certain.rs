//! How the answers of a process become certain, and are kept for later runs before their records are visited.
//!
//! An answer is certain once its process can no longer turn out to have written a line too many or too few before it. A
//! process that answers at once is certain whenever it has answered everything and rests. A process that buffers its
//! answers is certain only at its end. A run that keeps nothing [trusts](WorkerSlot::trust) such a process before, since it
//! can still fail at its end. But what was kept stays after such a failure, and a later run could not tell that it is
//! wrong. So a run that keeps answers ends such a process from time to time, and uses no answer before.

use std::time::{Duration, Instant};

use super::shared::ProgramShared;
use super::slot::WorkerSlot;
use crate::error::Error;
use crate::journal::KeptAt;

/// The most answers of a process that are held although they cannot be verified.
const MOST_UNVERIFIED: usize = 4096;
/// The longest time for which they are held.
const TRUST_AFTER: Duration = Duration::from_secs(1);

/// The most bytes of answers of a process that are held until it ends, so that they can be kept.
const MOST_HELD_BYTES: usize = 32 << 20;
/// The longest time for which they are held before the process is to end. If processes take long to start, the time is
/// longer, so that a run does not spend most of its time on that.
const END_AFTER: Duration = Duration::from_secs(5);
/// The smallest ratio of such a time and the time that a process needs to start.
const STARTS: u32 = 4;

/// The most records of a slot whose answers were taken over, while an earlier record has no answer yet. The slot takes
/// them to find records among them that it can send. A program that is known to buffer its answers may need more.
const MOST_ANSWERED: usize = 4096;
/// The most such records that a slot takes if it can visit records. Other workers are to have some too.
const ANSWERED_TOGETHER: usize = 256;

/// If a slot holds as many of them as it may, and its process has read everything this long ago, the process probably
/// waits for more records before it answers. If processes take long to start, the time is longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// If answers come within this time after the end of the input, the process has held them back until then.
pub(super) const AT_HAND: Duration = Duration::from_secs(1);

impl WorkerSlot {
    /// Number of records with an answer of an earlier run that the slot may take.
    pub(super) fn room_for_answered(&self, shared: &ProgramShared<'_>) -> usize {
        let held = self.taken_over();
        let has_answered = self.process.is_some() && !self.is_starting();
        let needs_more = !shared.is_prompt() && (has_answered || shared.is_buffering());
        match self.ready(1) {
            // The slot is full at some time, and its process is then to end.
            0 if needs_more => usize::MAX,
            0 => MOST_ANSWERED.saturating_sub(held),
            // They are taken together: it would take long to take each of them when another one has been visited.
            _ if held >= ANSWERED_TOGETHER => 0,
            _ => ANSWERED_TOGETHER,
        }
    }

    /// Whether the process has been silent for long, although it has read everything, and the slot can take no further
    /// records because it holds as many with an answer as it may.
    pub(super) fn waits_too_long(&self, shared: &ProgramShared<'_>, now: Instant) -> bool {
        let process = self.process.as_ref();
        let has_read_since = process.and_then(|process| process.has_read_since);
        let patience = || PATIENCE.max(time_of_starts(shared));
        has_read_since.is_some_and(|since| now - since >= patience())
            && self.room_for_answered(shared) == 0
    }

    /// Uses answers of a program that buffers them. It is certain to which records they belong only once the process has
    /// ended, but until then they might become too many to be held, or wait for too long. If answers are kept, the process
    /// is to end instead.
    ///
    /// # Errors
    ///
    /// Returns an error if an answer cannot be kept.
    pub(super) fn trust(&mut self, shared: &ProgramShared<'_>, now: Instant) -> Result<(), Error> {
        let Some(process) = &mut self.process else {
            return Ok(());
        };
        if shared.is_prompt() || !process.pipes.is_open() || process.unverified.is_empty() {
            return Ok(());
        }
        let held_for = now - process.unverified_since;
        if shared.around.memory.is_some() {
            if held_for >= END_AFTER.max(time_of_starts(shared))
                || process.unverified_bytes >= MOST_HELD_BYTES
            {
                process.pipes.close_input();
            }
            return Ok(());
        }
        if process.unverified.len() >= MOST_UNVERIFIED || held_for >= TRUST_AFTER {
            process.trusted += process.unverified.len() as u64;
            self.verify(shared)?;
        }
        Ok(())
    }

    /// Declares the answers so far to be certain, and keeps them for later runs. Records that the program refused may be
    /// tried again.
    ///
    /// # Errors
    ///
    /// Returns an error if an answer cannot be kept.
    pub(super) fn verify(&mut self, shared: &ProgramShared<'_>) -> Result<(), Error> {
        let Some(process) = &mut self.process else {
            return Ok(());
        };
        process.unverified_bytes = 0;
        for number in std::mem::take(&mut process.unverified) {
            let is_refused = matches!(self.entry(number).outcome, Some(Err(_)));
            if is_refused && self.retries(shared, number, Instant::now()) {
                self.entry(number).outcome = None;
                continue;
            }
            let entry = self.entry(number);
            entry.is_verified = true;
            if let Some(memory) = shared.around.memory
                && let (Ok(record), Some(Ok(answer))) = (&entry.record, &entry.outcome)
            {
                entry.kept = Some(memory.keep(&record.record(), answer)?);
            }
        }
        Ok(())
    }

    /// How many of the first `ready` records, which have certain outcomes, can be visited because their answers are on the
    /// disk. If there are none, waits at most `at_most` until there are. `awaited` is the place that is waited for, which
    /// does not move on while further answers are kept.
    ///
    /// # Errors
    ///
    /// Returns an error if answers could not be written.
    pub(super) fn wait_for_disk(
        &mut self,
        shared: &ProgramShared<'_>,
        ready: usize,
        awaited: &mut Option<KeptAt>,
        at_most: Duration,
    ) -> Result<usize, Error> {
        let Some(memory) = shared.around.memory else {
            return Ok(ready);
        };
        let on_disk = self.first_on_disk(ready);
        if on_disk > 0 {
            return Ok(on_disk);
        }
        let last = self.first_entries(ready).filter_map(|entry| entry.kept);
        let Some(at) = awaited.or_else(|| last.max()) else {
            return Ok(0);
        };
        *awaited = Some(at);
        if memory.wait(at, at_most)? {
            *awaited = None;
            self.on_disk = self.on_disk.max(Some(at));
        }
        Ok(self.first_on_disk(ready))
    }

    /// Number of records at the front, but at most `most`, whose answers are known to be on the disk or were not kept.
    fn first_on_disk(&self, most: usize) -> usize {
        let is_on_disk = |kept: KeptAt| self.on_disk.is_some_and(|on_disk| kept <= on_disk);
        self.first_entries(most)
            .take_while(|entry| entry.kept.is_none_or(is_on_disk))
            .count()
    }
}

/// The shortest time for which a process is to be used, so that most of the time is not spent on starts.
fn time_of_starts(shared: &ProgramShared<'_>) -> Duration {
    shared.longest_start().saturating_mul(STARTS)
}
