//! An aggregator whose answer is its state: one process's part of the whole.

use super::{Aggregator, Kind, Shift, State, StateError};

/// What [`Aggregator::partial`] returns.
#[derive(Clone)]
pub struct Partial<A> {
    inner: A,
    first: u64,
}

impl<A> Partial<A> {
    pub(super) fn new(inner: A, first: u64) -> Self {
        Partial { inner, first }
    }
}

impl<S, A> Aggregator<S> for Partial<A>
where
    S: ?Sized,
    A: Aggregator<S>,
{
    type Output = A;
    const COMMUTATIVE: bool = A::COMMUTATIVE;

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

    fn fork(&self) -> Self {
        Partial::new(self.inner.fork(), self.first)
    }

    fn merge(&mut self, later: Self) {
        self.inner.merge(later.inner);
    }

    fn finish(self) -> A {
        self.inner
    }
}

impl<A: State> State for Partial<A> {
    type Plain = A::Plain;

    /// That of the aggregator inside: what it has come to does not depend on who counts.
    fn kind(&self) -> Kind {
        self.inner.kind()
    }

    fn into_plain(self) -> A::Plain {
        self.inner.into_plain()
    }

    fn restore(&self, plain: A::Plain) -> Result<Self, StateError> {
        Ok(Partial::new(self.inner.restore(plain)?, self.first))
    }
}

impl<A: Shift> Shift for Partial<A> {
    fn shift(self, by: u64) -> Result<Self, StateError> {
        Ok(Partial::new(self.inner.shift(by)?, self.first))
    }
}
