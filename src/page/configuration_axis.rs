//! A vertical axis with a line for each configuration: the names of the executors, each with its numbers of
//! threads below it.

use maud::{Markup, html};

use super::figure::WIDTH;
use super::marks::{Coord, PlotArea};
use super::quoted;

/// Height of a line, in units of the drawing.
const LINE: f64 = 20.0;
/// Top of the first line, in units of the drawing.
const TOP: f64 = 8.0;
/// Left edge of the plot, right of the numbers of threads.
const LEFT: f64 = 36.0;
/// Number of configurations that are drawn at most; the table lists all.
pub(super) const MAX_CONFIGURATIONS: usize = 40;

/// The places of the configurations.
pub(super) struct ConfigurationAxis {
    executors: Vec<(f64, String)>,
    threads: Vec<(f64, String)>,
    bottom: f64,
}

impl ConfigurationAxis {
    /// An axis of configurations, each an executor with a number of threads. Neighbours of the same executor
    /// share its name.
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

    /// The area of the plot, with `margin` units left free at the right.
    pub(super) fn area(&self, margin: f64) -> PlotArea {
        PlotArea {
            left: LEFT,
            right: WIDTH - margin,
            top: TOP,
            bottom: self.bottom + 4.0,
        }
    }

    /// Height of the drawing, with room for the axis below.
    pub(super) fn height(&self) -> f64 {
        self.bottom + 50.0
    }

    /// The middle of the line of each configuration.
    pub(super) fn places(&self) -> impl Iterator<Item = f64> {
        self.threads.iter().map(|(y, _)| *y)
    }

    /// The names of the executors and the numbers of threads.
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
