//! A closure that takes every score, as an aggregator.

use std::cell::Cell;
use std::sync::Arc;

use crate::aggregation::Aggregator;
use crate::sync::Mutex;
use crate::task::Task;

/// A task whose scores can be taken out of what only lends them.
pub(super) struct Once<T>(pub(super) T);

/// A score until it is taken.
pub(super) struct Taken<S>(Cell<Option<S>>);

impl<R, T: Task<R>> Task<R> for Once<T> {
    type Score = Taken<T::Score>;
    type Error = T::Error;

    #[inline]
    fn score(&self, record: &R) -> Result<Taken<T::Score>, T::Error> {
        let score = self.0.score(record)?;
        Ok(Taken(Cell::new(Some(score))))
    }
}

/// Calls a closure with every record's index and score. The order is the run's affair.
pub(super) struct Each<F>(Arc<Mutex<F>>);

impl<F> Each<F> {
    pub(super) fn new(take: F) -> Self {
        Each(Arc::new(Mutex::new(take)))
    }
}

impl<F> Clone for Each<F> {
    fn clone(&self) -> Self {
        Each(Arc::clone(&self.0))
    }
}

impl<S, F: FnMut(u64, S) + Send> Aggregator<Taken<S>> for Each<F> {
    type Output = ();

    fn observe(&mut self, index: u64, score: &Taken<S>) {
        self.observe_slice(index, std::slice::from_ref(score));
    }

    fn observe_slice(&mut self, first: u64, scores: &[Taken<S>]) {
        // Nothing more for one that has panicked.
        let Ok(mut take) = self.0.lock() else {
            return;
        };
        for (index, score) in (first..).zip(scores) {
            if let Some(score) = score.0.take() {
                take(index, score);
            }
        }
    }

    fn merge(&mut self, _later: Self) {}

    fn finish(self) {}
}
