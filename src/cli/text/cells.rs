//! What tables and lines of the report are made of: durations, labels, wrapped sentences, tables.

use std::time::Duration;

use anstyle::Style;
use comfy_table::{CellAlignment, ColumnConstraint, Table};
use indicatif::HumanCount;

use super::{bare_table, finish, paint, plain, set_numbers};

/// A duration with a few digits, in the unit that suits it.
pub(super) fn duration(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds < 1e-3 => format!("{:.1} µs", seconds * 1e6),
        seconds if seconds < 1.0 => format!("{:.1} ms", seconds * 1e3),
        seconds if seconds < 120.0 => format!("{seconds:.2} s"),
        seconds => format!("{:.1} min", seconds / 60.0),
    }
}

/// A duration in seconds with at most three digits before the unit, for tables with several columns of
/// times.
pub(super) fn seconds(seconds: f64) -> String {
    match seconds {
        short if (1e-4..1e-3).contains(&short) => format!("{:.0} µs", short * 1e6),
        short if (0.1..1.0).contains(&short) => format!("{:.0} ms", short * 1e3),
        _ => Duration::try_from_secs_f64(seconds).map_or("-".to_owned(), duration),
    }
}

/// A number of things, such as `1 record` or `2,000 records`.
pub(super) fn counted(count: u64, name: &str) -> String {
    match count {
        1 => format!("1 {name}"),
        several => format!("{} {name}s", HumanCount(several)),
    }
}

/// An executor with its number of threads, such as `task-queue ×2`.
pub(super) fn label(executor: &str, threads: usize) -> String {
    plain(format_args!("{executor} ×{threads}"))
}

/// A sentence, wrapped to the width of the report.
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

/// A table with labels that are never cut in its first column, and numbers in the others.
pub(super) fn labelled_table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = bare_table();
    table.set_header(header);
    set_numbers(&mut table, 1..N);
    if let Some(labels) = table.column_mut(0) {
        labels.set_constraint(ColumnConstraint::ContentWidth);
    }
    table
}
