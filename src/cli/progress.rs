//! A progress bar on standard error, if that is a terminal.

use std::fmt::Write;
use std::sync::Once;
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

const BYTES: &str = "{bar:30} {percent:>3} % of {total_bytes}, {binary_bytes_per_sec}, {eta} left";
const STREAM: &str = "{spinner} {binary_bytes} read, {binary_bytes_per_sec}";
const RECORDS: &str = "{bar:30} {percent:>3} % of {human_len} records, {rate} a second, {eta} left";

const TURNS: &str = "{bar:30} {percent:>3} % of {human_len} turns, {eta} left";

/// How often a spinner turns while nothing else happens.
const TURN: Duration = Duration::from_millis(100);

/// How long a run goes on before it shows a bar: most are over by then, and before that nobody can
/// tell how long it will take.
const PATIENCE: Duration = Duration::from_millis(400);

/// A bar that appears when the run has gone on for a while.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    began: Instant,
    shown: Once,
}

impl Progress {
    /// Over so many bytes.
    pub(super) fn bytes(total: u64, quiet: bool) -> Self {
        Self::over(Some(total), quiet, BYTES)
    }

    /// Over the bytes of a stream, however many there will be.
    pub(super) fn stream(quiet: bool) -> Self {
        Self::over(None, quiet, STREAM)
    }

    /// Over so many records.
    pub(super) fn records(total: u64, quiet: bool) -> Self {
        Self::over(Some(total), quiet, RECORDS)
    }

    /// Over the turns of a comparison, however many there will be.
    pub(super) fn turns(quiet: bool) -> Self {
        Self::over(Some(0), quiet, TURNS)
    }

    fn over(total: Option<u64>, quiet: bool, template: &str) -> Self {
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        // Indicatif's own has four decimals.
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

    /// Goes on by so much.
    pub(super) fn advance(&self, by: u64) {
        self.appear();
        self.bar.inc(by);
    }

    /// Goes on to a place.
    pub(super) fn reach(&self, place: u64) {
        self.appear();
        self.bar.set_position(place);
    }

    /// Goes on to a place of so many.
    pub(super) fn reach_of(&self, place: u64, all: u64) {
        self.bar.set_length(all);
        self.reach(place);
    }

    fn appear(&self) {
        if !self.shown.is_completed() && self.began.elapsed() > PATIENCE {
            let target = ProgressDrawTarget::stderr();
            self.shown.call_once(|| {
                self.bar.set_draw_target(target);
                if self.bar.length().is_none() {
                    turn(&self.bar);
                }
            });
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// Turns the spinner of a bar until it is finished. Without a thread for it, it turns only when something
/// has been read; indicatif's own ticker would panic.
fn turn(bar: &ProgressBar) {
    let bar = bar.downgrade();
    let turn = move || {
        while let Some(bar) = bar.upgrade()
            && !bar.is_finished()
        {
            bar.tick();
            drop(bar);
            thread::sleep(TURN);
        }
    };
    let thread = thread::Builder::new().name("manyhands-spinner".to_owned());
    let _ = thread.spawn(turn);
}
