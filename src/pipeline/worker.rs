//! The state of one worker.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::pending::PendingScores;
use super::stopwatch::Stopwatch;
use crate::execution::Pace;

/// The scores, counts and times that one worker has gathered.
pub(super) struct WorkerState<S, A> {
    /// `None` until the first record, so that no state is created for an idle worker.
    pub(super) aggregator: Option<A>,
    /// The scores of the records that this worker has done before their turn, in order.
    pub(super) pending: VecDeque<PendingScores<S, A>>,
    /// The number of records that this worker has done, including failed and skipped ones.
    pub(super) records: u64,
    pub(super) busy: Duration,
    /// How long the worker fetched bytes and waited for records.
    pub(super) input: Duration,
    /// How long the worker waited for permits.
    pub(super) limited: Duration,
    pub(super) watch: Stopwatch,
    /// The worker's pace in its last portion, if other processes scored the records.
    pub(super) pace_elsewhere: Option<Pace>,
    /// When the worker began and when it was last busy, as times since the beginning of the run.
    pub(super) from: Option<Duration>,
    pub(super) until: Duration,
    /// Empty vectors for scores, reused because fresh memory costs more than a cheap record.
    pub(super) spares: Vec<Vec<S>>,
}

impl<S, A> WorkerState<S, A> {
    pub(super) fn new(now: Instant) -> Self {
        WorkerState {
            aggregator: None,
            pending: VecDeque::new(),
            records: 0,
            busy: Duration::ZERO,
            input: Duration::ZERO,
            limited: Duration::ZERO,
            watch: Stopwatch::new(now),
            pace_elsewhere: None,
            from: None,
            until: Duration::ZERO,
            spares: Vec::new(),
        }
    }
}
