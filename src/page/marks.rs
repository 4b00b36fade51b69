//! The marks of which plots consist: lines, bands, markers, whiskers, bars, and labels that do not overlap.

use std::fmt::{self, Write as _};

use maud::{Markup, html};

use super::figure::WIDTH;

/// Smallest distance from one label to the next, in SVG units. It leaves room for the larger letters of
/// small screens.
const LABEL_DISTANCE: f64 = 16.5;
/// Largest number of characters of a label in the margin.
const LABEL_CHARACTERS: usize = 14;

/// A coordinate in a drawing, which is printed to a tenth of a unit.
#[derive(Clone, Copy)]
pub(super) struct Coord(pub(super) f64);

impl fmt::Display for Coord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Adding zero turns -0 into 0, so that a coordinate is never printed as -0.
        let tenths = (self.0 * 10.0).round() / 10.0 + 0.0;
        write!(f, "{tenths}")
    }
}

/// The rectangle in a drawing between the ends of the axes.
#[derive(Clone, Copy)]
pub(super) struct PlotArea {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl PlotArea {
    /// Makes the area of a plot in a drawing of this height. There are margins of `left` and `right` units for ticks
    /// and labels, and space below for the ticks and the name of the axis.
    pub(super) fn new(height: f64, left: f64, right: f64) -> Self {
        PlotArea {
            left,
            right: WIDTH - right,
            top: 30.0,
            bottom: height - 44.0,
        }
    }

    /// Returns the range of a horizontal axis that ends a little before both sides of the area.
    pub(super) fn across(&self) -> (f64, f64) {
        (self.left + 10.0, self.right - 6.0)
    }

    /// Returns the range of a vertical axis. The bottom comes first, since values grow upwards.
    pub(super) fn up(&self) -> (f64, f64) {
        (self.bottom, self.top)
    }

    /// Draws a vertical line over the whole height of the area.
    pub(super) fn upright(&self, class: &str, x: f64) -> Markup {
        let path = format!("M{} {}V{}", Coord(x), Coord(self.top), Coord(self.bottom));
        html! { path.(class) d=(path) {} }
    }
}

/// Returns the path through points.
pub(super) fn path(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (index, (x, y)) in points.iter().enumerate() {
        let command = if index == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{command}{} {}", Coord(*x), Coord(*y));
    }
    path
}

/// Draws a line through points.
pub(super) fn line(class: &str, points: &[(f64, f64)]) -> Markup {
    html! { path.line.(class) d=(path(points)) {} }
}

/// Draws the area between two lines.
pub(super) fn band(class: &str, upper: &[(f64, f64)], lower: &[(f64, f64)]) -> Markup {
    let outline: Vec<_> = upper.iter().chain(lower.iter().rev()).copied().collect();
    html! { path.band.(class) d={ (path(&outline)) "Z" } {} }
}

/// Draws a marker in the colour and the shape of its series, with a tooltip.
pub(super) fn marker(series: usize, (x, y): (f64, f64), tooltip: &str) -> Markup {
    let (x, y) = (Coord(x), Coord(y));
    if series.is_multiple_of(6) {
        return html! { circle.mark.(class(series)) cx=(x) cy=(y) r="4" { title { (tooltip) } } };
    }
    let shape = match series % 6 {
        1 => format!("M{x} {y}m-3.6-3.6h7.2v7.2h-7.2z"),
        2 => format!("M{x} {y}m0-4.8l4.6 8.2h-9.2z"),
        3 => format!("M{x} {y}m0-5l5 5l-5 5l-5-5z"),
        4 => format!("M{x} {y}m0 4.8l4.6-8.2h-9.2z"),
        _ => format!("M{x} {y}m-1.5-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z"),
    };
    html! { path.mark.(class(series)) d=(shape) { title { (tooltip) } } }
}

/// Draws the marker of the base, with a tooltip. The base is the run to which all others are compared. It is not
/// one of the series, so it has a colour of its own.
pub(super) fn base_marker((x, y): (f64, f64), tooltip: &str) -> Markup {
    html! { circle.mark.base cx=(Coord(x)) cy=(Coord(y)) r="4.5" { title { (tooltip) } } }
}

/// Returns the CSS class that gives a series its colour. There are six colours, which are used again from the
/// seventh series on.
pub(super) fn class(series: usize) -> String {
    format!("c{}", series % 6)
}

/// Draws a vertical line at `x` that shows an interval. `low` and `high` are the y coordinates of its ends.
pub(super) fn whisker_up(class: &str, x: f64, (low, high): (f64, f64)) -> Markup {
    html! { path.whisker.(class) d={ "M" (Coord(x)) " " (Coord(low)) "V" (Coord(high)) } {} }
}

/// Draws a horizontal line at `y` that shows an interval. `low` and `high` are the x coordinates of its ends.
pub(super) fn whisker_across(class: &str, y: f64, (low, high): (f64, f64)) -> Markup {
    html! { path.whisker.(class) d={ "M" (Coord(low)) " " (Coord(y)) "H" (Coord(high)) } {} }
}

/// Draws a bar with a tooltip.
pub(super) fn bar(class: &str, (x, y): (f64, f64), (w, h): (f64, f64), tooltip: &str) -> Markup {
    html! {
        rect.bar.(class) x=(Coord(x)) y=(Coord(y)) width=(Coord(w.max(0.0))) height=(Coord(h.max(0.0))) {
            title { (tooltip) }
        }
    }
}

/// The names of lines, which are shown at the ends of the lines.
#[derive(Default)]
pub(super) struct LineLabels {
    labels: Vec<LineLabel>,
}

struct LineLabel {
    end: (f64, f64),
    class: String,
    name: String,
}

impl LineLabels {
    /// Adds the name of a line that ends at `end`.
    pub(super) fn add(&mut self, end: (f64, f64), class: &str, name: &str) {
        self.labels.push(LineLabel {
            end,
            class: class.to_owned(),
            name: shortened(name, LABEL_CHARACTERS),
        });
    }

