//! How many different values there are.

mod registers;
mod small_set;

use serde::{Deserialize, Serialize};

use super::hashing::hash_of;
use super::{Aggregator, Kind, State, StateError};
use registers::Registers;
use small_set::{MOST, SmallSet};

/// Counts different values, of any type that can be serialised. Answer: [`DistinctCount`].
///
/// **Exact up to 1,024** different values; beyond, an estimate with a standard error of **0.81 %**,
/// from HyperLogLog with 2¹⁴ registers (Flajolet and others, 2007) and Ertl's estimator
/// (<https://arxiv.org/abs/1702.01284>). Values are told apart by a 64-bit hash (XXH3-64 of what
/// their `Serialize` writes), so exact is up to two values that share a hash: of 1,024, once in 35
/// million million runs. Whoever knows the hash can make
/// such values.
///
/// The answer depends on the set of values alone: not on their order, how often each occurs, or how
/// states were merged. A state takes nothing at first, and 16 KiB at most. A score costs its hash,
/// a few nanoseconds for numbers and short texts.
///
/// Two values are the same where they serialise to the same: a `&str` and a `String`, but not
/// numbers of different width. **All NaN are one value, both zeros are one**, wherever they stand
/// inside; infinities and subnormals are values like any other. Of JSON, 0 and 0.0 are one value, and
/// so are a whole number and the fraction that has its bits: what serialises without a word on its
/// type (untagged enums do) is told apart by its bytes alone. A map that iterates in hash order is
/// not the same value twice.
///
/// To [`map`](Aggregator::map) the answer, say first what is counted: `Distinct::new()` alone is an
/// aggregator of scores of any type, and `.of(|score: &u64| *score)` one of `u64`.
///
/// # Panics
///
/// Observing panics where the value's own `Serialize` fails, or does not tell the length of a
/// sequence beforehand (as `#[serde(flatten)]` does not).
///
/// ```
/// use manyhands::aggregation::{Aggregator, Distinct};
///
/// struct Review { city: String }
///
/// let mut cities = Distinct::new().of_ref(|review: &Review| review.city.as_str());
/// for (index, city) in ["Oslo", "Rome", "Oslo"].into_iter().enumerate() {
///     cities.observe(index as u64, &Review { city: city.to_owned() });
/// }
/// let cities = cities.finish();
/// assert_eq!((cities.count, cities.exact), (2, true));
///
/// let mut scores = Distinct::new();
/// for index in 0..100_000 {
///     scores.observe(index, &(index as f64));
/// }
/// let scores = scores.finish();
/// assert!(!scores.exact && scores.count.abs_diff(100_000) < 3 * 810);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Distinct {
    hashes: DistinctHashes,
}

/// Which of the two it is depends on the set of hashes alone: a few are few until one more comes.
#[derive(Debug, Clone)]
enum DistinctHashes {
    Few(SmallSet),
    Many(Registers),
}

/// What [`Distinct`] answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DistinctCount {
    /// How many different values there were, or the estimate rounded to a whole number.
    pub count: u64,
    /// Whether they were counted and not estimated.
    pub exact: bool,
}

/// What a [`Distinct`] has come to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum PlainDistinct {
    /// The hashes, ascending.
    Few(Vec<u64>),
    /// The rank of each register.
    Many(Vec<u8>),
}

impl Distinct {
    /// The standard deviation of an estimate, relative to the true count: 1.04 / √2¹⁴.
    pub const STANDARD_ERROR: f64 = 0.0081;

    /// Nothing hashes yet.
    pub fn new() -> Distinct {
        Distinct::default()
    }

    /// The answer, where no pipeline says what type the scores were of.
    #[must_use]
    pub fn finish(self) -> DistinctCount {
        match self.hashes {
            DistinctHashes::Few(few) => DistinctCount {
                count: few.count() as u64,
                exact: true,
            },
            DistinctHashes::Many(registers) => DistinctCount {
                count: (registers.estimate().round() as u64).max(MOST as u64 + 1),
                exact: false,
            },
        }
    }

    #[inline]
    fn insert(&mut self, hash: u64) {
        match &mut self.hashes {
            DistinctHashes::Many(registers) => registers.insert(hash),
            DistinctHashes::Few(few) => {
                if !few.insert(hash) {
                    self.hashes = DistinctHashes::pour(few, hash);
                }
            }
        }
    }
}

impl Default for DistinctHashes {
    fn default() -> DistinctHashes {
        DistinctHashes::Few(SmallSet::default())
    }
}

impl DistinctHashes {
    #[cold]
    fn pour(few: &SmallSet, one_more: u64) -> DistinctHashes {
        let mut registers = Registers::new();
        registers.insert(one_more);
        few.hashes().for_each(|hash| registers.insert(hash));
        DistinctHashes::Many(registers)
    }

    fn count(&self) -> usize {
        match self {
            DistinctHashes::Few(few) => few.count(),
            DistinctHashes::Many(_) => usize::MAX,
        }
    }
}

impl<S: Serialize + ?Sized> Aggregator<S> for Distinct {
    type Output = DistinctCount;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, _index: u64, score: &S) {
        // 0 marks a vacant place; that it shares a hash with 1 is one more chance in 2⁶⁴.
        self.insert(hash_of(score).max(1));
    }

    fn merge(&mut self, mut later: Distinct) {
        if later.hashes.count() > self.hashes.count() {
            std::mem::swap(self, &mut later);
        }
        match (&mut self.hashes, later.hashes) {
            (DistinctHashes::Many(registers), DistinctHashes::Many(later)) => {
                registers.merge(&later)
            }
            (_, DistinctHashes::Few(few)) => few.hashes().for_each(|hash| self.insert(hash)),
            // The larger of the two is on the left.
            (DistinctHashes::Few(_), many) => self.hashes = many,
        }
    }

    fn finish(self) -> DistinctCount {
        self.finish()
    }
}

impl State for Distinct {
    type Plain = PlainDistinct;

    fn kind(&self) -> Kind {
        Kind::new("distinct", 1)
    }

    fn into_plain(self) -> PlainDistinct {
        match self.hashes {
            DistinctHashes::Few(few) => {
                let mut hashes: Vec<u64> = few.hashes().collect();
                hashes.sort_unstable();
                PlainDistinct::Few(hashes)
            }
            DistinctHashes::Many(registers) => PlainDistinct::Many(registers.ranks().to_vec()),
        }
    }

    fn restore(&self, plain: PlainDistinct) -> Result<Distinct, StateError> {
        let hashes = match plain {
            PlainDistinct::Few(hashes) => {
                let ascending = hashes.is_sorted_by(|earlier, later| earlier < later);
                if !ascending || hashes.first() == Some(&0) || hashes.len() > MOST {
                    return Err(StateError::Impossible(
                        "the hashes of a few different values are not few, or do not ascend",
                    ));
                }
                let mut few = SmallSet::default();
                for hash in hashes {
                    few.insert(hash);
                }
                DistinctHashes::Few(few)
            }
            PlainDistinct::Many(ranks) => match Registers::of(ranks) {
                Some(registers) if registers.ranks().iter().any(|&rank| rank > 0) => {
                    DistinctHashes::Many(registers)
                }
                _ => {
                    return Err(StateError::Impossible(
                        "the registers of many different values are not registers, or empty",
                    ));
                }
            },
        };
        Ok(Distinct { hashes })
    }
}
