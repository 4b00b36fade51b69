//! What happens when the command is told to stop by a signal.

use std::path::PathBuf;

/// From now on, SIGINT, SIGTERM and SIGHUP remove the file, which is not whole yet, say so, and end the
/// command with 128 and the number of the signal, as a shell tells it.
#[cfg(unix)]
pub(super) fn remove_when_stopped(unfinished: Option<PathBuf>) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    // Where signals cannot be watched, they still end the command: only what is left differs.
    let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGTERM]) else {
        return;
    };
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            let unwritten = match unfinished.map(std::fs::remove_file) {
                Some(Ok(())) => "; no scores were written",
                _ => "",
            };
            super::note(format_args!("\nstopped by a signal{unwritten}"));
            std::process::exit(128 + signal);
        }
    });
}

#[cfg(not(unix))]
pub(super) fn remove_when_stopped(_unfinished: Option<PathBuf>) {}
