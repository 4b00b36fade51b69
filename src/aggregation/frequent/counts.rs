//! The exact counts of a state of [`Frequent`], apart from the indices of the records.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Frequent;
use super::state::PlainFrequent;
use crate::aggregation::hashing::draw;
use crate::aggregation::{State, StateError};

/// The largest number of random numbers that are drawn for a key.
const MOST_DRAWS: u64 = 1 << 12;

impl<K> Frequent<K> {
    /// The count of each key, in no particular order. Returns the state itself if the counts are not exact.
    pub(crate) fn into_counts(self) -> Result<Vec<(K, u64)>, Self> {
        match self.counters {
            Some(_) => Err(self),
            None => {
                let keys = self.keys.into_values();
                Ok(keys.map(|seen| (seen.key, seen.count)).collect())
            }
        }
    }
}

impl<K> Frequent<K> {
    /// Replaces the random numbers of the records, which were drawn by their indices, by numbers that are drawn by their
    /// keys and by `seed`. This makes states independent whose records were numbered alike, if their seeds differ.
    /// Returns false and changes nothing if the counts are not exact, since other records have then been dropped because
    /// of their numbers.
    ///
    /// As long as there are not too many keys, the state does not differ in anything else. After that, its candidates
    /// may be others, but they are a random sample of the records all the same, so the [guarantee](Frequent) holds.
    pub(crate) fn draw_anew(&mut self, seed: u64) -> bool {
        if self.counters.is_some() {
            return false;
        }
        for (hash, seen) in &mut self.keys {
            seen.number = number_of(hash ^ draw(0, seed), seen.count);
        }
        true
    }
}

impl<K: Clone + Send + Serialize + DeserializeOwned> Frequent<K> {
    /// Returns a state, configured like this one, that has observed each key as often as its count says. The numbers of
    /// the records are [drawn by their keys](Frequent::draw_anew).
    ///
    /// # Errors
    ///
    /// Returns an error if there are too many keys, if a key occurs twice, or if a count is 0.
    pub(crate) fn with_counts(
        &self,
        counts: impl IntoIterator<Item = (K, u64)>,
    ) -> Result<Self, StateError> {
        let keys = (0..).zip(counts);
        let keys = keys.map(|(number, (key, count))| (number, key, count));
        let mut state = self.restore(PlainFrequent::Exact(keys.collect()))?;
        state.draw_anew(0);
        Ok(state)
    }
}

/// The lowest of `count` random numbers that are drawn with this seed. If there are many, only some are drawn, and the
/// lowest of them is divided, so that it is as low as the lowest of all would be on average.
fn number_of(seed: u64, count: u64) -> u64 {
    let draws = count.clamp(1, MOST_DRAWS);
    let numbers = (0..draws).map(|rank| draw(seed, rank));
    numbers.min().unwrap_or_default() / (count / draws).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregation::Aggregator;
    use crate::aggregation::hashing::hash_of;

    fn observed(keys: u64, records: u64) -> Frequent<u64> {
        let mut state = Frequent::above(1.0);
        for index in 0..records {
            state.observe(index, &(index % keys));
        }
        state
    }

    #[test]
    fn exact_counts_are_all_that_a_state_needs() {
        let counts = observed(32, 100).into_counts().expect("exact counts");
        let state = observed(1, 0).with_counts(counts).expect("a state");
        assert_eq!(state.clone().finish(), observed(32, 100).finish());
        let mut counts = state.into_counts().expect("exact counts");
        counts.sort_unstable();
        let expected: Vec<_> = (0..32)
            .map(|key| (key, if key < 4 { 4 } else { 3 }))
            .collect();
        assert_eq!(counts, expected);
        assert!(observed(33, 100).into_counts().is_err());
        for bad in [
            vec![(1, 0)],
            vec![(1, 2), (1, 3)],
            (0..33).map(|key| (key, 1)).collect(),
        ] {
            assert!(observed(1, 0).with_counts(bad).is_err());
        }
    }

    /// The share of the keys with a high count among the lowest numbers is about their share of the records.
    #[test]
    fn keys_with_higher_counts_have_lower_numbers() {
        for count in [2, 100, MOST_DRAWS, 1 << 40] {
            let lower = (0..10_000_u64).filter(|key| {
                let (one, other) = (hash_of(key), hash_of(&(key, "other")));
                number_of(one, 2 * count) < number_of(other, count)
            });
            let share = lower.count() as f64 / 10_000.0;
            assert!((0.64..0.69).contains(&share), "{count}: {share}");
        }
    }
}
