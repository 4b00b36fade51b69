//! How many scores fall between each two edges.

use std::cmp::Ordering;
use std::sync::Arc;

use serde::Serialize;
use thiserror::Error;

use super::exact::ExactSum;
use super::order::rank;
use super::state::counted;
use super::{Aggregator, Kind, State, StateError};

/// Counts the scores in each bin. Answer: [`Bins`], exact.
///
/// A bin holds the scores from its left edge up to, not including, its right edge; the last bin
/// includes both. Scores are compared with the very edges that the answer prints, so the counts can
/// be checked against it. `-0.0` counts as `0.0`; infinities are under or over (or on an infinite
/// edge); NaN is counted apart.
///
/// A score costs a multiplication and a few comparisons where the bins are equally wide, and a
/// binary search where they are not. A state takes 8 bytes a bin; its edges, as many again, are kept
/// once for all clones.
///
/// ```
/// use manyhands::aggregation::{Aggregator, Histogram};
///
/// let mut histogram = Histogram::new(0.0, 1.0, 4);
/// for (index, score) in [0.25, 0.3, 1.0, 1.5].iter().enumerate() {
///     histogram.observe(index as u64, score);
/// }
/// let bins = histogram.finish();
/// assert_eq!(bins.edges, [0.0, 0.25, 0.5, 0.75, 1.0]);
/// assert_eq!(bins.counts, [0, 2, 0, 1]);
/// assert_eq!(bins.over, 1);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Histogram {
    edges: Arc<[f64]>,
    /// Bins a unit of score, where the bins are equally wide: a first guess at the bin.
    density: Option<f64>,
    counts: Vec<u64>,
    under: u64,
    over: u64,
    nan: u64,
}

/// What [`Histogram`] answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bins {
    /// The edges, ascending: one more than there are bins.
    pub edges: Vec<f64>,
    /// How many scores each bin holds.
    pub counts: Vec<u64>,
    /// How many scores are less than the first edge.
    pub under: u64,
    /// How many scores are greater than the last edge.
    pub over: u64,
    /// How many scores were NaN.
    pub nan: u64,
}

/// Why these edges make no bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EdgesError {
    /// Bins need a left and a right edge.
    #[error("a histogram needs at least one bin")]
    NoBins,
    /// A bin would be empty or turned round, or an edge is not a number.
    #[error(
        "the edges of a histogram must ascend, and edge {at} does not lie above the one before"
    )]
    NotAscending {
        /// The place of the edge, counted from 0.
        at: usize,
    },
    /// Equal widths need a finite range.
    #[error("the range of a histogram must be finite")]
    NotFinite,
    /// More bins than there are numbers in the range, or than memory holds.
    #[error("a histogram of {bins} bins has no room for their edges")]
    TooMany {
        /// How many were asked for.
        bins: usize,
    },
}

impl Histogram {
    /// Bins of equal width from `lo` to `hi`. Each edge is the exact one, rounded once.
    ///
    /// # Panics
    ///
    /// Where [`try_new`](Histogram::try_new) fails; use that for a range that is not your own.
    pub fn new(lo: f64, hi: f64, bins: usize) -> Histogram {
        match Histogram::try_new(lo, hi, bins) {
            Ok(histogram) => histogram,
            Err(error) => panic!("{error}"),
        }
    }

