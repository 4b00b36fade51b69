//! An aggregator that passes every score to a closure.

use std::cell::Cell;
use std::sync::Arc;

use crate::aggregation::Aggregator;
use crate::sync::Mutex;
use crate::task::Task;

/// A task whose scores can be moved out, although an aggregator only borrows them.
pub(super) struct TakenOnce<T>(pub(super) T);

/// Holds a score until it is taken.
pub(super) struct TakeableScore<S>(Cell<Option<S>>);

impl<R, T: Task<R>> Task<R> for TakenOnce<T> {
    type Score = TakeableScore<T::Score>;
    type Error = T::Error;

    #[inline]
    fn score(&self, record: &R) -> Result<TakeableScore<T::Score>, T::Error> {
        let score = self.0.score(record)?;
        Ok(TakeableScore(Cell::new(Some(score))))
    }
}

/// Calls a closure with every record's index and score, in the order in which the run aggregates the scores.
pub(super) struct ForEach<F>(Arc<Mutex<F>>);

impl<F> ForEach<F> {
    pub(super) fn new(take: F) -> Self {
        ForEach(Arc::new(Mutex::new(take)))
    }
}

impl<F> Clone for ForEach<F> {
    fn clone(&self) -> Self {
        ForEach(Arc::clone(&self.0))
    }
}

impl<S, F: FnMut(u64, S) + Send> Aggregator<TakeableScore<S>> for ForEach<F> {
    type Output = ();

    fn observe(&mut self, index: u64, score: &TakeableScore<S>) {
        self.observe_slice(index, std::slice::from_ref(score));
    }

    fn observe_slice(&mut self, first: u64, scores: &[TakeableScore<S>]) {
        // A closure that has panicked is not called again.
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
