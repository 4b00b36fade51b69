//! One worker process: how it is started, spoken to, and found dead.

use std::io::{self, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::block::Block;
use super::frame::Frame;
use super::handle::Handle;
use super::supervisor::InUse;
use crate::error::{Died, Error};
use crate::sync::{Mutex, lock};

/// What a process is greeted with, and what a worker of this very version answers. They differ, so that
/// a program that echoes is no worker.
pub(super) const GREETING: &[u8; 28] = b"manyhands: are you a worker?";
pub(super) const WELCOME: &[u8] =
    concat!("manyhands ", env!("CARGO_PKG_VERSION"), ": I am.").as_bytes();

/// The argument that makes the command a worker.
const ARGUMENT: &str = "worker";

/// How long a process may take to answer the greeting. A worker does that before anything else.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// How long a process that has closed its pipe may take to be gone before it is killed.
const GONE_WITHIN: Duration = Duration::from_secs(2);

/// Bytes that are read from a process at once.
const READ_BYTES: usize = 64 << 10;

/// What a worker says when it is ready.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    /// What that took of processor time, in nanoseconds.
    pub(super) cpu: u64,
    /// Whether it stays where it was told to.
    pub(super) in_place: bool,
}

/// Why a process has not got ready.
#[derive(Debug)]
pub(super) enum Unready {
    /// It has died. Another one may fare better.
    Died(Died),
    /// It has not answered the greeting for so long.
    Silent(Duration),
    /// The program is no worker, or says why it cannot make ready: the next one would do the same.
    Refused(Error),
}

/// How a process has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) died: Died,
    /// Whether it was killed because it had not answered in time.
    pub(super) overdue: bool,
}

/// A worker process and the pipes to it.
#[derive(Debug)]
pub(super) struct Process {
    handle: Arc<Handle>,
    greeted: Instant,
    /// Gone once it has broken.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    incoming: Frame,
}

impl Process {
    /// Starts a process for a run and greets it. It is not waited for, so that several start side by
    /// side.
    pub(super) fn spawn(program: &Path, in_use: &InUse) -> Result<Self, Error> {
        /// One at a time: between making a pipe and marking it as not to be inherited, which some
        /// systems cannot do at once, another process could be started that would hold it open.
        static STARTING: Mutex<()> = Mutex::new(());

        let starting = lock(&STARTING);
        let mut command = Command::new(program);
        command
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        // Signals of the terminal are for the process that shares out the records, which may want to
        // finish those in work. This one ends with its pipes.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(|error| {
            let remedy = remedy(&error);
            cannot_start(program, format_args!("{error}{remedy}"))
        })?;
        drop(starting);
        let pipes = child.stdin.take().zip(child.stdout.take());
        let handle = Arc::new(Handle::new(child));
        let Some((mut input, output)) = pipes else {
            let _ = handle.kill_and_wait();
            return Err(cannot_start(program, "it has no pipes"));
        };
        in_use.add(&handle);
        // Few enough bytes that any pipe takes them at once. If it is gone already, that shows next.
        let _ = input.write_all(GREETING);
        Ok(Process {
            handle,
            greeted: Instant::now(),
            input: Some(input),
            output: BufReader::with_capacity(READ_BYTES, output),
            incoming: Frame::new(),
        })
    }

    /// What the supervisor knows it by.
    pub(super) fn handle(&self) -> &Arc<Handle> {
        &self.handle
    }

    /// Waits for the answer to the greeting, and sends what to make ready, and the place to stay in, if
    /// there is one.
    pub(super) fn set_up(
        &mut self,
        program: &Path,
        setup: &[u8],
        place: Option<usize>,
        patience: Duration,
    ) -> Result<(), Unready> {
        let mut welcome = [0; WELCOME.len()];
        let mut said = 0;
        let until = self.greeted + patience;
        while said < welcome.len() && welcome[..said] == WELCOME[..said] {
            if !readable_before(&self.output, until) {
                return Err(Unready::Silent(patience));
            }
            match self.output.read(&mut welcome[said..]) {
                Ok(0) => return Err(Unready::Died(self.end().died)),
                Ok(read) => said += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Unready::Refused(cannot_start(program, error))),
            }
        }
        if welcome != *WELCOME {
            let message = "it is no worker of this version of manyhands";
            return Err(Unready::Refused(cannot_start(program, message)));
        }
        let mut message = Frame::new();
        message.push(setup);
        self.write(|input| message.write(&place, input));
        Ok(())
    }

    /// Waits until all is ready.
    pub(super) fn await_ready(&mut self, program: &Path) -> Result<Ready, Unready> {
        let refused = |why: String| Unready::Refused(cannot_start(program, why));
        match self.incoming.read(&mut self.output) {
            Ok(true) => {
                let ready: Result<Result<Ready, String>, _> = self.incoming.tail();
                ready
                    .unwrap_or_else(|error| Err(error.to_string()))
                    .map_err(refused)
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(refused(error.to_string()))
            }
            _ => Err(Unready::Died(self.end().died)),
        }
    }

    /// Sends records. That it cannot be done shows when their answer is waited for.
    pub(super) fn send(&mut self, block: &mut Block, note: &impl Serialize) {
        let handle = Arc::clone(&self.handle);
        handle.waiting(|| self.write(|input| block.write(note, input)));
    }

    fn write(&mut self, write: impl FnOnce(&mut ChildStdin) -> io::Result<()>) {
        if let Some(input) = &mut self.input
            && write(input).is_err()
        {
            // Whatever it is, it does not listen; dead it also stops talking.
            self.input = None;
            self.handle.kill();
        }
    }

    /// The next answers. An error means that there will be none any more, or none that can be
    /// understood.
    pub(super) fn receive(&mut self) -> io::Result<&Frame> {
        let (incoming, output) = (&mut self.incoming, &mut self.output);
        if self.handle.waiting(|| incoming.read(output))? {
            Ok(&self.incoming)
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    /// Whether the process has been killed because it had not answered in time, even if an answer came
    /// at that moment.
    pub(super) fn is_overdue(&self) -> bool {
        self.handle.is_overdue()
    }

    /// Waits for its end, which it is helped to if it has not come; says how it ended.
    pub(super) fn end(&mut self) -> Ended {
        self.input = None;
        let began = Instant::now();
        let status = loop {
            match self.handle.try_wait() {
                Ok(Some(status)) => break Ok(status),
                Ok(None) if began.elapsed() < GONE_WITHIN => {
                    thread::sleep(Duration::from_millis(1));
                }
                _ => break self.handle.kill_and_wait(),
            }
        };
        Ended {
            died: Died {
                how: status.map_or_else(|error| error.to_string(), told),
            },
            overdue: self.handle.is_overdue(),
        }
    }
}

impl Drop for Process {
    /// Not asked, but killed: it has nothing to lose, and may be in the middle of a record.
    fn drop(&mut self) {
        self.input = None;
        let _ = self.handle.kill_and_wait();
    }
}

/// That a worker process could not be started.
pub(super) fn cannot_start(program: &Path, why: impl std::fmt::Display) -> Error {
    Error::Process {
        message: format!("{}: {why}", program.display()),
    }
}

/// What the user can do about an error of the system, as the end of a message.
fn remedy(error: &io::Error) -> &'static str {
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

fn told(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("killed by signal {signal}");
    }
    match status.code() {
        Some(code) => format!("exit status {code}"),
        None => status.to_string(),
    }
}

