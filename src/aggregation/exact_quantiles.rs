//! Exact quantiles, computed from all scores.

use std::sync::Arc;

use super::collected::{CollectedScores, PlainScores};
use super::quantiles::{DEFAULT_QUANTILES, checked};
use super::{Aggregator, Kind, QuantileSummary, State, StateError};

/// Computes exact quantiles. Answer: [`QuantileSummary`], as for [`Quantiles`](super::Quantiles).
///
/// The `q`-quantile of `n` scores is the score at rank `⌊q·(n − 1)⌋` in sorted order, with ranks
/// counted from 0 and the product computed in `f64`. [`Quantiles`](super::Quantiles) approximates
/// the same score within 0.4 %.
///
/// Every score is stored, **8 bytes each**. Observing a score appends it to a vector. At the end,
/// each score takes a few nanoseconds for each quantile.
///
/// Scores are ordered by `f64::total_cmp`, so −0 comes before +0, and subnormals and infinities are
/// scores like any other; NaN is counted separately. If all scores are NaN, the summary has no
/// quantiles.
///
/// ```
/// use manyhands::aggregation::{Aggregator, ExactQuantiles};
///
/// let mut quantiles = ExactQuantiles::at(&[0.9, 0.5]);
/// for index in 0..1_001 {
///     quantiles.observe(index, &(index as f64));
/// }
/// assert_eq!(quantiles.finish().quantiles, [(0.9, 900.0), (0.5, 500.0)]);
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
            quantiles: Vec::new(),
        };
        if let Some(last) = self.scores.count().checked_sub(1) {
            let place = |q: f64| (q * last as f64) as usize;
            let mut places: Vec<usize> = self.asked.iter().map(|&q| place(q)).collect();
            places.extend([0, last]);
            places.sort_unstable();
            places.dedup();
            let scores = self.scores.at(&places);
            let score_at = |place: usize| scores[places.partition_point(|&other| other < place)];
            summary.min = Some(score_at(0));
            summary.max = Some(score_at(last));
            summary.quantiles = self
                .asked
                .iter()
                .map(|&q| (q, score_at(place(q))))
                .collect();
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
