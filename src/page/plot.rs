//! A plot with two axes, and lines that have their names at their ends.

use maud::{Markup, html};

use super::axis::Axis;
use super::marks::{LineLabels, PlotArea, line};

/// A plot with two axes.
///
/// A figure makes the axes, adds lines and marks, and finishes with [`labels`](Self::labels).
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

    /// Both axes.
    pub(super) fn axes(&self) -> Markup {
        html! { (self.y.draw_left(self.area)) (self.x.draw_below(self.area)) }
    }

    /// The coordinates of a pair of values.
    pub(super) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.x.at(x), self.y.at(y))
    }

    /// The coordinates of pairs of values; pairs whose second value is not finite are left out.
    pub(super) fn points(&self, values: impl IntoIterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
        let finite = values.into_iter().filter(|(_, y)| y.is_finite());
        finite.map(|(x, y)| self.at(x, y)).collect()
    }

    /// A horizontal line across the plot at a value.
    pub(super) fn level(&self, class: &str, value: f64) -> Markup {
        let y = self.y.at(value);
        line(class, &[(self.area.left, y), (self.area.right, y)])
    }

    /// A line through points, with its name at its last point.
    pub(super) fn line(&mut self, class: &str, name: &str, points: &[(f64, f64)]) -> Markup {
        self.label(class, name, points);
        line(class, points)
    }

    /// The name of a line, at its last point.
    pub(super) fn label(&mut self, class: &str, name: &str, points: &[(f64, f64)]) {
        if let Some(end) = points.last() {
            self.labels.add(*end, class, name);
        }
    }

    /// The names of all lines so far, at the right.
    pub(super) fn labels(&self) -> Markup {
        self.labels.draw(self.area)
    }
}
