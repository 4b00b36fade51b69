//! A plot with two axes, in which the name of each line is shown at the end of the line.

use maud::{Markup, html};

use super::axis::Axis;
use super::marks::{LineLabels, PlotArea, line};

/// A plot with two axes and named lines.
///
/// To draw a plot, a figure makes the axes, adds lines and marks, and finally calls [`labels`](Self::labels).
pub(super) struct Plot {
    pub(super) area: PlotArea,
    pub(super) x: Axis,
    pub(super) y: Axis,
    labels: LineLabels,
}

impl Plot {
    pub(super) fn new(area: PlotArea, x: Axis, y: Axis) -> Self {
        Plot {
            area,
            x,
            y,
            labels: LineLabels::default(),
        }
    }

    /// Draws both axes.
    pub(super) fn axes(&self) -> Markup {
        html! { (self.y.draw_left(self.area)) (self.x.draw_below(self.area)) }
    }

    /// Returns the coordinates of a pair of values.
    pub(super) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.x.at(x), self.y.at(y))
    }

    /// Returns the coordinates of pairs of values. Pairs whose second value is not finite are left out.
    pub(super) fn points(&self, values: impl IntoIterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
        let finite = values.into_iter().filter(|(_, y)| y.is_finite());
        finite.map(|(x, y)| self.at(x, y)).collect()
    }

    /// Draws a horizontal line across the plot at a value.
    pub(super) fn level(&self, class: &str, value: f64) -> Markup {
        let y = self.y.at(value);
        line(class, &[(self.area.left, y), (self.area.right, y)])
    }

    /// Draws a line through points, and adds its name at the last point.
    pub(super) fn line(&mut self, class: &str, name: &str, points: &[(f64, f64)]) -> Markup {
        self.label(class, name, points);
        line(class, points)
    }

    /// Adds the name of a line at the last point of the line.
    pub(super) fn label(&mut self, class: &str, name: &str, points: &[(f64, f64)]) {
        if let Some(end) = points.last() {
            self.labels.add(*end, class, name);
        }
    }

    /// Draws the names of all lines that have been added so far, at the right of the plot.
    pub(super) fn labels(&self) -> Markup {
        self.labels.draw(self.area)
    }
}
