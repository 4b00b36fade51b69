//! What one step of a worker has done so far.

use std::ops::Range;

use super::pending::ScoredRecords;
use crate::error::Failure;

/// What a step has done so far.
pub(super) struct StepProgress<S> {
    /// The records that are done and have not been reported to the frontier.
    pub(super) records: Range<u64>,
    /// The failures among these records.
    pub(super) failed: Vec<Failure>,
    /// The scores that are kept until their turn, and the indices of the records that have no score.
    pub(super) scores: Vec<S>,
    pub(super) without_score: Vec<u64>,
    /// The first record of the step, once there is one.
    pub(super) first: Option<u64>,
    /// Whether scores are observed as soon as they are known.
    pub(super) directly: bool,
    /// Whether a record was left out because the run is ending.
    pub(super) refused: bool,
}

impl<S> StepProgress<S> {
    /// A step that has not done anything yet. `scores` is empty; the scores that are kept will be appended to
    /// it.
    pub(super) fn new(scores: Vec<S>) -> Self {
        StepProgress {
            records: 0..0,
            failed: Vec::new(),
            scores,
            without_score: Vec::new(),
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
        self.without_score.push(failure.index);
        self.failed.push(failure);
    }

    /// The number of records whose scores are kept until their turn.
    pub(super) fn kept(&self) -> u64 {
        match self.first {
            Some(first) if !self.directly => self.records.end - first,
            _ => 0,
        }
    }

    /// Returns the scores that are kept, and keeps none.
    pub(super) fn take_scores(&mut self) -> ScoredRecords<S> {
        ScoredRecords {
            records: self.records.clone(),
            failed: std::mem::take(&mut self.without_score),
            scores: std::mem::take(&mut self.scores),
        }
    }
}
