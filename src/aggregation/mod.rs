//! Aggregation: scores combined into one answer that does not depend on how the work was shared
//! out.
//!
//! An [`Aggregator`] takes in scores one by one. Every worker, or every part of the data, has a
//! clone of it; in the end the clones are merged and the whole is asked for its answer. The
//! built-in ones keep exact states (integers, ordered pairs), so that the answer has the same bits
//! on one thread and on a hundred, for every way of cutting the data.
//!
//! ```
//! use manyhands::aggregation::{Aggregator, Count, Extrema, Mean};
//!
//! let scores = [0.25, -0.5, 0.75];
//! let mut all = (Count::new(), Mean::new(), Extrema::new());
//! for (index, score) in scores.iter().enumerate() {
//!     all.observe(index as u64, score);
//! }
//! let (count, mean, extremes) = all.finish();
//! assert_eq!((count, mean), (3, 0.5 / 3.0));
//! assert_eq!(extremes.min.map(|least| least.index), Some(1));
//! ```
//!
//! # The family
//!
//! | aggregator | answer | error | cost of a score | state |
//! |---|---|---|---|---|
//! | [`Count`] | `u64` | none | one addition | 8 bytes |
//! | [`Sum`] | `f64` | rounded once | about 2 ordered `+=`, in slices 1 | 32 bytes |
//! | [`Mean`] | `f64` | rounded once | as `Sum` | 40 bytes |
//! | [`MeanInterval`] | [`MeanEstimate`] | of its mean and standard error: rounded once | as `Variance` | as `Variance` |
//! | [`Variance`] | `f64` | rounded once | about 4 ordered `+=`, in slices 2½ | 88 bytes |
//! | [`StdDev`] | `f64` | rounded once | as `Variance` | as `Variance` |
//! | [`Moments`] | [`MomentSummary`] | rounded once | as `Variance` | as `Variance` |
//! | [`Covariance`] | `f64` | rounded once | about 5 `Sum` | 120 bytes |
//! | [`Correlation`] | `f64` | rounded once | about 6 `Sum` | 200 bytes |
//! | [`Extrema`] | [`Extremes`] | none | two comparisons | 40 bytes |
//! | [`Top`], [`Bottom`] | `Vec<`[`Ranked`]`>` | none | one comparison, log k for those that enter | 16·k bytes |
//! | [`Histogram`] | [`Bins`] | none | a guess and two comparisons | 8 bytes a bin |
//! | [`Quantiles`] | [`QuantileSummary`] | 0.4 % of the score | a few integer operations | 1 KiB an octave in use |
//! | [`ExactQuantiles`] | [`QuantileSummary`] | none | appended; selected in the end | 8 bytes a score |
//! | [`Median`] | `f64` | rounded once | as `ExactQuantiles` | 8 bytes a score |
//! | [`Distinct`] | [`DistinctCount`] | none up to 1,024; then 0.81 % | a hash | 16 KiB at most |
//! | [`Frequent`] | [`FrequentKeys`] | none up to 32 / share keys; then see there | a hash and a table | bounded by the share |
//! | [`Sample`] | `Vec<`[`Sampled`]`>` | none | a draw and a comparison | 2·k scores |
//!
//! All of them are [commutative](Aggregator::COMMUTATIVE), and each has one documented answer for
//! NaN, the infinities, −0, subnormals and overflow.
//!
//! They combine: tuples (up to eight) stand side by side; [`of`](Aggregator::of) looks at one side
//! of a score, [`only`](Aggregator::only) leaves scores out, [`by`](Aggregator::by) and
//! [`by_ref`](Aggregator::by_ref) group, [`map`](Aggregator::map) turns the answer into another;
//! [`partial`](Aggregator::partial) answers with the state, for others to merge.
//!
//! Closures name the type of what comes in, and from `par_iter()` that is a reference: after
//! `reviews.par_iter()` it is `|review: &&Review| …`, after `.map(|review| score(review))` it is
//! `|score: &Score| …`.
//!
//! ```
//! use manyhands::aggregation::{Aggregator, Count, Mean};
//!
//! struct Review { stars: u8, score: f64 }
//!
//! let mut by_stars = (Count::new(), Mean::new().of(|review: &Review| review.score))
//!     .only(|review: &Review| review.score != 0.0)
//!     .by(|review: &Review| review.stars);
//! by_stars.observe(0, &Review { stars: 5, score: 0.5 });
//! by_stars.observe(1, &Review { stars: 1, score: -0.5 });
//! by_stars.observe(2, &Review { stars: 5, score: 0.25 });
//! assert_eq!(by_stars.finish()[&5], (2, 0.375));
//! ```
//!
//! # One's own
//!
//! Three functions, and a claim if it holds. Three more say what its [`State`] is as plain data: they
//! let partials of other processes and machines be merged, and an aggregator that never leaves its
//! process can do without. [`assert_laws`] asks for them all the same. It is the harness that checks
//! the built-in ones, and it compares states as well as answers.
//!
//! ```
//! use manyhands::aggregation::{Aggregator, Kind, State, StateError, assert_laws};
//!
//! /// The longest text.
//! #[derive(Clone, Default)]
//! struct Longest(usize);
//!
//! impl Aggregator<&str> for Longest {
//!     type Output = usize;
//!     const COMMUTATIVE: bool = true;
//!     fn observe(&mut self, _index: u64, text: &&str) {
//!         self.0 = self.0.max(text.len());
//!     }
//!     fn merge(&mut self, later: Self) {
//!         self.0 = self.0.max(later.0);
//!     }
//!     fn finish(self) -> usize {
//!         self.0
//!     }
//! }
//!
//! impl State for Longest {
//!     type Plain = usize;
//!     fn kind(&self) -> Kind {
//!         Kind::new("longest", 1)
//!     }
//!     fn into_plain(self) -> usize {
//!         self.0
//!     }
//!     fn restore(&self, length: usize) -> Result<Self, StateError> {
//!         Ok(Longest(length))
//!     }
//! }
//!
//! assert_laws(Longest::default(), &["one", "three", "", "seven"]);
//! ```

