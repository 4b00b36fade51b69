//! A plot with its heading, its drawing, its description, and a table of its figures.

use maud::{Markup, Render, html};

use super::numbers::counted;
use super::table::DataTable;

/// Width of every drawing, in SVG units. A page scales the drawing to the available width.
pub(super) const WIDTH: f64 = 480.0;

/// A plot with its heading, its drawing, its description, and a table of its figures.
pub(super) struct Figure<'a> {
    /// The `id` of the figure, which is unique in the page.
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    /// A text below the heading that says what to look for in the plot.
    pub(super) caption: Markup,
    /// A description of what the drawing shows, for readers who cannot see it.
    pub(super) description: String,
    /// Height of the drawing, in SVG units.
    pub(super) height: f64,
    pub(super) marks: Markup,
    pub(super) table: DataTable,
    /// Whether the table is always shown, next to the drawing. Otherwise it is below the drawing, and the reader can
    /// unfold it.
    pub(super) open: bool,
}

/// Makes a description that is short enough to be read aloud. It consists of `lead` and as many of the sentences as
/// fit.
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

/// Makes the legend of a drawing. Each entry is the class of a colour, and the meaning of the colour.
pub(super) fn legend<'a>(entries: impl IntoIterator<Item = (String, &'a str)>) -> Markup {
    html! {
        ul.legend {
            @for (class, name) in entries { li { span.swatch.(class) {} (name) } }
        }
    }
}

/// Formats a number of threads, such as `8 threads`.
pub(super) fn threads(threads: usize) -> String {
    counted(threads as u64, "thread")
}
