//! Merges the groups of another state while they are decoded.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::Arc;

use super::key::BorrowedKey;
use super::shared::{PARTITIONS, SharedGroups, partition_of};
use super::{Groups, LookupKey as _};
use crate::aggregation::{Shift, State, StateError};

/// Number of groups of a partition that are merged together. The processor then waits for many places of the table at once.
const TOGETHER: usize = 32;

/// Groups of another state, which are merged into the shared groups of a state. They are plain data, and their keys are
/// borrowed from the bytes of the other state. So the memory for all groups is needed only once, even if many large states
/// are merged. The aggregator must be commutative, since other threads merge into the same groups.
pub(crate) struct MergingGroups<'a, 'q, A, K, Q: ?Sized> {
    into: &'a mut Groups<A, K>,
    shared: Arc<SharedGroups<K, A>>,
    /// Added to the indices of the records.
    by: u64,
    /// By partition, groups that were added and not merged yet.
    added: Vec<Vec<AddedGroup<'q, Q, A>>>,
    last: Option<&'q Q>,
}

/// A group with the hash of its key.
struct AddedGroup<'q, Q: ?Sized, A> {
    hash: u64,
    key: BorrowedKey<'q, Q>,
    state: A,
}

impl<'a, 'q, A, K, Q> MergingGroups<'a, 'q, A, K, Q>
where
    A: State + Shift + Clone + Send,
    K: Borrow<Q> + Hash + Eq,
    Q: ToOwned<Owned = K> + Hash + Ord + ?Sized,
{
    /// Prepares to merge the groups of another state. `by` is added to the indices of its records.
    pub(in crate::aggregation) fn new(into: &'a mut Groups<A, K>, by: u64) -> Self {
        let shared = into.shared.get_or_init(|| Arc::new(SharedGroups::new()));
        MergingGroups {
            shared: Arc::clone(shared),
            into,
            by,
            added: (0..PARTITIONS).map(|_| Vec::new()).collect(),
            last: None,
        }
    }

    /// Adds the next group of the other state.
    ///
    /// # Errors
    ///
    /// Returns an error if no state has this plain data, or if its key is not greater than the one before it. Other groups
    /// may then have been merged.
    pub(crate) fn add(&mut self, key: &'q Q, state: A::Plain) -> Result<(), StateError> {
        if self.last.replace(key).is_some_and(|last| last >= key) {
            return Err(StateError::Impossible("groups out of order"));
        }
        let state = self.into.identity.restore(state)?.shift(self.by)?;
        let key = BorrowedKey(key);
        let hash = key.hash(&self.into.seed);
        let partition = partition_of(hash);
        let added = &mut self.added[partition];
        added.push(AddedGroup { hash, key, state });
        if added.len() == TOGETHER {
            self.merge(partition);
        }
        Ok(())
    }

    /// Merges the groups that are left.
    pub(crate) fn finish(mut self) {
        for partition in 0..PARTITIONS {
            self.merge(partition);
        }
    }

    fn merge(&mut self, partition: usize) {
        let Groups { merge, seed, .. } = &*self.into;
        let added = &mut self.added[partition];
        self.shared.partition(partition).take_in(|table| {
            table.prepare(added.iter().map(|group| (group.hash, &group.key)), seed);
            for AddedGroup { hash, key, state } in added.drain(..) {
                table.merge_one(hash, key, state, seed, merge);
            }
        });
        // If another thread uses the table of this partition, the groups are merged into the table of this thread.
        for AddedGroup { hash, key, state } in added.drain(..) {
            self.into.merge_one(hash, key, state);
        }
    }
}
