//! A progress bar on standard error, if that is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const BYTES: &str = "{bar:30} {percent:>3} % of {total_bytes}, {binary_bytes_per_sec}, {eta} left";
const RECORDS: &str = "{bar:30} {percent:>3} % of {human_len} records, {per_sec}, {eta} left";

/// A bar over so many bytes.
pub(super) fn bytes(total: u64, quiet: bool) -> ProgressBar {
    bar(total, quiet, BYTES)
}

/// A bar over so many records.
pub(super) fn records(total: u64, quiet: bool) -> ProgressBar {
    bar(total, quiet, RECORDS)
}

fn bar(total: u64, quiet: bool, template: &str) -> ProgressBar {
    let target = if quiet {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(total), target).with_style(style.progress_chars("█▉▊▋▌▍▎▏ "))
}
