//! The run's side of the conversation with a plan's worker processes.

use std::sync::Arc;

use super::answer::{Answer, Counts, pairs};
use super::podiums::Bars;
use super::scored::Scored;
use crate::dataset::At;
use crate::error::Cause;
use crate::remote::Coordinator;
use crate::sync::{Mutex, lock};
use crate::task::matching::Pairs;

/// What a run sends to its worker processes besides the records, and what they have counted.
pub(super) struct PlanCoordinator {
    bars: Arc<Bars>,
    /// Number of columns of the scorer.
    width: usize,
    pairs: Mutex<Option<Pairs>>,
}

impl PlanCoordinator {
    pub(super) fn new(bars: Arc<Bars>, width: usize) -> Self {
        PlanCoordinator {
            bars,
            width,
            pairs: Mutex::default(),
        }
    }

    /// The pairs that all processes have looked at. `None` if the scorer looks at no pairs.
    pub(super) fn pairs(&self) -> Option<Pairs> {
        *lock(&self.pairs)
    }
}

impl Coordinator for PlanCoordinator {
    type Note = (f64, f64);
    type Answer = Answer;
    type Counters = Option<Counts>;
    type Score = Scored;

    fn note(&self) -> (f64, f64) {
        self.bars.both()
    }

    fn score(&self, at: At, answer: Answer) -> Result<Scored, Cause> {
        answer.into_scored(at, self.width)
    }

    fn count(&self, counts: Option<Counts>) {
        if let Some(counts) = counts {
            *lock(&self.pairs).get_or_insert_default() += pairs(counts);
        }
    }
}
