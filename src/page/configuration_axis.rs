//! A vertical axis with a line for each configuration. It shows the name of each executor, with the executor's
//! numbers of threads below.

use maud::{Markup, html};

use super::figure::WIDTH;
use super::marks::{Coord, PlotArea};
use super::quoted;

/// Height of a line, in SVG units.
const LINE: f64 = 20.0;
/// Top of the first line, in SVG units.
const TOP: f64 = 8.0;
/// Left edge of the plot, in SVG units. The numbers of threads are to the left of it.
const LEFT: f64 = 36.0;
/// Largest number of configurations that are drawn. The table lists all configurations.
pub(super) const MAX_CONFIGURATIONS: usize = 40;

/// The vertical positions of the executors' names and of the configurations.
pub(super) struct ConfigurationAxis {
    executors: Vec<(f64, String)>,
    threads: Vec<(f64, String)>,
    bottom: f64,
}

impl ConfigurationAxis {
    /// Makes an axis of configurations, each of which is an executor with a number of threads. For neighbouring
    /// configurations of the same executor, its name is shown only once.
    pub(super) fn new<'a>(configurations: impl IntoIterator<Item = (&'a str, usize)>) -> Self {
        let (mut executors, mut threads): (Vec<(f64, String)>, Vec<_>) = (Vec::new(), Vec::new());
        let mut y = TOP;
        let mut last = None;
        for (executor, number) in configurations {
            if last != Some(executor) {
                y += if last.is_some() { 6.0 } else { 0.0 };
                executors.push((y + LINE / 2.0, quoted::plain(executor)));
                y += LINE;
                last = Some(executor);
            }
            threads.push((y + LINE / 2.0, number.to_string()));
            y += LINE;
        }
        ConfigurationAxis {
            executors,
            threads,
            bottom: y,
        }
    }

    /// Returns the area of the plot, with `margin` units left free at the right.
    pub(super) fn area(&self, margin: f64) -> PlotArea {
        PlotArea {
            left: LEFT,
            right: WIDTH - margin,
            top: TOP,
            bottom: self.bottom + 4.0,
        }
    }

    /// Returns the height of the drawing, including space for the axis below the plot.
    pub(super) fn height(&self) -> f64 {
        self.bottom + 50.0
    }

    /// Returns the vertical position of the middle of each configuration's line.
    pub(super) fn places(&self) -> impl Iterator<Item = f64> {
        self.threads.iter().map(|(y, _)| *y)
    }

    /// Draws the names of the executors and the numbers of threads.
    pub(super) fn draw(&self) -> Markup {
        html! {
            @for (y, name) in &self.executors {
                text.group x="0" y=(Coord(y + 5.0)) { (name) }
            }
            @for (y, threads) in &self.threads {
                text.tick.end x="26" y=(Coord(y + 4.5)) { (threads) }
            }
            text.name x="0" y=(Coord(self.bottom + 41.0)) { "threads" }
        }
    }
}
