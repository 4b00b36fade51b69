//! How the parts of a run that score records use the answers of earlier runs.

use std::time::Duration;

use crate::dataset::TextRecord;
use crate::error::Error;

/// Where a run finds the answers that earlier runs have kept, and keeps its own.
///
/// An error of any of these methods ends the run: a journal that cannot be written is never written again.
pub(crate) trait AnswerMemory<A>: Sync {
    /// The answer that an earlier run has kept for this record, if there is one. Each answer is returned once, since each of
    /// several equal records has an answer of its own.
    fn find(&self, record: &TextRecord<'_>) -> Result<Option<A>, Error>;

    /// Keeps the answer for a record. It is certain to be found by a later run once it is [on the disk](AnswerMemory::wait).
    /// This does not wait for the disk.
    fn keep(&self, record: &TextRecord<'_>, answer: &A) -> Result<KeptAt, Error>;

    /// Waits until what was kept up to there is on the disk, but at most this long. Returns whether it is.
    fn wait(&self, at: KeptAt, at_most: Duration) -> Result<bool, Error>;
}

/// A place in a journal. What was kept later is at a greater place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeptAt(pub(crate) u64);
