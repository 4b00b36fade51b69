//! Shows the labels, each with the number of records that have it.

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
            p.lead { (number(labels)) }
            (table(labels))
        }
    };
    section("Labels", &html! {}, &content)
}

/// Says how many labels there are. If they are not counted exactly, this says which of them are listed.
fn number(summary: &LabelSummary) -> Markup {
    let records = counted(summary.count, "record");
    html! {
        @if summary.exact {
            (counted(summary.labels.len() as u64, "label")) " of " (records) "."
        } @else {
            "More than " (count(LabelSummary::MOST_EXACT)) " labels of " (records) ". Listed are the labels that at least "
            (percent(LabelSummary::SHARE)) " of these records have. The numbers are upper bounds, and may be slightly too high."
        }
    }
}

/// Makes a table of the labels that most records have.
fn table(summary: &LabelSummary) -> DataTable {
    let mut table = DataTable::new(1, ["label", "records", "share"]);
    for (label, records) in summary.by_frequency() {
        let share = percent(records as f64 / summary.count.max(1) as f64);
        table.line([quoted(label), count(records).render(), share.render()]);
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

    #[test]
    fn a_page_says_that_only_the_frequent_labels_are_listed() {
        let mut texts: Vec<String> = (0..=3_200).map(|n| format!("label{n} 1")).collect();
        texts.extend(std::iter::repeat_n("often 1".to_owned(), 1_000));
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let opened = MadeUpOptions::default().open_over(&texts);
        let answer = opened.run(RunOptions::default()).expect("a run");
        let page = crate::page::of_answer(&answer);
        let expected = "More than 3,200 labels of 4,201 records. Listed are the labels that at least 1.0 % of these \
                        records have.";
        let begin = page.find("More than").expect("a sentence");
        assert_eq!(&page[begin..begin + expected.len()], expected);
        let json: serde_json::Value = serde_json::from_str(&answer.to_json()).expect("JSON");
        let column = &json["scores"]["label"];
        assert_eq!(
            (&column["labels_exact"], &column["labels_share"]),
            (&false.into(), &0.01.into())
        );
        assert_eq!(
            column["labels"].as_object().map(serde_json::Map::len),
            Some(1)
        );
        assert_eq!(column["count"], 4_201);
    }
}
