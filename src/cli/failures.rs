//! Prints the records that could not be scored to standard error.

use manyhands::Report;

use super::note;
use super::text::{ERROR, paint, plain};

/// Largest number of failures that are printed.
const SHOWN: usize = 10;

/// Prints the first failures of a run, and the number of all failures.
pub(super) fn print<V>(report: &Report<V>) {
    for failure in report.failures.iter().take(SHOWN) {
        note(format_args!(
            "{} {}",
            paint(ERROR, "failed:"),
            plain(failure)
        ));
    }
    if report.failed > 0 {
        let shown = report.failures.len().min(SHOWN) as u64;
        let others = match report.failed - shown {
            0 => String::new(),
            more => format!(" ({more} more are not shown)"),
        };
        let (failed, records) = (report.failed, report.records);
        note(format_args!(
            "{failed} of {records} records could not be scored{others}"
        ));
    }
}