mod blocks;
mod by;
mod canonical;
mod correlation;
mod count;
mod covariance;
mod distinct;
pub mod exact;
mod exact_quantiles;
mod extrema;
mod frequent;
mod groups;
mod hashing;
mod histogram;
mod in_order;
mod kept;
mod laws;
mod map;
mod mean;
mod mean_interval;
mod median;
mod moments;
mod of;
mod of_ref;
mod only;
mod order;
mod partial;
mod partition;
mod quantiles;
mod sample;
mod shift;
mod state;
mod sum;
mod top;
mod tuples;
mod variance;
mod vectors;

use std::hash::Hash;

pub(crate) use blocks::{Blocks, observe_all};
pub use by::{By, ByRef};
pub use canonical::canonical_bytes;
pub use correlation::Correlation;
pub use count::Count;
pub use covariance::Covariance;
pub use distinct::{Distinct, DistinctCount};
pub use exact_quantiles::ExactQuantiles;
pub use extrema::{Extrema, Extremes};
pub use frequent::{Frequent, FrequentKey, FrequentKeys};
pub(crate) use hashing::hash_of;
pub use histogram::{Bins, EdgesError, Histogram};
pub use in_order::MergeTree;
pub use laws::{assert_laws, assert_shift_laws};
pub use map::Map;
pub use mean::Mean;
pub use mean_interval::{Confidence, MeanEstimate, MeanInterval};
pub use median::Median;
pub use moments::{MomentSummary, Moments};
pub use of::Of;
pub use of_ref::OfRef;
pub use only::Only;
pub use order::Ranked;
pub use partial::Partial;
pub(crate) use partition::Partition;
pub use quantiles::{QuantileSummary, Quantiles};
pub use sample::{Sample, Sampled};
pub use shift::Shift;
pub use state::{Kind, State, StateError};
pub use sum::Sum;
pub use top::{Bottom, Podium, Top};
pub use variance::{StdDev, Variance};

/// Combines scores.
///
/// The value handed to a run is the identity; clones of it start the partials. Laws, checked by
/// [`assert_laws`]:
///
/// 1. **Associative in index order**: for records `a < b < c`, merging `(a, b)` with `c` equals
///    merging `a` with `(b, c)`, bit for bit.
/// 2. **Identity**: merging with a fresh clone, on either side, changes nothing.
/// 3. **Commutative**, only where [`COMMUTATIVE`](Aggregator::COMMUTATIVE) says so: the order of
///    observing and merging never shows in the output.
/// 4. **At once or one by one**: [`observe_slice`](Aggregator::observe_slice) does what observing
///    one score after the other does, and what [forks](Aggregator::fork) take in is not lost.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not aggregate scores of the type `{S}`",
    note = "look at one side of a score with `.of(|score: &Score| …)`; numbers are aggregated as `f64`",
    note = "numbers of other types want `.map(f64::from)` or `as f64`; those by reference, as \
            `par_iter()` alone gives them, `.copied()`, and pairs of them `.map(|(x, y)| (*x, *y))`",
    note = "tasks that return a `Result` want `fallible(task)`; where a score may be missing, \
            `.only(…)` leaves out what is `None`"
)]
pub trait Aggregator<S: ?Sized>: Clone + Send + Sync {
    /// What the scores come to. It can be sent, so that the answers of many groups are worked out
    /// in parallel.
    type Output: Send;

