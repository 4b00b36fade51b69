//! Groups of one worker that will be moved to the shared groups.

use std::hash::Hash;

use super::key::Seed;
use super::shared::{PARTITIONS, Parted, SharedGroups, partition_of};
use super::table::GroupTable;

/// Size in bytes of the groups in a full outbox. It is small enough that they stay in the worker's
/// cache.
const BYTES: usize = 1 << 18;
/// The smallest number of groups per partition for which handing them over is worthwhile.
const FEWEST: usize = 8;

/// Groups by partition. A partition is handed over when it has enough groups. A key may occur
/// several times.
#[derive(Clone)]
pub(super) struct Outbox<K, A> {
    parted: Parted<K, A>,
    /// Number of groups of a partition at which they are handed over together.
    full: usize,
}

impl<K, A> Outbox<K, A> {
    /// Creates an outbox that holds at most `most` groups per partition.
    pub(super) fn new(most: usize) -> Self {
        let groups = BYTES / size_of::<(K, A)>().max(1);
        Outbox {
            parted: (0..PARTITIONS).map(|_| Vec::new()).collect(),
            full: (groups / PARTITIONS).max(FEWEST).min(most.max(1)),
        }
    }

    pub(super) fn into_parted(self) -> Parted<K, A> {
        self.parted
    }
}

impl<K: Hash + Eq, A> Outbox<K, A> {
    /// Adds a group, and returns its state.
    #[inline]
    pub(super) fn add(
        &mut self,
        hash: u64,
        group: (K, A),
        shared: &SharedGroups<K, A>,
        seed: &Seed,
        merge: impl Fn(&mut A, A),
    ) -> &mut A {
        let partition = partition_of(hash);
        let groups = self.parted[partition].len();
        if groups >= self.full && groups.is_multiple_of(self.full) {
            self.hand_over(partition, shared, seed, merge);
        }
        let groups = &mut self.parted[partition];
        groups.push(group);
        let last = groups.len() - 1;
        &mut groups[last].1
    }

    #[cold]
    fn hand_over(
        &mut self,
        partition: usize,
        shared: &SharedGroups<K, A>,
        seed: &Seed,
        merge: impl Fn(&mut A, A),
    ) {
        let groups = &mut self.parted[partition];
        if !shared.hand_over(partition, groups, seed, &merge) {
            // Another thread has taken the table out. The groups stay here, merged into one state
            // per key, so that there are no more groups than keys.
            let mut unique = GroupTable::new();
            unique.take_in(groups, seed, merge);
            *groups = unique.into_groups();
        }
    }
}
