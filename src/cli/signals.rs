//! What happens when the command is told to stop by a signal.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use manyhands::Cancel;

/// Whether a run is still at work that a signal could stop.
#[derive(Debug, Default)]
pub(super) struct AtWork {
    over: Arc<AtomicBool>,
}

impl AtWork {
    /// From now on the first signal ends the command at once: all that is left is to print the report.
    pub(super) fn end(&self) {
        self.over.store(true, Relaxed);
    }
}

/// From now on, the first SIGINT, SIGTERM or SIGHUP stops the run that has the token, gracefully; the
/// second removes the file, which is not whole, and ends the command at once with 128 and the number
/// of the signal, as a shell tells it.
#[cfg(unix)]
pub(super) fn stop_on_signals(token: Cancel, unfinished: Option<PathBuf>, quiet: bool) -> AtWork {
    use manyhands::StopReason;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let at_work = AtWork::default();
    // Where signals cannot be watched, they still end the command: only what is left differs.
    let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGTERM]) else {
        return at_work;
    };
    let over = Arc::clone(&at_work.over);
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if !over.load(Relaxed) && token.reason().is_none() {
                // Told first: once it is stopped the command may be over before another word.
                if !quiet {
                    tell("\nstopping when the records in work are done; once more ends it at once");
                }
                token.cancel_with(StopReason::Signal(signal));
                continue;
            }
            let unwritten = match unfinished.map(std::fs::remove_file) {
                Some(Ok(())) => "\nended by a signal; no scores were written",
                _ => "\nended by a signal",
            };
            tell(unwritten);
            std::process::exit(128 + signal);
        }
    });
    at_work
}

/// Writes a line to standard error, and does not wait long for it: whoever reads that may have stopped
/// reading, with half a report on its way.
#[cfg(unix)]
fn tell(line: &'static str) {
    use std::sync::mpsc;
    use std::time::Duration;

    let (told, heard) = mpsc::channel();
    std::thread::spawn(move || {
        super::note(format_args!("{line}"));
        told.send(())
    });
    let _ = heard.recv_timeout(Duration::from_secs(1));
}

#[cfg(not(unix))]
pub(super) fn stop_on_signals(_: Cancel, _: Option<PathBuf>, _: bool) -> AtWork {
    AtWork::default()
}
