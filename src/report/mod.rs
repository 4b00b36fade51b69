//! What a run returns: the value, the counts, and where the time went.

mod decimals;
mod digest;
mod explanation;
mod scaling_limit;
mod shares;
#[cfg(test)]
mod tests;
mod timing;

use crate::error::{Error, Failure};
use crate::machine::usable_cores;
use crate::stop::StopReason;

pub use decimals::four_decimals;
pub use digest::Digest;
pub use explanation::{Explanation, Finding};
pub use scaling_limit::{Floor, ScalingLimit};
pub use shares::Shares;
pub use timing::{SlowRecord, Timing, WorkerTiming};

/// What a run returns.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report<V> {
    /// The aggregated value: the same bits with any executor and any number of workers.
    pub value: V,
    /// How the run ended.
    pub end: End,
    /// The number of records in the answer; always `scored + failed + skipped`.
    pub records: u64,
    /// The number of records that have a score.
    pub scored: u64,
    /// The number of records that could not be scored.
    pub failed: u64,
    /// The number of records that the task has [skipped](crate::error::Skipped). They have no score, and are no
    /// failures.
    pub skipped: u64,
    /// The first failures in the order of the data, at most [`Report::FAILURES_KEPT`].
    pub failures: Vec<Failure>,
    /// Where the time went.
    pub timing: Timing,
}

/// How a run ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum End {
    /// Every record was scored, has failed, or was skipped.
    Finished,
    /// The run was stopped from outside.
    Stopped(StopReason),
    /// There were too many failures. The value is the first failure, in the order of the records, that exceeded
    /// what the run allows.
    Halted(Failure),
    /// All of the first records failed for the same kind of reason, see
    /// [`OnFailure::SkipUnlessAllFail`](crate::OnFailure::SkipUnlessAllFail). The value is the first failure.
    AllFailed(Failure),
}

impl End {
    /// Whether the run is [`Finished`](End::Finished).
    pub fn is_finished(&self) -> bool {
        matches!(self, End::Finished)
    }
}

impl Report<()> {
    /// The number of failures that a report keeps. Further failures are only counted.
    pub const FAILURES_KEPT: usize = 100;
}

impl<V> Report<V> {
    /// The same report with another value.
    pub(crate) fn map<W>(self, value: impl FnOnce(V) -> W) -> Report<W> {
        Report {
            value: value(self.value),
            end: self.end,
            records: self.records,
            scored: self.scored,
            failed: self.failed,
            skipped: self.skipped,
            failures: self.failures,
            timing: self.timing,
        }
    }

    /// Returns the report if the run is finished.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Stopped`], [`Error::Halted`] or [`Error::Unusable`] if the run is not finished.
    pub fn finished(self) -> Result<Self, Error> {
        match self.end {
            End::Finished => Ok(self),
            End::Stopped(reason) => Err(Error::Stopped {
                reason,
                records: self.records,
            }),
            End::Halted(failure) => Err(Error::Halted {
                failure,
                scored: self.scored,
            }),
            End::AllFailed(failure) => Err(Error::all_failed(failure, self.records)),
        }
    }
}

impl<V: serde::Serialize> Report<V> {
    /// Returns the digest of the value. Two runs have equal digests exactly if their values are equal bit for
    /// bit.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.value)
    }
}

impl<V> Report<V> {
    /// Explains why the run took as long as it did. The explanation displays as a sentence.
    ///
    /// ```
    /// use manyhands::prelude::*;
    ///
    /// let numbers = [1.0, 2.0, 3.0];
    /// let report = Pipeline::new(&numbers[..0], |x: &f64| x.sqrt()).aggregate(Count::new())?;
    /// assert_eq!(report.explanation().to_string(), "there were no records");
    /// # Ok::<(), manyhands::Error>(())
    /// ```
    pub fn explanation(&self) -> Explanation {
        Explanation::of(&self.timing, &self.end, usable_cores())
    }
}
