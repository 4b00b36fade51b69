//! An aggregator that leaves scores out.

use super::delegate::{delegate_runs, delegate_state};
use super::{Aggregator, Kind, Shift, State, StateError};

/// The aggregator that [`Aggregator::only`] returns. It aggregates the scores for which a closure
/// returns true.
///
/// Its [`Kind`] says that scores were left out, but not which: closures cannot be compared.
#[derive(Clone)]
pub struct Only<A, F> {
    inner: A,
    keep: F,
}

impl<A, F> Only<A, F> {
    pub(super) fn new(inner: A, keep: F) -> Self {
        Only { inner, keep }
    }

    fn with_inner(&self, inner: A) -> Self
    where
        F: Clone,
    {
        Only::new(inner, self.keep.clone())
    }
}

impl<S, A, F> Aggregator<S> for Only<A, F>
where
    S: ?Sized,
    A: Aggregator<S>,
    F: Fn(&S) -> bool + Clone + Send + Sync,
{
    type Output = A::Output;
    delegate_runs!();

    #[inline]
    fn observe(&mut self, index: u64, score: &S) {
        if (self.keep)(score) {
            self.inner.observe(index, score);
        }
    }

    fn finish(self) -> A::Output {
        self.inner.finish()
    }
}

delegate_state!([F: Clone] Only<A, F>, named "only");
