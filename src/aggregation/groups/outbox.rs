//! Groups of one worker on their way to those that all workers have in shared.

use std::hash::Hash;

use super::key::Seed;
use super::shared::{PARTITIONS, Parted, SharedGroups, partition_of};
use super::table::GroupTable;

/// Bytes of groups on their way, so few that they stay in the cache of the worker …
const BYTES: usize = 1 << 18;
/// … but at least so many a partition that going there is worth it.
const FEWEST: usize = 8;

/// Groups by partition, handed over when there are enough for one. A key may be among them several
/// times.
#[derive(Clone)]
pub(super) struct Outbox<K, A> {
    parted: Parted<K, A>,
    /// Groups of a partition that are handed over at a time.
    full: usize,
}

impl<K, A> Outbox<K, A> {
    /// With room for no more than so many groups, if that is less than there would be.
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
            // Another thread is at the partition. They stay here, but with one state a key: however
            // long it takes, they are no more than there are keys.
            let mut unique = GroupTable::new();
            unique.take_in(groups, seed, merge);
            *groups = unique.into_groups();
        }
    }
}
