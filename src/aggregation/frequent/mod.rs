//! The keys that many records share.

mod counters;
mod counts;
mod state;

use std::borrow::Borrow;
use std::cmp::Reverse;
use std::collections::hash_map::{Entry, HashMap};

use foldhash::fast::RandomState;
use serde::Serialize;

use super::Aggregator;
use super::hashing::{draw, hash_of};
use counters::Counters;

/// The number of keys that a state holds is this number divided by the share.
const KEYS_PER_SHARE: f64 = 32.0;
/// The smallest share accepted. A state then takes up to about 60 MB.
const LEAST_SHARE: f64 = 0.0001;
/// The seed of the random numbers of records. The value does not matter.
const SEED: u64 = 0;

/// Finds the keys that at least a given share of the records have. Answer: [`FrequentKeys`].
///
/// **Exact up to 32 / `share` different keys** (3,200 for 1 %). With more keys:
///
/// - A key with at least that share is almost certainly listed: the probability of missing it is at
///   most (1 − `share`)^(32 / `share`) < 1.3·10⁻¹⁴.
/// - No count is too low. For each key, the probability that its count is too high by more than a
///   quarter of `share` times the number of records is below 1 in 32,768; most counts are far
///   closer to the true counts. Except with that probability, a listed key therefore has at least
///   three quarters of `share`.
///
/// Up to 32 / `share` keys are counted exactly. Beyond that, the counts are kept in a Count-Min
/// sketch (Cormode and Muthukrishnan, 2005) of 5 lines of 32 / `share` counters, rounded up to a
/// power of two. Each index has a fixed random number, and the candidate keys are those of the
/// records with the lowest numbers. They are a sample of the records that almost certainly contains
/// every frequent key, and that holds each key once. The probabilities assume that these numbers
/// and hashes are random; data that were constructed with knowledge of them can invalidate the
/// probabilities. **Partials from several machines need indices that differ**: give each partial
/// its first index with [`partial`](Aggregator::partial), since a state that was numbered from 0
/// cannot be [shifted](super::Shift) later. If each index belongs to `d` records that all have the
/// same key, as in files that are sorted in the same way, a key is missed with a probability of up
/// to (1 − `share`)^(32 / (`d`·`share`)), which for 32 files is one in three. The counts are not
/// affected.
///
/// The answer depends on the records alone, not on their order or how states were merged. The
/// answers of the usual summaries (Misra and Gries, 1982; SpaceSaving: Metwally, Agrawal and El
/// Abbadi, 2005) do depend on the order, since which key they drop depends on the keys that they
/// have observed before.
///
/// Keys need an order, by which equally frequent keys are sorted. Floats have no total order, but
/// their bits do (`.of(|score: &f64| score.to_bits())`).
///
/// `Frequent` saves memory, not time: if all keys fit in memory, counting each key with
/// [`by_ref`](Aggregator::by_ref) is faster.
///
/// A state holds up to 64 / `share` keys. It takes the memory of these keys and about 40 bytes more
/// for each key. The sketch takes 1,280 to 2,560 / `share` bytes (160 KiB for 1 %), and is
/// allocated when the counts stop being exact. Observing a score takes a hash and a table look-up
/// while the counts are exact, and a hash and five counters after that.
///
/// Keys are compared as [`Distinct`](super::Distinct) compares values: by a hash of what they
/// serialise to. All NaN are one value, and both zeros are one value. A key is cloned when it is
/// new, and occasionally later. A key and its borrowed form must serialise to the same data, as
/// `String` and `str` do.
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
    /// While there are at most this many keys, each of them is counted exactly. Once there are more,
    /// this many keys are kept as candidates, and the counts are estimates.
    most: usize,
    records: u64,
    /// The keys that are kept, by their hash. While the counts are exact, all keys are kept. After
    /// that, the map holds the `most` keys with the lowest random numbers. It may hold up to `most`
    /// other keys as well, because they are removed many at a time, which is faster than to remove
    /// one key for each key that enters.
    keys: HashMap<u64, TrackedKey<K>, RandomState>,
    /// The counts of all keys; `None` until there are more than `most` keys.
    counters: Option<Counters>,
    /// The key of a record can enter the map only if the random number of the record is at most
    /// this one.
    threshold: u64,
}

