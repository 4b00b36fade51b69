//! Keys, and how they are hashed.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};
use std::sync::LazyLock;

use foldhash::fast::RandomState;

/// The seed of hashing. There is one per process, so that any two states agree on the partition of
/// a key. It differs between processes, so that an answer that wrongly depends on the order of
/// hashes differs visibly from run to run, and so that colliding keys cannot be constructed in
/// advance.
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

/// A key whose group is looked up.
pub(in crate::aggregation) trait LookupKey<K> {
    fn hash(&self, seed: &Seed) -> u64;
    /// Whether this key equals the key of a group.
    fn is(&self, key: &K) -> bool;
    /// Returns the key for a new group.
    fn into_key(self) -> K;
}

/// A key that was computed for one record.
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

/// A key that is borrowed from a record.
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
