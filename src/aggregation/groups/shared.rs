//! The groups that all states of one run share.

use std::hash::Hash;
use std::sync::OnceLock;

use rayon::prelude::*;

use super::key::Seed;
use super::table::GroupTable;
use crate::sync::{Mutex, MutexGuard, into_inner, lock};

/// Number of partitions of the groups by the hash of their keys. It is a power of two, and several
/// times the number of workers, so that two workers seldom need the same partition. With more
/// partitions, a small outbox would hold few groups for each partition, and fewer memory accesses
/// would overlap.
pub(super) const PARTITIONS: usize = 64;

/// Returns the partition of a hash. It depends on other bits than those that the tables use (the
/// lowest for the slot, the highest seven for the tag), so that hashes within a partition are still
/// spread evenly.
#[inline]
pub(super) fn partition_of(hash: u64) -> usize {
    (hash >> 40) as usize % PARTITIONS
}

/// Groups by partition.
pub(super) type Parted<K, A> = Vec<Vec<(K, A)>>;

/// Groups that the workers of a run have handed over, kept once for all workers.
pub(super) struct SharedGroups<K, A> {
    /// The partitions; empty until a worker hands groups over.
    partitions: OnceLock<Box<[SharedPartition<K, A>]>>,
}

/// One partition. Its table is taken out while groups are merged into it, and no lock is held
/// during the merge. The merge may use rayon, and while it waits, its thread may enter this code
/// again with other groups. A worker that finds the table taken out keeps its groups and tries
/// again later.
pub(super) struct SharedPartition<K, A>(Mutex<Option<GroupTable<K, A>>>);

impl<K, A> SharedPartition<K, A> {
    fn lock(&self) -> MutexGuard<'_, Option<GroupTable<K, A>>> {
        lock(&self.0)
    }

    /// Runs `work` on the table, or returns false if another thread has taken it out.
    pub(super) fn take_in(&self, work: impl FnOnce(&mut GroupTable<K, A>)) -> bool {
        let Some(mut table) = self.lock().take() else {
            return false;
        };
        work(&mut table);
        *self.lock() = Some(table);
        true
    }
}

impl<K, A> SharedGroups<K, A> {
    pub(super) fn new() -> Self {
        SharedGroups {
            partitions: OnceLock::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.partitions.get().is_none()
    }

    fn partitions(&self) -> &[SharedPartition<K, A>] {
        self.partitions.get_or_init(|| {
            let empty = || SharedPartition(Mutex::new(Some(GroupTable::new())));
            (0..PARTITIONS).map(|_| empty()).collect()
        })
    }

    pub(super) fn partition(&self, partition: usize) -> &SharedPartition<K, A> {
        &self.partitions()[partition]
    }

    /// Takes out the table of a partition, as a merging thread does.
    #[cfg(test)]
    pub(super) fn take(&self, partition: usize) -> Option<GroupTable<K, A>> {
        self.partition(partition).lock().take()
    }

    #[cfg(test)]
    pub(super) fn put(&self, partition: usize, table: GroupTable<K, A>) {
        *self.partition(partition).lock() = Some(table);
    }

    /// Returns the groups of all partitions.
    ///
    /// # Panics
    ///
    /// Panics if groups are lost because merging them panicked.
    pub(super) fn into_parted(self) -> Parted<K, A> {
        let partitions = self.partitions.into_inner().unwrap_or_default();
        let tables = partitions
            .into_iter()
            .map(|partition| into_inner(partition.0));
        let groups = tables.map(|table| match table {
            Some(table) => table.into_groups(),
            None => panic!("groups are lost: merging them panicked"),
        });
        groups.collect()
    }
}

impl<K: Hash + Eq, A> SharedGroups<K, A> {
    /// Moves `groups` into this partition, or returns false and leaves them in `groups` if another
    /// thread has taken the table out.
    pub(super) fn hand_over(
        &self,
        partition: usize,
        groups: &mut Vec<(K, A)>,
        seed: &Seed,
        merge: impl Fn(&mut A, A),
    ) -> bool {
        self.partition(partition).take_in(|table| {
            table.take_in(groups, seed, merge);
        })
    }
}

impl<K: Hash + Eq + Send, A: Send> SharedGroups<K, A> {
    /// Moves many groups into the partitions. Partitions are filled in parallel, and the elements
    /// of `runs` are merged in order. Returns the groups of partitions whose table another thread
    /// has taken out.
    pub(super) fn take_in(
        &self,
        runs: Vec<Parted<K, A>>,
        seed: &Seed,
        merge: impl Fn(&mut A, A) + Sync,
    ) -> Vec<Vec<(K, A)>> {
        let mut by_partition: Vec<Vec<Vec<(K, A)>>> = (0..PARTITIONS)
            .map(|_| Vec::with_capacity(runs.len()))
            .collect();
        for run in runs {
            for (groups_of_one, groups) in by_partition.iter_mut().zip(run) {
                groups_of_one.push(groups);
            }
        }
        let work = self.partitions().par_iter().zip(by_partition);
        work.flat_map_iter(|(partition, runs)| {
            let mut runs = runs;
            partition.take_in(|table| {
                for mut groups in runs.drain(..) {
                    table.take_in(&mut groups, seed, &merge);
                }
            });
            runs
        })
        .collect()
    }
}

impl<K: Clone, A: Clone> Clone for SharedGroups<K, A> {
    fn clone(&self) -> Self {
        let copy = SharedGroups::new();
        if let Some(partitions) = self.partitions.get() {
            let copies = partitions.iter().map(|partition| {
                let table = partition.lock().clone();
                SharedPartition(Mutex::new(table))
            });
            let _ = copy.partitions.set(copies.collect());
        }
        copy
    }
}
