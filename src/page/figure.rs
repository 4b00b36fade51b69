//! A plot with everything that belongs to it: heading, drawing, description, and its figures as a table.

use maud::{Markup, Render, html};

use super::numbers::counted;
use super::table::DataTable;

/// Width of every drawing in its own units; a page shows it as wide as there is room.
pub(super) const WIDTH: f64 = 480.0;

/// A plot with everything that belongs to it.
pub(super) struct Figure<'a> {
    /// Unique in the page.
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    /// What to look for, below the heading.
    pub(super) caption: Markup,
    /// What the drawing shows, for readers who cannot see it.
    pub(super) description: String,
    /// Height of the drawing, in its own units.
    pub(super) height: f64,
    pub(super) marks: Markup,
    pub(super) table: DataTable,
    /// Whether the table is shown next to the drawing; otherwise the reader unfolds it below.
    pub(super) open: bool,
}

/// A description short enough to be listened to: `lead`, then the sentences while there is room.
pub(super) fn described(lead: &str, sentences: impl IntoIterator<Item = String>) -> String {
    const BYTES: usize = 700;
    let mut text = lead.to_owned();
    for sentence in sentences {
        if text.len() > BYTES {
            text.push_str(" All figures are in the table.");
            break;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text += &sentence;
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
                @else { details.data { summary { "Data of this plot" } (self.table) } }
            }
        }
    }
}

/// The legend of a drawing: the class of a colour and its meaning, each.
pub(super) fn legend<'a>(entries: impl IntoIterator<Item = (String, &'a str)>) -> Markup {
    html! {
        ul.legend {
            @for (class, name) in entries { li { span.swatch.(class) {} (name) } }
        }
    }
}

/// A number of threads, such as `8 threads`.
pub(super) fn threads(threads: usize) -> String {
    counted(threads as u64, "thread")
}
