//! An aggregator whose answer is turned into another.

use super::{Aggregator, Kind, Shift, State, StateError};

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

    #[inline]
    fn observe_slice(&mut self, first: u64, scores: &[S])
    where
        S: Sized,
    {
        self.inner.observe_slice(first, scores);
    }

    fn fork(&self) -> Self {
        Map::new(self.inner.fork(), self.turn.clone())
    }

    fn merge(&mut self, later: Self) {
        self.inner.merge(later.inner);
    }

    fn finish(self) -> T {
        (self.turn)(self.inner.finish())
    }
}

impl<A: State, F: Clone> State for Map<A, F> {
    type Plain = A::Plain;

    /// That of the aggregator inside: closures do not travel.
    fn kind(&self) -> Kind {
        self.inner.kind()
    }

    fn into_plain(self) -> A::Plain {
        self.inner.into_plain()
    }

    fn restore(&self, plain: A::Plain) -> Result<Self, StateError> {
        Ok(Map::new(self.inner.restore(plain)?, self.turn.clone()))
    }
}

impl<A: Shift, F> Shift for Map<A, F> {
    fn shift(self, by: u64) -> Result<Self, StateError> {
        Ok(Map::new(self.inner.shift(by)?, self.turn))
    }
}
