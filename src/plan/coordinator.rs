//! The run's side of the conversation with a plan's worker processes.

use std::sync::Arc;

use super::scored::Scored;
use super::scorer::{MainCell, PreparedScorer};
use super::thresholds::Thresholds;
use super::wire::WireOutcome;
use crate::dataset::Position;
use crate::error::Cause;
use crate::remote::Coordinator;
use crate::sync::{Mutex, lock};
use crate::task::matching::Pairs;

/// The data that a run sends to its worker processes in addition to the records, and the counts that the processes
/// return.
pub(super) struct PlanCoordinator {
    thresholds: Arc<Thresholds>,
    main: MainCell,
    scorer: Arc<dyn PreparedScorer>,
    pairs: Mutex<Option<Pairs>>,
}

impl PlanCoordinator {
    pub(super) fn new(
        thresholds: Arc<Thresholds>,
        main: MainCell,
        scorer: Arc<dyn PreparedScorer>,
    ) -> Self {
        PlanCoordinator {
            thresholds,
            main,
            scorer,
            pairs: Mutex::default(),
        }
    }

    /// The counts of pairs that the processes have reported. `None` if the scorer counts no pairs.
    pub(super) fn pairs(&self) -> Option<Pairs> {
        *lock(&self.pairs)
    }
}

impl Coordinator for PlanCoordinator {
    type Note = (f64, f64);
    type Answer = WireOutcome;
    type Counters = Option<Pairs>;
    type Score = Scored;

    fn note(&self) -> (f64, f64) {
        self.thresholds.both()
    }

    fn score(&self, at: Position, answer: WireOutcome) -> Result<Scored, Cause> {
        answer.into_scored(at, &self.main, &*self.scorer)
    }

    fn count(&self, pairs: Option<Pairs>) {
        if let Some(pairs) = pairs {
            *lock(&self.pairs).get_or_insert_default() += pairs;
        }
    }
}
