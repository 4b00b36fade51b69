//! A plot with one line for each configuration, which shows a value with its interval. It is used for times and for
//! ratios of times.

use maud::{Markup, html};

use super::super::axis::Axis;
use super::super::configuration_axis::ConfigurationAxis;
use super::super::marks::{Coord, PlotArea, base_marker, marker, whisker_across};
use super::layout::PageLayout;

/// A value that was measured for a configuration, with its interval.
pub(super) struct ConfigurationInterval<'a> {
    pub(super) executor: &'a str,
    pub(super) threads: usize,
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    /// The smallest value that was measured. It is drawn as a short stroke.
    pub(super) least: Option<f64>,
    /// The value as text, which is shown at the right of the plot.
    pub(super) shown: String,
    pub(super) tooltip: String,
}

/// Draws a line for each configuration, and returns the drawing with its height.
///
/// `margin` is the width of the space for the values at the right. `axis` makes the axis below the plot for a given
/// area. A vertical line is drawn at the value `reference`.
pub(super) fn intervals(
    configurations: &[ConfigurationInterval<'_>],
    layout: &PageLayout<'_>,
    margin: f64,
    reference: Option<f64>,
    axis: impl FnOnce(PlotArea) -> Axis,
) -> (Markup, f64) {
    let configuration_axis = ConfigurationAxis::new(
        configurations
            .iter()
            .map(|configuration| (configuration.executor, configuration.threads)),
    );
    let area = configuration_axis.area(margin);
    let x = axis(area);
    let marks = html! {
        (x.draw_grid(area))
        @if let Some(value) = reference { (area.upright("parity", x.at(value))) }
        (configuration_axis.draw())
        @for (configuration, y) in configurations.iter().zip(configuration_axis.places()) {
            @let at = (x.at(configuration.value), y);
            (whisker_across(&layout.class(configuration.executor), y, (x.at(configuration.low), x.at(configuration.high))))
            @if let Some(least) = configuration.least {
                path.least d={ "M" (Coord(x.at(least))) " " (Coord(y - 5.0)) "v10" } {}
            }
            @match layout.series(configuration.executor) {
                Some(series) => (marker(series, at, &configuration.tooltip)),
                None => (base_marker(at, &configuration.tooltip)),
            }
            text.value x=(Coord(area.right + 8.0)) y=(Coord(y + 4.5)) { (configuration.shown) }
        }
        (x.draw_below(area))
    };
    (marks, configuration_axis.height())
}
