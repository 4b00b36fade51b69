//! Exact quantiles, computed from all scores.

use std::sync::Arc;

use super::collected::{CollectedScores, PlainScores};
use super::interpolation::{between, place};
use super::quantiles::{DEFAULT_QUANTILES, checked};
use super::{Aggregator, Kind, QuantileSummary, State, StateError};

/// Computes exact quantiles. Answer: [`QuantileSummary`], as for [`Quantiles`](super::Quantiles).
///
/// The `q`-quantile of `n` sorted scores is at position `q·(n − 1)`. Positions are counted from 0 and computed in
/// `f64`. A quantile between two positions is interpolated linearly. This is the default of NumPy and R, and the answer
/// has the same bits as NumPy's. [`Quantiles`](super::Quantiles) gives the same answer for up to 1,024 scores or
/// 256 different scores, and approximates it within 0.4 % for others.
///
/// Every score is stored, **8 bytes each**. Observing a score appends it to a vector. At the end,
/// each score takes a few nanoseconds for each quantile.
///
/// Scores are ordered by `f64::total_cmp`, so −0 comes before +0, and subnormals and infinities are
/// scores like any other. A quantile between a finite score and an infinity is this infinity, and a quantile between
/// −∞ and +∞ is NaN. NaN scores are counted separately. If all scores are NaN, the summary has no quantiles.
///
/// ```
/// use manyhands::aggregation::{Aggregator, ExactQuantiles};
///
/// let mut quantiles = ExactQuantiles::at(&[0.9, 0.5]);
/// for index in 0..=1_001 {
///     quantiles.observe(index, &(index as f64));
/// }
/// assert_eq!(quantiles.finish().quantiles, [(0.9, 900.9), (0.5, 500.5)]);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct ExactQuantiles {
    asked: Arc<[f64]>,
    scores: CollectedScores,
}

impl ExactQuantiles {
    /// Creates an aggregator of the median, the quartiles, and the 1st, 5th, 95th and 99th
    /// percentiles.
    pub fn new() -> ExactQuantiles {
        ExactQuantiles::at(&DEFAULT_QUANTILES)
    }

    /// Creates an aggregator of the given quantiles. The answer has them in the same order.
    ///
    /// # Panics
    ///
    /// Panics if a quantile is not between 0 and 1.
    pub fn at(quantiles: &[f64]) -> ExactQuantiles {
        ExactQuantiles {
            asked: checked(quantiles),
            scores: CollectedScores::default(),
        }
    }
}

impl Default for ExactQuantiles {
    fn default() -> ExactQuantiles {
        ExactQuantiles::new()
    }
}

impl Aggregator<f64> for ExactQuantiles {
    type Output = QuantileSummary;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, _index: u64, score: &f64) {
        self.scores.push(*score);
    }

    fn merge(&mut self, later: ExactQuantiles) {
        self.scores.merge(later.scores);
    }

    fn finish(mut self) -> QuantileSummary {
        let mut summary = QuantileSummary {
            count: self.scores.count() as u64,
            nan: self.scores.nan(),
            min: None,
            max: None,
            is_exact: true,
            quantiles: Vec::new(),
        };
        let count = self.scores.count();
        if let Some(last) = count.checked_sub(1) {
            let place = |q: f64| {
                let (rank, share) = place(q, count as u64);
                (rank as usize, share)
            };
            let mut ranks = vec![0, last];
            for &q in &*self.asked {
                let (rank, _) = place(q);
                ranks.extend([rank, (rank + 1).min(last)]);
            }
            ranks.sort_unstable();
            ranks.dedup();
            let scores = self.scores.at(&ranks);
            let score_at = |rank: usize| scores[ranks.partition_point(|&other| other < rank)];
            let answer = |q: f64| {
                let (rank, share) = place(q);
                between(score_at(rank), score_at((rank + 1).min(last)), share)
            };
            summary.min = Some(score_at(0));
            summary.max = Some(score_at(last));
            summary.quantiles = self.asked.iter().map(|&q| (q, answer(q))).collect();
        }
        summary
    }
}

impl State for ExactQuantiles {
    type Plain = PlainScores;

    fn kind(&self) -> Kind {
        Kind::new("exact quantiles", 1).with(&self.asked[..])
    }

    fn into_plain(self) -> PlainScores {
        self.scores.into_plain()
    }

    fn restore(&self, plain: PlainScores) -> Result<ExactQuantiles, StateError> {
        Ok(ExactQuantiles {
            asked: self.asked.clone(),
            scores: CollectedScores::restore(plain)?,
        })
    }
}
