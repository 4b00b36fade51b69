//! Aggregators whose number is known only at run time: a vector of them, or one that may be left
//! out.

use super::Aggregator;

/// Side by side over the same scores, as tuples are, but all of one type. Answer: a vector.
///
/// Merges state by state; clones of one vector are equally long.
impl<S: ?Sized, A: Aggregator<S>> Aggregator<S> for Vec<A> {
    type Output = Vec<A::Output>;
    const COMMUTATIVE: bool = A::COMMUTATIVE;

    #[inline]
    fn observe(&mut self, index: u64, score: &S) {
        for aggregator in self {
            aggregator.observe(index, score);
        }
    }

    fn merge(&mut self, later: Self) {
        for (aggregator, later) in self.iter_mut().zip(later) {
            aggregator.merge(later);
        }
    }

    fn finish(self) -> Self::Output {
        self.into_iter().map(A::finish).collect()
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

    fn merge(&mut self, later: Self) {
        if let (Some(aggregator), Some(later)) = (self, later) {
            aggregator.merge(later);
        }
    }

    fn finish(self) -> Self::Output {
        self.map(A::finish)
    }
}
