//! The layout that all plots of a comparison share: the colours of the executors, and how much is shown.

use super::super::marks;
use super::super::numbers::significant;
use crate::measure::{Comparison, Estimate, Measurement};

/// Assigns a series to each executor, which gives the executor the same colour and marker in all plots, and limits
/// how much is shown.
pub(super) struct PageLayout<'a> {
    /// The executors except the base, in the order of the comparison.
    pub(super) executors: Vec<&'a str>,
    /// The usual number of lines, points and figures is divided by this, so that the page stays small.
    pub(super) shrink: f64,
}

impl<'a> PageLayout<'a> {
    pub(super) fn new(comparison: &'a Comparison, shrink: f64) -> Self {
        let mut executors: Vec<&str> = Vec::new();
        for measurement in comparison.measurements.iter().skip(1) {
            if !executors.contains(&measurement.executor.as_str()) {
                executors.push(&measurement.executor);
            }
        }
        PageLayout { executors, shrink }
    }

    /// Returns how many lines, points or figures to show on this page, if a page with enough room shows `usual` of
    /// them.
    pub(super) fn most(&self, usual: usize) -> usize {
        ((usual as f64 / self.shrink) as usize).max(1)
    }

    /// Returns the indices of the points of a line that get a marker. At most about 16 points get one, at regular
    /// intervals, and the last point is one of them.
    pub(super) fn marked(&self, points: usize) -> impl Iterator<Item = usize> + use<> {
        let every = points.div_ceil(16).max(1);
        (0..points).filter(move |index| (points - 1 - index).is_multiple_of(every))
    }

    /// Returns the series of an executor, or `None` for the base.
    pub(super) fn series(&self, executor: &str) -> Option<usize> {
        self.executors.iter().position(|name| *name == executor)
    }

    /// Returns the class that gives an executor its colour.
    pub(super) fn class(&self, executor: &str) -> String {
        let series = self.series(executor);
        series.map_or_else(|| "base".to_owned(), marks::class)
    }

    /// Returns for each executor its series, its name, and its configurations in ascending order of the number of
    /// threads.
    pub(super) fn each<'c>(
        &'c self,
        comparison: &'c Comparison,
    ) -> impl Iterator<Item = (usize, &'a str, Vec<&'c Measurement>)> + 'c {
        self.executors
            .iter()
            .enumerate()
            .map(move |(series, name)| {
                let measurements = comparison.measurements.iter().skip(1);
                let mut measurements: Vec<&Measurement> = measurements
                    .filter(|measurement| measurement.executor == *name)
                    .collect();
                measurements.sort_by_key(|measurement| measurement.threads);
                (series, *name, measurements)
            })
    }
}

/// Formats the two ends of the interval of an estimate.
pub(super) fn interval(estimate: Estimate) -> String {
    format!(
        "{} to {}",
        significant(estimate.low, 3),
        significant(estimate.high, 3)
    )
}
