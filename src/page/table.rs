//! Tables of figures, with words at the left and numbers at the right, in a box that scrolls.

use maud::{Markup, Render, html};

use super::quoted::quoted;

/// A table of figures.
#[derive(Default)]
pub(super) struct DataTable {
    head: Vec<Markup>,
    lines: Vec<Vec<Markup>>,
    /// Number of columns at the left that hold words.
    words: usize,
    notes: Vec<String>,
}

impl DataTable {
    /// Makes a table with these headings. The first `words` columns contain words, and the others contain numbers.
    pub(super) fn new<H: Render>(words: usize, head: impl IntoIterator<Item = H>) -> Self {
        DataTable {
            head: head.into_iter().map(|name| name.render()).collect(),
            words,
            ..DataTable::default()
        }
    }

    /// Adds a line with these cells to the table.
    pub(super) fn line<C: Render>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.lines
            .push(cells.into_iter().map(|cell| cell.render()).collect());
    }

    /// Adds a line that begins with a name from the data and a number of threads, followed by figures.
    pub(super) fn named_line<F: Render>(
        &mut self,
        name: &str,
        threads: impl Render,
        figures: impl IntoIterator<Item = F>,
    ) {
        let figures = figures.into_iter().map(|figure| figure.render());
        self.line([quoted(name), threads.render()].into_iter().chain(figures));
    }

    /// Keeps at most this number of lines. A note says how many lines are left out.
    pub(super) fn keep(&mut self, most: usize) {
        if let Some(more @ 1..) = self.lines.len().checked_sub(most) {
            self.lines.truncate(most);
            let more = super::numbers::counted(more as u64, "more line");
            self.note(format!("{more} not shown; --json prints all."));
        }
    }

    /// Adds a note below the table.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

impl Render for DataTable {
    fn render(&self) -> Markup {
        // Most cells are numbers, so only cells with words have a class. This keeps pages small.
        let class = |column: usize| (column < self.words).then_some("w");
        html! {
            div.scroll tabindex="0" {
                table {
                    thead { tr {
                        @for (column, name) in self.head.iter().enumerate() {
                            th class=[class(column)] scope="col" { (name) }
                        }
                    } }
                    tbody {
                        @for line in &self.lines { tr {
                            @for (column, cell) in line.iter().enumerate() {
                                @if column == 0 && self.words > 0 { th scope="row" { (cell) } }
                                @else { td class=[class(column)] { (cell) } }
                            }
                        } }
                    }
                }
            }
            @for note in &self.notes { p.aside { (note) } }
        }
    }
}

/// Makes a list of facts, each with its name.
pub(super) fn facts(facts: &[(&str, Markup)]) -> Markup {
    html! {
        dl.facts {
            @for (name, fact) in facts { div { dt { (name) } dd { (fact) } } }
        }
    }
}
