//! An aggregator of a value that is computed from each score.

use std::marker::PhantomData;

use super::delegate::{delegate_runs, delegate_state};
use super::{Aggregator, Kind, Shift, State, StateError, observe_all};

/// The aggregator that [`Aggregator::of`] returns. It aggregates scores of type `R`, and passes on
/// a value of type `S` that it computes from each of them.
pub struct Of<A, F, S> {
    inner: A,
    look: F,
    seen: PhantomData<fn() -> S>,
}

impl<A, F, S> Of<A, F, S> {
    pub(super) fn new(inner: A, look: F) -> Self {
        Of {
            inner,
            look,
            seen: PhantomData,
        }
    }

    fn with_inner(&self, inner: A) -> Self
    where
        F: Clone,
    {
        Of::new(inner, self.look.clone())
    }
}

// A derived `Clone` would require `S: Clone`.
impl<A: Clone, F: Clone, S> Clone for Of<A, F, S> {
    fn clone(&self) -> Self {
        self.with_inner(self.inner.clone())
    }
}

impl<R, S, A, F> Aggregator<R> for Of<A, F, S>
where
    R: ?Sized,
    A: Aggregator<S>,
    F: Fn(&R) -> S + Clone + Send + Sync,
{
    type Output = A::Output;
    delegate_runs!();

    #[inline]
    fn observe(&mut self, index: u64, score: &R) {
        self.inner.observe(index, &(self.look)(score));
    }

    #[inline]
    fn observe_slice(&mut self, first: u64, scores: &[R])
    where
        R: Sized,
    {
        observe_all(&mut self.inner, first, scores.iter().map(&self.look));
    }

    fn finish(self) -> A::Output {
        self.inner.finish()
    }
}

delegate_state!([F: Clone, S] Of<A, F, S>);
