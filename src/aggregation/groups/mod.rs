//! Keeps a state for each key, whether there are ten keys or ten million.
//!
//! A state begins as one [`GroupTable`]. A [fork](Groups::fork) whose table is full moves groups
//! through a small [`Outbox`] to the [`SharedGroups`] of all forks of the run. Each group is
//! therefore kept only once, whatever the number of workers.

mod admission;
mod key;
mod merging;
mod outbox;
mod shared;
mod table;
#[cfg(test)]
mod tests;

use std::hash::Hash;
use std::sync::{Arc, OnceLock};
use std::{iter, mem};

use rayon::prelude::*;

use admission::{Admission, Placement};
use key::Seed;
pub(super) use key::{BorrowedKey, LookupKey, OwnedKey};
pub(crate) use merging::MergingGroups;
use outbox::Outbox;
use shared::{PARTITIONS, Parted, SharedGroups, partition_of};
use table::GroupTable;

use super::{Kind, Shift, State, StateError};

/// The states, by key. Keys are hashed while scores are observed, which is several times faster
/// than a sorted map. They are sorted at the end, so the order of hashes has no effect.
///
/// A key may be in `own`, `outbox` and `shared` at the same time. The state in `shared` is then
/// treated as the earliest, and the state in `own` as the latest.
pub(super) struct Groups<A, K> {
    identity: A,
    /// Merges two states of one key, the earlier first. This is a function pointer because
    /// `Aggregator::merge` needs the type of the scores, which `State` does not name.
    merge: fn(&mut A, A),
    seed: Seed,
    own: GroupTable<K, A>,
    /// Decides which groups `own` keeps.
    admission: Admission,
    /// Groups that will be moved to `shared`.
    outbox: Option<Box<Outbox<K, A>>>,
    /// Groups that this state and its forks have handed over.
    shared: OnceLock<Arc<SharedGroups<K, A>>>,
}

impl<A, K> Groups<A, K> {
    pub(super) fn new(identity: A, merge: fn(&mut A, A)) -> Self {
        Groups::with_admission(identity, merge, Admission::of(size_of::<(K, A)>()))
    }

    fn with_admission(identity: A, merge: fn(&mut A, A), admission: Admission) -> Self {
        Groups {
            identity,
            merge,
            seed: Seed::of_process(),
            own: GroupTable::new(),
            admission,
            outbox: None,
            shared: OnceLock::new(),
        }
    }

    /// Whether all groups are in `own`.
    fn is_local(&self) -> bool {
        self.outbox.is_none() && !self.has_handed_over()
    }

    fn has_handed_over(&self) -> bool {
        self.shared.get().is_some_and(|shared| !shared.is_empty())
    }
}

impl<A: Clone, K: Hash + Eq> Groups<A, K> {
    /// Returns a state for one more worker. It has no groups of its own, and has `shared` in common
    /// with this state.
    pub(super) fn fork(&self) -> Self {
        let shared = self.shared.get_or_init(|| Arc::new(SharedGroups::new()));
        Groups {
            shared: OnceLock::from(Arc::clone(shared)),
            ..self.empty()
        }
    }

    /// Returns the state for this key.
    #[inline]
    pub(super) fn of(&mut self, key: impl LookupKey<K>) -> &mut A {
        let hash = key.hash(&self.seed);
        self.admission.count();
        match self.own.find(hash, &key) {
            Some(place) => self.own.at(place),
            None => self.add_new(hash, (key.into_key(), self.identity.clone())),
        }
    }

    /// Merges a state into the group with this key and hash.
    fn merge_one(&mut self, hash: u64, key: impl LookupKey<K>, state: A) {
        self.admission.count();
        match self.own.find(hash, &key) {
            Some(place) => (self.merge)(self.own.at(place), state),
            None => _ = self.add_new(hash, (key.into_key(), state)),
        }
    }

