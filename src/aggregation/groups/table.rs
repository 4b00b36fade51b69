//! Groups in one hash table.

use std::hash::Hash;
use std::vec::Drain;

use hashbrown::HashTable;

use super::key::{Owned, Seed, Sought};

/// Groups that are looked up at once: more than memory can be asked for at a time.
const AT_ONCE: usize = 32;
/// The place of a group that is not there.
const NOWHERE: u32 = u32::MAX;

/// The groups themselves in one dense vector, in the order they were first seen, and beside it an
/// index by hash.
///
/// Against a hash table that holds the groups in its slots, as the standard one does: a free slot
/// costs nine bytes and not a whole state, growing moves no state about, and pouring one table into
/// another goes by the order of the vector. By the order of the slots it would fill the other from
/// one end to the other, with ever longer runs of probes.
#[derive(Clone)]
pub(super) struct Table<K, A> {
    pub(super) groups: Vec<(K, A)>,
    index: HashTable<Slot>,
}

/// Where a group is, and the upper half of its hash: so that growing the index and passing over
/// strangers look at no group.
#[derive(Clone, Copy)]
struct Slot {
    tag: u32,
    place: u32,
}

/// The hash by which the index goes. The lower half of a key's hash chooses the partition, so the
/// index keeps to the upper: within one partition it still differs in all its bits.
#[inline]
fn hash_of(tag: u32) -> u64 {
    u64::from(tag) << 32 | u64::from(tag)
}

#[inline]
fn tag_of(hash: u64) -> u32 {
    (hash >> 32) as u32
}

impl<K, A> Table<K, A> {
    pub(super) fn new() -> Self {
        Table {
            groups: Vec::new(),
            index: HashTable::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    /// The place of the group with this key, which has this hash.
    #[inline]
    pub(super) fn find(&self, hash: u64, key: &impl Sought<K>) -> Option<usize> {
        let tag = tag_of(hash);
        let is_it = |slot: &Slot| slot.tag == tag && key.is(&self.groups[slot.place as usize].0);
        let slot = self.index.find(hash_of(tag), is_it)?;
        Some(slot.place as usize)
    }

    /// Adds a group that is not there yet, and returns its state.
    ///
    /// # Panics
    ///
    /// Where there are 2³² − 1 groups already.
    pub(super) fn add(&mut self, hash: u64, group: (K, A)) -> &mut A {
        let place = self.groups.len();
        assert!(place < NOWHERE as usize, "2³² groups in one state");
        let tag = tag_of(hash);
        let slot = Slot {
            tag,
            place: place as u32,
        };
        self.index.insert_unique(hash_of(tag), slot, |slot| hash_of(slot.tag));
        self.groups.push(group);
        &mut self.groups[place].1
    }

    /// Takes all groups out. The room they took is kept.
    pub(super) fn drain(&mut self) -> Drain<'_, (K, A)> {
        self.index.clear();
        self.groups.drain(..)
    }
}

impl<K: Hash + Eq, A> Table<K, A> {
    /// Takes in groups; where one is there already, the two are merged.
    ///
    /// Groups are looked up some at a time, each step for all of them before the next: where the
    /// table is larger than the cache, the processor then waits for many places at once.
    pub(super) fn take_in(
        &mut self,
        mut groups: Drain<'_, (K, A)>,
        seed: &Seed,
        merge: impl Fn(&mut A, A),
    ) {
        let mut hashes = [0; AT_ONCE];
        let mut places = [NOWHERE; AT_ONCE];
        while !groups.as_slice().is_empty() {
            let next = groups.as_slice().iter().take(AT_ONCE);
            for ((key, _), (hash, place)) in next.clone().zip(hashes.iter_mut().zip(&mut places)) {
                *hash = seed.hash(key);
                *place = self.likely(*hash);
            }
            for ((key, _), place) in next.zip(&mut places) {
                let there = self.groups.get(*place as usize);
                if there.is_none_or(|(other, _)| other != key) {
                    *place = NOWHERE;
                }
            }
            for ((key, state), (hash, place)) in groups.by_ref().take(AT_ONCE).zip(hashes.iter().zip(&places)) {
                let key = Owned(key);
                let place = match *place {
                    NOWHERE => self.find(*hash, &key),
                    place => Some(place as usize),
                };
                match place {
                    Some(place) => merge(&mut self.groups[place].1, state),
                    None => _ = self.add(*hash, (key.into_key(), state)),
                }
            }
        }
    }

    /// Where the group with this hash is, unless it is another with nearly the same.
    fn likely(&self, hash: u64) -> u32 {
        let tag = tag_of(hash);
        let slot = self.index.find(hash_of(tag), |slot| slot.tag == tag);
        slot.map_or(NOWHERE, |slot| slot.place)
    }
}
