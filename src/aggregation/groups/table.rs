//! Groups in one hash table.

use std::hash::Hash;

use hashbrown::HashTable;

use super::key::{LookupKey, OwnedKey, Seed};

/// Groups that are looked up at once: more than memory can be asked for at a time.
const AT_ONCE: usize = 32;

/// Groups by the hash of their keys, in the slots themselves: where they are more than the cache
/// holds, a look at one costs one wait for memory. (A dense vector with an index beside it would
/// save the room of free slots, but was half as fast, because there one wait follows another.)
#[derive(Clone)]
pub(super) struct GroupTable<K, A>(HashTable<(K, A)>);

impl<K, A> GroupTable<K, A> {
    pub(super) fn new() -> Self {
        GroupTable(HashTable::new())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The place of the group with this key, which has this hash.
    #[inline]
    pub(super) fn find(&self, hash: u64, key: &impl LookupKey<K>) -> Option<usize> {
        self.0.find_bucket_index(hash, |(other, _)| key.is(other))
    }

    /// The state at a place where a group was just found.
    #[inline]
    pub(super) fn at(&mut self, place: usize) -> &mut A {
        match self.0.get_bucket_mut(place) {
            Some((_, state)) => state,
            None => unreachable!("it was found there, and groups move only when others are added"),
        }
    }

    /// Takes all groups out. The room they took is kept.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (K, A)> {
        self.0.drain()
    }

    pub(super) fn into_groups(self) -> Vec<(K, A)> {
        self.0.into_iter().collect()
    }
}

impl<K: Hash + Eq, A> GroupTable<K, A> {
    /// Adds a group that is not there yet, and returns its state.
    pub(super) fn add(&mut self, hash: u64, group: (K, A), seed: &Seed) -> &mut A {
        let rehash = |(key, _): &(K, A)| seed.hash(key);
        &mut self.0.insert_unique(hash, group, rehash).into_mut().1
    }

    /// Takes in groups, and leaves the vector empty; where one is there already, the two are
    /// merged.
    ///
    /// Groups are looked up some at a time before any is merged: where the table is larger than the
    /// cache, the processor then waits for many places at once.
    pub(super) fn take_in(
        &mut self,
        groups: &mut Vec<(K, A)>,
        seed: &Seed,
        merge: impl Fn(&mut A, A),
    ) {
        let mut looked_up = [(0, None); AT_ONCE];
        let mut groups = groups.drain(..);
        while !groups.as_slice().is_empty() {
            // So that none of these moves another.
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

    fn take_in_one(
        &mut self,
        hash: u64,
        place: Option<usize>,
        (key, state): (K, A),
        seed: &Seed,
        merge: impl Fn(&mut A, A),
    ) {
        let key = OwnedKey(key);
        // One that was not there may have come with those just before.
        let place = place.or_else(|| self.find(hash, &key));
        match place {
            Some(place) => merge(self.at(place), state),
            None => _ = self.add(hash, (key.into_key(), state), seed),
        }
    }
}
