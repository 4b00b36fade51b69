//! Shows the labels, each with the number of records that have it.

use std::cmp::Reverse;

use maud::{Markup, Render as _, html};

use super::super::document::section;
use super::super::numbers::{count, counted, percent};
use super::super::quoted::quoted;
use super::super::table::DataTable;
use crate::plan::{LabelSummary, Summary};

/// Largest number of labels that are shown for each column.
const SHOWN: usize = 50;

pub(super) fn labels(summary: &Summary) -> Markup {
    if summary.labels.is_empty() {
        return html! {};
    }
    let content = html! {
        @for (name, labels) in &summary.labels {
            h3 { (quoted(name)) }
            p.lead { (counted(labels.labels.len() as u64, "label")) " of " (counted(labels.count, "record")) "." }
            (table(labels))
        }
    };
    section("Labels", &html! {}, &content)
}

/// Makes a table of the labels that most records have.
fn table(summary: &LabelSummary) -> DataTable {
    let mut labels: Vec<_> = summary.labels.iter().collect();
    // Sorting is stable, so labels with the same number of records stay in the order of their names.
    labels.sort_by_key(|(_, records)| Reverse(**records));
    let mut table = DataTable::new(1, ["label", "records", "share"]);
    for (label, records) in labels {
        let share = percent(*records as f64 / summary.count.max(1) as f64);
        table.line([quoted(label), count(*records).render(), share.render()]);
    }
    table.keep(SHOWN);
    table
}

#[cfg(test)]
mod tests {
    use crate::plan::{MadeUpOptions, RunOptions};

    #[test]
    fn a_page_shows_labels_and_numbers() {
        let (rank, open) = (Some("number".to_owned()), true);
        let opened = MadeUpOptions { rank, open }.open_over(&["<b> 1 speed=2"; 3]);
        let answer = opened.run(RunOptions::default()).expect("a run");
        let page = crate::page::of_answer(&answer);
        for shown in [
            "<h2>Labels</h2>",
            "1 label of 3 records",
            "&lt;b&gt;",
            "mean number",
            ">speed</th>",
            "Distribution of tenth",
            "Distribution of number",
            "Distribution of speed",
            "2.000 to 2.016: 3 records, 100 %",
            "All figures are exact.",
        ] {
            assert!(page.contains(shown), "{shown} is not in\n{page}");
        }
    }
}
