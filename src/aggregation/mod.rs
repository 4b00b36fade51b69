//! Aggregation: scores combined into one answer that does not depend on how the work was shared
//! out.

/// Combines scores.
///
/// The value handed to a run is the identity; clones of it start the partials. Laws, checked by
/// [`assert_laws`]:
///
/// 1. **Associative in index order**: for records `a < b < c`, merging `(a, b)` with `c` equals
///    merging `a` with `(b, c)`, bit for bit.
/// 2. **Identity**: merging with a fresh clone, on either side, changes nothing.
/// 3. **Commutative**, only where [`COMMUTATIVE`](Aggregator::COMMUTATIVE) says so: the order of
///    observing and merging never shows in the output.
pub trait Aggregator<S: ?Sized>: Clone + Send + Sync {
    /// What the scores come to.
    type Output;

    /// Whether any order of observing and merging gives the same output, bit for bit.
    ///
    /// Where it does, each worker keeps one state for all the records it meets. Where it does not,
    /// each part of the data has a state of its own, and states merge in part order along a tree
    /// whose shape depends on the data alone.
    const COMMUTATIVE: bool = false;

    /// Takes in the score of the record at `index`, counted from 0.
    fn observe(&mut self, index: u64, score: &S);

    /// Takes in what another state has observed. Where the aggregator is not commutative, every
    /// record `later` has seen comes after every record of `self`.
    fn merge(&mut self, later: Self);

    /// The answer.
    fn finish(self) -> Self::Output;
}

pub struct MergeTree<A>(std::collections::BTreeMap<usize, A>);
impl<A> MergeTree<A> {
    pub fn new() -> Self { MergeTree(Default::default()) }
    pub fn insert(&mut self, p: usize, a: A) { self.0.insert(p, a); }
    pub fn finish<S>(self, mut i: A) -> A where A: Aggregator<S> { for a in self.0.into_values() { i.merge(a) } i }
}