    /// Whether any order of observing and merging gives the same output, bit for bit.
    ///
    /// Where it does, each worker keeps one state for all the records it meets. Where it does not,
    /// each part of the data has a state of its own, and states merge in part order along a tree
    /// whose shape depends on the data alone.
    const COMMUTATIVE: bool = false;

    /// Takes in the score of the record at `index`, counted from 0.
    fn observe(&mut self, index: u64, score: &S);

    /// Takes in the scores of consecutive records, the first of which is at `first`: the same as
    /// observing one after the other, and where an aggregator can do better with many at once,
    /// faster.
    #[inline]
    fn observe_slice(&mut self, first: u64, scores: &[S])
    where
        S: Sized,
    {
        for (index, score) in (first..).zip(scores) {
            self.observe(index, score);
        }
    }

    /// A state for one more worker of the same run, from a state that has observed nothing. It is
    /// merged into that one before the end.
    ///
    /// Until then the two may share what they hold, which is how a million groups are kept once
    /// and not once for each worker. A clone, on the other hand, is always a state of its own.
    /// Only the states of [commutative](Aggregator::COMMUTATIVE) aggregators are forked.
    fn fork(&self) -> Self {
        self.clone()
    }

    /// Takes in what another state has observed. Where the aggregator is not commutative, every
    /// record `later` has seen comes after every record of `self`. The state may go on observing
    /// and merging after that.
    fn merge(&mut self, later: Self);

    /// The answer.
    fn finish(self) -> Self::Output;

    /// Looks at one side of a score: an aggregator of `R` that hands `look(score)` on.
    ///
    /// The closure names the type it takes: `&R`, and for records from `par_iter()`, which are
    /// references themselves, `&&Record`.
    ///
    /// ```
    /// use manyhands::aggregation::{Aggregator, Mean};
    ///
    /// let mut mean_length = Mean::new().of(|text: &str| text.len() as f64);
    /// mean_length.observe(0, "four");
    /// mean_length.observe(1, "eleven");
    /// assert_eq!(mean_length.finish(), 5.0);
    /// ```
    fn of<R: ?Sized, F>(self, look: F) -> Of<Self, F, S>
    where
        Self: Sized,
        S: Sized,
        F: Fn(&R) -> S + Clone + Send + Sync,
    {
        Of::new(self, look)
    }

    /// Looks at a part of a score that it holds: like [`of`](Aggregator::of), but what the closure
    /// returns is borrowed, and may be of a type without a size, such as `str`.
    ///
    /// ```
    /// use manyhands::aggregation::{Aggregator, Distinct};
    ///
    /// struct Review { city: String }
    ///
    /// let mut cities = Distinct::new().of_ref(|review: &Review| review.city.as_str());
    /// cities.observe(0, &Review { city: "Oslo".into() });
    /// cities.observe(1, &Review { city: "Rome".into() });
    /// assert_eq!(cities.finish().count, 2);
    /// ```
    fn of_ref<R: ?Sized, F>(self, look: F) -> OfRef<Self, F, S>
    where
        Self: Sized,
        F: Fn(&R) -> &S + Clone + Send + Sync,
    {
        OfRef::new(self, look)
    }

    /// Leaves out the scores for which `keep` is false.
    ///
    /// ```
    /// use manyhands::aggregation::{Aggregator, Mean};
    ///
    /// let mut mean = Mean::new().only(|score: &f64| !score.is_nan());
    /// mean.observe(0, &1.0);
    /// mean.observe(1, &f64::NAN);
    /// assert_eq!(mean.finish(), 1.0);
    /// ```
    fn only<F>(self, keep: F) -> Only<Self, F>
    where
        Self: Sized,
        F: Fn(&S) -> bool + Clone + Send + Sync,
    {
        Only::new(self, keep)
    }

