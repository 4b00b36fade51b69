//! Handles signals, and ends a run that does not return after its deadline.
//!
//! One thread waits for signals and for the deadline. It starts no other thread, takes no lock that a worker may hold
//! while the worker waits, and acts before it prints. So a signal ends the run even if no further thread can be
//! started or if standard error is blocked.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use manyhands::Cancel;
use manyhands::output::{Destination, Endpoints, Output, RunFiles};

use super::command_error::CommandError;

/// Longest time that a run may take to return after its deadline. A thread cannot be stopped in the middle of a
/// record, so after this time the command ends without waiting for the run.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// A run that a signal can stop, and the scores to keep if the run does not return.
pub(super) struct WatchedRun {
    /// The token that stops the run.
    pub(super) token: Cancel,
    /// The time at which the command stops waiting for the run and ends.
    pub(super) give_up: Option<Instant>,
    /// The time between the deadline and `give_up`.
    pub(super) grace: Duration,
    /// The scores file that is kept if the command ends without waiting for the run.
    pub(super) scores: Option<Arc<RunFiles>>,
    /// The journal that has the answers of the run.
    pub(super) journal: Option<PathBuf>,
}

/// The stage of the command. The effect of a signal depends on it.
enum Stage {
    /// Inputs and outputs are being opened. A signal ends the command at once.
    Opening,
    /// The run is in progress. The first signal stops the run, and the second signal ends the command at once.
    Running(WatchedRun),
    /// The run is over, and only reports remain to be written. A signal ends the command at once, and the message
    /// says which scores are kept.
    Over(Option<Arc<RunFiles>>),
}

#[cfg(not(unix))]
pub(super) use other_systems::NoSignals as SignalWatch;
#[cfg(unix)]
pub(super) use unix::SignalWatch;

/// Opens an output. If a signal ends the command before the run begins, the incomplete file is removed.
pub(super) fn open_destination(
    watch: &SignalWatch,
    endpoints: &mut Endpoints,
    output: &Output,
) -> Result<Destination, CommandError> {
    watch.open_output(|| Ok(endpoints.open(output)?), Destination::unfinished)
}

#[cfg(unix)]
mod unix {
    use std::io::{self, Read as _};
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::thread;

    use manyhands::StopReason;
    use manyhands::exit::Exit;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::low_level::pipe;

    use super::super::text::plain;
    use super::*;

    const STOPPING: &str =
        "stopping once the records in progress are done; a second signal ends the command at once";

    /// Longest time to wait until standard error accepts a message.
    const STDERR_TIMEOUT: Duration = Duration::from_millis(200);

    /// Watches for signals from the call of `start` on.
    pub(crate) struct SignalWatch {
        shared: Arc<WatchState>,
    }

    struct WatchState {
        quiet: bool,
        /// The socket that wakes the thread when the stage has changed. The thread owns it too: if the socket were
        /// closed before the process ends, the thread would be woken again and again.
        wake: UnixStream,
        stage: Mutex<Stage>,
        /// Incomplete files that are removed if a signal ends the command at once.
        unfinished: Mutex<Vec<PathBuf>>,
        /// Incomplete files that are removed only if a signal ends the command before the run begins. After that they
        /// hold scores, which are kept.
        opening: Mutex<Vec<PathBuf>>,
    }

    /// An event that the thread waits for.
    enum WatchEvent {
        Signal(i32),
        /// The run has not returned within this time, counted from its deadline.
        GiveUp(Duration),
        Woken,
    }

    impl SignalWatch {
        /// Starts the thread that watches for signals.
        pub(crate) fn start(quiet: bool) -> Result<Self, CommandError> {
            let no_thread = |error: io::Error| {
                CommandError::from(manyhands::Error::Workers {
                    threads: 1,
                    source: error.into(),
                })
            };
            let (wake, woken) = UnixStream::pair().map_err(no_thread)?;
            let shared = Arc::new(WatchState {
                quiet,
                wake,
                stage: Mutex::new(Stage::Opening),
                unfinished: Mutex::default(),
                opening: Mutex::default(),
            });
            let mut watcher = Watcher {
                shared: Arc::clone(&shared),
                signals: Vec::new(),
                woken,
            };
            let mut senders = Vec::new();
            for signal in [SIGHUP, SIGINT, SIGTERM] {
                let (sender, receiver) = UnixStream::pair().map_err(no_thread)?;
                watcher.signals.push((signal, receiver));
                senders.push((signal, sender));
            }
            let thread = thread::Builder::new().name("manyhands-signals".to_owned());
            thread.spawn(move || watcher.run()).map_err(no_thread)?;
            // The signals are registered last, so that they keep their default action if the thread cannot be
            // started.
            for (signal, sender) in senders {
                pipe::register(signal, sender).map_err(no_thread)?;
            }
            // If a file reaches the size limit (ulimit -f), the system sends this signal, which would kill the
            // command. With this flag registered, the write fails instead, and the scores so far are kept.
            signal_hook::flag::register(SIGXFSZ, Arc::default()).map_err(no_thread)?;
            Ok(SignalWatch { shared })
        }

