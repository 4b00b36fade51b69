//! A progress bar on standard error, if that is a terminal.

use std::fmt::Write;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

const BYTES: &str = "{bar:30} {percent:>3} % of {total_bytes}, {binary_bytes_per_sec}, {eta} left";
const RECORDS: &str = "{bar:30} {percent:>3} % of {human_len} records, {rate} a second, {eta} left";

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
    // Indicatif's own has four decimals.
    let rate = |state: &ProgressState, text: &mut dyn Write| {
        let _ = write!(text, "{}", HumanCount(state.per_sec() as u64));
    };
    let style = style.with_key("rate", rate);
    ProgressBar::with_draw_target(Some(total), target).with_style(style.progress_chars("█▉▊▋▌▍▎▏ "))
}
