//! The laws of [`Shift`]: shards that were each numbered from 0 give the result of one run over all
//! records.

use std::fmt::Debug;

use serde::Serialize;

use super::shape::{Shape, SplitMix64};
use super::{Laws, rounds};
use crate::aggregation::{Aggregator, Shift, State};

const SHIFTED: &str = "the same when shards are numbered from 0 and shifted";

/// Checks that a state can be [shifted](Shift) as that trait promises, for these scores.
///
/// The records are cut into shards in many ways, including some with empty shards. Each shard is
/// observed with indices from 0, and shards are merged with their neighbours along many trees.
/// Before a merge, the later shard is shifted by the number of records in the earlier shard. Some
/// states are saved and loaded before they are shifted. The answer and the saved bytes are compared
/// with those of one plain loop over all records. All random choices follow from fixed seeds.
///
/// [`assert_laws`](super::super::assert_laws) checks everything else.
///
/// # Panics
///
/// Panics if a law is broken. The message contains the law, the seed and how the records were cut
/// into shards.
///
/// ```
/// use manyhands::aggregation::{Extrema, assert_shift_laws};
///
/// assert_shift_laws(Extrema::new(), &[0.5, -1.0, 0.5, -1.0, 0.25]);
/// ```
pub fn assert_shift_laws<S, A>(aggregator: A, scores: &[S])
where
    A: Aggregator<S> + State + Shift,
    A::Output: Serialize + Debug,
{
    let laws = Laws::new(aggregator, scores);
    let all = || laws.observed(0..scores.len());
    laws.compare(laws.moved(all(), 0), SHIFTED, &"all records, shifted by 0");
    laws.moved_on();
    for seed in 0..rounds(scores.len()) {
        laws.sharded(seed);
    }
}

impl<S, A> Laws<'_, S, A>
where
    A: Aggregator<S> + State + Shift,
    A::Output: Serialize + Debug,
{
    /// Checks a state that observes more records after it was shifted.
    fn moved_on(&self) {
        let (half, all) = (self.scores.len() / 2, self.scores.len());
        let mut state = self.fresh.clone();
        for record in half..all {
            state.observe((record - half) as u64, &self.scores[record]);
        }
        let mut earlier = self.moved(self.fresh.clone(), half as u64);
        self.observe(&mut earlier, 0..half);
        earlier.merge(self.moved(state, half as u64));
        let what = "a fresh state that was shifted and then observed records";
        self.compare(earlier, SHIFTED, &what);
    }

    /// Checks shards that are merged with their neighbours. Until a merge, each shard is numbered
    /// from its own first record.
    fn sharded(&self, seed: u64) {
        let mut random = SplitMix64(seed);
        let shape = Shape::cut(self.scores.len(), seed, &mut random);
        let shards = shape.parts.iter().map(|shard| {
            let mut state = self.fresh.clone();
            for (index, &record) in (0..).zip(shard) {
                state.observe(index, &self.scores[record]);
            }
            (state, shard.len() as u64)
        });
        let mut shards: Vec<(A, u64)> = shards.collect();
        for merge in &shape.merges {
            let (mut later, records) = shards.remove(merge.from);
            let (earlier, before) = &mut shards[merge.into];
            if random.below(2) == 0 {
                later = self.loaded(&self.fresh, &later.save(), &shape);
            }
            let later = self.moved(later, *before);
            self.merge_travelled(earlier, later, merge);
            *before += records;
        }
        let (state, _) = shards.remove(0);
        self.compare(state, SHIFTED, &shape);
    }

    fn moved(&self, state: A, by: u64) -> A {
        match state.shift(by) {
            Ok(shifted) => shifted,
            Err(error) => panic!("the aggregator is not {SHIFTED}: a shift by {by}: {error}"),
        }
    }
}
