//! An aggregator whose answer is turned into another.

use super::delegate::{delegate_runs, delegate_state};
use super::{Aggregator, Kind, Shift, State, StateError};

/// The aggregator that [`Aggregator::map`] returns. It converts the answer of the aggregator inside
/// it.
#[derive(Clone)]
pub struct Map<A, F> {
    inner: A,
    turn: F,
}

impl<A, F> Map<A, F> {
    pub(super) fn new(inner: A, turn: F) -> Self {
        Map { inner, turn }
    }

    fn with_inner(&self, inner: A) -> Self
    where
        F: Clone,
    {
        Map::new(inner, self.turn.clone())
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
    delegate_runs!();

    #[inline]
    fn observe(&mut self, index: u64, score: &S) {
        self.inner.observe(index, score);
    }

    #[inline]
    fn observe_slice(&mut self, first: u64, scores: &[S])
    where
        S: Sized,
    {
        self.inner.observe_slice(first, scores);
    }

    fn finish(self) -> T {
        (self.turn)(self.inner.finish())
    }
}

delegate_state!([F: Clone] Map<A, F>);
