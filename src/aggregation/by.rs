//! Aggregators with a state for each group of scores.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::hash::Hash;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::groups::{BorrowedKey, Groups, MergingGroups, OwnedKey};
use super::{Aggregator, Kind, Shift, State, StateError};

/// The aggregator that [`Aggregator::by`] returns. It has a state for each key.
#[derive(Clone)]
pub struct By<A, K, F> {
    groups: Groups<A, K>,
    key: F,
}

/// The aggregator that [`Aggregator::by_ref`] returns. It has a state for each key, and looks
/// states up by a borrowed key.
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

    fn with_groups(&self, groups: Groups<A, K>) -> Self
    where
        F: Clone,
    {
        By {
            groups,
            key: self.key.clone(),
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

    fn with_groups(&self, groups: Groups<A, K>) -> Self
    where
        F: Clone,
    {
        ByRef {
            groups,
            key: self.key.clone(),
            borrowed: PhantomData,
        }
    }
}

// A derived `Clone` would require `Q: Clone`.
impl<A: Clone, K: Clone, Q: ?Sized, F: Clone> Clone for ByRef<A, K, Q, F> {
    fn clone(&self) -> Self {
        self.with_groups(self.groups.clone())
    }
}

/// The parts of an `impl Aggregator` that are the same for owned and for borrowed keys.
macro_rules! delegate_to_groups {
    () => {
        type Output = BTreeMap<K, A::Output>;
        const COMMUTATIVE: bool = A::COMMUTATIVE;

        fn fork(&self) -> Self {
            self.with_groups(if A::COMMUTATIVE {
                self.groups.fork()
            } else {
                self.groups.clone()
            })
        }

        fn merge(&mut self, later: Self) {
            self.groups.merge(later.groups);
        }

        fn finish(self) -> Self::Output {
            self.groups.finish(A::finish).into_iter().collect()
        }
    };
}

impl<S, K, A, F> Aggregator<S> for By<A, K, F>
where
    S: ?Sized,
    K: Hash + Eq + Ord + Clone + Send + Sync,
    A: Aggregator<S>,
    F: Fn(&S) -> K + Clone + Send + Sync,
{
    delegate_to_groups!();

    #[inline]
    fn observe(&mut self, index: u64, score: &S) {
        let key = OwnedKey((self.key)(score));
        self.groups.of(key).observe(index, score);
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
    delegate_to_groups!();

    #[inline]
    fn observe(&mut self, index: u64, score: &S) {
        let key = BorrowedKey((self.key)(score));
        self.groups.of(key).observe(index, score);
    }
}

impl<A, K, Q, F> ByRef<A, K, Q, F>
where
    A: State + Shift + Clone + Send,
    K: Borrow<Q> + Hash + Eq + Ord + Send,
    Q: ToOwned<Owned = K> + Hash + Ord + ?Sized,
{
    /// Prepares to merge the groups of another state. `by` is added to the indices of its records.
    pub(crate) fn merging<'q>(&mut self, by: u64) -> MergingGroups<'_, 'q, A, K, Q> {
        MergingGroups::new(&mut self.groups, by)
    }
}

/// Implements `State` and `Shift` for `By` or `ByRef`.
macro_rules! state_of_groups {
    ([$($generics:tt)*] $adaptor:ty) => {
        impl<A, K, $($generics)*> State for $adaptor
        where
            A: State + Clone + Send,
            K: Hash + Eq + Ord + Send + Serialize + DeserializeOwned,
            F: Clone,
        {
            /// The groups, ordered by key.
            type Plain = Vec<(K, A::Plain)>;

            fn kind(&self) -> Kind {
                self.groups.kind()
            }

            fn into_plain(self) -> Self::Plain {
                self.groups.into_plain()
            }

            fn restore(&self, plain: Self::Plain) -> Result<Self, StateError> {
                let groups = self.groups.restore(plain);
                groups.map(|groups| self.with_groups(groups))
            }
        }

        impl<A, K, $($generics)*> Shift for $adaptor
        where
            A: Shift + Clone + Send,
            K: Hash + Eq + Ord + Send,
        {
            fn shift(self, by: u64) -> Result<Self, StateError> {
                let groups = self.groups.shift(by)?;
                Ok(Self { groups, ..self })
            }
        }
    };
}

state_of_groups!([F] By<A, K, F>);
state_of_groups!([Q: ?Sized, F] ByRef<A, K, Q, F>);
