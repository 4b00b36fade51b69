//! Tables of figures: names on the left, numbers on the right, in a box of their own to scroll in.

use maud::{Markup, Render, html};

/// A table of figures.
#[derive(Default)]
pub(super) struct Table {
    head: Vec<Markup>,
    lines: Vec<Vec<Markup>>,
    /// How many columns at the left hold names or words.
    words: usize,
    notes: Vec<String>,
}

impl Table {
    /// With these headings, of which the first so many are of words, the others of numbers.
    pub(super) fn new<H: Render>(words: usize, head: impl IntoIterator<Item = H>) -> Self {
        Table {
            head: head.into_iter().map(|name| name.render()).collect(),
            words,
            ..Table::default()
        }
    }

    pub(super) fn line<C: Render>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.lines
            .push(cells.into_iter().map(|cell| cell.render()).collect());
    }

    /// Leaves out all but so many lines, and says so.
    pub(super) fn keep(&mut self, most: usize) {
        if let Some(more @ 1..) = self.lines.len().checked_sub(most) {
            self.lines.truncate(most);
            let more = super::numbers::counted(more as u64, "more line");
            self.note(format!("{more} left out here: --json prints all."));
        }
    }

    /// Says below the table what it leaves out.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

impl Render for Table {
    fn render(&self) -> Markup {
        // Most cells are numbers: it is the others that say what they are, which keeps pages small.
        let class = |place: usize| (place < self.words).then_some("w");
        html! {
            div.scroll tabindex="0" {
                table {
                    thead { tr {
                        @for (place, name) in self.head.iter().enumerate() {
                            th class=[class(place)] scope="col" { (name) }
                        }
                    } }
                    tbody {
                        @for line in &self.lines { tr {
                            @for (place, cell) in line.iter().enumerate() {
                                @if place == 0 && self.words > 0 { th scope="row" { (cell) } }
                                @else { td class=[class(place)] { (cell) } }
                            }
                        } }
                    }
                }
            }
            @for note in &self.notes { p.aside { (note) } }
        }
    }
}

/// Facts: what each is called, and what it is.
pub(super) fn facts(facts: &[(&str, Markup)]) -> Markup {
    html! {
        dl.facts {
            @for (name, fact) in facts { div { dt { (name) } dd { (fact) } } }
        }
    }
}
