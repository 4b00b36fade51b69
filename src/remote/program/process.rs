//! The pipes to one process of a program: lines that are written to it, and lines that it writes.
//!
//! One thread writes and reads. It never waits for one pipe alone, so the thread and the program cannot wait for each
//! other: a program that writes an answer while its input pipe is full goes on as soon as the answer is read.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::last_words::LastWords;
use super::launch::{ProgramEnd, RunningProgram};

/// Largest number of bytes that one read takes from a pipe.
const READ_BYTES: usize = 64 << 10;

/// Number of reads that surely take everything out of a pipe which is no longer written to. On Linux, a program can make
/// its pipe hold at most 1 MiB, unless it is privileged.
const READS_OF_A_PIPE: usize = 17;

/// Time between two looks at a process that is about to exit.
const LOOK: Duration = Duration::from_micros(200);

/// How long a process may take to exit after it has closed its output. After this time it is killed.
const EXIT_TIMEOUT: Duration = Duration::from_secs(2);

/// A process of a program, with what was not written to it yet and what it has written.
#[derive(Debug)]
pub(super) struct ProgramProcess {
    running: RunningProgram,
    outgoing: Vec<u8>,
    /// Number of outgoing bytes that have been written.
    written: usize,
    /// Whether the input is to be closed once everything is written.
    closing: bool,
    incoming: Vec<u8>,
    /// Number of incoming bytes that belong to lines which have been taken.
    taken: usize,
    /// Number of incoming bytes that have been searched for a line end.
    searched: usize,
    output_ended: bool,
    errors_ended: bool,
    last_words: LastWords,
    buffer: Box<[u8]>,
}

impl ProgramProcess {
    pub(super) fn new(running: RunningProgram) -> Self {
        ProgramProcess {
            running,
            outgoing: Vec::new(),
            written: 0,
            closing: false,
            incoming: Vec::new(),
            taken: 0,
            searched: 0,
            output_ended: false,
            errors_ended: false,
            last_words: LastWords::default(),
            buffer: vec![0; READ_BYTES].into_boxed_slice(),
        }
    }

    /// The bytes to which a line for the program is appended. They are written by the next calls of
    /// [`pump`](Self::pump).
    pub(super) fn outgoing(&mut self) -> &mut Vec<u8> {
        forget(&mut self.outgoing, &mut self.written);
        &mut self.outgoing
    }

    /// Closes the input of the program once all lines are written.
    pub(super) fn close_input(&mut self) {
        self.closing = true;
        self.write();
    }

    /// Whether the input of the program is open and stays open.
    pub(super) fn is_open(&self) -> bool {
        !self.closing
    }

    /// Whether the program has read all lines, so that it may be waiting for more.
    pub(super) fn has_read_everything(&self) -> bool {
        if self.written < self.outgoing.len() {
            return false;
        }
        // If the system does not tell how many bytes are in the pipe, the program may have read them.
        let unread = self.running.input.as_ref();
        let unread = unread.and_then(|input| rustix::io::ioctl_fionread(input).ok());
        unread.is_none_or(|unread| unread == 0)
    }

    /// Whether the program has closed its output, by ending or otherwise, and everything before that was read.
    pub(super) fn has_ended(&self) -> bool {
        self.output_ended
    }

    /// Writes what the program accepts and reads what it has written. If there is nothing to read, waits up to `wait`
    /// for it. Returns whether bytes arrived, or the output ended.
    pub(super) fn pump(&mut self, wait: Duration) -> bool {
        self.write();
        if self.read_output() {
            return true;
        }
        if wait.is_zero() {
            return false;
        }
        self.wait(wait);
        self.write();
        self.read_output()
    }

    /// Waits until a pipe is ready, and uses the pipes that are.
    fn wait(&mut self, wait: Duration) {
        let timeout = Timespec {
            tv_sec: wait.as_secs() as _,
            tv_nsec: wait.subsec_nanos() as _,
        };
        let RunningProgram {
            input,
            output,
            errors,
            ..
        } = &self.running;
        let input = input
            .as_ref()
            .filter(|_| self.written < self.outgoing.len());
        // A pipe that has ended would always be ready, so it is not polled.
        let output = (!self.output_ended).then(|| PollFd::new(output, PollFlags::IN));
        let errors = (!self.errors_ended).then(|| PollFd::new(errors, PollFlags::IN));
        let input = input.map(|input| PollFd::new(input, PollFlags::OUT));
        let mut polled: Vec<PollFd<'_>> = [output, errors, input].into_iter().flatten().collect();
        // An interrupted wait is a short one.
        let _ = poll(&mut polled, Some(&timeout));
        self.read_errors();
    }

    /// Writes as much as the pipe accepts.
    fn write(&mut self) {
        while self.written < self.outgoing.len() {
            let Some(input) = &mut self.running.input else {
                // The program no longer reads. Its output ends soon, or has ended.
                self.written = self.outgoing.len();
                return;
            };
            match input.write(&self.outgoing[self.written..]) {
                Ok(written) if written > 0 => self.written += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                _ => self.running.input = None,
            }
        }
        if self.closing {
            self.running.input = None;
        }
    }

