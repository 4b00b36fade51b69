//! The keys that many records share.

mod counters;
mod least_count;
mod state;

use std::borrow::Borrow;
use std::cmp::Reverse;
use std::collections::hash_map::{Entry, HashMap};

use foldhash::fast::RandomState;
use serde::Serialize;

use super::Aggregator;
use super::hashing::hash_of;
use counters::Counters;
use least_count::LeastCount;

/// Number of keys that are counted exactly, multiplied by the share.
const KEYS_PER_SHARE: f64 = 32.0;
/// The smallest share accepted. A state then takes up to about 80 MB.
const LEAST_SHARE: f64 = 0.0001;

/// A key becomes a candidate if its lowest counter is at least this many eighths of the share.
const ENTERS: u64 = 1;
/// A candidate is in the plain data if its lowest counter is at least this many eighths of the share,
/// and its counter in the first line at least [`STAYS_BY_FIRST`] eighths.
const STAYS: u64 = 3;
const STAYS_BY_FIRST: u64 = 4;

/// Finds the keys that at least a given share of the records have. Answer: [`FrequentKeys`].
///
/// **Exact up to 32 / `share` different keys** (3,200 for 1 %). With more keys, the counts are kept
/// in a Count-Min sketch (Cormode and Muthukrishnan, 2005) of 12 lines of 32 / `share` counters,
/// rounded up to a power of two. Then:
///
/// - A key with at least that share is always listed, and no count is too low.
/// - For each key, the probability that its count is too high by more than a quarter of `share`
///   times the number of records is below 8⁻¹² (1 in 68 billion); most counts are far closer to the
///   true counts. Except with that probability, a listed key therefore has at least three quarters
///   of `share`.
/// - The answer depends on the records alone, not on their indices, their order, or how states were
///   saved and merged, unless a key with less than half of `share` is counted as if it had `share`.
///   For each key, the probability of this is below 16⁻¹² (1 in 280 trillion).
///
/// The probabilities assume that the hashes of the keys are random. Data that were constructed with
/// knowledge of the hashes can make counts too high, make the answer depend on the order, and make a
/// state grow with each such key. They can hide a frequent key only behind another key that has the
/// same hash of 64 bits, and cannot make a count too low.
///
/// # Candidates
///
/// A sketch has no keys, so a state also holds the keys that may be frequent. When a key is
/// observed, the lowest of its 12 counters is an upper bound on its count so far. The key becomes a
/// candidate if this bound is at least an eighth of `share` times the number of records so far.
/// Candidates whose bound has become lower than that are removed when there are too many. The plain
/// data of a state holds the candidates whose bound is at least three eighths of `share`, and whose
/// counter in the first line is at least half of `share`.
///
/// Every key with at least half of `share` is a candidate, by induction. At its last record, its
/// bound is at least its final count, and there are at most as many records as at the end, so it
/// becomes a candidate. It is never removed, since its bound is never lower than its count. If
/// two states merge, it has at least half of `share` in one of them, and so that state holds it: if
/// it had less in both, it would have less in their sum. A state with exact counts holds all of its
/// keys. If such a state merges with a sketch, or becomes one, its counts are added to the counters,
/// and its keys become candidates by the same rule as if all of their records were observed at that
/// moment.
///
/// In each line, other keys add records / width ≤ `share` · records / 32 to the counter of a key on
/// average. By Markov's inequality, they add more than a quarter of `share` with a probability of at
/// most 1/8, and more than half of `share` with a probability of at most 1/16. The lines are
/// independent.
///
/// States that observed and merged the same records in different ways have the same plain data,
/// too. For states that were merged without being loaded, the exception is a key with less than an
/// eighth of `share` whose counts in all lines are too high by a quarter of `share`, and in the first
/// line by three eighths of it (a probability below 8⁻¹¹ / 12 for each key). After states were saved,
/// **loaded and merged**, the probability is not negligible: the plain data may lack a key that has
/// less than half of `share`, but would be in the plain data of a single run, because each part has
/// dropped it. A rule that depends on the lowest counter alone would often do this to keys that are
/// close to its bound, since the lowest counters of the parts do not add up to that of the whole. The
/// counters in the first line do add up. This can therefore only happen to a key that, in one of the
/// parts, shares its first counter with other keys that have an eighth of `share` or more. The
/// answer is the same in any case.
///
/// # Keys
///
/// The answers of the usual summaries (Misra and Gries, 1982; SpaceSaving: Metwally, Agrawal and El
/// Abbadi, 2005) depend on the order of the records, since which key they drop depends on the keys
/// that they have observed before.
///
/// Keys need an order, by which equally frequent keys are sorted. Floats have no total order, but
/// their bits do (`.of(|score: &f64| score.to_bits())`).
///
/// `Frequent` saves memory, not time: if all keys fit in memory, counting each key with
/// [`by_ref`](Aggregator::by_ref) is faster.
///
/// A state holds up to 32 / `share` keys. It takes the memory of these keys and about 40 bytes more
/// for each key. The sketch takes 3,072 to 6,144 / `share` bytes (384 KiB for 1 %), and is allocated
/// when the counts stop being exact. Observing a score takes a hash and a table look-up while the
/// counts are exact, and after that a hash, twelve counters, and a table look-up if the key may be
/// frequent.
///
/// Keys are compared as [`Distinct`](super::Distinct) compares values: by a hash of what they
/// serialise to. All NaN are one value, and both zeros are one value. Of keys that serialise to the
/// same data, the least is listed. (With a sketch, this is the least of those that were observed
/// while the key was a candidate.) A key is cloned when it becomes a candidate. A key and its
/// borrowed form must serialise to the same data and have the same order, as `String` and `str` do.
///
/// ```
/// use manyhands::aggregation::{Aggregator, Frequent};
///
/// struct Review { city: String }
///
/// let mut cities = Frequent::above(0.4).of_ref(|review: &Review| review.city.as_str());
/// for (index, city) in ["Oslo", "Rome", "Oslo", "Bern", "Oslo"].into_iter().enumerate() {
///     cities.observe(index as u64, &Review { city: city.to_owned() });
/// }
/// let cities = cities.finish();
/// assert!(cities.exact && cities.records == 5);
/// assert_eq!(cities.keys.len(), 1);
/// assert_eq!((cities.keys[0].key.as_str(), cities.keys[0].at_most), ("Oslo", 3));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Frequent<K> {
    share: f64,
    least: LeastCount,
    /// The largest number of keys that are counted exactly.
    most: usize,
    records: u64,
    /// All keys while the counts are exact, and the candidates after that, by their hash.
    keys: HashMap<u64, TrackedKey<K>, RandomState>,
    /// The counts of all keys; `None` until there are more than `most` keys.
    counters: Option<Counters>,
    /// Candidates are removed when there are more than this. It is at least `most`, and at least
    /// twice as many as were left after the last removal, so that a removal is rare.
    room: usize,
}

