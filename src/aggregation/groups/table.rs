//! Groups in one hash table.

use std::hash::Hash;
use std::hint::black_box;

use hashbrown::HashTable;

use super::key::{LookupKey, OwnedKey, Seed};

/// Number of groups that are looked up at once. It is larger than the number of memory accesses
/// that a core can have outstanding.
const AT_ONCE: usize = 32;

/// Groups by the hash of their keys. They are stored in the slots themselves, so that a look-up
/// waits for memory only once if the table exceeds the cache. (A dense vector with an index would
/// use less memory for free slots, but was half as fast, because a look-up waits for memory twice,
/// one time after the other.)
#[derive(Clone)]
pub(super) struct GroupTable<K, A>(HashTable<(K, A)>);

impl<K, A> GroupTable<K, A> {
    pub(super) fn new() -> Self {
        GroupTable(HashTable::new())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the place of the group with this key and hash.
    #[inline]
    pub(super) fn find(&self, hash: u64, key: &impl LookupKey<K>) -> Option<usize> {
        self.0.find_bucket_index(hash, |(other, _)| key.is(other))
    }

    /// Returns the state at a place that [`find`](GroupTable::find) has just returned.
    #[inline]
    pub(super) fn at(&mut self, place: usize) -> &mut A {
        match self.0.get_bucket_mut(place) {
            Some((_, state)) => state,
            None => unreachable!("a found group moves only when others are added"),
        }
    }

    /// Removes all groups but keeps the memory of the table.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (K, A)> {
        self.0.drain()
    }

    pub(super) fn into_groups(self) -> Vec<(K, A)> {
        self.0.into_iter().collect()
    }
}

impl<K: Hash + Eq, A> GroupTable<K, A> {
    /// Adds a group that is not in the table, and returns its state.
    pub(super) fn add(&mut self, hash: u64, group: (K, A), seed: &Seed) -> &mut A {
        let rehash = |(key, _): &(K, A)| seed.hash(key);
        &mut self.0.insert_unique(hash, group, rehash).into_mut().1
    }

    /// Moves groups into the table, and leaves the vector empty. If the table already has a group
    /// with the same key, the two are merged.
    ///
    /// Several groups are looked up before any is merged: if the table exceeds the cache, the
    /// processor then waits for many places at once.
    pub(super) fn take_in(
        &mut self,
        groups: &mut Vec<(K, A)>,
        seed: &Seed,
        merge: impl Fn(&mut A, A),
    ) {
        let mut looked_up = [(0, None); AT_ONCE];
        let mut groups = groups.drain(..);
        while !groups.as_slice().is_empty() {
            // Memory is reserved so that no insertion below moves a group that was found.
            self.0.reserve(AT_ONCE, |(key, _)| seed.hash(key));
            for ((key, _), (hash, place)) in groups.as_slice().iter().zip(&mut looked_up) {
                *hash = seed.hash(key);
                *place = self.0.find_bucket_index(*hash, |(other, _)| other == key);
            }
            for (group, (hash, place)) in groups.by_ref().take(AT_ONCE).zip(looked_up) {
                self.take_in_one(hash, place, group, seed, &merge);
            }
        }
    }

    /// Prepares to [merge](GroupTable::merge_one) these groups. They are looked up together, so that the processor waits for
    /// many places at once and then finds them in its cache.
    pub(super) fn prepare<'k, L: LookupKey<K> + 'k>(
        &mut self,
        groups: impl ExactSizeIterator<Item = (u64, &'k L)>,
        seed: &Seed,
    ) {
        self.0.reserve(groups.len(), |(key, _)| seed.hash(key));
        for (hash, key) in groups {
            black_box(self.find(hash, key));
        }
    }

    /// Merges a state into the group with this key and hash, or adds the group.
    pub(super) fn merge_one(
        &mut self,
        hash: u64,
        key: impl LookupKey<K>,
        state: A,
        seed: &Seed,
        merge: impl Fn(&mut A, A),
    ) {
        match self.find(hash, &key) {
            Some(place) => merge(self.at(place), state),
            None => _ = self.add(hash, (key.into_key(), state), seed),
        }
    }

    fn take_in_one(
        &mut self,
        hash: u64,
        place: Option<usize>,
        (key, state): (K, A),
        seed: &Seed,
        merge: impl Fn(&mut A, A),
    ) {
        match place {
            Some(place) => merge(self.at(place), state),
            // If the group was not found above, it may have been inserted since.
            None => self.merge_one(hash, OwnedKey(key), state, seed, merge),
        }
    }
}