    /// Draws the names at the right of the area, moved apart so that they do not overlap. If a name is far from the
    /// end of its line, a thin line connects them.
    pub(super) fn draw(&self, area: PlotArea) -> Markup {
        let mut labels: Vec<&LineLabel> = self.labels.iter().collect();
        labels.sort_by(|a, b| a.end.1.total_cmp(&b.end.1));
        let wanted: Vec<f64> = labels.iter().map(|label| label.end.1).collect();
        let places = spread(&wanted, (area.top - 12.0, area.bottom));
        html! {
            @for (label, y) in labels.iter().zip(places) {
                @let (x, from) = label.end;
                @let to = area.right + 8.0;
                @if to - x > 18.0 || (y - from).abs() > 3.0 {
                    path.leader d={
                        "M" (Coord(x + 6.0)) " " (Coord(from)) "L" (Coord(to - 2.0)) " " (Coord(y))
                    } {}
                }
                text.label.(label.class) x=(Coord(to)) y=(Coord(y + 4.5)) { (label.name) }
            }
        }
    }
}

/// Moves vertical positions, which are in ascending order, apart so that a label fits at each of them. All positions
/// stay between the two edges if there is room.
fn spread(wanted: &[f64], (top, bottom): (f64, f64)) -> Vec<f64> {
    let mut places = Vec::with_capacity(wanted.len());
    let mut free = top;
    for wanted in wanted {
        let place = wanted.max(free);
        places.push(place);
        free = place + LABEL_DISTANCE;
    }
    let mut limit = bottom;
    for place in places.iter_mut().rev() {
        *place = place.min(limit);
        limit = *place - LABEL_DISTANCE;
    }
    places
}

/// Shortens a name to at most `most` characters, by leaving out the middle of a longer name.
pub(super) fn shortened(name: &str, most: usize) -> String {
    let name = super::quoted::plain(name);
    let characters: Vec<char> = name.chars().collect();
    if characters.len() <= most {
        return name;
    }
    let (head, tail) = (most - most / 3 - 1, most / 3);
    let head = characters[..head].iter();
    let tail = characters[characters.len() - tail..].iter();
    head.chain(&['…']).chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_do_not_overlap_and_stay_inside() {
        let places = spread(&[10.0, 11.0, 12.0, 90.0, 99.0], (0.0, 100.0));
        assert_eq!(places, [10.0, 26.5, 43.0, 83.5, 100.0]);
        assert!(spread(&[99.0; 5], (0.0, 100.0)).is_sorted());
    }

    #[test]
    fn long_names_keep_both_ends() {
        assert_eq!(shortened("work-stealing", 14), "work-stealing");
        assert_eq!(shortened("a-very-long-executor-7", 14), "a-very-lo…or-7");
    }
}
