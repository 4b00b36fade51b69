//! Scores on their way to an aggregator, many at a time.
//!
//! Several aggregators side by side are quicker one after the other over a slice than all of them at
//! each score, and some are quicker over a slice by themselves. Scores that own memory still go one
//! by one, since nobody knows how much they hold; so do large ones, since copying them costs more
//! than a slice saves.

use std::mem::needs_drop;

use super::Aggregator;

/// Scores that are handed on together: enough that what an aggregator does once for each slice is
/// lost among them, few enough that they stay in the nearest cache.
const TOGETHER: usize = 256;
/// Fewer scores than this are not worth a place to gather them.
const FEWEST: usize = 32;
/// Bytes of the largest score that is gathered.
const LARGEST: usize = 64;

/// How many of so many scores are handed on together; 0 where each is by itself.
fn together<S>(scores: usize) -> usize {
    if needs_drop::<S>() || size_of::<S>() > LARGEST || scores < FEWEST {
        0
    } else {
        scores.min(TOGETHER)
    }
}

/// Observes the scores of consecutive records, the first of which is at `first`.
pub(crate) fn observe_all<S, A: Aggregator<S>>(
    aggregator: &mut A,
    first: u64,
    scores: impl IntoIterator<Item = S>,
) {
    let mut scores = scores.into_iter();
    let together = together::<S>(scores.size_hint().0);
    if together == 0 {
        for (index, score) in (first..).zip(scores) {
            aggregator.observe(index, &score);
        }
        return;
    }
    let mut first = first;
    let mut block = Vec::with_capacity(together);
    loop {
        // Not pushed one by one: this way the compiler works out several scores at once if it can.
        block.extend(scores.by_ref().take(together));
        if block.is_empty() {
            return;
        }
        aggregator.observe_slice(first, &block);
        first += block.len() as u64;
        block.clear();
    }
}

/// Gathers scores that come one by one.
pub(crate) struct Blocks<S> {
    together: usize,
    first: u64,
    scores: Vec<S>,
}

impl<S> Blocks<S> {
    /// For about so many scores, or more.
    pub(crate) fn of(scores: usize) -> Self {
        let together = together::<S>(scores);
        Blocks {
            together,
            first: 0,
            scores: Vec::with_capacity(together),
        }
    }

    /// Takes in a score, for this aggregator and, with those before it, a little later.
    #[inline]
    pub(crate) fn add<A: Aggregator<S>>(&mut self, aggregator: &mut A, index: u64, score: S) {
        if self.together == 0 {
            return aggregator.observe(index, &score);
        }
        let count = self.scores.len();
        if count == self.together || index != self.first + count as u64 {
            self.hand_on(aggregator);
            self.first = index;
        }
        self.scores.push(score);
    }

    /// Lets the aggregator observe what is gathered.
    pub(crate) fn hand_on<A: Aggregator<S>>(&mut self, aggregator: &mut A) {
        if !self.scores.is_empty() {
            aggregator.observe_slice(self.first, &self.scores);
            self.scores.clear();
        }
    }
}
