//! The records that could not be scored, told on standard error.

use manyhands::Report;

use super::text::{ERROR, paint};

/// How many failures are told in full.
const TOLD: usize = 10;

/// Tells the first failures of a run, and how many there were.
pub(super) fn tell<V>(report: &Report<V>) {
    for failure in report.failures.iter().take(TOLD) {
        anstream::eprintln!("{} {failure}", paint(ERROR, "failed:"));
    }
    if report.failed > 0 {
        let shown = report.failures.len().min(TOLD) as u64;
        let others = match report.failed - shown {
            0 => String::new(),
            more => format!(" ({more} more are not shown)"),
        };
        let (failed, records) = (report.failed, report.records);
        anstream::eprintln!("{failed} of {records} records could not be scored{others}");
    }
}
