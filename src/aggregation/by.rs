//! Aggregators with a state for each group of scores.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::hash::Hash;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::groups::{Borrowed, Groups, Owned};
use super::{Aggregator, Kind, Shift, State, StateError};

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
    pub(super) fn new<S: ?Sized>(inner: A, key: F) -> Self
    where
        A: Aggregator<S>,
    {
        By {
            groups: Groups::new(inner, A::merge),
            key,
        }
    }
}

impl<A, K, Q: ?Sized, F> ByRef<A, K, Q, F> {
    pub(super) fn new<S: ?Sized>(inner: A, key: F) -> Self
    where
        A: Aggregator<S>,
    {
        ByRef {
            groups: Groups::new(inner, A::merge),
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
        let key = Owned((self.key)(score));
        self.groups.of(key).observe(index, score);
    }

    fn fork(&self) -> Self {
        if !A::COMMUTATIVE {
            return self.clone();
        }
        By {
            groups: self.groups.fork(),
            key: self.key.clone(),
        }
    }

    fn merge(&mut self, later: Self) {
        self.groups.merge(later.groups);
    }

    fn finish(self) -> Self::Output {
        self.groups.finish(A::finish).into_iter().collect()
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
        let key = Borrowed((self.key)(score));
        self.groups.of(key).observe(index, score);
    }

    fn fork(&self) -> Self {
        if !A::COMMUTATIVE {
            return self.clone();
        }
        ByRef {
            groups: self.groups.fork(),
            key: self.key.clone(),
            borrowed: PhantomData,
        }
    }

    fn merge(&mut self, later: Self) {
        self.groups.merge(later.groups);
    }

    fn finish(self) -> Self::Output {
        self.groups.finish(A::finish).into_iter().collect()
    }
}

impl<A, K, F> State for By<A, K, F>
where
    A: State + Clone + Send,
    K: Hash + Eq + Ord + Send + Serialize + DeserializeOwned,
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
    A: State + Clone + Send,
    K: Hash + Eq + Ord + Send + Serialize + DeserializeOwned,
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

impl<A, K, F> Shift for By<A, K, F>
where
    A: Shift + Clone + Send,
    K: Hash + Eq + Ord + Send,
{
    fn shift(self, by: u64) -> Result<Self, StateError> {
        Ok(By {
            groups: self.groups.shift(by)?,
            key: self.key,
        })
    }
}

impl<A, K, Q: ?Sized, F> Shift for ByRef<A, K, Q, F>
where
    A: Shift + Clone + Send,
    K: Hash + Eq + Ord + Send,
{
    fn shift(self, by: u64) -> Result<Self, StateError> {
        Ok(ByRef {
            groups: self.groups.shift(by)?,
            key: self.key,
            borrowed: PhantomData,
        })
    }
}
