//! Some records, drawn at random.

use std::borrow::Borrow;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::hashing::draw;
use super::{Aggregator, Kind, State, StateError};

/// Draws `k` records uniformly, without replacement. Answer: `Vec<`[`Sampled`]`>`, by index.
///
/// Each index has a fixed number: the one that SplitMix64, seeded with `seed`, gives at that place
/// (Steele, Lea and Flood, *Fast splittable pseudorandom number generators*, 2014). The records with
/// the `k` lowest are the sample (the bottom-k method: Cohen and Kaplan, *Summarizing data using
/// bottom-k sketches*, 2007), so every set of `k` records is as likely as any other, and **the same
/// seed draws the same records** on every machine, in any order, for every way of cutting the data.
/// Two samples with one seed agree in the records they have in common; for independent ones, take
/// two seeds. Where there are `k` records or fewer, the sample is all of them.
///
/// A score costs three multiplications and a comparison; of those that enter, about
/// `k·(1 + log₂(n/k))` of `n`, a copy is kept. A state holds 2·`k` copies at most. The scores
/// themselves play no part, whatever they are; they can be cloned, and a state that leaves the
/// process serialises them.
///
/// The index of a record decides whether it is drawn. **Partials from several machines need indices
/// that differ**: give each its first index by [`partial`](Aggregator::partial). A state that was
/// numbered from 0 cannot be [shifted](super::Shift) later, since records that it left out might be
/// drawn under their new indices. If records share an index, each is as likely to be drawn as before,
/// but they are drawn together, and if they are too many, the order of merging decides which remain.
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
    /// The number that a record must not exceed to enter.
    bar: u64,
    /// Those drawn, and up to as many again: putting one of them out each time would cost more.
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
    /// Its score.
    pub score: S,
}

impl<K> Sample<K> {
    /// A sample of `k` records, by the numbers of this seed.
    pub fn new(k: usize, seed: u64) -> Sample<K> {
        Sample {
            size: k,
            seed,
            bar: u64::MAX,
            drawn: Vec::new(),
        }
    }

    /// The answer, where no pipeline says what type the scores were of.
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

    /// Keeps the lowest.
    fn narrow(&mut self) {
        if self.size == 0 {
            self.drawn.clear();
        } else if self.drawn.len() > self.size {
            let last = self.size - 1;
            let (_, last, _) = self
                .drawn
                .select_nth_unstable_by_key(last, |drawn| drawn.number);
            self.bar = last.number;
            self.drawn.truncate(self.size);
        }
    }

    /// Those drawn, by index.
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
        if number <= self.bar {
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
            "samples that differ in size or seed"
        );
        if later.drawn.len() > self.drawn.len() {
            std::mem::swap(self, &mut later);
        }
        self.bar = self.bar.min(later.bar);
        for drawn in later.drawn {
            if drawn.number <= self.bar {
                self.enter(drawn);
            }
        }
    }

    fn finish(self) -> Vec<Sampled<K>> {
        self.sorted()
    }
}

impl<K: Clone + Send + Serialize + DeserializeOwned> State for Sample<K> {
    /// Index and score of those drawn, by index.
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
        // Equal indices are what machines come to that all counted from 0.
        if plain.len() > self.size || !plain.is_sorted_by_key(|record| record.0) {
            return Err(StateError::Impossible(
                "the records of a sample are too many, or out of order",
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
