//! How many units a step has, and how far a worker may be ahead of the earliest record in flight.

/// A run has at least this many steps, so that progress is reported and scores are passed on often enough.
const STEPS: usize = 512;
/// The minimum and the maximum number of units in a step. The overhead of a shorter step would exceed the
/// cost of cheap records, and a longer step would pile up scores.
const STEP_UNITS: (usize, usize) = (64, 1024);
/// The maximum memory for scores that wait for their turn, in bytes. It does not include what the scores own
/// on the heap.
const WAITING_BYTES: usize = 32 << 20;
/// The minimum size that is assumed for a score, in bytes, because a failure may take its place.
const SCORE_BYTES: usize = 16;
/// A worker may always be ahead by this many portions for each worker of the run, because that many portions
/// are in flight anyway.
const PORTIONS: u64 = 4;
/// The maximum number of failures that may wait to be judged in the order of the records.
const UNJUDGED_FAILURES: u64 = 1 << 16;

/// The number of units in a step if at most `most` records may be outstanding. There is room for two steps of
/// each worker, so that no worker waits for the others.
pub(super) fn step_of_outstanding(most: u64, workers: usize) -> usize {
    let steps = 2 * workers as u64;
    (most / steps).clamp(1, STEP_UNITS.1 as u64) as usize
}

/// Returns the number of units in a step. The run has `units` units in total, and the stopwatch times `stretch`
/// records together.
pub(super) fn step_of(units: usize, stretch: usize, workers: usize) -> usize {
    // With several workers, the executor hands out short portions, so a step can have the length of a portion. A
    // shorter step would not help: the worker that has the following parts learns the numbers of its records only
    // when the whole step before them has been read.
    if workers > 1 {
        return STEP_UNITS.1;
    }
    // A stretch with many records means that records are very cheap. The overhead of a step that is shorter than
    // the stretch would then exceed the cost of its records.
    let least = STEP_UNITS.0.max(stretch);
    (units / STEPS).clamp(least, STEP_UNITS.1)
}

/// Returns the number of scores that may wait for their turn, if a score takes `size` bytes.
pub(super) fn scores_that_may_wait(size: usize) -> u64 {
    (WAITING_BYTES / size.max(SCORE_BYTES)) as u64
}

/// Returns the number of records that a worker may always be ahead. `portion` is the number of records in the longest
/// portion so far.
pub(super) fn in_flight_anyway(workers: usize, portion: u64) -> u64 {
    PORTIONS * workers as u64 * portion
}

/// Whether a worker that is `ahead` records ahead of the earliest record in flight is to pause, if it may be
/// `most` records ahead and `unjudged` failures wait to be judged.
pub(super) fn is_too_far(ahead: u64, most: u64, unjudged: u64) -> bool {
    ahead > 0 && (ahead > most || unjudged > UNJUDGED_FAILURES)
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
    fn each_worker_has_two_steps_of_the_records_that_may_be_outstanding() {
        assert_eq!(step_of_outstanding(100, 5), 10);
        assert_eq!(step_of_outstanding(3, 2), 1);
        assert_eq!(step_of_outstanding(0, 2), 1);
        assert_eq!(step_of_outstanding(u64::MAX, 2), 1024);
    }

    #[test]
    fn small_scores_take_as_much_room_as_failures() {
        assert_eq!(scores_that_may_wait(0), 2 << 20);
        assert_eq!(scores_that_may_wait(16), 2 << 20);
        assert_eq!(scores_that_may_wait(32), 1 << 20);
    }

    #[test]
    fn a_worker_pauses_beyond_the_limit_or_with_too_many_failures() {
        assert!(!is_too_far(10, 10, 0));
        assert!(is_too_far(11, 10, 0));
        assert!(!is_too_far(1, 10, UNJUDGED_FAILURES));
        assert!(is_too_far(1, 10, UNJUDGED_FAILURES + 1));
        // The worker of the earliest record in flight never pauses, because the others wait for it.
        assert!(!is_too_far(0, 10, UNJUDGED_FAILURES + 1));
    }
}