#[derive(Debug, Clone)]
struct TrackedKey<K> {
    /// The least key that was observed with this hash.
    key: K,
    /// The number of records with this hash while the counts are exact, and 0 after that.
    count: u64,
}

impl<K: Ord> TrackedKey<K> {
    /// Adds what another state has observed of the same hash.
    fn absorb(&mut self, other: TrackedKey<K>) {
        self.count = self.count.saturating_add(other.count);
        if other.key < self.key {
            self.key = other.key;
        }
    }
}

/// The answer of [`Frequent`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FrequentKeys<K> {
    /// Number of records.
    pub records: u64,
    /// Whether every key was counted exactly.
    pub exact: bool,
    /// The keys whose count is at least the share times the number of records (a product in `f64`).
    /// The most frequent key comes first; equally frequent keys are ordered by the key.
    pub keys: Vec<FrequentKey<K>>,
}

/// A key that many records share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FrequentKey<K> {
    /// The key.
    pub key: K,
    /// An upper bound on the number of records with this key; the exact number if the answer is
    /// exact.
    pub at_most: u64,
}

impl<K> Frequent<K> {
    /// Finds the keys that at least `share` of the records have: 0.01 for 1 %.
    ///
    /// # Panics
    ///
    /// Panics if the share is not between 0.0001 and 1. For smaller shares, count each key with
    /// [`by`](Aggregator::by).
    pub fn above(share: f64) -> Frequent<K> {
        assert!(
            (LEAST_SHARE..=1.0).contains(&share),
            "the share must be between 0.0001 and 1, not {share}"
        );
        let most = (KEYS_PER_SHARE / share).ceil() as usize;
        Frequent {
            share,
            least: LeastCount::new(share),
            most,
            records: 0,
            keys: HashMap::default(),
            counters: None,
            room: most,
        }
    }

    fn width(&self) -> usize {
        self.most.next_power_of_two()
    }

    /// The count of each key, in no particular order. Returns the state itself if the counts are
    /// not exact.
    pub(crate) fn into_counts(self) -> Result<Vec<(K, u64)>, Self> {
        match self.counters {
            Some(_) => Err(self),
            None => {
                let keys = self.keys.into_values();
                Ok(keys.map(|known| (known.key, known.count)).collect())
            }
        }
    }

    /// Moves the counts into a sketch.
    #[cold]
    fn start_sketch(&mut self) {
        let mut counters = Counters::new(self.width());
        for (&hash, known) in &mut self.keys {
            counters.add(hash, known.count);
            known.count = 0;
        }
        self.counters = Some(counters);
        self.remove_rare_keys();
    }

    /// Removes the keys that are no candidates any more.
    #[cold]
    fn remove_rare_keys(&mut self) {
        let (least, records) = (self.least, self.records);
        if let Some(counters) = &self.counters {
            let may_stay = |hash| least.is_reached(ENTERS, counters.at_most(hash), records);
            self.keys.retain(|&hash, _| may_stay(hash));
        }
        self.room = self.most.max(2 * self.keys.len());
    }
}

