//! One worker process: how it is started, how messages are written to it and read from it, and how it ended.

use std::io::{self, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::block::RecordBlock;
use super::handle::ProcessHandle;
use super::message::Message;
use super::protocol::{ARGUMENT, GREETING, ReadyMessage, WELCOME};
use super::supervisor::ProcessesInUse;
use crate::error::{Died, Error};
#[cfg(unix)]
use crate::remote::blame::SIGKILL;
use crate::remote::spawn::{cannot_start, remedy, spawn};

/// How long a process may take to answer the greeting. A worker answers the greeting before it does anything else.
pub(super) const GREETING_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a process may take to exit after it has closed its pipe. After this time it is killed.
const EXIT_TIMEOUT: Duration = Duration::from_secs(2);

/// Largest number of bytes that one call reads from a process.
const READ_BYTES: usize = 64 << 10;

/// Number of bytes that the pipe to a process holds. The system limits the total for all pipes of a user.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 2 * super::slot::MAX_BYTES;

/// The reason why a process is not ready.
#[derive(Debug)]
pub(super) enum NotReady {
    /// The process has died. Another process may succeed.
    Died(Died),
    /// The process has not answered the greeting within this time.
    Silent(Duration),
    /// The program is not a worker, or reports why it cannot get ready. Another process would do the same.
    Refused(Error),
}

/// How a process has ended.
#[derive(Debug)]
pub(super) struct ProcessEnd {
    pub(super) died: Died,
    /// Whether the signal KILL ended the process.
    pub(super) was_killed: bool,
    /// Whether the supervisor killed the process because it had not answered in time.
    pub(super) overdue: bool,
}

/// A worker process and the pipes to it.
#[derive(Debug)]
pub(super) struct Process {
    handle: Arc<ProcessHandle>,
    greeted: Instant,
    /// `None` once the pipe has broken.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    incoming: Message,
}

impl Process {
    /// Starts a process for a run and greets it, without waiting for the answer, so that several processes
    /// can start at the same time.
    pub(super) fn spawn(program: &Path, in_use: &ProcessesInUse) -> Result<Self, Error> {
        let mut command = Command::new(program);
        command
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        // Signals of the terminal are meant for the command, which may want to finish the records in
        // progress. The worker process ends with its pipes.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = spawn(&mut command).map_err(|error| {
            let remedy = remedy(&error);
            cannot_start(program, format_args!("{error}{remedy}"))
        })?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let handle = Arc::new(ProcessHandle::new(child));
        let Some((mut input, output)) = pipes else {
            let _ = handle.kill_and_wait();
            return Err(cannot_start(program, "it has no pipes"));
        };
        in_use.add(&handle);
        enlarge(&input);
        // Any pipe accepts these few bytes without waiting. A process that cannot be greeted would never answer,
        // so it is killed here; reading its answer then fails.
        let is_greeted = input.write_all(GREETING).is_ok();
        if !is_greeted {
            handle.kill();
        }
        Ok(Process {
            handle,
            greeted: Instant::now(),
            input: is_greeted.then_some(input),
            output: BufReader::with_capacity(READ_BYTES, output),
            incoming: Message::new(),
        })
    }

    /// The part of the process that is shared with the supervisor.
    pub(super) fn handle(&self) -> &Arc<ProcessHandle> {
        &self.handle
    }

    /// Waits for the answer to the greeting. Then sends the setup, and the number of the hardware thread on which
    /// the process must stay, if there is one.
    pub(super) fn set_up(
        &mut self,
        program: &Path,
        setup: &[u8],
        place: Option<usize>,
        timeout: Duration,
    ) -> Result<(), NotReady> {
        let mut welcome = [0; WELCOME.len()];
        let mut received = 0;
        let until = self.greeted + timeout;
        while received < welcome.len() && welcome[..received] == WELCOME[..received] {
            if !readable_before(&self.output, until) {
                return Err(NotReady::Silent(timeout));
            }
            match self.output.read(&mut welcome[received..]) {
                Ok(0) => return Err(NotReady::Died(self.end().died)),
                Ok(read) => received += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(NotReady::Refused(cannot_start(program, error))),
            }
        }
        if welcome != *WELCOME {
            let message = "the program is no worker of this version of manyhands";
            return Err(NotReady::Refused(cannot_start(program, message)));
        }
        let mut message = Message::new();
        message.push(setup);
        self.write(|input| message.write(&place, input));
        Ok(())
    }

    /// Waits until the process is ready.
    pub(super) fn await_ready(&mut self, program: &Path) -> Result<ReadyMessage, NotReady> {
        let refused = |why: String| NotReady::Refused(cannot_start(program, why));
        match self.incoming.read(&mut self.output) {
            Ok(true) => {
                let ready: Result<Result<ReadyMessage, String>, _> = self.incoming.tail();
                ready
                    .unwrap_or_else(|error| Err(error.to_string()))
                    .map_err(refused)
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(refused(error.to_string()))
            }
            _ => Err(NotReady::Died(self.end().died)),
        }
    }

    /// Sends records. If sending them fails, receiving their answers fails too.
    pub(super) fn send(&mut self, block: &mut RecordBlock, note: &impl Serialize) {
        let handle = Arc::clone(&self.handle);
        handle.while_waiting(|| self.write(|input| block.write(note, input)));
    }

    fn write(&mut self, write: impl FnOnce(&mut ChildStdin) -> io::Result<()>) {
        if let Some(input) = &mut self.input
            && write(input).is_err()
        {
            // The process no longer reads. Killing it makes sure that it no longer writes either.
            self.input = None;
            self.handle.kill();
        }
    }

    /// Waits for the next answers.
    ///
    /// # Errors
    ///
    /// Returns an error if the process will send no further answers that can be read.
    pub(super) fn receive(&mut self) -> io::Result<&Message> {
        let (incoming, output) = (&mut self.incoming, &mut self.output);
        if self.handle.while_waiting(|| incoming.read(output))? {
            Ok(&self.incoming)
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    /// Whether the supervisor has killed the process because it had not answered in time. An answer may still
    /// have arrived at that moment.
    pub(super) fn is_overdue(&self) -> bool {
        self.handle.is_overdue()
    }

    /// Waits until the process exits, and kills it after [`EXIT_TIMEOUT`]. Returns how it ended.
    pub(super) fn end(&mut self) -> ProcessEnd {
        self.input = None;
        let began = Instant::now();
        let status = loop {
            match self.handle.try_wait() {
                Ok(Some(status)) => break Ok(status),
                Ok(None) if began.elapsed() < EXIT_TIMEOUT => {
                    thread::sleep(Duration::from_millis(1));
                }
                _ => break self.handle.kill_and_wait(),
            }
        };
        ProcessEnd {
            was_killed: status.as_ref().is_ok_and(|status| was_killed(*status)),
            died: Died {
                how: status.map_or_else(|error| error.to_string(), describe),
            },
            overdue: self.handle.is_overdue(),
        }
    }
}

impl Drop for Process {
    /// Kills the process. The process has nothing to save, and may be in the middle of a record.
    fn drop(&mut self) {
        self.input = None;
        let _ = self.handle.kill_and_wait();
    }
}

/// Makes the pipe to a process hold whole blocks of records. Otherwise, a block would be written and read in several pieces,
/// each of which wakes one of the two sides. If the system refuses, the pipe stays as it is.
#[cfg(target_os = "linux")]
fn enlarge(input: &ChildStdin) {
    let _ = rustix::pipe::fcntl_setpipe_size(input, PIPE_BYTES);
}

#[cfg(not(target_os = "linux"))]
fn enlarge(_input: &ChildStdin) {}

/// Whether the signal KILL ended a process.
#[cfg(unix)]
fn was_killed(status: ExitStatus) -> bool {
    std::os::unix::process::ExitStatusExt::signal(&status) == Some(SIGKILL)
}

#[cfg(not(unix))]
fn was_killed(_status: ExitStatus) -> bool {
    false
}

/// Describes, for a message, how a process has ended.
fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("killed by signal {signal}");
    }
    match status.code() {
        Some(code) => format!("exit status {code}"),
        None => status.to_string(),
    }
}

