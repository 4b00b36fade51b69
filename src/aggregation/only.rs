//! An aggregator that leaves scores out.

use super::{Aggregator, Kind, Shift, State, StateError};

/// What [`Aggregator::only`] returns.
#[derive(Clone)]
pub struct Only<A, F> {
    inner: A,
    keep: F,
}

impl<A, F> Only<A, F> {
    pub(super) fn new(inner: A, keep: F) -> Self {
        Only { inner, keep }
    }
}

impl<S, A, F> Aggregator<S> for Only<A, F>
where
    S: ?Sized,
    A: Aggregator<S>,
    F: Fn(&S) -> bool + Clone + Send + Sync,
{
    type Output = A::Output;
    const COMMUTATIVE: bool = A::COMMUTATIVE;

    #[inline]
    fn observe(&mut self, index: u64, score: &S) {
        if (self.keep)(score) {
            self.inner.observe(index, score);
        }
    }

    fn fork(&self) -> Self {
        Only::new(self.inner.fork(), self.keep.clone())
    }

    fn merge(&mut self, later: Self) {
        self.inner.merge(later.inner);
    }

    fn finish(self) -> A::Output {
        self.inner.finish()
    }
}

impl<A: State, F: Clone> State for Only<A, F> {
    type Plain = A::Plain;

    /// Says that scores were left out, and not which.
    fn kind(&self) -> Kind {
        Kind::new("only", 1).around([self.inner.kind()])
    }

    fn into_plain(self) -> A::Plain {
        self.inner.into_plain()
    }

    fn restore(&self, plain: A::Plain) -> Result<Self, StateError> {
        Ok(Only::new(self.inner.restore(plain)?, self.keep.clone()))
    }
}

impl<A: Shift, F> Shift for Only<A, F> {
    fn shift(self, by: u64) -> Result<Self, StateError> {
        Ok(Only::new(self.inner.shift(by)?, self.keep))
    }
}
