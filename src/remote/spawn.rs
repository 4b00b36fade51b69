//! What the starts of all processes have in common.

use std::io;
use std::path::Path;
use std::process::{Child, Command};

use crate::error::Error;
use crate::sync::{Mutex, lock};

/// Starts a process.
///
/// Processes are started one at a time. Some systems need two steps to create a pipe that is not inherited; a process
/// that was started between the two steps would hold the pipe open.
pub(super) fn spawn(command: &mut Command) -> io::Result<Child> {
    static STARTING: Mutex<()> = Mutex::new(());

    let _starting = lock(&STARTING);
    command.spawn()
}

/// The error of a worker process that cannot be started.
pub(super) fn cannot_start(program: &Path, why: impl std::fmt::Display) -> Error {
    Error::Process {
        message: format!("{}: {why}", program.display()),
    }
}

/// The end of a message about a system error. It says what the user can do about the error.
pub(super) fn remedy(error: &io::Error) -> &'static str {
    #[cfg(unix)]
    {
        use rustix::io::Errno;

        match Errno::from_io_error(error) {
            Some(Errno::MFILE | Errno::NFILE) => {
                return "; allow more open files (ulimit -n), or use fewer workers";
            }
            Some(Errno::AGAIN) => {
                return "; allow more processes (ulimit -u), or use fewer workers";
            }
            _ => {}
        }
    }
    match error.kind() {
        io::ErrorKind::OutOfMemory => "; use fewer workers",
        _ => "",
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_system_have_a_remedy() {
        use rustix::io::Errno;

        for (error, expected) in [
            (Errno::MFILE, "open files"),
            (Errno::NFILE, "open files"),
            (Errno::AGAIN, "more processes"),
            (Errno::NOMEM, "fewer workers"),
        ] {
            let remedy = remedy(&error.into());
            assert!(
                remedy.starts_with("; ") && remedy.contains(expected),
                "{remedy}"
            );
        }
        assert_eq!(remedy(&Errno::NOENT.into()), "");
    }
}