        /// Opens an output. If a signal ends the command before the run begins, the incomplete file of the output is
        /// removed.
        pub(crate) fn open_output<T>(
            &self,
            open: impl FnOnce() -> Result<T, CommandError>,
            unfinished: impl FnOnce(&T) -> Option<PathBuf>,
        ) -> Result<T, CommandError> {
            // The lock is held until the file is in the list, so that a signal that arrives while the file is being
            // opened also removes it.
            let mut files = lock(&self.shared.opening);
            let opened = open()?;
            files.extend(unfinished(&opened));
            Ok(opened)
        }

        /// Registers an incomplete file, which is removed if a signal ends the command at once.
        pub(crate) fn remove_at_once(&self, file: Option<PathBuf>) {
            lock(&self.shared.unfinished).extend(file);
        }

        /// Begins the run: from now on, the first signal stops it.
        pub(crate) fn begin_run(&self, watched: WatchedRun) {
            *lock(&self.shared.stage) = Stage::Running(watched);
            self.wake();
        }

        /// Ends the run: from now on, the first signal ends the command at once, since only reports remain to be
        /// written.
        pub(crate) fn end_run(&self) {
            let mut stage = lock(&self.shared.stage);
            let scores = match &mut *stage {
                Stage::Running(watched) => watched.scores.take(),
                Stage::Opening | Stage::Over(_) => None,
            };
            *stage = Stage::Over(scores);
            drop(stage);
            self.wake();
        }

        /// Waits for the thread, which is already ending the command. Never returns, since the process ends first.
        pub(crate) fn wait_for_the_end(&self) -> ! {
            loop {
                thread::park();
            }
        }

        fn wake(&self) {
            // A failed write is ignored: if the pipe is full, the thread wakes anyway.
            let _ = io::Write::write(&mut &self.shared.wake, &[0]);
        }
    }

    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    struct Watcher {
        shared: Arc<WatchState>,
        /// Each signal that is watched, with a stream that receives a byte whenever this signal arrives.
        signals: Vec<(i32, UnixStream)>,
        woken: UnixStream,
    }

    impl Watcher {
        fn run(mut self) {
            loop {
                match self.wait() {
                    WatchEvent::Signal(signal) if self.shared.stops_run(signal) => {
                        if !self.shared.quiet {
                            print(STOPPING);
                        }
                    }
                    WatchEvent::Signal(signal) => {
                        self.shared.end(Exit::Signal(signal), "ended by a signal");
                    }
                    WatchEvent::GiveUp(grace) => {
                        let why = format!(
                            "error: stopped before the end: the deadline has passed, and a record \
                             was still being scored {} s later",
                            grace.as_secs()
                        );
                        self.shared.end(Exit::Deadline, &why);
                    }
                    WatchEvent::Woken => {}
                }
            }
        }

        /// Waits for the next event.
        fn wait(&mut self) -> WatchEvent {
            let give_up = match &*lock(&self.shared.stage) {
                Stage::Running(watched) => watched.give_up.map(|at| (at, watched.grace)),
                Stage::Opening | Stage::Over(_) => None,
            };
            let left = give_up.map(|(at, _)| at.saturating_duration_since(Instant::now()));
            let left = left.map(timespec);
            let streams = self.signals.iter().map(|(_, stream)| stream);
            let mut watched: Vec<_> = streams
                .chain([&self.woken])
                .map(|stream| PollFd::new(stream, PollFlags::IN))
                .collect();
            match poll(&mut watched, left.as_ref()) {
                Ok(0) => {
                    return give_up
                        .map_or(WatchEvent::Woken, |(_, grace)| WatchEvent::GiveUp(grace));
                }
                Ok(_) => {}
                // Usually the arriving signal has interrupted the call. After any other error, the thread sleeps for
                // a moment before it tries again.
                Err(error) => {
                    if error != rustix::io::Errno::INTR {
                        thread::sleep(Duration::from_millis(10));
                    }
                    return WatchEvent::Woken;
                }
            }
            let ready: Vec<_> = watched
                .iter()
                .map(|one| !one.revents().is_empty())
                .collect();
            let byte = &mut [0];
            for ((signal, stream), ready) in self.signals.iter_mut().zip(&ready) {
                if *ready && stream.read(byte).is_ok_and(|read| read > 0) {
                    return WatchEvent::Signal(*signal);
                }
            }
            let _ = self.woken.read(byte);
            WatchEvent::Woken
        }
    }

