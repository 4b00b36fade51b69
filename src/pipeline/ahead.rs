//! How far a run may be ahead of the earliest record in flight.

use super::run::{Order, Run};
use crate::aggregation::Aggregator;
use crate::dataset::Dataset;
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::Task;

/// Progress is told and scores are passed on at least this often over the whole dataset, …
const STEPS: usize = 512;
/// … but not so often that it costs more than cheap records, nor so seldom that scores pile up.
const STEP_UNITS: (usize, usize) = (64, 1024);
/// Scores that wait for their turn may take about so many bytes, what they own besides not counted …
const WAITING_BYTES: usize = 32 << 20;
/// … at the least so many each, for the failures that come in their place.
const SCORE_BYTES: usize = 16;
/// Where scores are handed on in the order of the records, so many records may have been taken that
/// are not handed on yet, if nothing else is said.
pub(super) const IN_HAND: u64 = 1 << 14;
/// So many of the largest portions may be ahead for each worker, since as many are in flight
/// whatever is allowed.
const PORTIONS: u64 = 4;
/// So many failures may wait to be judged in the order of the records.
const FAILURES: u64 = 1 << 16;

impl<D, T, S, A> Run<'_, '_, D, T, S, A>
where
    D: Dataset + ?Sized,
    T: for<'r> Task<D::Record<'r>, Score = S>,
    A: Aggregator<S>,
{
    /// How many units make a step, if a stretch of records has so many.
    pub(super) fn step(&self, stretch: usize) -> usize {
        if self.order == Order::Units {
            return 1;
        }
        // Whoever is alone must not take a record and wait for the next with it in its hands.
        if self.workers.len() == 1 && self.pipeline.dataset.holds_back() {
            return 1;
        }
        if let Some(in_hand) = &self.in_hand {
            // More than one for each worker, so that none waits for the others.
            let shares = 2 * self.workers.len() as u64;
            return (in_hand.most() / shares).clamp(1, STEP_UNITS.1 as u64) as usize;
        }
        // Among several workers a portion is short already, and the worker with the parts behind it learns
        // its numbers from the fetch of a whole step.
        if self.workers.len() > 1 {
            return STEP_UNITS.1;
        }
        // Of records so cheap that a stretch has many, one stretch is soon done, and a step costs more.
        let least = STEP_UNITS.0.max(stretch);
        (self.units / STEPS).clamp(least, STEP_UNITS.1)
    }

    /// Whether whoever has come to this record is too far ahead of the earliest in flight. It rests
    /// then. Letting scores count before their turn would keep everyone busy, but promise that all
    /// records before them are done even if the run is stopped, however long those turn out to take.
    pub(super) fn is_ahead(&self, end: u64) -> bool {
        let ahead = end.saturating_sub(self.frontier.next());
        if ahead == 0 {
            return false;
        }
        let room = match self.order {
            Order::Any if self.may_end_early => {
                (WAITING_BYTES / size_of::<S>().max(SCORE_BYTES)) as u64
            }
            _ => u64::MAX,
        };
        let in_flight = PORTIONS * self.workers.len() as u64 * self.portion.load(Relaxed);
        ahead > room.max(in_flight) || self.frontier.unjudged() > FAILURES
    }
}
