//! Buffers scores so that an aggregator observes many at a time.
//!
//! If several aggregators observe the same scores, it is faster to let each aggregator observe a
//! whole slice than to let all of them observe one score after the other. Some aggregators are also
//! faster on a slice when used alone. Scores that own memory are buffered only if they arrive one by
//! one, and only a few of them, because the amount of memory that they hold is unknown. Other large
//! scores are observed one by one, because copying them takes more time than a slice saves.

use std::mem::needs_drop;

use super::Aggregator;

/// Number of scores that an aggregator observes together. It is large enough to hide the fixed cost
/// per slice, and small enough that the scores stay in the L1 cache.
const BLOCK_SCORES: usize = 256;
/// Number of scores below which a buffer is not worth allocating.
const MIN_SCORES: usize = 32;
/// Size in bytes of the largest score that is buffered.
const MAX_BYTES: usize = 64;

/// Number of scores that own memory in a full buffer.
const OWNING_SCORES: usize = 32;

/// Number of scores that are observed together if there are `scores` of them in total; 0 if each
/// score is observed by itself.
fn block_length<S>(scores: usize) -> usize {
    if needs_drop::<S>() || size_of::<S>() > MAX_BYTES || scores < MIN_SCORES {
        0
    } else {
        scores.min(BLOCK_SCORES)
    }
}

/// Observes the scores of consecutive records; `first` is the index of the first one.
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
        // `extend` is used instead of `push` so that the compiler can compute several scores at
        // once.
        block.extend(scores.by_ref().take(length));
        if block.is_empty() {
            return;
        }
        aggregator.observe_slice(first, &block);
        first += block.len() as u64;
        block.clear();
    }
}

/// Collects scores that arrive one by one.
pub(crate) struct ScoreBuffer<S> {
    /// Number of scores in a full buffer; 0 if scores are not buffered.
    length: usize,
    /// Index of the first buffered score.
    first: u64,
    scores: Vec<S>,
}

impl<S> ScoreBuffer<S> {
    /// Creates a buffer that will receive about this many scores in total.
    pub(crate) fn for_scores(scores: usize) -> Self {
        let length = match needs_drop::<S>() {
            true => OWNING_SCORES,
            false => block_length::<S>(scores),
        };
        ScoreBuffer {
            length,
            first: 0,
            scores: Vec::new(),
        }
    }

    /// Adds the score of the record `index`. If the buffer is full, or if `index` does not follow the
    /// last index in the buffer, the aggregator first observes the scores that are in the buffer.
    #[inline]
    pub(crate) fn push<A: Aggregator<S>>(&mut self, aggregator: &mut A, index: u64, score: S) {
        if self.length == 0 {
            return aggregator.observe(index, &score);
        }
        let count = self.scores.len();
        if count == 0 || count == self.length || index != self.first + count as u64 {
            self.flush(aggregator);
            self.first = index;
            self.scores.reserve_exact(self.length);
        }
        self.scores.push(score);
    }

    /// Passes the scores in the buffer to the aggregator, and empties the buffer. Must be called after
    /// the last score.
    pub(crate) fn flush<A: Aggregator<S>>(&mut self, aggregator: &mut A) {
        if !self.scores.is_empty() {
            aggregator.observe_slice(self.first, &self.scores);
            self.scores.clear();
        }
    }
}