    /// Adds a group whose key is not in `own`, and returns its state.
    #[inline(never)]
    fn add_new(&mut self, hash: u64, fresh: (K, A)) -> &mut A {
        let Some(shared) = self.shared.get() else {
            return self.own.add(hash, fresh, &self.seed);
        };
        let placement = self.admission.decide(self.own.len());
        if placement == Placement::Keep {
            return self.own.add(hash, fresh, &self.seed);
        }
        let outbox = self
            .outbox
            .get_or_insert_with(|| Box::new(Outbox::new(self.admission.most())));
        if placement == Placement::ForwardAll {
            for group in self.own.drain() {
                let hash = self.seed.hash(&group.0);
                outbox.add(hash, group, shared, &self.seed, self.merge);
            }
        }
        outbox.add(hash, fresh, shared, &self.seed, self.merge)
    }
}

impl<A: Send, K: Hash + Eq + Send> Groups<A, K> {
    /// Merges group by group. The states of `self` are treated as earlier than the states of
    /// `later`.
    pub(super) fn merge(&mut self, later: Self) {
        let same = match (self.shared.get(), later.shared.get()) {
            (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, theirs),
            _ => false,
        };
        let local = later.outbox.is_none() && (same || !later.has_handed_over());
        if local && self.is_local() && self.own.len() == 0 {
            self.own = later.own;
        } else if local
            && self.outbox.is_none()
            && self.own.len() + later.own.len() <= self.admission.most()
        {
            self.merge_own(later.own);
        } else {
            self.hand_all_over();
            let runs = later.into_runs(same);
            self.hand_over(runs);
        }
    }

    /// Moves the smaller of the two tables into the larger, whether the smaller is the earlier or
    /// the later.
    fn merge_own(&mut self, mut later: GroupTable<K, A>) {
        let merge = self.merge;
        if later.len() <= self.own.len() {
            self.own
                .take_in(&mut later.into_groups(), &self.seed, merge);
            return;
        }
        mem::swap(&mut self.own, &mut later);
        self.own.take_in(
            &mut later.into_groups(),
            &self.seed,
            |later, mut earlier| {
                mem::swap(later, &mut earlier);
                merge(later, earlier);
            },
        );
    }

    /// Moves all groups of this state to `shared`.
    fn hand_all_over(&mut self) {
        let own = mem::replace(&mut self.own, GroupTable::new());
        let outbox = self.outbox.take();
        let runs = outbox.map(|outbox| outbox.into_parted());
        let own = (own.len() > 0).then(|| part(own.into_groups(), &self.seed));
        self.hand_over(runs.into_iter().chain(own).collect());
    }

    fn hand_over(&mut self, runs: Vec<Parted<K, A>>) {
        let merge = self.merge;
        let shared = self.shared.get_or_init(|| Arc::new(SharedGroups::new()));
        for mut groups in shared.take_in(runs, &self.seed, merge) {
            self.own.take_in(&mut groups, &self.seed, merge);
        }
    }

    /// Returns all groups by partition, the earliest first, without those in `shared` if
    /// `skip_shared` is true.
    fn into_runs(self, skip_shared: bool) -> Vec<Parted<K, A>> {
        let shared = if skip_shared {
            None
        } else {
            self.shared.into_inner()
        };
        let shared = shared.map(|shared| sole_owner(shared).into_parted());
        let outbox = self.outbox.map(|outbox| outbox.into_parted());
        let own = part(self.own.into_groups(), &self.seed);
        shared
            .into_iter()
            .chain(outbox)
            .chain(iter::once(own))
            .collect()
    }