    /// Reads what the program has written. Returns whether bytes arrived, or the output ended.
    fn read_output(&mut self) -> bool {
        if self.output_ended {
            return true;
        }
        loop {
            match self.running.output.read(&mut self.buffer) {
                Ok(0) => self.output_ended = true,
                Ok(read) => {
                    self.searched -= forget(&mut self.incoming, &mut self.taken);
                    self.incoming.extend_from_slice(&self.buffer[..read]);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(_) => self.output_ended = true,
            }
            return true;
        }
    }

    /// Reads the last words of the program. A program that writes without end must not keep this thread from its other
    /// work, so the number of reads is limited.
    fn read_errors(&mut self) {
        for _ in 0..READS_OF_A_PIPE {
            if self.errors_ended {
                return;
            }
            match self.running.errors.read(&mut self.buffer) {
                Ok(read) if read > 0 => self.last_words.add(&self.buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                _ => self.errors_ended = true,
            }
        }
    }

    /// Reads what is left in the output of a program that has ended. Another process may hold the output open and write
    /// without end, so this does not read until the end of the output.
    pub(super) fn read_rest(&mut self) {
        for _ in 0..READS_OF_A_PIPE {
            if self.output_ended || !self.read_output() {
                return;
            }
        }
    }

    /// Takes the next whole line, without its line end.
    pub(super) fn take_line(&mut self) -> Option<&[u8]> {
        let from = self.searched;
        match memchr::memchr(b'\n', &self.incoming[from..]) {
            Some(length) => {
                let line = self.taken..from + length;
                self.taken = line.end + 1;
                self.searched = self.taken;
                Some(&self.incoming[line])
            }
            None => {
                self.searched = self.incoming.len();
                None
            }
        }
    }

    /// Makes the bytes that are left a whole line. Returns false if none are left.
    ///
    /// The last line of a program needs no line end. But if the program was killed, its last line may be the beginning of
    /// an answer, such as `0.1` of `0.125`. So this must only be called if the program has ended well.
    pub(super) fn end_last_line(&mut self) -> bool {
        let is_left = self.bytes_left() > 0;
        if is_left {
            self.incoming.push(b'\n');
        }
        is_left
    }

    /// Number of bytes that have arrived and that no line which was taken contains.
    pub(super) fn bytes_left(&self) -> usize {
        self.incoming.len() - self.taken
    }

    /// How the process has ended; `None` while it runs.
    pub(super) fn try_wait(&mut self) -> Option<ProgramEnd> {
        self.running.try_wait()
    }

    /// Whether the program waits, so that it will write nothing before it has read something. `None` if the system does not
    /// tell.
    pub(super) fn is_at_rest(&self) -> Option<bool> {
        self.running.is_at_rest()
    }

    /// The memory that the process and its descendants hold, in bytes.
    pub(super) fn resident_bytes(&self) -> Option<u64> {
        self.running.resident_bytes()
    }

    /// Closes the input, and waits until the process ends by itself. Returns `None` if it does not end in time.
    ///
    /// The output of a process ends a moment before the system tells how the process has ended, and a guard ends a moment
    /// after its program.
    pub(super) fn wait_for_end(&mut self) -> Option<ProgramEnd> {
        self.running.input = None;
        let began = Instant::now();
        loop {
            let end = self.running.try_wait();
            if end.is_some() || began.elapsed() >= EXIT_TIMEOUT {
                return end;
            }
            self.read_errors();
            std::thread::sleep(LOOK);
        }
    }

    /// Kills the process, unless it has ended, and returns its last words.
    pub(super) fn end(mut self) -> LastWords {
        self.running.end();
        self.read_errors();
        self.last_words
    }
}

/// Forgets the bytes at the beginning that are done, if they are all bytes, or if they outnumber the others.
/// Without this, the bytes of a program that never catches up would fill the memory. Returns how many bytes it forgot.
fn forget(bytes: &mut Vec<u8>, done: &mut usize) -> usize {
    let count = *done;
    if count == bytes.len() {
        bytes.clear();
    } else if count >= READ_BYTES.max(bytes.len() - count) {
        bytes.drain(..count);
    } else {
        return 0;
    }
    *done = 0;
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_done_are_forgotten_although_others_are_always_left() {
        let (mut bytes, mut done) = (Vec::new(), 0);
        let (mut most, mut next) = (0, 0_u32);
        for round in 0..10_000_u32 {
            let before = done;
            let forgot = forget(&mut bytes, &mut done);
            assert_eq!(before, done + forgot);
            bytes.extend((0..250).flat_map(|number| (round * 250 + number).to_le_bytes()));
            most = most.max(bytes.len());
            // All but the last three numbers are done.
            while bytes.len() - done > 12 {
                assert_eq!(bytes[done..done + 4], next.to_le_bytes());
                (done, next) = (done + 4, next + 1);
            }
        }
        assert!(most < 3 * READ_BYTES, "{most} bytes");
    }
}
