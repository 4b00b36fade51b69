//! Aggregators whose number is known only at run time: a vector of aggregators, or an optional
//! aggregator.

use super::{Aggregator, Kind, Shift, State, StateError};

/// All aggregators of a vector observe the same scores, as in a tuple, but have the same type.
/// Answer: a vector.
///
/// The states at the same position are merged; all clones of a vector have the same length.
impl<S: ?Sized, A: Aggregator<S>> Aggregator<S> for Vec<A> {
    type Output = Vec<A::Output>;
    const COMMUTATIVE: bool = A::COMMUTATIVE;

    #[inline]
    fn observe(&mut self, index: u64, score: &S) {
        for aggregator in self {
            aggregator.observe(index, score);
        }
    }

    #[inline]
    fn observe_slice(&mut self, first: u64, scores: &[S])
    where
        S: Sized,
    {
        for aggregator in self {
            aggregator.observe_slice(first, scores);
        }
    }

    fn fork(&self) -> Self {
        self.iter().map(A::fork).collect()
    }

    fn merge(&mut self, later: Self) {
        debug_assert_eq!(self.len(), later.len(), "vectors of different lengths");
        for (aggregator, later) in self.iter_mut().zip(later) {
            aggregator.merge(later);
        }
    }

    fn finish(self) -> Self::Output {
        self.into_iter().map(A::finish).collect()
    }
}

impl<A: State> State for Vec<A> {
    type Plain = Vec<A::Plain>;

    fn kind(&self) -> Kind {
        Kind::new("vector", 1).around(self.iter().map(A::kind))
    }

    fn into_plain(self) -> Self::Plain {
        self.into_iter().map(A::into_plain).collect()
    }

    fn restore(&self, plain: Self::Plain) -> Result<Self, StateError> {
        if plain.len() != self.len() {
            return Err(StateError::Impossible("another number of aggregators"));
        }
        let pairs = self.iter().zip(plain);
        pairs.map(|(set_up, plain)| set_up.restore(plain)).collect()
    }
}

impl<A: Shift> Shift for Vec<A> {
    fn shift(self, by: u64) -> Result<Self, StateError> {
        self.into_iter().map(|state| state.shift(by)).collect()
    }
}

/// `None` observes nothing and answers `None`.
impl<S: ?Sized, A: Aggregator<S>> Aggregator<S> for Option<A> {
    type Output = Option<A::Output>;
    const COMMUTATIVE: bool = A::COMMUTATIVE;

    #[inline]
    fn observe(&mut self, index: u64, score: &S) {
        if let Some(aggregator) = self {
            aggregator.observe(index, score);
        }
    }

    #[inline]
    fn observe_slice(&mut self, first: u64, scores: &[S])
    where
        S: Sized,
    {
        if let Some(aggregator) = self {
            aggregator.observe_slice(first, scores);
        }
    }

    fn fork(&self) -> Self {
        self.as_ref().map(A::fork)
    }

    fn merge(&mut self, later: Self) {
        debug_assert_eq!(self.is_some(), later.is_some(), "one aggregator and none");
        if let (Some(aggregator), Some(later)) = (self, later) {
            aggregator.merge(later);
        }
    }

    fn finish(self) -> Self::Output {
        self.map(A::finish)
    }
}

impl<A: State> State for Option<A> {
    type Plain = Option<A::Plain>;

    fn kind(&self) -> Kind {
        Kind::new("option", 1).around(self.as_ref().map(A::kind))
    }

    fn into_plain(self) -> Self::Plain {
        self.map(A::into_plain)
    }

    fn restore(&self, plain: Self::Plain) -> Result<Self, StateError> {
        match (self, plain) {
            (Some(set_up), Some(plain)) => set_up.restore(plain).map(Some),
            (None, None) => Ok(None),
            _ => Err(StateError::Impossible("one aggregator more or less")),
        }
    }
}

impl<A: Shift> Shift for Option<A> {
    fn shift(self, by: u64) -> Result<Self, StateError> {
        self.map(|state| state.shift(by)).transpose()
    }
}
