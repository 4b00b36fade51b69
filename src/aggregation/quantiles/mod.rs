//! Quantiles: exact for few scores, and within 0.4 % for many, computed from the counts of buckets that are the same on
//! every machine.

mod bins;
mod buckets;
mod octaves;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::interpolation::{between, place};
use super::order::{BLOCK, all_between};
use super::state::counted;
use super::{Aggregator, Bins, Kind, State, StateError};
use buckets::{Buckets, PlainBuckets};

/// The quantiles that [`Quantiles::new`] estimates.
pub(super) const DEFAULT_QUANTILES: [f64; 7] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

/// The largest number of finite scores that are stored.
const FEW: usize = Quantiles::EXACT as usize;

/// Returns these quantiles after a check.
///
/// # Panics
///
/// Panics if a quantile is not between 0 and 1.
pub(super) fn checked(quantiles: &[f64]) -> Arc<[f64]> {
    for q in quantiles {
        assert!(
            (0.0..=1.0).contains(q),
            "a quantile must be between 0 and 1, not {q}"
        );
    }
    quantiles.into()
}

/// Computes quantiles: exact for up to 1,024 scores, within 0.4 % for more. Answer: [`QuantileSummary`].
///
/// The `q`-quantile of `n` sorted scores is at position `q·(n − 1)`. Positions are counted from 0 and computed in
/// `f64`. A quantile between two positions is interpolated linearly. This is the default of NumPy and R.
///
/// - **Up to 1,024 finite scores** are stored, 8 bytes each, and the answer has the same bits as NumPy's.
/// - **More finite scores** are counted in buckets, 128 per octave. Each of the two neighbouring scores is then within
///   0.4 % (1/256, relative) of the estimate, or within 2.3·10⁻³⁰⁸ if it is subnormal or zero, because such scores
///   count as 0. So the answer is within 0.4 % of the larger neighbour's magnitude. The smallest and the largest score
///   are exact, and no answer lies outside them.
///
/// The leading bits of the `f64` itself select the bucket. Sketches that use logarithms instead (DDSketch: Masson,
/// Rim and Lee, 2019, <https://arxiv.org/abs/1908.10693>) depend on the platform's `ln`. Observing a score takes a
/// few integer operations. A state of more than 1,024 scores takes 1 KiB for each octave that has scores, counted
/// separately for positive and for negative scores, and never more than 4 MiB.
///
/// Infinities are scores like any other. A quantile between a finite score and an infinity is this infinity, and a
/// quantile between −∞ and +∞ is NaN. NaN scores are counted separately. If all scores are NaN, the summary has no
/// quantiles.
///
/// ```
/// use manyhands::aggregation::{Aggregator, Quantiles};
///
/// let mut quantiles = Quantiles::at(&[0.5]);
/// quantiles.observe_slice(0, &[1.0, 2.0, 4.0, 8.0]);
/// assert_eq!(quantiles.finish().quantiles, [(0.5, 3.0)]);
///
/// let mut quantiles = Quantiles::at(&[0.5]);
/// for index in 0..=10_000 {
///     quantiles.observe(index, &(index as f64));
/// }
/// let summary = quantiles.finish();
/// let (q, median) = summary.quantiles[0];
/// assert_eq!(q, 0.5);
/// assert!((median - 5_000.0).abs() <= 5_000.0 / 256.0);
/// assert_eq!((summary.min, summary.max), (Some(0.0), Some(10_000.0)));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Quantiles {
    asked: Arc<[f64]>,
    /// The finite scores.
    finite: Finite,
    apart: Apart,
}

/// The finite scores. Only the number of scores determines the variant, so the variant does not depend on the order in
/// which scores are observed and merged.
#[derive(Debug, Clone)]
enum Finite {
    /// At most [`FEW`] scores.
    Few(Vec<f64>),
    /// More than [`FEW`] scores.
    Many(Buckets),
}

/// The numbers of scores that are not finite.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Apart {
    nan: u64,
    minus_infinity: u64,
    plus_infinity: u64,
}

/// The answer of [`Quantiles`] and [`ExactQuantiles`](super::ExactQuantiles).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuantileSummary {
    /// Number of scores that are not NaN.
    pub count: u64,
    /// Number of scores that are NaN.
    pub nan: u64,
    /// The exact smallest score; `None` if there are no scores other than NaN.
    pub min: Option<f64>,
    /// The exact largest score; `None` if there are no scores other than NaN.
    pub max: Option<f64>,
    /// Each quantile and its score, in the order requested; empty if there are no scores other than
    /// NaN.
    pub quantiles: Vec<(f64, f64)>,
}

