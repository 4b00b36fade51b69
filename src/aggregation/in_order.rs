//! Partials that arrive in any order, merged along a tree that depends on their number alone.

use std::collections::btree_map::{BTreeMap, Entry};
use std::marker::PhantomData;

use super::Aggregator;
use crate::sync::{Mutex, MutexGuard, into_inner, lock};

/// Collects the partials of the parts 0, 1, 2, … and merges neighbours as soon as both are there.
///
/// For an aggregator that is not [commutative](Aggregator::COMMUTATIVE). The shape of the tree is
/// that of a binary counter: parts 0 and 1 merge, 2 and 3, then 0–1 with 2–3, and so on; what is
/// left in the end merges from the left. So the shape depends on how many parts there are and on
/// nothing else, and even an aggregator that is not quite associative (a rounded sum, say) gives
/// the same bits in every run over the same parts.
///
/// Parts that arrive in order leave no more than log₂(parts) states waiting; each part that is
/// ahead of its turn may add one.
///
/// ```
/// use manyhands::aggregation::{Aggregator, MergeTree, Sum};
///
/// let tree = MergeTree::<f64, Sum>::new();
/// for part in [2, 0, 1] {
///     let mut partial = Sum::new();
///     partial.observe(part as u64, &(part as f64));
///     tree.insert(part, partial);
/// }
/// assert_eq!(tree.finish(Sum::new()).finish(), 3.0);
/// ```
#[derive(Debug)]
#[must_use]
pub struct MergeTree<S: ?Sized, A> {
    /// States by the first part of the run each covers, with the log₂ of the run's length.
    waiting: Mutex<BTreeMap<usize, (u32, A)>>,
    scores: PhantomData<fn(&S)>,
}

impl<S: ?Sized, A: Aggregator<S>> MergeTree<S, A> {
    /// No parts yet.
    pub fn new() -> Self {
        MergeTree {
            waiting: Mutex::default(),
            scores: PhantomData,
        }
    }

    /// Takes in the partial of one part, from any thread. Each part may come once.
    pub fn insert(&self, part: usize, partial: A) {
        let (mut first, mut level, mut state) = (part, 0, partial);
        while let Some((sibling, other, own)) = self.pair(first, level, state) {
            // Outside the lock: a merge may use rayon, and a thread that waits there may come back
            // here with another partial.
            state = if sibling < first {
                merged(other, own)
            } else {
                merged(own, other)
            };
            first = first.min(sibling);
            level += 1;
        }
    }

    /// Takes the sibling of a state out, and returns both; or leaves the state to wait for it.
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
        debug_assert!(before.is_none(), "a part came twice");
        None
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, (u32, A)>> {
        lock(&self.waiting)
    }

    /// How many states wait to be merged.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lock().len()
    }

    /// Merges what waits; `identity` where nothing does. Parts that never came are left out.
    pub fn finish(self, identity: A) -> A {
        let waiting = into_inner(self.waiting);
        let states = waiting.into_values();
        let states = states.map(|(_, state)| state);
        states.reduce(merged).unwrap_or(identity)
    }
}

impl<S: ?Sized, A: Aggregator<S>> Default for MergeTree<S, A> {
    fn default() -> Self {
        MergeTree::new()
    }
}

/// What two neighbours come to.
pub(super) fn merged<S: ?Sized, A: Aggregator<S>>(mut earlier: A, later: A) -> A {
    earlier.merge(later);
    earlier
}
