//! Quantiles: exact for few scores or few different scores. Otherwise, they are computed from the counts of buckets
//! that are the same on every machine, and are accurate to 0.4 %.

mod bins;
mod buckets;
mod distinct;
mod finite;
mod octaves;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::interpolation::{between, place};
use super::order::{BLOCK, all_between};
use super::state::counted;
use super::{Aggregator, Bins, Kind, State, StateError};
use buckets::Buckets;
use finite::{Finite, PlainFinite};

/// The quantiles that [`Quantiles::new`] estimates.
pub(super) const DEFAULT_QUANTILES: [f64; 7] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

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

/// Computes quantiles: exact for up to 1,024 scores or 256 different scores, otherwise accurate to 0.4 %. Answer:
/// [`QuantileSummary`].
///
/// The `q`-quantile of `n` sorted scores is at position `q·(n − 1)`. Positions are counted from 0 and computed in
/// `f64`. A quantile between two positions is interpolated linearly. This is the default of NumPy and R.
///
/// - **Up to 1,024 finite scores** are stored, 8 bytes each, and the answer has the same bits as NumPy's.
/// - **More finite scores with at most 256 different values**, such as ratings, are counted value by value. Again, the
///   answer has the same bits as NumPy's.
/// - **All others** are counted in buckets, 128 per octave. Each of the two neighbouring scores is then within
///   0.4 % (1/256, relative) of the estimate, or within 2.3·10⁻³⁰⁸ if it is subnormal or zero, because such scores
///   count as 0. So the answer is within 0.4 % of the larger neighbour's magnitude. The smallest and the largest score
///   are exact, and no answer lies outside them.
///
/// The leading bits of the `f64` itself select the bucket. Sketches that use logarithms instead (DDSketch: Masson,
/// Rim and Lee, 2019, <https://arxiv.org/abs/1908.10693>) depend on the platform's `ln`. Observing a score takes a
/// few integer operations. A state of buckets takes 1 KiB for each octave that has scores, counted separately for
/// positive and for negative scores, and never more than 4 MiB.
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
    /// Whether all quantiles are exact. If not, each quantile is within 0.4 % of the exact one; the smallest and the
    /// largest score are exact nevertheless.
    pub is_exact: bool,
    /// Each quantile and its score, in the order requested; empty if there are no scores other than
    /// NaN.
    pub quantiles: Vec<(f64, f64)>,
}

impl Quantiles {
    /// The largest number of finite scores whose quantiles are exact, whatever the scores are: 1,024.
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
            Finite::Distinct(scores) => bins::bins(&scores.in_buckets(), most),
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
        let mut sorted = Vec::new();
        match &mut self.finite {
            Finite::Few(scores) => scores.sort_unstable_by(f64::total_cmp),
            Finite::Distinct(scores) => sorted = scores.sorted(),
            Finite::Many(_) => {}
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
            (Some(rank), Finite::Distinct(_)) => distinct::score_at(&sorted, rank),
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
            is_exact: !matches!(self.finite, Finite::Many(_)),
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
        Kind::new("quantiles", 3).with(&*self.asked)
    }

    fn into_plain(self) -> PlainQuantiles {
        PlainQuantiles {
            finite: self.finite.into_plain(),
            apart: self.apart,
        }
    }

    fn restore(&self, plain: PlainQuantiles) -> Result<Quantiles, StateError> {
        let finite = Finite::restore(plain.finite)?;
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

/// [`Quantiles`] as plain data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlainQuantiles {
    finite: PlainFinite,
    apart: Apart,
}
