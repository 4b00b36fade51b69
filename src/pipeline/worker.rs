//! What a worker of a run has in its hands.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

use super::held::{Held, Scores};
use super::stopwatch::Stopwatch;
use crate::error::Failure;

/// What one worker has gathered.
pub(super) struct Worker<S, A> {
    /// Nothing yet until the first record: an idle worker costs no state.
    pub(super) aggregator: Option<A>,
    /// What waits for its turn, in order.
    pub(super) held: VecDeque<Held<S, A>>,
    /// Records met.
    pub(super) met: u64,
    pub(super) busy: Duration,
    pub(super) input: Duration,
    /// How long it waited for permits.
    pub(super) limited: Duration,
    pub(super) watch: Stopwatch,
    /// When it began and when it last did anything, since the run began.
    pub(super) from: Option<Duration>,
    pub(super) until: Duration,
    /// A place for scores, used again.
    pub(super) spare: Vec<S>,
}

/// What a step has met so far.
pub(super) struct Met<S> {
    /// The records that are done and have not been told.
    pub(super) records: Range<u64>,
    pub(super) failed: Vec<Failure>,
    /// The scores kept, and the records that have none.
    pub(super) scores: Vec<S>,
    pub(super) without: Vec<u64>,
    /// The first record of the step, once there is one.
    pub(super) first: Option<u64>,
    /// Whether scores are observed as they come.
    pub(super) directly: bool,
    /// Whether a record was left out because the run is ending.
    pub(super) refused: bool,
}

impl<S, A> Worker<S, A> {
    pub(super) fn new(now: Instant) -> Self {
        Worker {
            aggregator: None,
            held: VecDeque::new(),
            met: 0,
            busy: Duration::ZERO,
            input: Duration::ZERO,
            limited: Duration::ZERO,
            watch: Stopwatch::new(now),
            from: None,
            until: Duration::ZERO,
            spare: Vec::new(),
        }
    }
}

impl<S> Met<S> {
    /// Nothing yet; scores that are kept go to `scores`.
    pub(super) fn new(scores: Vec<S>) -> Self {
        Met {
            records: 0..0,
            failed: Vec::new(),
            scores,
            without: Vec::new(),
            first: None,
            directly: false,
            refused: false,
        }
    }

    pub(super) fn begin(&mut self, index: u64, directly: bool) {
        self.first = Some(index);
        self.records = index..index;
        self.directly = directly;
    }

    #[cold]
    pub(super) fn fail(&mut self, failure: Failure) {
        self.without.push(failure.index);
        self.failed.push(failure);
    }

    /// The scores of the step.
    pub(super) fn take_scores(&mut self) -> Scores<S> {
        Scores {
            records: self.records.clone(),
            failed: std::mem::take(&mut self.without),
            scores: std::mem::take(&mut self.scores),
        }
    }
}
