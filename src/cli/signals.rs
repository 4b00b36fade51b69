//! What happens when the command is told to stop by a signal.

use std::path::PathBuf;

use manyhands::Cancel;

/// From now on, the first SIGINT, SIGTERM or SIGHUP stops the run that has the token, gracefully; the
/// second removes the file, which is not whole, and ends the command at once with 128 and the number
/// of the signal, as a shell tells it.
#[cfg(unix)]
pub(super) fn stop_on_signals(token: Cancel, unfinished: Option<PathBuf>, quiet: bool) {
    use manyhands::StopReason;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    // Where signals cannot be watched, they still end the command: only what is left differs.
    let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGTERM]) else {
        return;
    };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if token.cancel_with(StopReason::Signal(signal)) {
                if !quiet {
                    super::note(format_args!(
                        "\nstopping when the records in work are done; once more ends it at once"
                    ));
                }
                continue;
            }
            let unwritten = match unfinished.map(std::fs::remove_file) {
                Some(Ok(())) => "; no scores were written",
                _ => "",
            };
            super::note(format_args!("\nended by a signal{unwritten}"));
            std::process::exit(128 + signal);
        }
    });
}

#[cfg(not(unix))]
pub(super) fn stop_on_signals(_token: Cancel, _unfinished: Option<PathBuf>, _quiet: bool) {}
