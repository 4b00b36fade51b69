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
        if self.workers.len() == 1 && self.pipeline.dataset.may_wait_with_records() {
            return 1;
        }
        match &self.in_hand {
            Some(in_hand) => step_in_hand(in_hand.most(), self.workers.len()),
            None => step_of(self.unit_count(), stretch, self.workers.len()),
        }
    }

    /// Whether a worker that has come to this record is too far ahead of the earliest record in flight. It
    /// rests then. Letting scores count before their turn would keep all workers busy, but promise that all
    /// records before them are done even if the run is stopped, however long those turn out to take.
    pub(super) fn is_ahead(&self, end: u64) -> bool {
        let room = match self.order {
            Order::Any if self.may_end_early => room_for(size_of::<S>()),
            _ => u64::MAX,
        };
        let in_flight = PORTIONS * self.workers.len() as u64 * self.portion.load(Relaxed);
        let ahead = end.saturating_sub(self.frontier.next());
        is_too_far(ahead, room.max(in_flight), self.frontier.unjudged())
    }
}

/// Units that make a step if at most `most` records may be in hand: such that there are two steps for each
/// worker, so that none waits for the others.
fn step_in_hand(most: u64, workers: usize) -> usize {
    let shares = 2 * workers as u64;
    (most / shares).clamp(1, STEP_UNITS.1 as u64) as usize
}

/// Units that make a step of a run over `units` units, if a stretch of records has `stretch` of them.
fn step_of(units: usize, stretch: usize, workers: usize) -> usize {
    // Among several workers a portion is short already, and the worker with the parts behind it learns its
    // numbers from the fetch of a whole step.
    if workers > 1 {
        return STEP_UNITS.1;
    }
    // Of records so cheap that a stretch has many, one stretch is soon done, and a step costs more.
    let least = STEP_UNITS.0.max(stretch);
    (units / STEPS).clamp(least, STEP_UNITS.1)
}

/// Scores of this size in bytes that may wait for their turn.
fn room_for(size: usize) -> u64 {
    (WAITING_BYTES / size.max(SCORE_BYTES)) as u64
}

/// Whether a worker is too far ahead that has come `ahead` records beyond the earliest in flight, while
/// `unjudged` failures wait to be judged.
fn is_too_far(ahead: u64, room: u64, unjudged: u64) -> bool {
    ahead > 0 && (ahead > room || unjudged > FAILURES)
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_fraction_of_the_run_within_bounds() {
        assert_eq!(step_of(0, 1, 1), 64);
        assert_eq!(step_of(512 * 65, 1, 1), 65);
        assert_eq!(step_of(usize::MAX, 1, 1), 1024);
        assert_eq!(step_of(512 * 65, 256, 1), 256, "a stretch is not cut");
        assert_eq!(step_of(0, 1, 2), 1024, "a portion is not cut");
    }

    #[test]
    fn steps_of_what_may_be_in_hand_are_two_for_each_worker() {
        assert_eq!(step_in_hand(100, 5), 10);
        assert_eq!(step_in_hand(3, 2), 1);
        assert_eq!(step_in_hand(0, 2), 1);
        assert_eq!(step_in_hand(u64::MAX, 2), 1024);
    }

    #[test]
    fn small_scores_count_as_much_as_the_failures_in_their_place() {
        assert_eq!(room_for(0), 2 << 20);
        assert_eq!(room_for(16), 2 << 20);
        assert_eq!(room_for(32), 1 << 20);
    }

    #[test]
    fn a_worker_rests_beyond_the_room_or_too_many_failures() {
        assert!(!is_too_far(10, 10, 0));
        assert!(is_too_far(11, 10, 0));
        assert!(!is_too_far(1, 10, FAILURES));
        assert!(is_too_far(1, 10, FAILURES + 1));
        // The earliest in flight never rests: the others would wait for it in vain.
        assert!(!is_too_far(0, 10, FAILURES + 1));
    }
}