    /// Returns all groups ordered by key, with `finish` applied to their states. If groups were
    /// handed over, there are many of them, so this runs in parallel.
    pub(super) fn finish<T: Send>(mut self, finish: impl Fn(A) -> T + Sync) -> Vec<(K, T)>
    where
        K: Ord,
    {
        let finished = |(key, state)| (key, finish(state));
        if self.is_local() {
            let mut all: Vec<(K, T)> = self.own.into_groups().into_iter().map(finished).collect();
            all.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            return all;
        }
        self.hand_all_over();
        let shared = self
            .shared
            .into_inner()
            .map(sole_owner)
            .unwrap_or_else(SharedGroups::new);
        let parted = shared.into_parted().into_par_iter();
        let mut all: Vec<(K, T)> = parted
            .flat_map_iter(|groups| groups.into_iter().map(finished))
            .collect();
        all.par_sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        all
    }
}

impl<A: State + Clone + Send, K: Hash + Eq + Ord + Send> Groups<A, K> {
    pub(super) fn kind(&self) -> Kind {
        Kind::new("by", 1).around([self.identity.kind()])
    }

    pub(super) fn into_plain(self) -> Vec<(K, A::Plain)> {
        self.finish(A::into_plain)
    }

    pub(super) fn restore(&self, plain: Vec<(K, A::Plain)>) -> Result<Self, StateError> {
        if !plain.is_sorted_by(|earlier, later| earlier.0 < later.0) {
            return Err(StateError::Impossible("groups out of order"));
        }
        let states = plain.into_iter();
        self.empty()
            .filled(states.map(|(key, state)| (key, self.identity.restore(state))))
    }
}

impl<A: Shift + Clone + Send, K: Hash + Eq + Ord + Send> Groups<A, K> {
    pub(super) fn shift(self, by: u64) -> Result<Self, StateError> {
        self.empty().filled(self.finish(|state| state.shift(by)))
    }
}

impl<A: Clone, K: Hash + Eq> Groups<A, K> {
    /// Returns a state with the same configuration as this state, without any groups.
    fn empty(&self) -> Self {
        Groups::with_admission(self.identity.clone(), self.merge, self.admission.afresh())
    }

    /// Returns this empty state with these groups added. No two groups may have the same key.
    fn filled(
        mut self,
        groups: impl IntoIterator<Item = (K, Result<A, StateError>)>,
    ) -> Result<Self, StateError> {
        for (key, state) in groups {
            let hash = self.seed.hash(&key);
            self.own.add(hash, (key, state?), &self.seed);
        }
        Ok(self)
    }
}

/// Returns the shared groups, taken from the only state that holds them.
///
/// # Panics
///
/// Panics if another state also holds them, because the records of that state would be lost.
fn sole_owner<K, A>(shared: Arc<SharedGroups<K, A>>) -> SharedGroups<K, A> {
    match Arc::try_unwrap(shared) {
        Ok(shared) => shared,
        Err(_) => panic!("the forks of a state have not been merged into it"),
    }
}

/// Divides groups by partition.
fn part<K: Hash, A>(groups: Vec<(K, A)>, seed: &Seed) -> Parted<K, A> {
    let room = groups.len() / PARTITIONS;
    let mut parted: Parted<K, A> = (0..PARTITIONS)
        .map(|_| Vec::with_capacity(room + room / 8))
        .collect();
    for (key, state) in groups {
        parted[partition_of(seed.hash(&key))].push((key, state));
    }
    parted
}

impl<A: Clone, K: Clone> Clone for Groups<A, K> {
    /// Returns an independent state that shares nothing with this one.
    ///
    /// # Panics
    ///
    /// Panics if forks that handed groups over have not been merged.
    fn clone(&self) -> Self {
        let shared = match self.shared.get() {
            Some(shared) if !shared.is_empty() => {
                assert!(
                    Arc::strong_count(shared) == 1,
                    "the forks of a state have not been merged into it"
                );
                OnceLock::from(Arc::new(SharedGroups::clone(shared)))
            }
            _ => OnceLock::new(),
        };
        Groups {
            identity: self.identity.clone(),
            merge: self.merge,
            seed: self.seed.clone(),
            own: self.own.clone(),
            admission: self.admission.clone(),
            outbox: self.outbox.clone(),
            shared,
        }
    }
}
