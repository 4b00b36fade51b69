//! Scores that do not count yet, because some record before them is not done.

use std::ops::Range;

use crate::aggregation::Aggregator;

/// Scores of consecutive records.
pub(super) struct Scores<S> {
    pub(super) records: Range<u64>,
    /// The records that have none.
    pub(super) failed: Vec<u64>,
    pub(super) scores: Vec<S>,
}

impl<S> Scores<S> {
    /// Lets an aggregator observe the scores of the records before `end`.
    pub(super) fn observe<A: Aggregator<S>>(&self, aggregator: &mut A, end: u64) {
        let end = self.records.end.min(end);
        let (mut next, mut place) = (self.records.start, 0);
        for stop in self.failed.iter().copied().chain([end]) {
            let stop = stop.min(end);
            let count = stop.saturating_sub(next) as usize;
            if count > 0 {
                aggregator.observe_slice(next, &self.scores[place..place + count]);
            }
            place += count;
            next = next.max(stop + 1);
        }
    }
}

/// What a worker has done ahead of its turn.
pub(super) enum Held<S, A> {
    Scores(Scores<S>),
    /// What a unit has come to, where units are merged in their order.
    Partial {
        records: Range<u64>,
        unit: usize,
        state: A,
    },
}

impl<S, A> Held<S, A> {
    pub(super) fn records(&self) -> &Range<u64> {
        match self {
            Held::Scores(scores) => &scores.records,
            Held::Partial { records, .. } => records,
        }
    }
}
