//! A plot with all that belongs to it: heading, drawing, description, and its figures as a table.

use maud::{Markup, Render, html};

use super::numbers::counted;
use super::table::Table;

/// How wide every drawing is, in its own units; it is shown as wide as there is room.
pub(super) const WIDTH: f64 = 480.0;

/// A plot with all that belongs to it.
pub(super) struct Figure<'a> {
    /// Of this page alone.
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    /// What one should see, beneath the heading.
    pub(super) caption: Markup,
    /// The same for those who do not see the drawing, in full.
    pub(super) description: String,
    pub(super) height: f64,
    pub(super) marks: Markup,
    pub(super) table: Table,
    /// Whether the table stands beside the drawing for all to see, or is to be unfolded beneath it.
    pub(super) open: bool,
}

/// A description of what one would see, as long as it can be listened to; the rest is in the table.
pub(super) fn described(lead: &str, told: impl IntoIterator<Item = String>) -> String {
    const BYTES: usize = 700;
    let mut text = lead.to_owned();
    for one in told {
        if text.len() > BYTES {
            text.push_str(" And so on: all figures are in the table.");
            break;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text += &one;
        text.push('.');
    }
    text
}

impl Render for Figure<'_> {
    fn render(&self) -> Markup {
        let (title, description) = (format!("{}-t", self.id), format!("{}-d", self.id));
        let drawing = html! {
            svg viewBox={ "0 0 " (WIDTH) " " (self.height) } role="img"
                aria-labelledby={ (title) " " (description) } {
                title id=(title) { (self.title) }
                desc id=(description) { (self.description) }
                (self.marks)
            }
        };
        html! {
            figure class=[self.open.then_some("beside")] id=(self.id) {
                figcaption { h3 { (self.title) } div { (self.caption) } }
                (drawing)
                @if self.open { div.beside-table { (self.table) } }
                @else { details.data { summary { "Figures of this plot" } (self.table) } }
            }
        }
    }
}

/// What stands for what, where colours are explained beside a drawing: a class and a name each.
pub(super) fn legend<'a>(entries: impl IntoIterator<Item = (String, &'a str)>) -> Markup {
    html! {
        ul.legend {
            @for (class, name) in entries { li { span.swatch.(class) {} (name) } }
        }
    }
}

/// `8 threads`.
pub(super) fn threads(threads: usize) -> String {
    counted(threads as u64, "thread")
}