impl Quantiles {
    /// The largest number of finite scores whose quantiles are exact: 1,024.
    pub const EXACT: u64 = 1024;

    /// Creates an aggregator of the median, the quartiles, and the 1st, 5th, 95th and 99th
    /// percentiles.
    pub fn new() -> Quantiles {
        Quantiles::at(&DEFAULT_QUANTILES)
    }

    /// Creates an aggregator of the given quantiles. The answer has them in the same order.
    ///
    /// # Panics
    ///
    /// Panics if a quantile is not between 0 and 1.
    pub fn at(quantiles: &[f64]) -> Quantiles {
        Quantiles {
            asked: checked(quantiles),
            finite: Finite::Few(Vec::new()),
            apart: Apart::default(),
        }
    }

    /// Returns a histogram of the scores, with at most `most` bins and exact counts. `None` if no score is finite.
    ///
    /// All bins have the same width, which is a power of two, and every edge is a multiple of it. The width is the
    /// smallest for which `most` bins reach from the smallest to the largest finite score. It is at least 2⁻⁷ times the
    /// power of two below the greatest magnitude, so scores in a narrow range far from 0 have few bins. The histogram
    /// does not depend on the order of the scores.
    ///
    /// −∞ and +∞ count as under and over. NaN is counted separately.
    ///
    /// # Panics
    ///
    /// Panics if `most` is less than 4.
    ///
    /// ```
    /// use manyhands::aggregation::{Aggregator, Quantiles};
    ///
    /// let mut ages = Quantiles::new();
    /// ages.observe_slice(0, &[18.0, 21.0, 24.5, 39.0]);
    /// let bins = ages.bins(4).expect("finite scores");
    /// assert_eq!(bins.edges, [16.0, 24.0, 32.0, 40.0]);
    /// assert_eq!(bins.counts, [2, 1, 1]);
    /// ```
    #[must_use]
    pub fn bins(&self, most: usize) -> Option<Bins> {
        assert!(
            most >= bins::LEAST_BINS,
            "a histogram of quantiles needs room for {} bins, not {most}",
            bins::LEAST_BINS
        );
        let found = match &self.finite {
            Finite::Few(scores) if scores.is_empty() => return None,
            Finite::Few(scores) => bins::bins(&Buckets::of(scores), most),
            Finite::Many(buckets) => bins::bins(buckets, most),
        };
        Some(Bins {
            under: self.apart.minus_infinity,
            over: self.apart.plus_infinity,
            nan: self.apart.nan,
            ..found
        })
    }

    /// Counts a score that is not finite.
    #[cold]
    fn set_apart(&mut self, score: f64) {
        self.apart.nan += u64::from(score.is_nan());
        self.apart.minus_infinity += u64::from(score == f64::NEG_INFINITY);
        self.apart.plus_infinity += u64::from(score == f64::INFINITY);
    }
}

impl Finite {
    /// Observes a finite score.
    #[inline]
    fn observe(&mut self, score: f64) {
        match self {
            Finite::Many(buckets) => buckets.observe(score),
            Finite::Few(scores) if scores.len() < FEW => scores.push(score),
            Finite::Few(scores) => *self = Finite::with_one_more(scores, score),
        }
    }

    /// Counts the scores, and one more, in buckets.
    #[cold]
    fn with_one_more(scores: &[f64], score: f64) -> Finite {
        let mut buckets = Buckets::of(scores);
        buckets.observe(score);
        Finite::Many(buckets)
    }

    fn merge(&mut self, later: Finite) {
        match (&mut *self, later) {
            (Finite::Many(buckets), Finite::Many(later)) => buckets.merge(later),
            (own, Finite::Few(scores)) => scores.into_iter().for_each(|score| own.observe(score)),
            (own, later) => {
                let few = std::mem::replace(own, later);
                own.merge(few);
            }
        }
    }

    fn count(&self) -> u64 {
        match self {
            Finite::Few(scores) => scores.len() as u64,
            Finite::Many(buckets) => buckets.count(),
        }
    }
}

impl Default for Quantiles {
    fn default() -> Quantiles {
        Quantiles::new()
    }
}

