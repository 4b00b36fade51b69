//! The elements of plots over numbers of threads: the axis, the lines of the executors, and the ceilings of the
//! machine.

use maud::{Markup, html};

use super::super::axis::Axis;
use super::super::marks::{PlotArea, class, marker, whisker_up};
use super::super::plot::Plot;
use super::super::scale::Scale;
use super::layout::PageLayout;
use crate::measure::{Comparison, Estimate, Measurement};

/// Largest number of threads for which the axes are linear. For more threads they are logarithmic.
const LOGARITHMIC_BEYOND: f64 = 12.0;
/// Number of different patterns of dashes for the lines of the ceilings.
const DASHES: usize = 3;

/// Returns the numbers of threads that were measured, in ascending order.
pub(super) fn levels(comparison: &Comparison) -> Vec<f64> {
    let mut levels: Vec<usize> = comparison
        .measurements
        .iter()
        .map(|measurement| measurement.threads)
        .collect();
    let ceilings = comparison.analysis.ceilings.iter();
    levels.extend(ceilings.map(|ceiling| ceiling.threads));
    levels.sort_unstable();
    levels.dedup();
    levels.into_iter().map(|level| level as f64).collect()
}

/// Returns whether an axis up to this number of threads is logarithmic.
pub(super) fn is_logarithmic(threads: f64) -> bool {
    threads > LOGARITHMIC_BEYOND
}

/// Makes the axis from one to `most` threads. Each number of threads in `levels` gets a tick if there is room for its
/// label.
pub(super) fn thread_axis(most: f64, levels: &[f64], area: PlotArea) -> Axis {
    let scale = if is_logarithmic(most) {
        Scale::logarithmic((1.0, most), area.across())
    } else {
        Scale::even((1.0, most), area.across())
    };
    Axis::new(scale, scale.ticks_at(levels, 30.0), "threads")
}

/// Draws a line for each executor, with a marker for the estimate of each configuration and a whisker for its
/// interval.
pub(super) fn executor_lines(
    plot: &mut Plot,
    comparison: &Comparison,
    layout: &PageLayout<'_>,
    estimate: impl Fn(&Measurement) -> Estimate,
    tooltip: impl Fn(&Measurement) -> String,
) -> Markup {
    html! {
        @for (series, name, measurements) in layout.each(comparison) {
            @let class = class(series);
            @let points = measurements.iter().map(|measurement| plot.at(measurement.threads as f64, estimate(measurement).value));
            @let points: Vec<(f64, f64)> = points.collect();
            (plot.line(&class, name, &points))
            @for index in layout.marked(measurements.len()) {
                @let (measurement, at) = (measurements[index], points[index]);
                @let Estimate { low, high, .. } = estimate(measurement);
                (whisker_up(&class, at.0, (plot.y.at(low), plot.y.at(high))))
                (marker(series, at, &tooltip(measurement)))
            }
        }
    }
}

/// The speed-ups that copies of a kernel reached, by number of threads. They are a ceiling for the speed-ups of the
/// executors.
pub(super) struct CeilingCurve<'a> {
    pub(super) kernel: &'a str,
    class: String,
    /// The numbers of threads in ascending order, each with the speed-up that was reached.
    pub(super) points: Vec<(f64, Estimate)>,
}

/// Returns the ceiling of each kernel, in the order in which the kernels were measured.
pub(super) fn ceilings(comparison: &Comparison) -> Vec<CeilingCurve<'_>> {
    let mut curves: Vec<CeilingCurve<'_>> = Vec::new();
    for ceiling in &comparison.analysis.ceilings {
        let known = curves
            .iter()
            .position(|curve| curve.kernel == ceiling.kernel);
        let index = known.unwrap_or_else(|| {
            curves.push(CeilingCurve {
                kernel: &ceiling.kernel,
                class: format!("ceiling d{}", curves.len() % DASHES),
                points: Vec::new(),
            });
            curves.len() - 1
        });
        curves[index]
            .points
            .push((ceiling.threads as f64, ceiling.speed_up));
    }
    for curve in &mut curves {
        curve.points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    curves
}

/// Draws a line for each ceiling. `values` returns the points of the line.
pub(super) fn ceiling_lines(
    plot: &mut Plot,
    ceilings: &[CeilingCurve<'_>],
    values: impl Fn(&CeilingCurve<'_>) -> Vec<(f64, f64)>,
) -> Markup {
    html! {
        @for curve in ceilings {
            @let points = plot.points(values(curve));
            (plot.line(&curve.class, curve.kernel, &points))
        }
    }
}

/// Returns the beginning of a line, up to the point at which the line crosses the top of the plot.
pub(super) fn below(points: impl IntoIterator<Item = (f64, f64)>, top: f64) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for (x, y) in points {
        if y <= top {
            kept.push((x, y));
            continue;
        }
        if let Some(&(last_x, last_y)) = kept.last()
            && y.is_finite()
        {
            let part = (top - last_y) / (y - last_y);
            kept.push((last_x + part * (x - last_x), top));
        }
        break;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn a_line_ends_where_it_leaves_the_plot() {
        let ideal = (1..=8).map(|n| (f64::from(n), f64::from(n)));
        assert_eq!(below(ideal, 2.5), [(1.0, 1.0), (2.0, 2.0), (2.5, 2.5)]);
        assert_eq!(below([(1.0, f64::NAN), (2.0, 1.0)], 2.0), []);
    }
}
