//! What a worker of a run has in its hands.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::held::Held;
use super::stopwatch::Stopwatch;

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
    /// Places for scores, used again: fresh memory costs more than a cheap record.
    pub(super) spares: Vec<Vec<S>>,
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
            spares: Vec::new(),
        }
    }
}
