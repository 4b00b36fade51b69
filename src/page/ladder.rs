//! The layout of plots that have a line for each cell: executors one below the other, their numbers of
//! threads beneath the name.

use maud::{Markup, html};

use super::figure::WIDTH;
use super::marks::P;
use super::quoted;

/// How high a line is.
const LINE: f64 = 20.0;
/// More cells than this are not drawn: the table has them all.
pub(super) const MOST: usize = 40;

/// Where each cell stands.
pub(super) struct Ladder {
    names: Vec<(f64, String)>,
    rungs: Vec<(f64, String)>,
    top: f64,
    bottom: f64,
}

impl Ladder {
    /// Cells by executor and threads; neighbours of the same executor stand beneath its name.
    pub(super) fn new<'a>(top: f64, cells: impl IntoIterator<Item = (&'a str, usize)>) -> Self {
        let (mut names, mut rungs): (Vec<(f64, String)>, Vec<_>) = (Vec::new(), Vec::new());
        let mut y = top;
        let mut last = None;
        for (executor, threads) in cells {
            if last != Some(executor) {
                y += if last.is_some() { 6.0 } else { 0.0 };
                names.push((y + LINE / 2.0, quoted::plain(executor)));
                y += LINE;
                last = Some(executor);
            }
            rungs.push((y + LINE / 2.0, threads.to_string()));
            y += LINE;
        }
        Ladder {
            names,
            rungs,
            top,
            bottom: y,
        }
    }

    /// Where the last line ends.
    pub(super) fn bottom(&self) -> f64 {
        self.bottom
    }

    /// Where the first line begins.
    pub(super) fn top(&self) -> f64 {
        self.top
    }

    /// The middle of the line of each cell.
    pub(super) fn places(&self) -> impl Iterator<Item = f64> {
        self.rungs.iter().map(|(y, _)| *y)
    }

    /// The names, and the numbers of threads at the left; beneath them what they are.
    pub(super) fn draw(&self) -> Markup {
        html! {
            @for (y, name) in &self.names {
                text.group x="0" y=(P(y + 5.0)) { (name) }
            }
            @for (y, threads) in &self.rungs {
                text.tick.end x="26" y=(P(y + 4.5)) { (threads) }
            }
            text.name x="0" y=(P(self.bottom + 41.0)) { "threads" }
        }
    }

    /// Where the drawing begins, right of the numbers of threads.
    pub(super) const LEFT: f64 = 36.0;
    /// And where it ends, with so much room on the right.
    pub(super) fn right(room: f64) -> f64 {
        WIDTH - room
    }
}
