//! The number of scores between neighbouring edges.

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
/// A bin holds the scores from its left edge up to, but not including, its right edge; the last bin
/// includes both. Scores are compared with exactly the edges that the answer lists, so the counts
/// can be checked with these edges. `-0.0` counts as `0.0`. Infinities count as under or over,
/// unless an edge is infinite. NaN is counted separately.
///
/// Observing a score takes a multiplication and a few comparisons if the bins are equally wide, and
/// a binary search otherwise. A state takes 8 bytes per bin. Its edges take 8 bytes each and are
/// shared by all clones.
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
    /// Number of bins per unit of score, for a first guess at the bin. `None` if the bins are not
    /// equally wide.
    density: Option<f64>,
    counts: Vec<u64>,
    under: u64,
    over: u64,
    nan: u64,
}

/// The answer of [`Histogram`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bins {
    /// The edges, ascending: one more than there are bins.
    pub edges: Vec<f64>,
    /// Number of scores in each bin.
    pub counts: Vec<u64>,
    /// Number of scores less than the first edge.
    pub under: u64,
    /// Number of scores greater than the last edge.
    pub over: u64,
    /// Number of scores that are NaN.
    pub nan: u64,
}

/// The reason why edges do not define bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EdgesError {
    /// There are fewer than two edges, or zero bins.
    #[error("a histogram needs at least one bin")]
    NoBins,
    /// An edge is not greater than the previous edge, or is NaN.
    #[error(
        "the edges of a histogram must ascend, but edge {at} is not greater than the one before"
    )]
    NotAscending {
        /// The position of the edge in the list, counted from 0.
        at: usize,
    },
    /// Bins of equal width need a finite range.
    #[error("the range of a histogram must be finite")]
    NotFinite,
    /// There are more bins than numbers in the range, or more than fit in memory.
    #[error(
        "a histogram of {bins} bins is too large: its edges do not fit in the range or in memory"
    )]
    TooMany {
        /// Number of bins requested.
        bins: usize,
    },
}

impl Histogram {
    /// Creates a histogram with bins of equal width from `lo` to `hi`. Each edge is the exact
    /// value, rounded once.
    ///
    /// # Panics
    ///
    /// Panics if [`try_new`](Histogram::try_new) returns an error. Use `try_new` for a range from
    /// user input.
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
    /// Returns an error if the range is not finite, if `lo` is not less than `hi`, if `bins` is 0,
    /// or if there are more bins than the range has distinct edges or than fit in memory.
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
        // This is checked before any edge is computed, since the number of bins may be user input.
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
                // Adding 0 turns −0 into +0.
                + 0.0
        };
        edges.extend((0..=bins).map(edge));
        let mut histogram = Histogram::with_edges(edges)?;
        let density = bins as f64 / (hi - lo);
        histogram.density = density.is_normal().then_some(density);
        Ok(histogram)
    }

    /// Creates a histogram with bins between these edges.
    ///
    /// # Errors
    ///
    /// Returns an error if there are fewer than two edges, or if an edge is NaN or not greater than
    /// the previous edge. The first and the last edge may be infinite.
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

    /// Returns the bin of a score, which must be between the first and the last edge.
    #[inline]
    fn bin(&self, score: f64) -> usize {
        let last = self.counts.len() - 1;
        let Some(density) = self.density else {
            return self.edges[1..=last].partition_point(|edge| *edge <= score);
        };
        // Because of rounding, the guess may be wrong by a bin or two, so it is corrected by
        // comparing the score with the edges.
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
    /// The counts of the bins, and the counts of scores that are under them, over them, and NaN.
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
