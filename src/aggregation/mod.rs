//! Aggregation: scores combined into one answer that does not depend on how the work was divided.
//!
//! An [`Aggregator`] observes scores one by one. Every worker, or every part of the data, has a
//! clone of it. At the end the clones are merged, and the merged state gives the answer. The
//! built-in aggregators keep exact states (integers, ordered pairs), so the answer has the same
//! bits on one thread and on a hundred, and for every way of cutting the data.
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
//! # The built-in aggregators
//!
//! | aggregator | answer | error | cost of a score | state |
//! |---|---|---|---|---|
//! | [`Count`] | `u64` | none | one addition | 8 bytes |
//! | [`Sum`] | `f64` | rounded once | about 2 ordered `+=`, or 1 in slices | 32 bytes |
//! | [`Mean`] | `f64` | rounded once | as `Sum` | 40 bytes |
//! | [`MeanInterval`] | [`MeanEstimate`] | mean and standard error rounded once | as `Variance` | as `Variance` |
//! | [`Variance`] | `f64` | rounded once | about 4 ordered `+=`, or 2½ in slices | 88 bytes |
//! | [`StdDev`] | `f64` | rounded once | as `Variance` | as `Variance` |
//! | [`Moments`] | [`MomentSummary`] | rounded once | as `Variance` | as `Variance` |
//! | [`Covariance`] | `f64` | rounded once | about 5 `Sum` | 120 bytes |
//! | [`Correlation`] | `f64` | rounded once | about 6 `Sum` | 200 bytes |
//! | [`Extrema`] | [`Extremes`] | none | two comparisons | 40 bytes |
//! | [`Top`], [`Bottom`] | `Vec<`[`Ranked`]`>` | none | one comparison, log k if the score enters | 16·k bytes |
//! | [`Histogram`] | [`Bins`] | none | a guess and two comparisons | 8 bytes a bin |
//! | [`Quantiles`] | [`QuantileSummary`] | none up to 1,024 scores or 256 different ones, then 0.4 % of the larger neighbour | a few integer operations | 8 KiB, or 1 KiB an octave in use |
//! | [`ExactQuantiles`] | [`QuantileSummary`] | none | one append, and a selection at the end | 8 bytes a score |
//! | [`Median`] | `f64` | rounded once | as `ExactQuantiles` | 8 bytes a score |
//! | [`Distinct`] | [`DistinctCount`] | none up to 1,024 values, then 0.81 % | a hash | at most 16 KiB |
//! | [`Frequent`] | [`FrequentKeys`] | none up to 32 / share keys, then see [`Frequent`] | a hash and a table look-up | bounded by the share |
//! | [`Sample`] | `Vec<`[`Sampled`]`>` | none | a random number and a comparison | 2·k scores |
//!
//! All of them are [commutative](Aggregator::COMMUTATIVE), and each documents one answer for NaN,
//! infinities, −0, subnormals and overflow. An ordered `+=` is one step of a plain loop that adds
//! `f64` values one after the other.
//!
//! # Combining them
//!
//! - A tuple of up to eight aggregators observes the same scores and answers with a tuple. A `Vec`
//!   of aggregators of one type answers with a `Vec`; an `Option` that is `None` observes nothing.
//! - [`of`](Aggregator::of) aggregates a value computed from each score, and
//!   [`of_ref`](Aggregator::of_ref) aggregates a borrowed part of each score.
//! - [`only`](Aggregator::only) leaves scores out.
//! - [`by`](Aggregator::by) and [`by_ref`](Aggregator::by_ref) group scores by a key.
//! - [`map`](Aggregator::map) converts the answer.
//! - [`partial`](Aggregator::partial) makes the state the answer, so that it can be
//!   [saved](State::save) and merged elsewhere; [`Shift`] renumbers the records in a state
//!   afterwards.
//!
//! A closure must name the type of its argument. `par_iter()` yields references, so after
//! `reviews.par_iter()` the argument is `|review: &&Review| …`, and after
//! `.map(|review| score(review))` it is `|score: &Score| …`.
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
//! # An aggregator of your own
//!
//! Implement three functions, and set [`COMMUTATIVE`](Aggregator::COMMUTATIVE) to true if your
//! aggregator is commutative. Three more functions describe the [`State`] as plain data. They are
//! needed to merge partials of other processes and machines; an aggregator that is used in one
//! process only does not need them. [`assert_laws`] requires them because it compares states as
//! well as answers. The built-in aggregators are checked with the same function.
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

mod aggregator;
mod buffer;
mod by;
mod canonical;
mod collected;
mod correlation;
mod count;
mod covariance;
mod delegate;
mod distinct;
pub mod exact;
mod exact_quantiles;
mod extrema;
mod frequent;
mod groups;
mod hashing;
mod histogram;
mod interpolation;
mod laws;
mod map;
mod mean;
mod mean_interval;
mod median;
mod merge_tree;
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

pub use aggregator::Aggregator;
pub(crate) use buffer::{ScoreBuffer, observe_all};
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
pub use laws::{assert_laws, assert_shift_laws};
pub use map::Map;
pub use mean::Mean;
pub use mean_interval::{Confidence, MeanEstimate, MeanInterval};
pub use median::Median;
pub(crate) use merge_tree::MergeTree;
pub use moments::{MomentSummary, Moments};
pub use of::Of;
pub use of_ref::OfRef;
pub use only::Only;
pub use order::Ranked;
pub use partial::Partial;
pub(crate) use partition::BlockPartition;
pub use quantiles::{QuantileSummary, Quantiles};
pub use sample::{Sample, Sampled};
pub use shift::Shift;
pub(crate) use state::decoded;
pub use state::{Kind, State, StateError};
pub use sum::Sum;
pub use top::{Bottom, Top, TopK};
pub use variance::{StdDev, Variance};