impl Aggregator<f64> for Quantiles {
    type Output = QuantileSummary;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, _index: u64, score: &f64) {
        if score.is_finite() {
            self.finite.observe(*score);
        } else {
            self.set_apart(*score);
        }
    }

    fn observe_slice(&mut self, first: u64, scores: &[f64]) {
        for block in scores.chunks(BLOCK) {
            match &mut self.finite {
                Finite::Many(buckets) if all_between(block, buckets.least(), buckets.most()) => {
                    block.iter().for_each(|&score| buckets.count_in(score));
                }
                _ => block.iter().for_each(|score| self.observe(first, score)),
            }
        }
    }

    fn merge(&mut self, later: Quantiles) {
        self.finite.merge(later.finite);
        self.apart.nan += later.apart.nan;
        self.apart.minus_infinity += later.apart.minus_infinity;
        self.apart.plus_infinity += later.apart.plus_infinity;
    }

    fn finish(mut self) -> QuantileSummary {
        if let Finite::Few(scores) = &mut self.finite {
            scores.sort_unstable_by(f64::total_cmp);
        }
        let Apart {
            nan,
            minus_infinity,
            plus_infinity,
        } = self.apart;
        let finite = self.finite.count();
        let count = minus_infinity + finite + plus_infinity;
        let score_at = |rank: u64| match (rank.checked_sub(minus_infinity), &self.finite) {
            (None, _) => f64::NEG_INFINITY,
            (Some(rank), _) if rank >= finite => f64::INFINITY,
            (Some(rank), Finite::Few(scores)) => scores[rank as usize],
            (Some(rank), Finite::Many(buckets)) => buckets.score_at(rank, finite),
        };
        let answer = |q: f64| match place(q, count) {
            (rank, 0.0) => score_at(rank),
            (rank, share) => between(score_at(rank), score_at(rank + 1), share),
        };
        let seen = count > 0;
        QuantileSummary {
            count,
            nan,
            min: seen.then(|| score_at(0)),
            max: seen.then(|| score_at(count - 1)),
            quantiles: match seen {
                true => self.asked.iter().map(|&q| (q, answer(q))).collect(),
                false => Vec::new(),
            },
        }
    }
}

impl State for Quantiles {
    type Plain = PlainQuantiles;

    fn kind(&self) -> Kind {
        Kind::new("quantiles", 2).with(&*self.asked)
    }

    fn into_plain(self) -> PlainQuantiles {
        PlainQuantiles {
            finite: match self.finite {
                Finite::Few(mut scores) => {
                    scores.sort_unstable_by(f64::total_cmp);
                    PlainFinite::Few(scores)
                }
                Finite::Many(buckets) => PlainFinite::Many(buckets.into_plain()),
            },
            apart: self.apart,
        }
    }

    fn restore(&self, plain: PlainQuantiles) -> Result<Quantiles, StateError> {
        let finite = match plain.finite {
            PlainFinite::Few(scores) => Finite::Few(few(scores)?),
            PlainFinite::Many(plain) => Finite::Many(many(plain)?),
        };
        let Apart {
            nan,
            minus_infinity,
            plus_infinity,
        } = plain.apart;
        counted([finite.count(), nan, minus_infinity, plus_infinity])?;
        Ok(Quantiles {
            asked: Arc::clone(&self.asked),
            finite,
            apart: plain.apart,
        })
    }
}

/// Returns these scores if they are what [`State::into_plain`] gives for few scores.
fn few(scores: Vec<f64>) -> Result<Vec<f64>, StateError> {
    if scores.len() > FEW {
        return Err(StateError::Impossible(
            "more stored scores than there can be",
        ));
    }
    if !scores.iter().all(|score| score.is_finite()) {
        return Err(StateError::Impossible("a stored score that is not finite"));
    }
    if !scores.is_sorted_by(|one, next| one.total_cmp(next).is_le()) {
        return Err(StateError::Impossible("the stored scores do not ascend"));
    }
    Ok(scores)
}

/// Returns the buckets if they hold many scores.
fn many(plain: PlainBuckets) -> Result<Buckets, StateError> {
    let buckets = Buckets::restore(plain)?;
    if buckets.count() <= FEW as u64 {
        return Err(StateError::Impossible(
            "buckets of scores that would be stored",
        ));
    }
    Ok(buckets)
}

/// [`Quantiles`] as plain data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlainQuantiles {
    finite: PlainFinite,
    apart: Apart,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum PlainFinite {
    /// The scores, ordered by `f64::total_cmp`, lowest first.
    Few(Vec<f64>),
    Many(PlainBuckets),
}
