//! An aggregator whose answer is its state, for example the state of one of several processes.

use super::delegate::{delegate_runs, delegate_state};
use super::{Aggregator, Kind, Shift, State, StateError};

/// The aggregator that [`Aggregator::partial`] returns.
///
/// Its [`Kind`] is the kind of the aggregator inside it, because the index of the first record does
/// not change what a state means.
#[derive(Clone)]
pub struct Partial<A> {
    inner: A,
    first: u64,
}

impl<A> Partial<A> {
    pub(super) fn new(inner: A, first: u64) -> Self {
        Partial { inner, first }
    }

    fn with_inner(&self, inner: A) -> Self {
        Partial::new(inner, self.first)
    }
}

impl<S, A> Aggregator<S> for Partial<A>
where
    S: ?Sized,
    A: Aggregator<S>,
{
    type Output = A;
    delegate_runs!();

    #[inline]
    fn observe(&mut self, index: u64, score: &S) {
        self.inner.observe(self.first + index, score);
    }

    #[inline]
    fn observe_slice(&mut self, first: u64, scores: &[S])
    where
        S: Sized,
    {
        self.inner.observe_slice(self.first + first, scores);
    }

    fn finish(self) -> A {
        self.inner
    }
}

delegate_state!([] Partial<A>);
