//! The keys that many records share.

mod counters;
mod state;

use std::borrow::Borrow;
use std::cmp::Reverse;
use std::collections::hash_map::{Entry, HashMap};

use foldhash::fast::RandomState;
use serde::Serialize;

use super::Aggregator;
use super::hashing::{draw, hash_of};
use counters::Counters;

/// Keys for each `1 / share` that are held.
const KEYS_PER_SHARE: f64 = 32.0;
/// The smallest share that can be asked for. A state takes up to some 60 MB there.
const LEAST_SHARE: f64 = 0.0001;
/// The seed of the numbers that records draw. Any one will do.
const SEED: u64 = 0;

/// Finds the keys of at least a given share of the records. Answer: [`FrequentKeys`].
///
/// **Exact while there are at most 32 / `share` different keys** (3,200 for 1 %). With one more:
///
/// - A key with that share is listed, but for once in 10¹³: it is missed with a probability of at
///   most (1 − `share`)^(32 / `share`) < 1.3·10⁻¹⁴.
/// - No count is too low. It is too high by more than a quarter of `share` times the records with a
///   probability under 1 in 32,768 (of each key), and mostly by far less. So a key that is listed
///   has at least three quarters of `share`, but for that chance.
///
/// Up to 32 / `share` keys are counted one by one. Beyond, the counts live in a Count-Min sketch
/// (Cormode and Muthukrishnan, 2005) of 5 lines of as many counters, rounded up to a power of two;
/// and the keys to ask it for are those of the records with the lowest numbers, where each index has
/// a fixed one: a sample of the records that a key with many of them cannot escape, and in which it
/// is held once. The probabilities are over those numbers and hashes; data that was made to defeat
/// them can. **Partials from several machines need indices that differ**: give each its first index by
/// [`partial`](Aggregator::partial), since a state that was numbered from 0 cannot be
/// [shifted](super::Shift) later. If `d` records share each index and hold the same key there, as in
/// files that are sorted alike, a key is missed with a probability of up to
/// (1 − `share`)^(32 / (`d`·`share`)), which for 32 files is one in three. The counts are not
/// affected.
///
/// The answer depends on the records alone: not on their order, or how states were merged. That of
/// the usual summaries does (Misra and Gries, 1982; SpaceSaving: Metwally, Agrawal and El Abbadi,
/// 2005), since which key they drop depends on which they have met before.
///
/// Keys have an order, by which those that are equally frequent stand; a float has none, and its bits
/// do (`.of(|score: &f64| score.to_bits())`).
///
/// It saves memory, not time: where all keys fit in memory, counting each
/// [by itself](Aggregator::by_ref) is quicker.
///
/// A state takes what its keys take, and some 40 bytes more for each of up to twice 32 / `share`
/// keys; the sketch, 1,280 to 2,560 / `share` bytes (160 KiB for 1 %), is taken only with the first
/// key too many. A score costs its hash and a look into a table while exact, five counters after.
///
/// Keys are told apart as by [`Distinct`](super::Distinct): by a hash of what they serialise to, in
/// which all NaN are one and both zeros are one. A key is cloned when it is met first, and now and then
/// after. Where its borrowed form is serialised by itself, as `str` is for `String`, the two are to
/// serialise to the same.
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
    /// The most keys that are counted one by one, and that are held after.
    most: usize,
    records: u64,
    /// By hash. While exact, every key; after, those with the lowest numbers, and up to as many
    /// again: putting one of them out each time would cost more.
    keys: HashMap<u64, TrackedKey<K>, RandomState>,
    /// All counts, from the first key too many on.
    counters: Option<Counters>,
    /// The number that a record must not exceed for its key to enter.
    bar: u64,
}

#[derive(Debug, Clone)]
struct TrackedKey<K> {
    /// Of the records with this hash, the key of the one with the lowest number.
    key: K,
    number: u64,
    /// How many there were, while exact; 0 after.
    count: u64,
}

/// What [`Frequent`] answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FrequentKeys<K> {
    /// How many records there were in all.
    pub records: u64,
    /// Whether every key was counted by itself.
    pub exact: bool,
    /// The keys that at most that many records and at least the share asked for have, most frequent
    /// first, equal ones in their own order. The product of share and records is taken in `f64`.
    pub keys: Vec<FrequentKey<K>>,
}

/// A key that many records share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FrequentKey<K> {
    /// The key.
    pub key: K,
    /// How many records have it: exactly, or no more than this.
    pub at_most: u64,
}

impl<K> Frequent<K> {
    /// The keys that at least `share` of the records have: 0.01 for 1 %.
    ///
    /// # Panics
    ///
    /// Where the share is not between 0.0001 and 1. For smaller ones, count each key
    /// [by itself](Aggregator::by).
    pub fn above(share: f64) -> Frequent<K> {
        assert!(
            (LEAST_SHARE..=1.0).contains(&share),
            "a share of {share} cannot be asked for: 0.0001 to 1"
        );
        Frequent {
            share,
            most: (KEYS_PER_SHARE / share).ceil() as usize,
            records: 0,
            keys: HashMap::default(),
            counters: None,
            bar: u64::MAX,
        }
    }

    fn width(&self) -> usize {
        self.most.next_power_of_two()
    }

    /// Takes in a key, or what another state has seen of it.
    fn take(&mut self, hash: u64, mut seen: TrackedKey<K>) {
        if let Some(counters) = &mut self.counters {
            counters.add(hash, seen.count);
            seen.count = 0;
            if seen.number > self.bar {
                return;
            }
        }
        match self.keys.entry(hash) {
            Entry::Vacant(place) => {
                place.insert(seen);
            }
            Entry::Occupied(mut place) => {
                let held = place.get_mut();
                held.count = held.count.saturating_add(seen.count);
                if seen.number < held.number {
                    held.number = seen.number;
                    held.key = seen.key;
                }
            }
        }
        if self.counters.is_none() && self.keys.len() > self.most {
            self.pour();
        } else if self.keys.len() / 2 >= self.most {
            self.narrow();
        }
    }

    /// Moves the counts into counters.
    #[cold]
    fn pour(&mut self) {
        let mut counters = Counters::new(self.width());
        for (&hash, seen) in &mut self.keys {
            counters.add(hash, seen.count);
            seen.count = 0;
        }
        self.counters = Some(counters);
        self.narrow();
    }

    /// Keeps the keys with the lowest numbers.
    fn narrow(&mut self) {
        if self.keys.len() > self.most {
            // The hash counts where partials from several machines share an index.
            let mut order: Vec<(u64, u64)> = self
                .keys
                .iter()
                .map(|(&hash, seen)| (seen.number, hash))
                .collect();
            let (_, &mut last, _) = order.select_nth_unstable(self.most - 1);
            self.keys.retain(|&hash, seen| (seen.number, hash) <= last);
            self.bar = last.0;
        }
    }
}

impl<K: Ord> Frequent<K> {
    /// The answer, where no pipeline says what type the scores were of.
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
        // The hash counts where keys that differ compare as equal.
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
            if number > self.bar {
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
        debug_assert_eq!(self.share, later.share, "keys of different shares");
        let weight = |state: &Self| (state.counters.is_some(), state.keys.len());
        if weight(&later) > weight(self) {
            std::mem::swap(self, &mut later);
        }
        self.records = self.records.saturating_add(later.records);
        self.bar = self.bar.min(later.bar);
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
