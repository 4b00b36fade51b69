//! A progress bar, shown on standard error if standard error is a terminal.

use std::fmt::Write;
use std::sync::Once;
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use manyhands::plan::CallsNow;

const BYTES: &str =
    "{bar:30} {percent:>3} % of {total_bytes}, {binary_bytes_per_sec}, {eta} left{msg}";
const STREAM: &str = "{spinner} {binary_bytes} read, {binary_bytes_per_sec}{msg}";
const RECORDS: &str = "{bar:30} {percent:>3} % of {human_len} records, {rate} a second, {eta} left";

const TURNS: &str = "{bar:30} {percent:>3} % of {human_len} turns, {eta} left";

/// Time between two frames of the spinner.
const SPINNER_INTERVAL: Duration = Duration::from_millis(100);

/// Time from the start of the work until the bar appears. Most runs finish within this time, and an earlier estimate
/// of the remaining time would be too rough.
const DELAY: Duration = Duration::from_millis(400);

/// A progress bar that appears when [`DELAY`] has passed.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    began: Instant,
    shown: Once,
}

impl Progress {
    /// Creates a bar that counts up to `total` bytes.
    pub(super) fn bytes(total: u64, quiet: bool) -> Self {
        Self::over(Some(total), quiet, BYTES)
    }

    /// Creates a bar for a stream, whose length is unknown.
    pub(super) fn stream(quiet: bool) -> Self {
        Self::over(None, quiet, STREAM)
    }

    /// Creates a bar that counts up to `total` records.
    pub(super) fn records(total: u64, quiet: bool) -> Self {
        Self::over(Some(total), quiet, RECORDS)
    }

    /// Creates a bar that counts the turns of a comparison. The number of turns is given later, by `move_to_of`.
    pub(super) fn turns(quiet: bool) -> Self {
        Self::over(Some(0), quiet, TURNS)
    }

    fn over(total: Option<u64>, quiet: bool, template: &str) -> Self {
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        // The rate is formatted here, since indicatif itself prints it with four decimals.
        let rate = |state: &ProgressState, text: &mut dyn Write| {
            let _ = write!(text, "{}", HumanCount(state.per_sec() as u64));
        };
        let style = style.with_key("rate", rate).progress_chars("█▉▊▋▌▍▎▏ ");
        let hidden = ProgressDrawTarget::hidden();
        let progress = Progress {
            bar: ProgressBar::with_draw_target(total, hidden).with_style(style),
            began: Instant::now(),
            shown: Once::new(),
        };
        if quiet {
            progress.shown.call_once(|| {});
        }
        progress
    }

    /// Advances the bar by `amount`.
    pub(super) fn advance(&self, amount: u64) {
        self.appear();
        self.bar.inc(amount);
    }

    /// Moves the bar to position `done`.
    pub(super) fn move_to(&self, done: u64) {
        self.appear();
        self.bar.set_position(done);
    }

    /// Moves the bar to position `done` of `total`.
    pub(super) fn move_to_of(&self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.move_to(done);
    }

    /// Shows the calls to a service after the bar.
    pub(super) fn show_calls(&self, now: CallsNow) {
        self.appear();
        self.bar.set_message(format!(
            ", {} in flight, {} retried, {} failed",
            now.in_flight,
            HumanCount(now.retries),
            HumanCount(now.failures)
        ));
    }

    fn appear(&self) {
        if !self.shown.is_completed() && self.began.elapsed() > DELAY {
            let target = ProgressDrawTarget::stderr();
            self.shown.call_once(|| {
                self.bar.set_draw_target(target);
                if self.bar.length().is_none() {
                    animate(&self.bar);
                }
            });
        }
    }

    /// Removes the bar from the terminal.
    pub(super) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// Animates the spinner of a bar on a separate thread, until the bar is finished. If that thread cannot be started,
/// the spinner moves only when the run makes progress. The ticker of indicatif is not used, since it would panic in
/// that case.
fn animate(bar: &ProgressBar) {
    let bar = bar.downgrade();
    let animate = move || {
        while let Some(bar) = bar.upgrade()
            && !bar.is_finished()
        {
            bar.tick();
            drop(bar);
            thread::sleep(SPINNER_INTERVAL);
        }
    };
    let thread = thread::Builder::new().name("manyhands-spinner".to_owned());
    let _ = thread.spawn(animate);
}
