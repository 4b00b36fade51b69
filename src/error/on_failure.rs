//! What a run does about records that cannot be scored.

use super::{Failure, FailureKind};

/// What a run does if a record cannot be scored.
///
/// Failures are counted in the order of the records, so a run is halted at the same record by every executor. If the
/// aggregator is [commutative](crate::Aggregator::COMMUTATIVE), the answer ends with that record. Otherwise the
/// answer may extend to the end of the partial that contains the record, since a partial cannot be cut.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum OnFailure {
    /// Scores the other records. The report gives the number of failures and lists them. The run is halted if there
    /// are more than `at_most` failures.
    Skip {
        /// Largest number of records that may fail.
        at_most: u64,
    },
    /// Scores the other records. The run is halted if more than this share of the records so far, including
    /// [skipped](super::Skipped) records, have failed. If there are fewer than [`OnFailure::GRACE`] records so far, the
    /// number of failures is divided by [`OnFailure::GRACE`] instead.
    SkipShare {
        /// Largest share of the records that may fail, from 0 to 1.
        at_most: f64,
    },
    /// Halts the run at the first failure. No further record is started.
    Stop,
    /// Scores the other records, like [`SKIP`](OnFailure::SKIP), unless it seems that no record can be scored: the run
    /// is halted if the first [`OnFailure::GRACE`] records, or all records if there are fewer, fail for the same
    /// [kind](FailureKind) of reason. Failures of the kind [`Other`](FailureKind::Other) never halt the run, since
    /// their reasons may differ. [Skipped](super::Skipped) records do not count as failures.
    ///
    /// The command `manyhands score` has this policy unless the user names another one, because the cause of such
    /// failures is usually a mistake in its options, such as the wrong name of a field.
    SkipUnlessAllFail,
}

impl OnFailure {
    /// Scores the other records. The run is never halted, no matter how many records fail.
    pub const SKIP: OnFailure = OnFailure::Skip { at_most: u64::MAX };

    /// Number of records below which the share of failures is too uncertain to halt a run.
    pub const GRACE: u64 = 1000;

    /// Returns whether the failure of the record at `index` halts the run. `failures` are the failures of the records
    /// up to this one.
    pub(crate) fn ends(self, failures: &FailureCount, index: u64) -> bool {
        let failed = failures.number;
        match self {
            OnFailure::Stop => true,
            OnFailure::Skip { at_most } => failed > at_most,
            OnFailure::SkipShare { at_most } => {
                // `max` turns NaN into 0, so a share of NaN allows no failure.
                failed as f64 > at_most.max(0.0) * (index + 1).max(Self::GRACE) as f64
            }
            OnFailure::SkipUnlessAllFail => {
                index + 1 == Self::GRACE && failures.are_all(Self::GRACE)
            }
        }
    }

    /// Returns whether a run has too many failures when it has reached its end after `records` records.
    pub(crate) fn is_exceeded(self, failures: &FailureCount, records: u64) -> bool {
        let failed = failures.number;
        match self {
            OnFailure::SkipShare { at_most } => failed as f64 > at_most.max(0.0) * records as f64,
            OnFailure::SkipUnlessAllFail => records <= Self::GRACE && failures.are_all(records),
            OnFailure::Stop | OnFailure::Skip { .. } => self.ends(failures, records) && failed > 0,
        }
    }

    /// Returns whether the run can still be halted, or can still end with too many failures (see
    /// [`is_exceeded`](Self::is_exceeded)), after the first `records` records have been judged. Once the result is
    /// false, it is false for the rest of the run.
    pub(crate) fn may_halt(self, failures: &FailureCount, records: u64) -> bool {
        match self {
            OnFailure::SkipUnlessAllFail => {
                records == 0 || records < Self::GRACE && failures.are_all(records)
            }
            other => other != OnFailure::SKIP,
        }
    }
}

impl Default for OnFailure {
    fn default() -> Self {
        OnFailure::SKIP
    }
}

/// The number of failures that have been judged, and whether they are of the same kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct FailureCount {
    number: u64,
    /// The kind of the first failures, up to [`OnFailure::GRACE`] of them; `None` if they differ.
    kind: Option<FailureKind>,
}

impl FailureCount {
    /// Adds the next failure in the order of the records.
    pub(crate) fn add(&mut self, failure: &Failure) {
        if self.number == 0 {
            self.kind = Some(failure.kind());
        } else if self.number < OnFailure::GRACE && self.kind != Some(failure.kind()) {
            self.kind = None;
        }
        self.number += 1;
    }

    /// The number of failures.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Returns whether the first `records` records, at least one, have all failed for the same kind of reason.
    fn are_all(&self, records: u64) -> bool {
        let is_known = self.kind.is_some_and(|kind| kind != FailureKind::Other);
        is_known && records > 0 && self.number == records
    }
}
