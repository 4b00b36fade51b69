//! Quantiles within 0.4 %, computed from the counts of buckets that are the same on every machine.

mod octaves;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::order::{BLOCK, all_between, is_rank, rank, score_of};
use super::state::counted;
use super::{Aggregator, Kind, State, StateError};
use octaves::{Octaves, Runs, SMALLEST};

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

/// Estimates quantiles. Answer: [`QuantileSummary`].
///
/// The `q`-quantile of `n` scores is the score at rank `⌊q·(n − 1)⌋` in sorted order, with ranks
/// counted from 0 and the product computed in `f64`. The answer is within **0.4 %** of that score
/// (1/256, relative), or within 2.3·10⁻³⁰⁸ if the score is subnormal or zero, because such scores
/// all count as 0. The smallest and the largest score are exact, and no answer lies outside them.
///
/// Scores are counted in buckets, 128 per octave. The leading bits of the `f64` itself select the
/// bucket. Sketches that use logarithms instead (DDSketch: Masson, Rim and Lee, 2019,
/// <https://arxiv.org/abs/1908.10693>) depend on the platform's `ln`. Observing a score takes a few
/// integer operations. A state takes 1 KiB for each octave that has scores, counted separately for
/// positive and for negative scores, and never more than 4 MiB.
///
/// Infinities are scores like any other; NaN is counted separately. If all scores are NaN, the
/// summary has no quantiles.
///
/// ```
/// use manyhands::aggregation::{Aggregator, Quantiles};
///
/// let mut quantiles = Quantiles::at(&[0.5]);
/// for index in 0..1_001 {
///     quantiles.observe(index, &(index as f64));
/// }
/// let summary = quantiles.finish();
/// let (q, median) = summary.quantiles[0];
/// assert_eq!(q, 0.5);
/// assert!((median - 500.0).abs() <= 500.0 * 0.004);
/// assert_eq!((summary.min, summary.max), (Some(0.0), Some(1_000.0)));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Quantiles {
    asked: Arc<[f64]>,
    /// Ranks of the smallest and the largest score.
    min: i64,
    max: i64,
    /// The counts of positive scores, and of the magnitudes of negative scores. The array is
    /// indexed by the sign bit, because a branch on this bit would often be mispredicted.
    sides: [Octaves; 2],
    /// Number of scores that are zeros or subnormals, of either sign.
    zero: u64,
    nan: u64,
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
            min: i64::MAX,
            max: i64::MIN,
            sides: Default::default(),
            zero: 0,
            nan: 0,
        }
    }

    /// Number of scores that are not NaN.
    fn count(&self) -> u64 {
        self.zero + self.sides.iter().map(Octaves::total).sum::<u64>()
    }

    /// Counts a score in its bucket.
    #[inline]
    fn count_in(&mut self, score: f64) {
        if score.abs() >= SMALLEST {
            self.sides[usize::from(score.is_sign_negative())].count(score.abs());
        } else {
            self.zero += 1;
        }
    }

    /// Returns the estimate of the score at this rank.
    fn score_at(&self, rank: u64) -> f64 {
        let [above, below] = &self.sides;
        let below_zero = below.total();
        let up_to_zero = below_zero + self.zero;
        if rank < below_zero {
            -below.score_at(below_zero - 1 - rank)
        } else if rank < up_to_zero {
            0.0
        } else {
            above.score_at(rank - up_to_zero)
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
        let score = *score;
        if score.is_nan() {
            self.nan += 1;
            return;
        }
        let rank = rank(score);
        self.min = self.min.min(rank);
        self.max = self.max.max(rank);
        self.count_in(score);
    }

    fn observe_slice(&mut self, first: u64, scores: &[f64]) {
        for block in scores.chunks(BLOCK) {
            // This is false before the first score, because the bounds are then NaN.
            if all_between(block, score_of(self.min), score_of(self.max)) {
                block.iter().for_each(|&score| self.count_in(score));
            } else {
                block.iter().for_each(|score| self.observe(first, score));
            }
        }
    }

    fn merge(&mut self, later: Quantiles) {
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
        for (side, later) in self.sides.iter_mut().zip(later.sides) {
            side.merge(later);
        }
        self.zero += later.zero;
        self.nan += later.nan;
    }

    fn finish(self) -> QuantileSummary {
        let count = self.count();
        let (min, max) = (score_of(self.min), score_of(self.max));
        let answer = |q: f64| match (q * (count - 1) as f64) as u64 {
            0 => min,
            rank if rank >= count - 1 => max,
            rank => self.score_at(rank).clamp(min, max),
        };
        let seen = count > 0;
        QuantileSummary {
            count,
            nan: self.nan,
            min: seen.then_some(min),
            max: seen.then_some(max),
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
        Kind::new("quantiles", 1).with(&*self.asked)
    }

    fn into_plain(self) -> PlainQuantiles {
        let seen = self.min <= self.max;
        PlainQuantiles {
            extremes: seen.then_some((self.min, self.max)),
            zero: self.zero,
            nan: self.nan,
            sides: self.sides.map(Octaves::into_runs),
        }
    }

    fn restore(&self, plain: PlainQuantiles) -> Result<Quantiles, StateError> {
        let counts = plain.sides.iter().flatten().map(|&(_, count)| count);
        counted(counts.chain([plain.zero, plain.nan]))?;
        let (min, max) = plain.extremes.unwrap_or((i64::MAX, i64::MIN));
        let [above, below] = plain.sides;
        let restored = Quantiles {
            asked: Arc::clone(&self.asked),
            min,
            max,
            sides: [Octaves::of_runs(above)?, Octaves::of_runs(below)?],
            zero: plain.zero,
            nan: plain.nan,
        };
        let count = restored.count();
        let possible = match plain.extremes {
            None => count == 0,
            Some(_) => {
                min <= max
                    && is_rank(min)
                    && is_rank(max)
                    && count > 0
                    && estimate(score_of(min)) == restored.score_at(0)
                    && estimate(score_of(max)) == restored.score_at(count - 1)
            }
        };
        possible
            .then_some(restored)
            .ok_or(StateError::Impossible("extremes outside their buckets"))
    }
}

/// Returns the value that represents a score: the middle of its bucket, or 0 if the score is too
/// small for a bucket.
fn estimate(score: f64) -> f64 {
    if score.abs() >= SMALLEST {
        octaves::estimate(score.abs()).copysign(score)
    } else {
        0.0
    }
}

/// [`Quantiles`] as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlainQuantiles {
    /// Ranks of the smallest and the largest score, if there are any.
    extremes: Option<(i64, i64)>,
    zero: u64,
    nan: u64,
    sides: [Runs; 2],
}