#[derive(Debug, Clone)]
struct TrackedKey<K> {
    /// The key of the record with the lowest random number among the records with this hash.
    key: K,
    /// The random number of that record.
    number: u64,
    /// The number of records with this hash while the counts are exact, and 0 after that.
    count: u64,
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
        Frequent {
            share,
            most: (KEYS_PER_SHARE / share).ceil() as usize,
            records: 0,
            keys: HashMap::default(),
            counters: None,
            threshold: u64::MAX,
        }
    }

    fn width(&self) -> usize {
        self.most.next_power_of_two()
    }

    /// Adds one observation of a key, or all observations of the key by another state.
    fn take(&mut self, hash: u64, mut seen: TrackedKey<K>) {
        if let Some(counters) = &mut self.counters {
            counters.add(hash, seen.count);
            seen.count = 0;
            if seen.number > self.threshold {
                return;
            }
        }
        match self.keys.entry(hash) {
            Entry::Vacant(place) => {
                place.insert(seen);
            }
            Entry::Occupied(mut place) => {
                let known = place.get_mut();
                known.count = known.count.saturating_add(seen.count);
                if seen.number < known.number {
                    known.number = seen.number;
                    known.key = seen.key;
                }
            }
        }
        if self.counters.is_none() && self.keys.len() > self.most {
            self.start_sketch();
        } else if self.keys.len() / 2 >= self.most {
            self.narrow();
        }
    }

    /// Moves the counts into a sketch.
    #[cold]
    fn start_sketch(&mut self) {
        let mut counters = Counters::new(self.width());
        for (&hash, seen) in &mut self.keys {
            counters.add(hash, seen.count);
            seen.count = 0;
        }
        self.counters = Some(counters);
        self.narrow();
    }

    /// Keeps the `most` keys with the lowest numbers.
    fn narrow(&mut self) {
        if self.keys.len() > self.most {
            // The order also depends on the hash, because partials from several machines may have
            // the same index.
            let mut order: Vec<(u64, u64)> = self
                .keys
                .iter()
                .map(|(&hash, seen)| (seen.number, hash))
                .collect();
            let (_, &mut last, _) = order.select_nth_unstable(self.most - 1);
            self.keys.retain(|&hash, seen| (seen.number, hash) <= last);
            self.threshold = last.0;
        }
    }
}

impl<K: Ord> Frequent<K> {
    /// Returns the answer, without the need to name the type of the scores.
    #[must_use]
    pub fn finish(mut self) -> FrequentKeys<K> {
        if self.counters.is_some() {
            self.narrow();
        }
        let least = self.share * self.records as f64;
        let counters = self.counters.as_ref();
        let mut keys: Vec<(FrequentKey<K>, u64)> = self
            .keys
            .into_iter()
            .map(|(hash, seen)| {
                let at_most = counters.map_or(seen.count, |counters| counters.at_most(hash));
                let key = seen.key;
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
    Q: ToOwned<Owned = K> + Serialize + ?Sized,
    K: Borrow<Q> + Ord + Clone + Send + Sync,
{
    type Output = FrequentKeys<K>;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, index: u64, key: &Q) {
        let hash = hash_of(key);
        let number = draw(SEED, index);
        self.records += 1;
        if let Some(counters) = &mut self.counters {
            if number > self.threshold {
                counters.add(hash, 1);
                return;
            }
        } else if let Some(seen) = self.keys.get_mut(&hash) {
            seen.count += 1;
            if number < seen.number {
                seen.number = number;
                key.clone_into(&mut seen.key);
            }
            return;
        }
        let key = key.to_owned();
        self.take(
            hash,
            TrackedKey {
                key,
                number,
                count: 1,
            },
        );
    }

    fn merge(&mut self, mut later: Self) {
        debug_assert_eq!(self.share, later.share, "different shares");
        let weight = |state: &Self| (state.counters.is_some(), state.keys.len());
        if weight(&later) > weight(self) {
            std::mem::swap(self, &mut later);
        }
        self.records = self.records.saturating_add(later.records);
        self.threshold = self.threshold.min(later.threshold);
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
