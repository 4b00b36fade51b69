//! What plots are drawn with: axes, lines, bands, markers, whiskers, labels that keep apart.

use std::fmt::{self, Write as _};

use maud::{Markup, html};

use super::figure::WIDTH;
use super::scale::Scale;

/// How far apart labels are at least, from line to line: type is larger on small screens.
const LABEL: f64 = 16.5;
/// The most characters that a label in a margin has.
const LABEL_CHARACTERS: usize = 14;

/// A place in a drawing, to a tenth.
#[derive(Clone, Copy)]
pub(super) struct P(pub(super) f64);

impl fmt::Display for P {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round() / 10.0 + 0.0;
        write!(f, "{tenths}")
    }
}

/// The box in a drawing that the axes span.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Frame {
    /// With room for the ticks on the left, for labels of so many characters on the right, and below for
    /// the ticks and the name of the axis.
    pub(super) fn new(height: f64, left: f64, right: f64) -> Self {
        Frame {
            left,
            right: WIDTH - right,
            top: 30.0,
            bottom: height - 44.0,
        }
    }

    /// From left to right, with a little room at both ends.
    pub(super) fn across(&self) -> (f64, f64) {
        (self.left + 10.0, self.right - 6.0)
    }

    /// From below to above.
    pub(super) fn up(&self) -> (f64, f64) {
        (self.bottom, self.top)
    }
}

/// Ticks with their labels.
pub(super) type Ticks = Vec<(f64, String)>;

/// The axis on the left: a line across for each tick, the name above.
pub(super) fn axis_y(frame: Frame, scale: Scale, ticks: &Ticks, name: &str) -> Markup {
    html! {
        @for (value, label) in ticks {
            @let y = scale.at(*value);
            path.grid d={ "M" (P(frame.left)) " " (P(y)) "H" (P(frame.right)) } {}
            text.tick.end x=(P(frame.left - 6.0)) y=(P(y + 4.5)) { (label) }
        }
        text.name x="0" y="14" { (name) }
    }
}

/// The axis below: a short line and a label for each tick, the name beneath.
pub(super) fn axis_x(frame: Frame, scale: Scale, ticks: &Ticks, name: &str) -> Markup {
    html! {
        path.axis d={ "M" (P(frame.left)) " " (P(frame.bottom)) "H" (P(frame.right)) } {}
        @for (value, label) in ticks {
            @let x = scale.at(*value);
            path.axis d={ "M" (P(x)) " " (P(frame.bottom)) "v4" } {}
            text.tick.mid x=(P(x)) y=(P(frame.bottom + 18.0)) { (label) }
        }
        text.name.end x=(P(frame.right)) y=(P(frame.bottom + 37.0)) { (name) }
    }
}

/// A path through points.
pub(super) fn path(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (place, (x, y)) in points.iter().enumerate() {
        let letter = if place == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{letter}{} {}", P(*x), P(*y));
    }
    path
}

pub(super) fn line(class: &str, points: &[(f64, f64)]) -> Markup {
    html! { path.line.(class) d=(path(points)) {} }
}

/// The area between two lines over the same places.
pub(super) fn band(class: &str, upper: &[(f64, f64)], lower: &[(f64, f64)]) -> Markup {
    let around: Vec<_> = upper.iter().chain(lower.iter().rev()).copied().collect();
    html! { path.band.(class) d={ (path(&around)) "Z" } {} }
}

/// A marker whose shape tells its series, with what to say on pointing at it.
pub(super) fn marker(series: usize, (x, y): (f64, f64), told: &str) -> Markup {
    let (x, y) = (P(x), P(y));
    if series.is_multiple_of(6) {
        return html! { circle.mark.(class(series)) cx=(x) cy=(y) r="4" { title { (told) } } };
    }
    let shape = match series % 6 {
        1 => format!("M{x} {y}m-3.6-3.6h7.2v7.2h-7.2z"),
        2 => format!("M{x} {y}m0-4.8l4.6 8.2h-9.2z"),
        3 => format!("M{x} {y}m0-5l5 5l-5 5l-5-5z"),
        4 => format!("M{x} {y}m0 4.8l4.6-8.2h-9.2z"),
        _ => format!("M{x} {y}m-1.5-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z"),
    };
    html! { path.mark.(class(series)) d=(shape) { title { (told) } } }
}

/// The class of the colour of a series.
pub(super) fn class(series: usize) -> String {
    format!("c{}", series % 6)
}

/// From here to there, upright: an interval.
pub(super) fn whisker_up(class: &str, x: f64, (low, high): (f64, f64)) -> Markup {
    html! { path.whisker.(class) d={ "M" (P(x)) " " (P(low)) "V" (P(high)) } {} }
}

/// The same lying down.
pub(super) fn whisker_across(class: &str, y: f64, (low, high): (f64, f64)) -> Markup {
    html! { path.whisker.(class) d={ "M" (P(low)) " " (P(y)) "H" (P(high)) } {} }
}

/// A bar with what to say on pointing at it; too thin to see is a hair.
pub(super) fn bar(class: &str, (x, y): (f64, f64), (w, h): (f64, f64), told: &str) -> Markup {
    html! {
        rect.bar.(class) x=(P(x)) y=(P(y)) width=(P(w.max(0.0))) height=(P(h.max(0.0))) {
            title { (told) }
        }
    }
}

/// The names of series, at the ends of their lines.
#[derive(Default)]
pub(super) struct Labels {
    labels: Vec<Label>,
}

struct Label {
    end: (f64, f64),
    class: String,
    name: String,
}

impl Labels {
    /// A name for the line that ends here.
    pub(super) fn add(&mut self, end: (f64, f64), class: impl Into<String>, name: &str) {
        let class = class.into();
        let name = shortened(name, LABEL_CHARACTERS);
        self.labels.push(Label { end, class, name });
    }

    /// Beside the frame, as far from each other as reading takes, with a thin line to where they belong.
    pub(super) fn draw(mut self, frame: Frame) -> Markup {
        self.labels.sort_by(|a, b| a.end.1.total_cmp(&b.end.1));
        let wanted: Vec<f64> = self.labels.iter().map(|label| label.end.1).collect();
        let places = spread(&wanted, (frame.top - 12.0, frame.bottom));
        html! {
            @for (label, y) in self.labels.iter().zip(places) {
                @let (x, from) = label.end;
                @let to = frame.right + 8.0;
                @if to - x > 18.0 || (y - from).abs() > 3.0 {
                    path.leader d={ "M" (P(x + 6.0)) " " (P(from)) "L" (P(to - 2.0)) " " (P(y)) } {}
                }
                text.label.(label.class) x=(P(to)) y=(P(y + 4.5)) { (label.name) }
            }
        }
    }
}

/// Places as near to those wanted, in ascending order, as labels can stand between two edges.
fn spread(wanted: &[f64], (top, bottom): (f64, f64)) -> Vec<f64> {
    let mut places = Vec::with_capacity(wanted.len());
    let mut free = top;
    for wanted in wanted {
        let place = wanted.max(free);
        places.push(place);
        free = place + LABEL;
    }
    let mut limit = bottom;
    for place in places.iter_mut().rev() {
        *place = place.min(limit);
        limit = *place - LABEL;
    }
    places
}

/// The beginning and the end of a long name.
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
    fn labels_keep_apart_and_inside() {
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
