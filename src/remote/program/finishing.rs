//! Finishes the records in progress when a run has ended early, so that their answers are kept for the next run.
//!
//! These records count no more in the run that has ended, but a call that was answered need not be made again.

use std::time::{Duration, Instant};

use super::shared::ProgramShared;
use super::slot::WorkerSlot;
use crate::error::Error;

/// The time within which the records in progress are to be finished.
const USUAL_TIME: Duration = Duration::from_secs(2);

/// The longest such time, if records take long. It is shorter than the time after which the command ends a run that does
/// not return after its deadline.
const LONGEST_TIME: Duration = Duration::from_secs(5);

/// The time in which every process is looked at once.
const ROUND: Duration = Duration::from_millis(10);

/// Finishes what the processes of these slots were sent, and keeps the answers. Nothing more is sent. A process that does
/// not finish in time is killed, and its uncertain answers are lost.
///
/// # Errors
///
/// Returns an error if an answer cannot be kept, or if answers that were kept may be wrong.
pub(super) fn finish(mut slots: Vec<WorkerSlot>, shared: &ProgramShared<'_>) -> Result<(), Error> {
    let began = Instant::now();
    slots.retain(|slot| !slot.has_verified_all());
    let mut left: Vec<_> = slots
        .into_iter()
        .map(|slot| (slot.time_to_finish(), slot))
        .collect();
    while !left.is_empty() {
        let wait = ROUND / u32::try_from(left.len()).unwrap_or(u32::MAX);
        for (_, slot) in &mut left {
            slot.close_unless_prompt(shared);
            slot.exchange(shared, wait)?;
        }
        left.retain(|(time, slot)| !slot.has_verified_all() && began.elapsed() < *time);
    }
    Ok(())
}

impl WorkerSlot {
    /// The time within which the process should have finished its records.
    fn time_to_finish(&self) -> Duration {
        let expected = self.window.expected(self.in_flight());
        expected.saturating_mul(2).clamp(USUAL_TIME, LONGEST_TIME)
    }

    /// Closes the input of a process that may hold its answers back until then.
    fn close_unless_prompt(&mut self, shared: &ProgramShared<'_>) {
        if let Some(process) = &mut self.process
            && process.pipes.is_open()
            && !shared.is_prompt()
        {
            process.pipes.close_input();
        }
    }
}
