//! One worker process: how it is started, spoken to, and found dead.

use std::io::{self, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::block::Block;
use super::frame::Frame;
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

/// How many bytes of text a message is to have at first, …
const FIRST_BYTES: usize = 1;
/// … and at most. Less than 128 KiB, from which on memory comes fresh from the system each time.
const MOST_BYTES: usize = 64 << 10;
/// How long the worker should be at a message: long beside what it takes to send it, and no longer
/// than whoever stops a run may wait.
const MESSAGE: Duration = Duration::from_millis(2);
/// A message is at most this many times the last one, since the records to come may be dearer.
const GROWTH: usize = 8;

/// What a worker says when it is ready.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    /// What that took of processor time, in nanoseconds.
    pub(super) cpu: u64,
    /// Whether it stays where it was told to.
    pub(super) in_place: bool,
}

/// A worker process and the pipes to it.
#[derive(Debug)]
pub(super) struct Process {
    /// Which one of the pool it is, from 0.
    pub(super) number: usize,
    child: Child,
    /// Gone once it has broken.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    incoming: Frame,
    /// How many bytes of text a message is to have.
    bytes: usize,
    /// Memory for messages.
    spares: Vec<Block>,
}

impl Process {
    /// Starts a process and greets it. It is not waited for, so that several start side by side.
    pub(super) fn spawn(program: &Path, number: usize) -> Result<Self, Error> {
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
        let mut child = command
            .spawn()
            .map_err(|error| cannot_start(program, error))?;
        drop(starting);
        let pipes = child.stdin.take().zip(child.stdout.take());
        let Some((mut input, output)) = pipes else {
            return Err(cannot_start(program, "it has no pipes"));
        };
        // Few enough bytes that any pipe takes them at once. If it is gone already, that shows next.
        let _ = input.write_all(GREETING);
        Ok(Process {
            number,
            child,
            input: Some(input),
            output: BufReader::with_capacity(MOST_BYTES, output),
            incoming: Frame::new(),
            bytes: FIRST_BYTES,
            spares: Vec::new(),
        })
    }

    /// Waits for the answer to the greeting, and sends what to make ready, and whether to stay in a
    /// place of its own.
    pub(super) fn set_up(
        &mut self,
        program: &Path,
        setup: &[u8],
        pinned: bool,
        patience: Duration,
    ) -> Result<(), Error> {
        let mut welcome = [0; WELCOME.len()];
        let mut said = 0;
        let until = Instant::now() + patience;
        while said < welcome.len() && welcome[..said] == WELCOME[..said] {
            if !readable_before(&self.output, until) {
                let message = "it does not answer as a worker does";
                return Err(cannot_start(program, message));
            }
            match self.output.read(&mut welcome[said..]) {
                Ok(0) => return Err(cannot_start(program, self.end())),
                Ok(read) => said += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(cannot_start(program, error)),
            }
        }
        if welcome != *WELCOME {
            let message = "it is no worker of this version of manyhands";
            return Err(cannot_start(program, message));
        }
        let mut message = Frame::new();
        message.push(setup);
        let place = pinned.then_some(self.number);
        self.write(|input| message.write(&place, input));
        Ok(())
    }

    /// Waits until all is ready.
    pub(super) fn await_ready(&mut self, program: &Path) -> Result<Ready, Error> {
        match self.receive() {
            Ok(frame) => {
                let ready: Result<Result<Ready, String>, _> = frame.tail();
                ready
                    .unwrap_or_else(|error| Err(error.to_string()))
                    .map_err(|why| cannot_start(program, why))
            }
            Err(_) => Err(cannot_start(program, self.end())),
        }
    }

    /// Sends records. That it cannot be done shows when their answer is waited for.
    pub(super) fn send(&mut self, block: &mut Block, note: &impl Serialize) {
        self.write(|input| block.write(note, input));
    }

    fn write(&mut self, write: impl FnOnce(&mut ChildStdin) -> io::Result<()>) {
        if let Some(input) = &mut self.input
            && write(input).is_err()
        {
            // Whatever it is, it does not listen; dead it also stops talking.
            self.input = None;
            let _ = self.child.kill();
        }
    }

    /// The next answers. An error means that there will be none any more, or none that can be
    /// understood.
    pub(super) fn receive(&mut self) -> io::Result<&Frame> {
        if self.incoming.read(&mut self.output)? {
            Ok(&self.incoming)
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    /// Memory for the next message.
    pub(super) fn block(&mut self) -> Block {
        self.spares.pop().unwrap_or_else(Block::new)
    }

    /// Takes back the memory of a message.
    pub(super) fn keep(&mut self, mut block: Block) {
        if block.is_worth_keeping(MOST_BYTES) {
            block.clear();
            self.spares.push(block);
        }
    }

    /// How many bytes of text a message should have.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Learns how long a message took.
    pub(super) fn pace(&mut self, bytes: usize, took: Duration) {
        let took = took.as_nanos().max(1);
        let fitting = bytes as u128 * MESSAGE.as_nanos() / took;
        let growth = bytes.max(1).saturating_mul(GROWTH).min(MOST_BYTES);
        self.bytes = usize::try_from(fitting).unwrap_or(growth).clamp(1, growth);
    }

    /// Waits for its end, which it is helped to if it has not come; says how it ended.
    pub(super) fn end(&mut self) -> Died {
        self.input = None;
        let began = Instant::now();
        while began.elapsed() < GONE_WITHIN {
            match self.child.try_wait() {
                Ok(Some(status)) => return Died { how: told(status) },
                Ok(None) => thread::sleep(Duration::from_millis(1)),
                Err(_) => break,
            }
        }
        let _ = self.child.kill();
        let how = self
            .child
            .wait()
            .map_or_else(|error| error.to_string(), told);
        Died { how }
    }
}

impl Drop for Process {
    /// Not asked, but killed: it has nothing to lose, and may be in the middle of a record.
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// That a worker process could not be started.
pub(super) fn cannot_start(program: &Path, why: impl std::fmt::Display) -> Error {
    Error::Process {
        message: format!("{}: {why}", program.display()),
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
        let mut process = Process::spawn(&program, 0).expect("it starts");
        let patience = Duration::from_millis(20);
        let error = process.set_up(&program, b"", false, patience);
        let error = error.expect_err("it says nothing").to_string();
        assert!(
            error.contains("does not answer as a worker does"),
            "{error}"
        );
        let began = Instant::now();
        drop(process);
        assert!(
            began.elapsed() < Duration::from_secs(300),
            "it was waited for"
        );
    }
}
