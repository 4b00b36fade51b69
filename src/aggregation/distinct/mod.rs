//! The number of different values.

mod registers;
mod small_set;

use serde::{Deserialize, Serialize};

use super::hashing::hash_of;
use super::{Aggregator, Kind, State, StateError};
use registers::Registers;
use small_set::{MOST, SmallSet};

/// Counts different values of any serialisable type. Answer: [`DistinctCount`].
///
/// **Exact up to 1,024** different values. Beyond that, the answer is an estimate with a standard
/// error of **0.81 %**. It is computed by HyperLogLog with 2¹⁴ registers (Flajolet and others,
/// 2007) and Ertl's estimator (<https://arxiv.org/abs/1702.01284>). Values are compared by a 64-bit
/// hash (XXH3-64 of what their `Serialize` writes), so two values with the same hash are counted as
/// one value: among 1,024 values, this happens in one of 3.5·10¹³ runs. Anyone who knows the hash
/// can construct such values.
///
/// The answer depends on the set of values alone, not on their order, how often each occurs, or how
/// states were merged. A state takes no memory at first, and at most 16 KiB. Observing a score
/// takes as long as computing its hash: a few nanoseconds for numbers and short texts.
///
/// Two values are equal if they serialise to the same data: a `&str` equals a `String`, but numbers
/// of different width differ. **All NaN are one value, and both zeros are one value**, also inside
/// larger values; infinities and subnormals are values like any other. A type that serialises
/// without naming its variant, as untagged enums and JSON values do, is compared by its bytes
/// alone: in JSON, 0 and 0.0 are one value, and so are a whole number and the fraction with the
/// same bits. A map that iterates in hash order may serialise in two ways, and is then counted as
/// two values.
///
/// To [`map`](Aggregator::map) the answer, name the type of the scores first: `Distinct::new()`
/// alone aggregates scores of any type, and `.of(|score: &u64| *score)` makes it an aggregator of
/// `u64`.
///
/// # Panics
///
/// Observing panics if the value's `Serialize` fails, or does not give the length of a sequence in
/// advance (as with `#[serde(flatten)]`).
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

/// The hashes, as a set or as a sketch. The choice depends on the hashes alone: up to [`MOST`]
/// hashes are kept as a set.
#[derive(Debug, Clone)]
enum DistinctHashes {
    Few(SmallSet),
    Many(Registers),
}

/// The answer of [`Distinct`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DistinctCount {
    /// The number of different values, or an estimate of that number, rounded to a whole number.
    pub count: u64,
    /// Whether the values were counted rather than estimated.
    pub exact: bool,
}

/// [`Distinct`] as plain data.
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

    /// Creates an aggregator that has observed nothing.
    pub fn new() -> Distinct {
        Distinct::default()
    }

    /// Returns the answer, without the need to name the type of the scores.
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
                    self.hashes = DistinctHashes::sketch(few, hash);
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
    fn sketch(few: &SmallSet, one_more: u64) -> DistinctHashes {
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
        // 0 marks a vacant place, so a hash of 0 is replaced by 1. This adds one collision among
        // 2⁶⁴ hashes.
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
            // This case cannot occur: after the swap above, `self` has the larger count, and only
            // the larger counts are kept as a sketch.
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
                        "too many hashes, or hashes that do not ascend",
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
                        "registers that are out of range, or all empty",
                    ));
                }
            },
        };
        Ok(Distinct { hashes })
    }
}
