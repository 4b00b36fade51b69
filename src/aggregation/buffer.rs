//! Scores on their way to an aggregator, many at a time.
//!
//! Several aggregators side by side are quicker one after the other over a slice than all of them at
//! each score, and some are quicker over a slice by themselves. Scores that own memory still go one
//! by one, since nobody knows how much they hold; so do large ones, since copying them costs more
//! than a slice saves.

use std::mem::needs_drop;

use super::Aggregator;

/// Scores that are handed on length: enough that what an aggregator does once for each slice is
/// lost among them, few enough that they stay in the nearest cache.
const BLOCK_SCORES: usize = 256;
/// Fewer scores than this are not worth a place to gather them.
const MIN_SCORES: usize = 32;
/// Bytes of the largest score that is gathered.
const MAX_BYTES: usize = 64;

/// How many of so many scores are handed on length; 0 where each is by itself.
fn block_length<S>(scores: usize) -> usize {
    if needs_drop::<S>() || size_of::<S>() > MAX_BYTES || scores < MIN_SCORES {
        0
    } else {
        scores.min(BLOCK_SCORES)
    }
}

/// Observes the scores of consecutive records, the first of which is at `first`.
pub(crate) fn observe_all<S, A: Aggregator<S>>(
    aggregator: &mut A,
    first: u64,
    scores: impl IntoIterator<Item = S>,
) {
    let mut scores = scores.into_iter();
    let length = block_length::<S>(scores.size_hint().0);
    if length == 0 {
        for (index, score) in (first..).zip(scores) {
            aggregator.observe(index, &score);
        }
        return;
    }
    let mut first = first;
    let mut block = Vec::with_capacity(length);
    loop {
        // Not pushed one by one: this way the compiler works out several scores at once if it can.
        block.extend(scores.by_ref().take(length));
        if block.is_empty() {
            return;
        }
        aggregator.observe_slice(first, &block);
        first += block.len() as u64;
        block.clear();
    }
}

/// Gathers scores that come one by one.
pub(crate) struct ScoreBuffer<S> {
    length: usize,
    first: u64,
    scores: Vec<S>,
}

impl<S> ScoreBuffer<S> {
    /// For about so many scores, or more.
    pub(crate) fn for_scores(scores: usize) -> Self {
        let length = block_length::<S>(scores);
        ScoreBuffer {
            length,
            first: 0,
            scores: Vec::with_capacity(length),
        }
    }

    /// Takes in a score, for this aggregator and, with those before it, a little later.
    #[inline]
    pub(crate) fn push<A: Aggregator<S>>(&mut self, aggregator: &mut A, index: u64, score: S) {
        if self.length == 0 {
            return aggregator.observe(index, &score);
        }
        let count = self.scores.len();
        if count == self.length || index != self.first + count as u64 {
            self.flush(aggregator);
            self.first = index;
        }
        self.scores.push(score);
    }

    /// Lets the aggregator observe what is gathered.
    pub(crate) fn flush<A: Aggregator<S>>(&mut self, aggregator: &mut A) {
        if !self.scores.is_empty() {
            aggregator.observe_slice(self.first, &self.scores);
            self.scores.clear();
        }
    }
}
