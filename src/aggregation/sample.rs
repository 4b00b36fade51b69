//! A random sample of records.

use std::borrow::Borrow;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::hashing::draw;
use super::{Aggregator, Kind, State, StateError};

/// Draws `k` records uniformly, without replacement. Answer: `Vec<`[`Sampled`]`>`, ordered by
/// index.
///
/// Each index has a fixed random number: number `index` of SplitMix64 seeded with `seed` (Steele,
/// Lea and Flood, *Fast splittable pseudorandom number generators*, 2014). The `k` records with the
/// lowest numbers are the sample (the bottom-k method: Cohen and Kaplan, *Summarizing data using
/// bottom-k sketches*, 2007). Every set of `k` records is therefore equally likely, and **the same
/// seed draws the same records** on every machine, in any order, for every way of cutting the data.
/// Samples with the same seed are not independent, because each index has the same random number in
/// all of them; independent samples need different seeds. If there are at most `k` records, the
/// sample contains all of them.
///
/// Observing a score takes three multiplications and a comparison. About `k·(1 + log₂(n/k))` of `n`
/// scores enter the state and are cloned. A state holds at most 2·`k` clones. The values of the
/// scores have no effect on the choice. Scores must be `Clone`, and also serialisable if the state
/// is saved.
///
/// The index of a record decides whether it is drawn. **Partials from several machines need indices
/// that differ**: give each partial its first index with [`partial`](Aggregator::partial). A state
/// that was numbered from 0 cannot be [shifted](super::Shift) later, since records that it left out
/// might be drawn under their new indices. If records have the same index, each is still equally
/// likely to be drawn, but they are drawn together. If there are more of them than places in the
/// sample, which of them remain depends on the order of merging.
///
/// ```
/// use manyhands::aggregation::{Aggregator, Sample};
///
/// let mut sample = Sample::new(3, 42);
/// for (index, text) in ["a", "tale", "of", "two", "cities"].into_iter().enumerate() {
///     sample.observe(index as u64, text);
/// }
/// let sample = sample.finish();
/// let texts: Vec<&str> = sample.iter().map(|sampled| sampled.score.as_str()).collect();
/// assert_eq!(texts, ["tale", "of", "cities"]);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Sample<K> {
    size: usize,
    seed: u64,
    /// The largest random number with which a record can still enter.
    threshold: u64,
    /// The drawn records. There are up to 2·`size` of them, because removing a record whenever
    /// another enters would take more time.
    drawn: Vec<Drawn<K>>,
}

#[derive(Debug, Clone)]
struct Drawn<K> {
    number: u64,
    sampled: Sampled<K>,
}

/// A record that was drawn, and its score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sampled<S> {
    /// The index of the record, counted from 0.
    pub index: u64,
    /// The score.
    pub score: S,
}

impl<K> Sample<K> {
    /// Creates a sample of `k` records, drawn with this seed.
    pub fn new(k: usize, seed: u64) -> Sample<K> {
        Sample {
            size: k,
            seed,
            threshold: u64::MAX,
            drawn: Vec::new(),
        }
    }

    /// Returns the answer, without the need to name the type of the scores.
    #[must_use]
    pub fn finish(self) -> Vec<Sampled<K>> {
        self.sorted()
    }

    #[inline(never)]
    fn enter(&mut self, drawn: Drawn<K>) {
        self.drawn.push(drawn);
        if self.drawn.len() / 2 >= self.size {
            self.narrow();
        }
    }

    /// Keeps the `size` records with the lowest numbers.
    fn narrow(&mut self) {
        if self.size == 0 {
            self.drawn.clear();
        } else if self.drawn.len() > self.size {
            let last = self.size - 1;
            let (_, last, _) = self
                .drawn
                .select_nth_unstable_by_key(last, |drawn| drawn.number);
            self.threshold = last.number;
            self.drawn.truncate(self.size);
        }
    }

    /// Returns the drawn records, ordered by index.
    fn sorted(mut self) -> Vec<Sampled<K>> {
        self.narrow();
        let sampled = self.drawn.into_iter().map(|drawn| drawn.sampled);
        let mut sampled: Vec<Sampled<K>> = sampled.collect();
        sampled.sort_unstable_by_key(|sampled| sampled.index);
        sampled
    }
}

impl<S, K> Aggregator<S> for Sample<K>
where
    S: ToOwned<Owned = K> + ?Sized,
    K: Borrow<S> + Clone + Send + Sync,
{
    type Output = Vec<Sampled<K>>;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, index: u64, score: &S) {
        let number = draw(self.seed, index);
        if number <= self.threshold {
            let score = score.to_owned();
            self.enter(Drawn {
                number,
                sampled: Sampled { index, score },
            });
        }
    }

    fn merge(&mut self, mut later: Self) {
        let setup = |sample: &Self| (sample.size, sample.seed);
        debug_assert_eq!(
            setup(self),
            setup(&later),
            "samples of different size or seed"
        );
        if later.drawn.len() > self.drawn.len() {
            std::mem::swap(self, &mut later);
        }
        self.threshold = self.threshold.min(later.threshold);
        for drawn in later.drawn {
            if drawn.number <= self.threshold {
                self.enter(drawn);
            }
        }
    }

    fn finish(self) -> Vec<Sampled<K>> {
        self.sorted()
    }
}

impl<K: Clone + Send + Serialize + DeserializeOwned> State for Sample<K> {
    /// The index and the score of each drawn record, ordered by index.
    type Plain = Vec<(u64, K)>;

    fn kind(&self) -> Kind {
        Kind::new("sample", 1).with(&(self.size as u64, self.seed))
    }

    fn into_plain(self) -> Self::Plain {
        let sampled = self.sorted().into_iter();
        sampled
            .map(|Sampled { index, score }| (index, score))
            .collect()
    }

    fn restore(&self, plain: Self::Plain) -> Result<Self, StateError> {
        // Records can have the same index if several machines counted from 0.
        if plain.len() > self.size || !plain.is_sorted_by_key(|record| record.0) {
            return Err(StateError::Impossible(
                "a sample with too many records, or out of order",
            ));
        }
        let mut sample = Sample::new(self.size, self.seed);
        let drawn = plain.into_iter().map(|(index, score)| Drawn {
            number: draw(self.seed, index),
            sampled: Sampled { index, score },
        });
        sample.drawn = drawn.collect();
        Ok(sample)
    }
}
