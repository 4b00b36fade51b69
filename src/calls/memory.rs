//! How calls use the answers of earlier runs.

#[cfg(all(test, not(shuttle)))]
mod notebook;
#[cfg(all(test, not(shuttle)))]
mod tests;

use std::time::Duration;

use crate::error::Error;
use crate::journal::KeptAt;

/// Where calls find the answers that earlier runs have kept, and keep their own. It is an
/// [`AnswerMemory`](crate::journal::AnswerMemory) for records that the calls own.
///
/// An error of any of these methods ends the run, and nothing is kept after it.
pub trait CallMemory<O, S>: Sync {
    /// The answer that an earlier run has kept for this record, if there is one. Each record that is read is looked up
    /// once, in the order of the records.
    fn find(&self, record: &O) -> Result<Option<S>, Error>;

    /// Keeps the answer for a record. The thread that runs all calls does this, so it must not wait for the disk.
    fn keep(&self, record: &O, answer: &S) -> Result<KeptAt, Error>;

    /// Waits until what was kept up to there is on the disk, but at most this long. Returns whether it is. The threads that
    /// visit the answers do this, one of them at a time.
    fn wait(&self, at: KeptAt, at_most: Duration) -> Result<bool, Error>;
}
