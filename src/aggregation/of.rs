//! An aggregator that looks at one side of a score.

use std::marker::PhantomData;

use super::{Aggregator, Kind, Shift, State, StateError, observe_all};

/// What [`Aggregator::of`] returns: an aggregator of `R` that hands `S` on.
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
}

// Derived, this would ask for `S: Clone`.
impl<A: Clone, F: Clone, S> Clone for Of<A, F, S> {
    fn clone(&self) -> Self {
        Of::new(self.inner.clone(), self.look.clone())
    }
}

impl<R, S, A, F> Aggregator<R> for Of<A, F, S>
where
    R: ?Sized,
    A: Aggregator<S>,
    F: Fn(&R) -> S + Clone + Send + Sync,
{
    type Output = A::Output;
    const COMMUTATIVE: bool = A::COMMUTATIVE;

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

    fn fork(&self) -> Self {
        Of::new(self.inner.fork(), self.look.clone())
    }

    fn merge(&mut self, later: Self) {
        self.inner.merge(later.inner);
    }

    fn finish(self) -> A::Output {
        self.inner.finish()
    }
}

impl<A: State, F: Clone, S> State for Of<A, F, S> {
    type Plain = A::Plain;

    /// That of the aggregator inside: closures do not travel.
    fn kind(&self) -> Kind {
        self.inner.kind()
    }

    fn into_plain(self) -> A::Plain {
        self.inner.into_plain()
    }

    fn restore(&self, plain: A::Plain) -> Result<Self, StateError> {
        Ok(Of::new(self.inner.restore(plain)?, self.look.clone()))
    }
}

impl<A: Shift, F, S> Shift for Of<A, F, S> {
    fn shift(self, by: u64) -> Result<Self, StateError> {
        Ok(Of::new(self.inner.shift(by)?, self.look))
    }
}
