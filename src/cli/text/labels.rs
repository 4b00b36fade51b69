//! Formats the labels, each with the number of records that have it.

use std::cmp::Reverse;

use indicatif::HumanCount;
use manyhands::plan::{LabelSummary, Summary};

use super::cells::{finish, readable, table};
use super::heading;

/// Largest number of labels that are shown for each column.
const SHOWN: usize = 12;

/// Formats a table for each column of labels.
pub(super) fn tables(summary: &Summary) -> String {
    let columns = summary.labels.iter();
    columns
        .map(|(name, labels)| {
            let all = match labels.labels.len() {
                1 => "1 label".to_owned(),
                several => format!("{} labels", HumanCount(several as u64)),
            };
            heading(&format!("{}, {all}", readable(name))) + &lines(labels)
        })
        .collect()
}

/// Formats the most frequent labels of a column.
fn lines(summary: &LabelSummary) -> String {
    let mut labels: Vec<_> = summary.labels.iter().collect();
    // Sorting is stable, so labels with the same number of records stay in the order of their names.
    labels.sort_by_key(|(_, records)| Reverse(**records));
    let others: u64 = labels
        .iter()
        .skip(SHOWN)
        .map(|(_, records)| **records)
        .sum();
    let mut table = table(["label", "records", "share"]);
    let mut line = |label: String, records: u64| {
        let share = records as f64 / summary.count.max(1) as f64 * 100.0;
        let records = HumanCount(records).to_string();
        table.add_row([label, records, format!("{share:.1} %")]);
    };
    for (label, records) in labels.iter().take(SHOWN) {
        line(readable(label), **records);
    }
    if others > 0 {
        line("others".to_owned(), others);
    }
    finish(table)
}
