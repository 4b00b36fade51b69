//! Aggregators with a state for each group of scores.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::collections::hash_map::{Entry, HashMap};
use std::hash::Hash;
use std::marker::PhantomData;
use std::mem;

use foldhash::fast::RandomState;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Aggregator, Kind, State, StateError};

/// What [`Aggregator::by`] returns: a state for each key.
#[derive(Clone)]
pub struct By<A, K, F> {
    groups: Groups<A, K>,
    key: F,
}

/// What [`Aggregator::by_ref`] returns: a state for each key, looked up by a borrowed one.
pub struct ByRef<A, K, Q: ?Sized, F> {
    groups: Groups<A, K>,
    key: F,
    borrowed: PhantomData<fn(&Q)>,
}

impl<A, K, F> By<A, K, F> {
    pub(super) fn new(inner: A, key: F) -> Self {
        By {
            groups: Groups::new(inner),
            key,
        }
    }
}

impl<A, K, Q: ?Sized, F> ByRef<A, K, Q, F> {
    pub(super) fn new(inner: A, key: F) -> Self {
        ByRef {
            groups: Groups::new(inner),
            key,
            borrowed: PhantomData,
        }
    }
}

// Derived, this would ask for `Q: Clone`.
impl<A: Clone, K: Clone, Q: ?Sized, F: Clone> Clone for ByRef<A, K, Q, F> {
    fn clone(&self) -> Self {
        ByRef {
            groups: self.groups.clone(),
            key: self.key.clone(),
            borrowed: PhantomData,
        }
    }
}

impl<S, K, A, F> Aggregator<S> for By<A, K, F>
where
    S: ?Sized,
    K: Hash + Eq + Ord + Clone + Send + Sync,
    A: Aggregator<S>,
    F: Fn(&S) -> K + Clone + Send + Sync,
{
    type Output = BTreeMap<K, A::Output>;
    const COMMUTATIVE: bool = A::COMMUTATIVE;

    #[inline]
    fn observe(&mut self, index: u64, score: &S) {
        self.groups.of((self.key)(score)).observe(index, score);
    }

    fn merge(&mut self, later: Self) {
        self.groups.merge(later.groups, A::merge);
    }

    fn finish(self) -> Self::Output {
        self.groups.finish(A::finish)
    }
}

impl<S, K, Q, A, F> Aggregator<S> for ByRef<A, K, Q, F>
where
    S: ?Sized,
    K: Borrow<Q> + Hash + Eq + Ord + Clone + Send + Sync,
    Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    A: Aggregator<S>,
    F: Fn(&S) -> &Q + Clone + Send + Sync,
{
    type Output = BTreeMap<K, A::Output>;
    const COMMUTATIVE: bool = A::COMMUTATIVE;

    #[inline]
    fn observe(&mut self, index: u64, score: &S) {
        let key = (self.key)(score);
        match self.groups.states.get_mut(key) {
            Some(state) => state.observe(index, score),
            None => self.groups.of(key.to_owned()).observe(index, score),
        }
    }

    fn merge(&mut self, later: Self) {
        self.groups.merge(later.groups, A::merge);
    }

    fn finish(self) -> Self::Output {
        self.groups.finish(A::finish)
    }
}

/// States by key. Hashed while observing, because that is several times faster than a sorted map;
/// sorted in the end, so the order of hashing never shows. It differs from run to run on purpose:
/// an order that leaked would not pass for a law.
#[derive(Clone)]
struct Groups<A, K> {
    identity: A,
    states: HashMap<K, A, RandomState>,
}

impl<A, K> Groups<A, K> {
    fn new(identity: A) -> Self {
        Groups {
            identity,
            states: HashMap::default(),
        }
    }
}

impl<A: Clone, K: Hash + Eq + Ord> Groups<A, K> {
    #[inline]
    fn of(&mut self, key: K) -> &mut A {
        let identity = &self.identity;
        self.states.entry(key).or_insert_with(|| identity.clone())
    }

    /// Merges group by group. The smaller map moves into the larger, whichever is later: besides
    /// being less work, pouring a large map into a small one with the same seed, as clones have,
    /// would fill it in hash order, which makes long probe sequences.
    fn merge(&mut self, mut later: Self, merge: impl Fn(&mut A, A)) {
        let swapped = later.states.len() > self.states.len();
        if swapped {
            mem::swap(self, &mut later);
        }
        for (key, mut state) in later.states {
            match self.states.entry(key) {
                Entry::Vacant(place) => {
                    place.insert(state);
                }
                Entry::Occupied(mut place) => {
                    if swapped {
                        mem::swap(place.get_mut(), &mut state);
                    }
                    merge(place.get_mut(), state);
                }
            }
        }
    }

    fn finish<T>(self, finish: impl Fn(A) -> T) -> BTreeMap<K, T> {
        let finished = self.states.into_iter();
        finished.map(|(key, state)| (key, finish(state))).collect()
    }
}

impl<A, K, F> State for By<A, K, F>
where
    A: State + Clone,
    K: Hash + Eq + Ord + Serialize + DeserializeOwned,
    F: Clone,
{
    /// Groups in the order of their keys.
    type Plain = Vec<(K, A::Plain)>;

    fn kind(&self) -> Kind {
        self.groups.kind()
    }

    fn into_plain(self) -> Self::Plain {
        self.groups.into_plain()
    }

    fn restore(&self, plain: Self::Plain) -> Result<Self, StateError> {
        Ok(By {
            groups: self.groups.restore(plain)?,
            key: self.key.clone(),
        })
    }
}

impl<A, K, Q: ?Sized, F> State for ByRef<A, K, Q, F>
where
    A: State + Clone,
    K: Hash + Eq + Ord + Serialize + DeserializeOwned,
    F: Clone,
{
    /// Groups in the order of their keys.
    type Plain = Vec<(K, A::Plain)>;

    fn kind(&self) -> Kind {
        self.groups.kind()
    }

    fn into_plain(self) -> Self::Plain {
        self.groups.into_plain()
    }

    fn restore(&self, plain: Self::Plain) -> Result<Self, StateError> {
        Ok(ByRef {
            groups: self.groups.restore(plain)?,
            key: self.key.clone(),
            borrowed: PhantomData,
        })
    }
}

impl<A: State + Clone, K: Hash + Eq + Ord> Groups<A, K> {
    fn kind(&self) -> Kind {
        Kind::new("by", 1).around([self.identity.kind()])
    }

    fn into_plain(self) -> Vec<(K, A::Plain)> {
        self.finish(A::into_plain).into_iter().collect()
    }

    fn restore(&self, plain: Vec<(K, A::Plain)>) -> Result<Self, StateError> {
        if !plain.is_sorted_by(|earlier, later| earlier.0 < later.0) {
            return Err(StateError::Impossible("groups out of order"));
        }
        let restored = plain
            .into_iter()
            .map(|(key, state)| Ok((key, self.identity.restore(state)?)));
        Ok(Groups {
            identity: self.identity.clone(),
            states: restored.collect::<Result<_, StateError>>()?,
        })
    }
}
