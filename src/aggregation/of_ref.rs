//! An aggregator of a part that is borrowed from each score.

use std::marker::PhantomData;

use super::delegate::{delegate_runs, delegate_state};
use super::{Aggregator, Kind, Shift, State, StateError};

/// The aggregator that [`Aggregator::of_ref`] returns. It aggregates scores of type `R`, and passes
/// on an `S` that it borrows from each of them.
pub struct OfRef<A, F, S: ?Sized> {
    inner: A,
    look: F,
    seen: PhantomData<fn(&S)>,
}

impl<A, F, S: ?Sized> OfRef<A, F, S> {
    pub(super) fn new(inner: A, look: F) -> Self {
        OfRef {
            inner,
            look,
            seen: PhantomData,
        }
    }

    fn with_inner(&self, inner: A) -> Self
    where
        F: Clone,
    {
        OfRef::new(inner, self.look.clone())
    }
}

// A derived `Clone` would require `S: Clone`.
impl<A: Clone, F: Clone, S: ?Sized> Clone for OfRef<A, F, S> {
    fn clone(&self) -> Self {
        self.with_inner(self.inner.clone())
    }
}

impl<R, S, A, F> Aggregator<R> for OfRef<A, F, S>
where
    R: ?Sized,
    S: ?Sized,
    A: Aggregator<S>,
    F: Fn(&R) -> &S + Clone + Send + Sync,
{
    type Output = A::Output;
    delegate_runs!();

    #[inline]
    fn observe(&mut self, index: u64, score: &R) {
        self.inner.observe(index, (self.look)(score));
    }

    fn finish(self) -> A::Output {
        self.inner.finish()
    }
}

delegate_state!([F: Clone, S: ?Sized] OfRef<A, F, S>);
