//! What the caller of a run provides besides the records and the task.

use super::memory::CallMemory;
use super::tally::CallTally;
use crate::dataset::LentRecord;
use crate::error::Cause;

/// Checks the outcomes of consecutive records, from the record with this index on, before they are visited. The function
/// returns true once the run is stopped.
pub(crate) type CheckOutcomes<'a, S> =
    dyn Fn(u64, &mut [Result<S, Cause>], &dyn Fn() -> bool) + Sync + 'a;

/// Lends a record to the sink of the run.
pub(crate) type Lend<'a, O> = dyn for<'r> Fn(&'r O) -> Option<LentRecord<'r>> + Sync + 'a;

/// What the caller of a run provides besides the records and the task.
pub(crate) struct CallSurroundings<'a, O, S> {
    /// Called with the number of bytes of records that are done.
    pub(crate) progress: &'a (dyn Fn(u64) + Sync),
    /// Called every 100 ms with the numbers of the calls.
    pub(crate) watch: &'a (dyn Fn(&CallTally) + Sync),
    pub(crate) check: Option<&'a CheckOutcomes<'a, S>>,
    pub(crate) lend: Option<&'a Lend<'a, O>>,
    /// Number of bytes of a record, for the progress and for the bound on the records in memory.
    pub(crate) bytes: &'a (dyn Fn(&O) -> usize + Sync),
    /// Has the answers of earlier runs, for which no calls are made, and keeps those of this run.
    pub(crate) memory: Option<&'a dyn CallMemory<O, S>>,
}

impl<O, S> Default for CallSurroundings<'_, O, S> {
    /// Nothing but the records and the task.
    fn default() -> Self {
        CallSurroundings {
            progress: &|_| {},
            watch: &|_| {},
            check: None,
            lend: None,
            bytes: &|_| 0,
            memory: None,
        }
    }
}

impl<O, S> Clone for CallSurroundings<'_, O, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O, S> Copy for CallSurroundings<'_, O, S> {}
