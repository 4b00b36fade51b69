//! A plot with one line for each cell: a value with its interval. Times and ratios of times use it.

use maud::{Markup, html};

use super::super::axis::Axis;
use super::super::cell_axis::CellAxis;
use super::super::marks::{Coord, PlotArea, base_marker, marker, whisker_across};
use super::layout::Layout;

/// A value of a cell with its interval.
pub(super) struct CellInterval<'a> {
    pub(super) executor: &'a str,
    pub(super) threads: usize,
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    /// The least value that was measured, drawn as a short stroke.
    pub(super) least: Option<f64>,
    /// The value as text.
    pub(super) shown: String,
    pub(super) tooltip: String,
}

/// Draws a line for each cell, and returns the drawing with its height.
///
/// `margin` is the room for the values at the right; `axis` makes the axis below for the area of the plot.
/// `reference` is a value with a vertical line.
pub(super) fn intervals(
    cells: &[CellInterval<'_>],
    layout: &Layout<'_>,
    margin: f64,
    reference: Option<f64>,
    axis: impl FnOnce(PlotArea) -> Axis,
) -> (Markup, f64) {
    let cell_axis = CellAxis::new(cells.iter().map(|cell| (cell.executor, cell.threads)));
    let area = cell_axis.area(margin);
    let x = axis(area);
    let marks = html! {
        (x.draw_grid(area))
        @if let Some(value) = reference { (area.upright("parity", x.at(value))) }
        (cell_axis.draw())
        @for (cell, y) in cells.iter().zip(cell_axis.places()) {
            @let at = (x.at(cell.value), y);
            (whisker_across(&layout.class(cell.executor), y, (x.at(cell.low), x.at(cell.high))))
            @if let Some(least) = cell.least {
                path.least d={ "M" (Coord(x.at(least))) " " (Coord(y - 5.0)) "v10" } {}
            }
            @match layout.series(cell.executor) {
                Some(series) => (marker(series, at, &cell.tooltip)),
                None => (base_marker(at, &cell.tooltip)),
            }
            text.value x=(Coord(area.right + 8.0)) y=(Coord(y + 4.5)) { (cell.shown) }
        }
        (x.draw_below(area))
    };
    (marks, cell_axis.height())
}
