//! Formats the elements of the text report: numbers, durations, labels, texts from the data, wrapped sentences, and
//! tables.

use std::ops::Range;
use std::time::Duration;

use anstyle::Style;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width};
use indicatif::HumanCount;
use manyhands::output::visible;
use manyhands::report::four_decimals;

use super::{paint, plain};

/// Width of the report, in columns of a terminal.
const WIDTH: u16 = 80;

/// Formats a duration with a few digits, in the unit that suits its length.
pub(super) fn duration(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds < 1e-3 => format!("{:.1} µs", seconds * 1e6),
        seconds if seconds < 1.0 => format!("{:.1} ms", seconds * 1e3),
        seconds if seconds < 120.0 => format!("{seconds:.2} s"),
        seconds => format!("{:.1} min", seconds / 60.0),
    }
}

/// Formats a duration, given in seconds, with at most three digits before the unit. This is for tables with several
/// columns of times.
pub(super) fn seconds(seconds: f64) -> String {
    match seconds {
        short if (1e-4..1e-3).contains(&short) => format!("{:.0} µs", short * 1e6),
        short if (0.1..1.0).contains(&short) => format!("{:.0} ms", short * 1e3),
        _ => Duration::try_from_secs_f64(seconds).map_or("-".to_owned(), duration),
    }
}

/// Formats a count with the name of what is counted, such as `1 record` or `2,000 records`.
pub(super) fn counted(count: u64, name: &str) -> String {
    match count {
        1 => format!("1 {name}"),
        several => format!("{} {name}s", HumanCount(several)),
    }
}

/// Formats the name of an executor with its number of threads, such as `task-queue ×2`.
pub(super) fn label(executor: &str, threads: usize) -> String {
    plain(format_args!("{executor} ×{threads}"))
}

/// Wraps a sentence to the width of the report.
pub(super) fn wrapped(text: &str, style: Style) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut table = bare_table();
    table.add_row([text]);
    if let Some(column) = table.column_mut(0) {
        column.set_padding((0, 0));
        column.set_cell_alignment(CellAlignment::Left);
    }
    let lines = finish(table);
    let lines = lines.lines().map(|line| paint(style, line) + "\n");
    lines.collect()
}

/// Creates a table whose first column contains labels that are never cut, and whose other columns contain numbers.
pub(super) fn labelled_table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = bare_table();
    table.set_header(header);
    set_numbers(&mut table, 1..N);
    if let Some(labels) = table.column_mut(0) {
        labels.set_constraint(ColumnConstraint::ContentWidth);
    }
    table
}

/// Formats a score or a statistic with four decimals, or with a power of ten if the number is too small or too large
/// for four decimals. The result is a dash if there is no value.
pub(super) fn number(value: impl Into<Option<f64>>) -> String {
    match value.into() {
        Some(value) if value.is_finite() => four_decimals(value),
        _ => "-".to_owned(),
    }
}

/// Creates an empty table without borders.
pub(super) fn bare_table() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_width(WIDTH);
    table
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_truncation_indicator("…");
    table
}

/// Marks columns as columns of numbers: they are aligned to the right and never cut.
pub(super) fn set_numbers(table: &mut Table, columns: Range<usize>) {
    for index in columns {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

/// Creates a table whose first column contains names, which are cut at half the width of the report, and whose other
/// columns contain numbers.
pub(super) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = bare_table();
    table.set_header(header);
    set_numbers(&mut table, 1..N);
    if let Some(names) = table.column_mut(0) {
        names.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(WIDTH / 2)));
    }
    table
}

/// Returns the text of a table, without blanks at the ends of lines.
pub(super) fn finish(table: Table) -> String {
    table
        .lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

/// Largest number of characters that are shown of a text from the data.
const SHOWN_CHARACTERS: usize = WIDTH as usize * 2;

/// Returns the beginning of a text from the data as one line. Hidden characters are escaped. Line breaks and other
/// control characters, which are common in texts, become blanks.
pub(super) fn readable(text: &str) -> String {
    let mut line = String::new();
    for (index, (c, hidden)) in visible::characters(text).enumerate() {
        // `index` counts the characters of the text and not of the line, so that the loop also ends early if the text
        // consists of many blanks.
        if index > SHOWN_CHARACTERS {
            line.truncate(line.trim_end().len());
            line.push('…');
            return line;
        }
        if c.is_whitespace() || c.is_control() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else if hidden {
            line.extend(c.escape_unicode());
        } else {
            line.push(c);
        }
    }
    line.truncate(line.trim_end().len());
    line
}
