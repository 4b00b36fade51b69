//! What one step of a worker comes to, while it goes on.

use std::ops::Range;

use super::held::Scores;
use crate::error::Failure;

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
