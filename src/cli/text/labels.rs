//! Formats the labels, each with the number of records that have it.

use indicatif::HumanCount;
use manyhands::plan::{LabelSummary, Summary};

use super::cells::{finish, readable, table};
use super::{ASIDE, heading, paint};

/// Largest number of labels that are shown for each column.
const SHOWN: usize = 12;

/// Formats a table for each column of labels.
pub(super) fn tables(summary: &Summary) -> String {
    let columns = summary.labels.iter();
    columns
        .map(|(name, labels)| {
            let all = match labels.labels.len() {
                _ if !labels.exact => {
                    format!("more than {} labels", HumanCount(LabelSummary::MOST_EXACT))
                }
                1 => "1 label".to_owned(),
                several => format!("{} labels", HumanCount(several as u64)),
            };
            heading(&format!("{}, {all}", readable(name))) + &lines(labels) + &listed(labels)
        })
        .collect()
}

/// Says which labels are listed, if not all of them are counted exactly.
fn listed(summary: &LabelSummary) -> String {
    if summary.exact {
        return String::new();
    }
    let share = LabelSummary::SHARE * 100.0;
    let note = format!(
        "labels of at least {share} % of the records; the numbers may be slightly too high"
    );
    format!("  {}\n", paint(ASIDE, note))
}

/// Formats the most frequent labels of a column.
fn lines(summary: &LabelSummary) -> String {
    let labels = summary.by_frequency();
    let shown = &labels[..labels.len().min(SHOWN)];
    let shown_records = shown.iter().map(|(_, records)| records).sum();
    // If the numbers are too high, they may add up to more than all records.
    let others = summary.count.saturating_sub(shown_records);
    let mut table = table(["label", "records", "share"]);
    let mut line = |label: String, records: u64| {
        let share = records as f64 / summary.count.max(1) as f64 * 100.0;
        let records = HumanCount(records).to_string();
        table.add_row([label, records, format!("{share:.1} %")]);
    };
    for (label, records) in shown {
        line(readable(label), *records);
    }
    if others > 0 {
        line("others".to_owned(), others);
    }
    finish(table)
}