    /// Bins of equal width from `lo` to `hi`.
    ///
    /// # Errors
    ///
    /// The range must be finite, `lo` less than `hi`, and there must be at least one bin and no
    /// more than there are numbers to tell their edges apart and memory to hold them.
    pub fn try_new(lo: f64, hi: f64, bins: usize) -> Result<Histogram, EdgesError> {
        if !(lo.is_finite() && hi.is_finite()) {
            return Err(EdgesError::NotFinite);
        }
        if bins == 0 {
            return Err(EdgesError::NoBins);
        }
        if lo >= hi {
            return Err(EdgesError::NotAscending { at: 1 });
        }
        // Before an edge is worked out: how many there are may be anybody's choice.
        let mut edges = Vec::new();
        if bins as u64 > rank(hi).abs_diff(rank(lo))
            || edges.try_reserve_exact(bins.saturating_add(1)).is_err()
        {
            return Err(EdgesError::TooMany { bins });
        }
        let (mut low, mut high) = (ExactSum::new(), ExactSum::new());
        low.add(lo);
        high.add(hi);
        let (low, high, bins) = (low.wide(), high.wide(), bins as u64);
        let edge = |at| {
            low.times(bins - at)
                .plus(&high.times(at))
                .round_over(&[bins])
                // A zero without its sign: −0 is no place of its own on a scale.
                + 0.0
        };
        edges.extend((0..=bins).map(edge));
        let mut histogram = Histogram::with_edges(edges)?;
        let density = bins as f64 / (hi - lo);
        histogram.density = density.is_normal().then_some(density);
        Ok(histogram)
    }

    /// Bins between these edges.
    ///
    /// # Errors
    ///
    /// There must be at least two edges, each greater than the one before, and none NaN. The first
    /// and the last may be infinite.
    pub fn with_edges(edges: Vec<f64>) -> Result<Histogram, EdgesError> {
        if edges.len() < 2 {
            return Err(EdgesError::NoBins);
        }
        if let Some(at) = edges
            .windows(2)
            .position(|pair| pair[0].partial_cmp(&pair[1]) != Some(Ordering::Less))
        {
            return Err(EdgesError::NotAscending { at: at + 1 });
        }
        Ok(Histogram {
            counts: vec![0; edges.len() - 1],
            edges: edges.into(),
            density: None,
            under: 0,
            over: 0,
            nan: 0,
        })
    }

    /// The bin of a score that lies between the first and the last edge.
    #[inline]
    fn bin(&self, score: f64) -> usize {
        let last = self.counts.len() - 1;
        let Some(density) = self.density else {
            return self.edges[1..=last].partition_point(|edge| *edge <= score);
        };
        // The guess is off by rounding alone, at most a bin or two; the edges decide.
        let mut bin = (((score - self.edges[0]) * density) as usize).min(last);
        while score < self.edges[bin] {
            bin -= 1;
        }
        while bin < last && score >= self.edges[bin + 1] {
            bin += 1;
        }
        bin
    }
}

impl Aggregator<f64> for Histogram {
    type Output = Bins;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, _index: u64, score: &f64) {
        let score = *score;
        if score.is_nan() {
            self.nan += 1;
        } else if score < self.edges[0] {
            self.under += 1;
        } else if score > self.edges[self.edges.len() - 1] {
            self.over += 1;
        } else {
            let bin = self.bin(score);
            self.counts[bin] += 1;
        }
    }

    fn merge(&mut self, later: Histogram) {
        debug_assert_eq!(self.edges, later.edges, "histograms with different edges");
        for (count, addend) in self.counts.iter_mut().zip(&later.counts) {
            *count += addend;
        }
        self.under += later.under;
        self.over += later.over;
        self.nan += later.nan;
    }

    fn finish(self) -> Bins {
        Bins {
            edges: self.edges.to_vec(),
            counts: self.counts,
            under: self.under,
            over: self.over,
            nan: self.nan,
        }
    }
}

impl State for Histogram {
    /// The counts of the bins, and of the scores under them, over them, and NaN.
    type Plain = (Vec<u64>, [u64; 3]);

    fn kind(&self) -> Kind {
        Kind::new("histogram", 1).with(&*self.edges)
    }

    fn into_plain(self) -> Self::Plain {
        (self.counts, [self.under, self.over, self.nan])
    }

    fn restore(&self, (counts, aside): Self::Plain) -> Result<Histogram, StateError> {
        if counts.len() != self.counts.len() {
            return Err(StateError::Impossible("another number of bins"));
        }
        counted(counts.iter().copied().chain(aside))?;
        let [under, over, nan] = aside;
        Ok(Histogram {
            edges: Arc::clone(&self.edges),
            density: self.density,
            counts,
            under,
            over,
            nan,
        })
    }
}