/// Whether there is something to read, or the end, before that time.
#[cfg(unix)]
fn readable_before(output: &BufReader<ChildStdout>, until: Instant) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    if !output.buffer().is_empty() {
        return true;
    }
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec {
            tv_sec: left.as_secs() as _,
            tv_nsec: left.subsec_nanos() as _,
        };
        match poll(
            &mut [PollFd::new(output.get_ref(), PollFlags::IN)],
            Some(&left),
        ) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(0) => return false,
            // Where it cannot be watched, the read tells.
            _ => return true,
        }
    }
}

/// Where a pipe cannot be watched, a program that is no worker and neither speaks nor ends is waited
/// for.
#[cfg(not(unix))]
fn readable_before(_output: &BufReader<ChildStdout>, _until: Instant) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::stop::Cancel;

    #[test]
    fn what_the_system_lacks_has_a_remedy() {
        use rustix::io::Errno;

        for (error, told) in [
            (Errno::MFILE, "open files"),
            (Errno::NFILE, "open files"),
            (Errno::AGAIN, "more processes"),
            (Errno::NOMEM, "fewer workers"),
        ] {
            let remedy = remedy(&error.into());
            assert!(
                remedy.starts_with("; ") && remedy.contains(told),
                "{remedy}"
            );
        }
        assert_eq!(remedy(&Errno::NOENT.into()), "");
    }

    #[test]
    fn a_program_that_neither_speaks_nor_ends_is_given_up() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("silent");
        // Written by another process, which no other test can have started a process of.
        let text = "#!/bin/sh\nexec sleep 600\n";
        let written = Command::new("sh")
            .args(["-c", "printf '%s' \"$1\" > \"$0\" && chmod +x \"$0\""])
            .args([program.as_os_str(), text.as_ref()])
            .status();
        assert!(written.expect("there is sh").success());
        let in_use = InUse::new(Cancel::new());
        let mut process = Process::spawn(&program, &in_use).expect("it starts");
        let patience = Duration::from_millis(20);
        let unready = process.set_up(&program, b"", None, patience);
        assert!(
            matches!(unready, Err(Unready::Silent(time)) if time == patience),
            "{unready:?}"
        );
        let began = Instant::now();
        drop(process);
        assert!(
            began.elapsed() < Duration::from_secs(300),
            "it was waited for"
        );
    }
}
