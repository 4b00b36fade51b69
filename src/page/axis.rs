//! The axes of a plot: a scale, labelled ticks, and a name.

use maud::{Markup, html};

use super::marks::{Coord, PlotArea};
use super::numbers::{round_time, unit_of_time};
use super::scale::{Scale, Ticks, round_up, tick_labels};

/// An axis of a plot.
pub(super) struct Axis {
    pub(super) scale: Scale,
    ticks: Ticks,
    name: String,
}

impl Axis {
    /// Makes an axis with these ticks. The name includes the unit.
    pub(super) fn new(scale: Scale, ticks: Ticks, name: impl Into<String>) -> Self {
        Axis {
            scale,
            ticks,
            name: name.into(),
        }
    }

    /// Makes an axis with about `count` ticks at round values.
    pub(super) fn with_ticks(scale: Scale, count: usize, name: impl Into<String>) -> Self {
        Axis::new(scale, scale.labelled_ticks(count), name)
    }

    /// Makes an axis of shares from 0 to 100 %.
    pub(super) fn shares(range: (f64, f64), name: &str) -> Self {
        let ticks = [0.0, 25.0, 50.0, 75.0, 100.0];
        let ticks = ticks.map(|percent| (percent, format!("{percent:.0} %")));
        Axis::new(Scale::even((0.0, 100.0), range), ticks.into(), name)
    }

    /// Makes an axis of times, given in seconds, with about `count` ticks.
    ///
    /// The axis starts at zero, or is logarithmic if the times differ by more than a factor of twelve. If the labels
    /// of the ticks are numbers without a unit, the name of the axis includes the unit.
    pub(super) fn times(
        (least, most): (f64, f64),
        range: (f64, f64),
        count: usize,
        name: &str,
    ) -> Self {
        const LOGARITHMIC_FROM: f64 = 12.0;
        if least > 0.0 && most / least > LOGARITHMIC_FROM {
            let scale = Scale::logarithmic((least * 0.85, most * 1.15), range);
            let ticks = scale.ticks(count).into_iter();
            let ticks = ticks.map(|tick| (tick, round_time(tick))).collect();
            return Axis::new(scale, ticks, name);
        }
        let (unit, per_second) = unit_of_time(most);
        let in_units = Scale::even((0.0, round_up(most * per_second, count)), range);
        let ticks = in_units.ticks(count);
        let labels = tick_labels(&ticks).into_iter();
        let ticks = ticks.iter().map(|tick| tick / per_second).zip(labels);
        let scale = Scale::even((0.0, in_units.to() / per_second), range);
        Axis::new(scale, ticks.collect(), format!("{name}, {unit}"))
    }

    /// Returns the coordinate of a value along the axis.
    pub(super) fn at(&self, value: f64) -> f64 {
        self.scale.at(value)
    }

    /// Draws the axis at the left, with a grid line and a label for each tick, and the name above the axis.
    pub(super) fn draw_left(&self, area: PlotArea) -> Markup {
        html! {
            @for (value, label) in &self.ticks {
                @let y = self.at(*value);
                path.grid d={ "M" (Coord(area.left)) " " (Coord(y)) "H" (Coord(area.right)) } {}
                text.tick.end x=(Coord(area.left - 6.0)) y=(Coord(y + 4.5)) { (label) }
            }
            text.name x="0" y="14" { (self.name) }
        }
    }

    /// Draws the axis at the bottom, with a short stroke and a label for each tick, and the name below the axis.
    pub(super) fn draw_below(&self, area: PlotArea) -> Markup {
        html! {
            path.axis d={ "M" (Coord(area.left)) " " (Coord(area.bottom)) "H" (Coord(area.right)) } {}
            @for (value, label) in &self.ticks {
                @let x = self.at(*value);
                path.axis d={ "M" (Coord(x)) " " (Coord(area.bottom)) "v4" } {}
                text.tick.mid x=(Coord(x)) y=(Coord(area.bottom + 18.0)) { (label) }
            }
            text.name.end x=(Coord(area.right)) y=(Coord(area.bottom + 37.0)) { (self.name) }
        }
    }

    /// Draws a vertical grid line for each tick of a horizontal axis.
    pub(super) fn draw_grid(&self, area: PlotArea) -> Markup {
        html! { @for (value, _) in &self.ticks { (area.upright("grid", self.at(*value))) } }
    }
}
