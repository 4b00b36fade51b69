//! What one step of a worker has done so far.

use std::ops::Range;

use super::pending::ScoredRecords;
use super::skips::Skips;
use crate::error::Failure;

/// What a step has done so far.
pub(super) struct StepProgress<S> {
    /// The records that are done and have not been reported to the frontier.
    pub(super) records: Range<u64>,
    /// The failures among these records.
    pub(super) failed: Vec<Failure>,
    /// The skipped records among these records.
    pub(super) skips: Skips,
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
    /// A step that has not done anything yet. `scores` and `skips` are empty; the scores that are kept and the
    /// records that are skipped will be added to them.
    pub(super) fn new(scores: Vec<S>, skips: Skips) -> Self {
        StepProgress {
            records: 0..0,
            failed: Vec::new(),
            skips,
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

    /// Takes back the last record, as if it had never been started.
    #[cold]
    pub(super) fn leave_out(&mut self, index: u64) {
        self.records.end = index;
        if self.first == Some(index) {
            self.first = None;
        }
        self.refused = true;
    }

    #[cold]
    pub(super) fn fail(&mut self, failure: Failure) {
        self.without_score.push(failure.index);
        self.failed.push(failure);
    }

    #[cold]
    pub(super) fn skip(&mut self, index: u64) {
        // Scores that are observed directly are not kept, so it does not matter which of them are missing.
        if !self.directly {
            self.without_score.push(index);
        }
        self.skips.add(index);
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
            without_score: std::mem::take(&mut self.without_score),
            scores: std::mem::take(&mut self.scores),
        }
    }
}