/// Whether a read returns before the time `until`, with bytes or at the end of the output.
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
            // If the pipe cannot be polled, the read that follows will show the problem.
            _ => return true,
        }
    }
}

/// On these systems, this program has no way to poll a pipe. So if a program is not a worker and neither writes
/// nor exits, it blocks the run.
#[cfg(not(unix))]
fn readable_before(_output: &BufReader<ChildStdout>, _until: Instant) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::stop::Cancel;

    #[test]
    fn a_silent_program_is_given_up_after_a_timeout() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("silent");
        // A separate process writes the file. If this process wrote it, a process that another test starts at that
        // time would inherit the open file, and the program could not be started.
        let text = "#!/bin/sh\nexec sleep 600\n";
        let written = Command::new("sh")
            .args(["-c", "printf '%s' \"$1\" > \"$0\" && chmod +x \"$0\""])
            .args([program.as_os_str(), text.as_ref()])
            .status();
        assert!(written.expect("there is sh").success());
        let in_use = ProcessesInUse::new(Cancel::new());
        let mut process = Process::spawn(&program, &in_use).expect("it starts");
        let timeout = Duration::from_millis(20);
        let not_ready = process.set_up(&program, b"", None, timeout);
        assert!(
            matches!(not_ready, Err(NotReady::Silent(time)) if time == timeout),
            "{not_ready:?}"
        );
        let began = Instant::now();
        drop(process);
        assert!(
            began.elapsed() < Duration::from_secs(300),
            "the drop waited for the process"
        );
    }
}
