//! An aggregator that looks at a part of a score without taking it out.

use std::marker::PhantomData;

use super::{Aggregator, Kind, Shift, State, StateError};

/// What [`Aggregator::of_ref`] returns: an aggregator of `R` that hands a borrowed `S` on.
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
}

// Derived, this would ask for `S: Clone`.
impl<A: Clone, F: Clone, S: ?Sized> Clone for OfRef<A, F, S> {
    fn clone(&self) -> Self {
        OfRef::new(self.inner.clone(), self.look.clone())
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
    const COMMUTATIVE: bool = A::COMMUTATIVE;

    #[inline]
    fn observe(&mut self, index: u64, score: &R) {
        self.inner.observe(index, (self.look)(score));
    }

    fn fork(&self) -> Self {
        OfRef::new(self.inner.fork(), self.look.clone())
    }

    fn merge(&mut self, later: Self) {
        self.inner.merge(later.inner);
    }

    fn finish(self) -> A::Output {
        self.inner.finish()
    }
}

impl<A: State, F: Clone, S: ?Sized> State for OfRef<A, F, S> {
    type Plain = A::Plain;

    fn kind(&self) -> Kind {
        self.inner.kind()
    }

    fn into_plain(self) -> A::Plain {
        self.inner.into_plain()
    }

    fn restore(&self, plain: A::Plain) -> Result<Self, StateError> {
        Ok(OfRef::new(self.inner.restore(plain)?, self.look.clone()))
    }
}

impl<A: Shift, F, S: ?Sized> Shift for OfRef<A, F, S> {
    fn shift(self, by: u64) -> Result<Self, StateError> {
        Ok(OfRef::new(self.inner.shift(by)?, self.look))
    }
}
