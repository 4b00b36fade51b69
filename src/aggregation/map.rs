//! An aggregator whose answer is turned into another.

use super::Aggregator;

/// What [`Aggregator::map`] returns.
#[derive(Clone)]
pub struct Map<A, F> {
    inner: A,
    turn: F,
}

impl<A, F> Map<A, F> {
    pub(super) fn new(inner: A, turn: F) -> Self {
        Map { inner, turn }
    }
}

impl<S, T, A, F> Aggregator<S> for Map<A, F>
where
    S: ?Sized,
    T: Send,
    A: Aggregator<S>,
    F: Fn(A::Output) -> T + Clone + Send + Sync,
{
    type Output = T;
    const COMMUTATIVE: bool = A::COMMUTATIVE;

    #[inline]
    fn observe(&mut self, index: u64, score: &S) {
        self.inner.observe(index, score);
    }

    fn merge(&mut self, later: Self) {
        self.inner.merge(later.inner);
    }

    fn finish(self) -> T {
        (self.turn)(self.inner.finish())
    }
}