    /// Groups scores by a key: one clone of this aggregator for each. The answer is a map in the
    /// order of the keys.
    ///
    /// ```
    /// use manyhands::aggregation::{Aggregator, Count};
    ///
    /// let mut by_sign = Count::new().by(|score: &f64| *score < 0.0);
    /// for (index, score) in [0.5, -0.25, 1.0].iter().enumerate() {
    ///     by_sign.observe(index as u64, score);
    /// }
    /// assert_eq!(by_sign.finish(), [(false, 2), (true, 1)].into());
    /// ```
    fn by<K, F>(self, key: F) -> By<Self, K, F>
    where
        Self: Sized,
        K: Hash + Eq + Ord + Clone + Send + Sync,
        F: Fn(&S) -> K + Clone + Send + Sync,
    {
        By::new::<S>(self, key)
    }

    /// Groups scores by a key that they hold: like [`by`](Aggregator::by), but the key is borrowed,
    /// and made owned only when its group is first seen.
    ///
    /// ```
    /// use manyhands::aggregation::{Aggregator, Count};
    ///
    /// let mut by_city = Count::new().by_ref(|city: &String| city.as_str());
    /// for (index, city) in ["Oslo", "Rome", "Oslo"].map(String::from).iter().enumerate() {
    ///     by_city.observe(index as u64, city);
    /// }
    /// assert_eq!(by_city.finish()["Oslo"], 2);
    /// ```
    ///
    /// Records from `par_iter()` are references:
    ///
    /// ```
    /// use manyhands::prelude::*;
    ///
    /// struct Visit { city: String, minutes: f64 }
    ///
    /// let visits = [("Oslo", 5.0), ("Rome", 9.0), ("Oslo", 6.0)]
    ///     .map(|(city, minutes)| Visit { city: city.into(), minutes });
    /// let by_city = visits.par_iter().aggregate(
    ///     Mean::new()
    ///         .of(|visit: &&Visit| visit.minutes)
    ///         .by_ref(|visit: &&Visit| visit.city.as_str()),
    /// );
    /// assert_eq!(by_city["Oslo"], 5.5);
    /// ```
    fn by_ref<Q, F>(self, key: F) -> ByRef<Self, Q::Owned, Q, F>
    where
        Self: Sized,
        Q: ToOwned<Owned: Hash + Eq + Ord + Clone + Send + Sync> + Hash + Eq + ?Sized,
        F: Fn(&S) -> &Q + Clone + Send + Sync,
    {
        ByRef::new(self, key)
    }

    /// Turns the answer into another.
    ///
    /// ```
    /// use manyhands::aggregation::{Aggregator, Mean};
    ///
    /// let mut percent = Mean::new().map(|mean| (mean * 100.0).round());
    /// percent.observe(0, &0.125);
    /// percent.observe(1, &0.625);
    /// assert_eq!(percent.finish(), 38.0);
    /// ```
    fn map<T, F>(self, turn: F) -> Map<Self, F>
    where
        Self: Sized,
        T: Send,
        F: Fn(Self::Output) -> T + Clone + Send + Sync,
    {
        Map::new(self, turn)
    }

    /// Answers with the state itself, of this aggregator as it is: what one process, or one file of
    /// many, has come to, to be [saved](State::save) there and merged with the others elsewhere.
    ///
    /// `first` is the index of the first record among the records of all. Those who report indices,
    /// such as [`Top`] and [`Extrema`], break ties by them, or draw by them, such as [`Sample`] and
    /// [`Frequent`], come to the answer of a single run only if no two records share one. If `first`
    /// is not known yet, pass 0 and [shift](Shift::shift) the state later, which works for all but
    /// those that draw.
    ///
    /// ```
    /// use manyhands::aggregation::{Bottom, Mean, State};
    /// use manyhands::prelude::*;
    ///
    /// let scores = [0.5, -0.25, 1.0, 0.75];
    /// let summary = || (Mean::new(), Bottom::new(2));
    ///
    /// // One process for each half …
    /// let bytes: Vec<Vec<u8>> = [0, 2]
    ///     .map(|first: usize| {
    ///         let half = &scores[first..first + 2];
    ///         let partial = half.par_iter().copied().aggregate(summary().partial(first as u64));
    ///         partial.save()
    ///     })
    ///     .into();
    ///
    /// // … and one for the whole.
    /// let mut whole = summary();
    /// for bytes in &bytes {
    ///     whole.merge(summary().load(bytes)?);
    /// }
    /// assert_eq!(whole.finish(), scores.par_iter().copied().aggregate(summary()));
    /// # Ok::<(), manyhands::aggregation::StateError>(())
    /// ```
    fn partial(self, first: u64) -> Partial<Self>
    where
        Self: Sized,
    {
        Partial::new(self, first)
    }
}
