//! Keys, and how they are hashed.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};
use std::sync::LazyLock;

use foldhash::fast::RandomState;

/// The seed of hashing. One for the whole process, so that any two states agree on the partition of
/// a key; another in the next, so that an order of hashing that leaked into an answer would not
/// pass for a law, and nobody can choose keys that collide.
#[derive(Clone)]
pub(in crate::aggregation) struct Seed(RandomState);

impl Seed {
    pub(super) fn of_process() -> Seed {
        static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);
        Seed(SEED.clone())
    }

    #[inline]
    pub(super) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        self.0.hash_one(key)
    }
}

/// A key whose group is looked for.
pub(in crate::aggregation) trait LookupKey<K> {
    fn hash(&self, seed: &Seed) -> u64;
    fn is(&self, key: &K) -> bool;
    /// The key of a group that is new.
    fn into_key(self) -> K;
}

/// A key as it was computed for one record.
pub(in crate::aggregation) struct OwnedKey<K>(pub(in crate::aggregation) K);

impl<K: Hash + Eq> LookupKey<K> for OwnedKey<K> {
    #[inline]
    fn hash(&self, seed: &Seed) -> u64 {
        seed.hash(&self.0)
    }

    #[inline]
    fn is(&self, key: &K) -> bool {
        self.0 == *key
    }

    #[inline]
    fn into_key(self) -> K {
        self.0
    }
}

/// A key that the record holds.
pub(in crate::aggregation) struct BorrowedKey<'r, Q: ?Sized>(pub(in crate::aggregation) &'r Q);

impl<K: Borrow<Q>, Q: ToOwned<Owned = K> + Hash + Eq + ?Sized> LookupKey<K> for BorrowedKey<'_, Q> {
    #[inline]
    fn hash(&self, seed: &Seed) -> u64 {
        seed.hash(self.0)
    }

    #[inline]
    fn is(&self, key: &K) -> bool {
        self.0 == key.borrow()
    }

    #[inline]
    fn into_key(self) -> K {
        self.0.to_owned()
    }
}