    impl WatchState {
        /// Stops the run. Returns `false` if there is no run, or if an earlier signal has already stopped it.
        fn stops_run(&self, signal: i32) -> bool {
            match &*lock(&self.stage) {
                Stage::Running(watched) => watched.token.cancel_with(StopReason::Signal(signal)),
                Stage::Opening | Stage::Over(_) => false,
            }
        }

        /// Ends the command, even if its other threads are still working. The scores that have been written in order
        /// are kept, and incomplete files are removed.
        fn end(&self, exit: Exit, why: &str) -> ! {
            let mut journal = None;
            let kept = match &*lock(&self.stage) {
                Stage::Opening => {
                    self.remove_opened();
                    None
                }
                Stage::Running(watched) => {
                    journal.clone_from(&watched.journal);
                    let scores = watched.scores.as_ref();
                    scores.map(|scores| scores.keep_partial())
                }
                Stage::Over(scores) => scores.as_ref().map(|scores| Ok(scores.partial())),
            };
            for file in std::mem::take(&mut *lock(&self.unfinished)) {
                let _ = std::fs::remove_file(file);
            }
            let kept = match kept {
                Some(Ok(Some(kept))) => format!("\n{}", super::super::endings::partial_note(&kept)),
                Some(Err(error)) => format!("\nerror: {}", plain(error)),
                Some(Ok(None)) | None => String::new(),
            };
            let answers = match journal.filter(|_| !self.quiet) {
                Some(path) => format!("\n{}", super::super::endings::journal_note(&path)),
                None => String::new(),
            };
            print(&format!("{why}{kept}{answers}"));
            std::process::exit(exit.code().into());
        }

        /// Removes the output files that have been opened, or that are being opened at this moment. If the main
        /// thread is opening a pipe and waits for its reader, there is no file to remove.
        fn remove_opened(&self) {
            /// Longest time to wait for the main thread to create a file.
            const CREATE_TIMEOUT: Duration = Duration::from_millis(500);

            let began = Instant::now();
            while began.elapsed() < CREATE_TIMEOUT {
                if let Ok(mut files) = self.opening.try_lock() {
                    for file in std::mem::take(&mut *files) {
                        let _ = std::fs::remove_file(file);
                    }
                    return;
                }
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    /// Writes a line to standard error, unless the write would block. The writer of the standard library is not used,
    /// since another thread may hold the lock of that writer while it waits for a full pipe.
    fn print(line: &str) {
        let stderr = io::stderr();
        let stderr = stderr.as_fd();
        let line = format!("\n{line}\n");
        let mut watched = [PollFd::new(&stderr, PollFlags::OUT)];
        // A pipe counts as ready if it can take a page of memory, and a line is shorter than a page.
        if poll(&mut watched, Some(&timespec(STDERR_TIMEOUT))).is_ok_and(|ready| ready > 0) {
            let _ = rustix::io::write(stderr, line.as_bytes());
        }
    }

    fn timespec(duration: Duration) -> Timespec {
        Timespec {
            tv_sec: duration.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: duration.subsec_nanos().into(),
        }
    }
}

/// On systems without these signals, the system itself ends the command if the user interrupts it. If a run does not
/// return after its deadline, the command keeps waiting for it.
#[cfg(not(unix))]
mod other_systems {
    use super::*;

    pub(crate) struct NoSignals;

    impl NoSignals {
        pub(crate) fn start(_quiet: bool) -> Result<Self, CommandError> {
            Ok(NoSignals)
        }

        pub(crate) fn open_output<T>(
            &self,
            open: impl FnOnce() -> Result<T, CommandError>,
            _unfinished: impl FnOnce(&T) -> Option<PathBuf>,
        ) -> Result<T, CommandError> {
            open()
        }

        pub(crate) fn remove_at_once(&self, _file: Option<PathBuf>) {}

        pub(crate) fn begin_run(&self, _watched: WatchedRun) {}

        pub(crate) fn end_run(&self) {}

        pub(crate) fn wait_for_the_end(&self) -> ! {
            loop {
                std::thread::park();
            }
        }
    }
}