/// Whether a candidate with this hash is part of the plain data.
fn stays(least: LeastCount, counters: &Counters, hash: u64, records: u64) -> bool {
    least.is_reached(STAYS, counters.at_most(hash), records)
        && least.is_reached(STAYS_BY_FIRST, counters.first(hash), records)
}

impl<K: Ord> Frequent<K> {
    /// Adds a key with all records that another state has observed of it. `records` must already
    /// contain them.
    fn take(&mut self, hash: u64, mut seen: TrackedKey<K>) {
        if let Some(counters) = &mut self.counters {
            let at_most = counters.add(hash, seen.count);
            seen.count = 0;
            if !self.least.is_reached(ENTERS, at_most, self.records) {
                return;
            }
        }
        self.hold(hash, seen);
    }

    /// Inserts a key, or adds to it what was observed of it.
    fn hold(&mut self, hash: u64, seen: TrackedKey<K>) {
        match self.keys.entry(hash) {
            Entry::Vacant(place) => {
                place.insert(seen);
            }
            Entry::Occupied(mut place) => place.get_mut().absorb(seen),
        }
        if self.counters.is_none() && self.keys.len() > self.most {
            self.start_sketch();
        } else if self.keys.len() > self.room {
            self.remove_rare_keys();
        }
    }

    /// Returns the answer, without the need to name the type of the scores.
    #[must_use]
    pub fn finish(self) -> FrequentKeys<K> {
        let least = self.share * self.records as f64;
        let counters = self.counters.as_ref();
        let mut keys: Vec<(FrequentKey<K>, u64)> = self
            .keys
            .into_iter()
            .map(|(hash, known)| {
                let at_most = counters.map_or(known.count, |counters| counters.at_most(hash));
                let key = known.key;
                (FrequentKey { key, at_most }, hash)
            })
            .filter(|(frequent, _)| frequent.at_most as f64 >= least)
            .collect();
        // The order also depends on the hash, because different keys may compare as equal.
        keys.sort_unstable_by(|(one, hash), (other, other_hash)| {
            let frequency = |frequent: &FrequentKey<K>| Reverse(frequent.at_most);
            frequency(one)
                .cmp(&frequency(other))
                .then_with(|| one.key.cmp(&other.key))
                .then(hash.cmp(other_hash))
        });
        FrequentKeys {
            records: self.records,
            exact: counters.is_none(),
            keys: keys.into_iter().map(|(frequent, _)| frequent).collect(),
        }
    }
}

impl<Q, K> Aggregator<Q> for Frequent<K>
where
    Q: ToOwned<Owned = K> + Ord + Serialize + ?Sized,
    K: Borrow<Q> + Ord + Clone + Send + Sync,
{
    type Output = FrequentKeys<K>;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, _index: u64, key: &Q) {
        let hash = hash_of(key);
        self.records += 1;
        let one = match &mut self.counters {
            Some(counters) => {
                let at_most = counters.add(hash, 1);
                if !self.least.is_reached(ENTERS, at_most, self.records) {
                    return;
                }
                0
            }
            None => 1,
        };
        if let Some(known) = self.keys.get_mut(&hash) {
            known.count += one;
            if key < known.key.borrow() {
                key.clone_into(&mut known.key);
            }
        } else {
            let key = key.to_owned();
            self.hold(hash, TrackedKey { key, count: one });
        }
    }

    fn merge(&mut self, mut later: Self) {
        debug_assert_eq!(self.share, later.share, "different shares");
        let weight = |state: &Self| (state.counters.is_some(), state.keys.len());
        if weight(&later) > weight(self) {
            std::mem::swap(self, &mut later);
        }
        self.records = self.records.saturating_add(later.records);
        if let (Some(counters), Some(later)) = (&mut self.counters, &later.counters) {
            counters.merge(later);
        }
        for (hash, seen) in later.keys {
            self.take(hash, seen);
        }
    }

    fn finish(self) -> FrequentKeys<K> {
        self.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burst(state: &mut Frequent<u64>, key: u64, records: u64) {
        for _ in 0..records {
            Aggregator::<u64>::observe(state, 0, &key);
        }
    }

    /// Each key in turn has an eighth of the records so far, and so becomes a candidate.
    #[test]
    fn candidates_are_removed_when_there_are_too_many() {
        let mut state = Frequent::above(1.0);
        (0..33).for_each(|key| burst(&mut state, key, 2));
        for key in 100..160 {
            let records = state.records / 7 + 1;
            burst(&mut state, key, records);
            assert!(state.keys.contains_key(&hash_of(&key)));
            assert!(state.keys.len() <= 32);
        }
        let records = state.records;
        for index in 0..100 {
            let mut other = Frequent::above(1.0);
            (0..33).for_each(|key| burst(&mut other, (1 << 20) + 33 * index + key, 2));
            burst(&mut other, (1 << 30) + index, 20);
            Aggregator::<u64>::merge(&mut state, other);
            assert!(state.keys.len() <= 32);
        }
        assert_eq!(state.records, records + 8_600);
        assert!(state.keys.contains_key(&hash_of(&159_u64)));
    }
}
