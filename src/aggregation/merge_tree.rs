//! Partials arrive in any order, and are merged along a tree that depends only on their number.

use std::collections::btree_map::{BTreeMap, Entry};
use std::marker::PhantomData;

use super::Aggregator;
use crate::sync::{Mutex, MutexGuard, into_inner, lock};

/// Collects the partials of parts 0, 1, 2, … and merges neighbours as soon as both have arrived.
///
/// The tree is used for aggregators that are not [commutative](Aggregator::COMMUTATIVE). It has the
/// shape of a binary counter: parts 0 and 1 are merged, 2 and 3 are merged, then 0–1 with 2–3, and
/// so on. The remaining states are merged at the end, from the left. The shape depends on the
/// number of parts alone, so even an aggregator that is not quite associative (a rounded sum, for
/// example) gives the same bits in every run over the same parts.
///
/// If parts arrive in order, at most log₂(parts) + 1 states wait in the tree. Each part that
/// arrives early may add one waiting state.
#[derive(Debug)]
#[must_use]
pub(crate) struct MergeTree<S: ?Sized, A> {
    /// The waiting states. Each covers a run of consecutive parts; the key is the first of these
    /// parts, and the number is log₂ of the length of the run.
    waiting: Mutex<BTreeMap<usize, (u32, A)>>,
    scores: PhantomData<fn(&S)>,
}

impl<S: ?Sized, A: Aggregator<S>> MergeTree<S, A> {
    /// Creates a tree without parts.
    pub(crate) fn new() -> Self {
        MergeTree {
            waiting: Mutex::default(),
            scores: PhantomData,
        }
    }

    /// Adds the partial of one part, from any thread. Each part must be inserted once.
    pub(crate) fn insert(&self, part: usize, partial: A) {
        let (mut first, mut level, mut state) = (part, 0, partial);
        while let Some((sibling, other, own)) = self.pair(first, level, state) {
            // The merge happens outside the lock, because it may use rayon, and while it waits, its
            // thread may call `insert` with another partial.
            state = if sibling < first {
                merged(other, own)
            } else {
                merged(own, other)
            };
            first = first.min(sibling);
            level += 1;
        }
    }

    /// Returns a state together with its sibling, or stores the state until the sibling arrives.
    fn pair(&self, first: usize, level: u32, state: A) -> Option<(usize, A, A)> {
        let sibling = first ^ (1 << level);
        let mut waiting = self.lock();
        if let Entry::Occupied(place) = waiting.entry(sibling)
            && place.get().0 == level
        {
            let (_, other) = place.remove();
            return Some((sibling, other, state));
        }
        let before = waiting.insert(first, (level, state));
        debug_assert!(before.is_none(), "a part was inserted twice");
        None
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, (u32, A)>> {
        lock(&self.waiting)
    }

    /// Merges the waiting states and returns the result, or `identity` if there are none. Parts
    /// that were never inserted are left out.
    pub(crate) fn finish(self, identity: A) -> A {
        let waiting = into_inner(self.waiting);
        let states = waiting.into_values();
        let states = states.map(|(_, state)| state);
        states.reduce(merged).unwrap_or(identity)
    }
}

/// Merges two neighbouring states.
pub(super) fn merged<S: ?Sized, A: Aggregator<S>>(mut earlier: A, later: A) -> A {
    earlier.merge(later);
    earlier
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A state that records how it was merged.
    #[derive(Clone)]
    struct Tree(String);

    impl Aggregator<()> for Tree {
        type Output = String;
        fn observe(&mut self, _index: u64, _score: &()) {}
        fn merge(&mut self, later: Self) {
            self.0 = format!("({} {})", self.0, later.0);
        }
        fn finish(self) -> String {
            self.0
        }
    }

    fn leaf(part: usize) -> Tree {
        Tree(part.to_string())
    }

    fn identity() -> Tree {
        Tree("nothing".into())
    }

    proptest! {
        #[test]
        fn the_shape_depends_on_the_number_of_parts_alone(
            order in (0_usize..40).prop_flat_map(|parts| {
                Just((0..parts).collect::<Vec<_>>()).prop_shuffle()
            })
        ) {
            let in_order = MergeTree::<(), Tree>::new();
            for part in 0..order.len() {
                in_order.insert(part, leaf(part));
                let bound = order.len().ilog2() as usize + 1;
                prop_assert!(in_order.lock().len() <= bound);
            }
            let shuffled = MergeTree::<(), Tree>::new();
            for &part in &order {
                shuffled.insert(part, leaf(part));
            }
            prop_assert_eq!(shuffled.finish(identity()).0, in_order.finish(identity()).0);
        }
    }

    #[test]
    fn the_shape_is_a_binary_counter() {
        let tree = MergeTree::<(), Tree>::new();
        for part in [6, 3, 1, 0, 5, 2, 4] {
            tree.insert(part, leaf(part));
        }
        assert_eq!(tree.finish(identity()).0, "((((0 1) (2 3)) (4 5)) 6)");
    }
}
