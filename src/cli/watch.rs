//! Signals, and the deadline of a run that does not come back.
//!
//! One thread waits for both. It never starts another thread, takes no lock that a worker may hold while it
//! waits, and does what must be done before it says so: at a limit of threads, and while standard error is
//! blocked, a signal still ends the run.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use manyhands::Cancel;
use manyhands::output::ScoresFile;

use super::fault::Fault;

/// How long after its deadline a run may take to come back. A thread cannot be stopped in the middle of a
/// record, so then the command ends without it.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// What a signal stops, and what is kept if the run does not come back.
pub(super) struct Watched {
    /// Stops the run.
    pub(super) token: Cancel,
    /// When the command ends without the run.
    pub(super) give_up: Option<Instant>,
    /// How long after the deadline that is.
    pub(super) grace: Duration,
    /// The scores that are kept then.
    pub(super) scores: Option<Arc<ScoresFile>>,
}

/// How far the command is.
enum Stage {
    /// Inputs and outputs are being opened: a signal ends the command at once.
    Opening,
    /// The first signal stops the run, the second one ends the command at once.
    Running(Watched),
    /// Only reports are left to be written: a signal ends the command at once, and says what is kept of
    /// the scores.
    Over(Option<Arc<ScoresFile>>),
}

#[cfg(not(unix))]
pub(super) use elsewhere::Watch;
#[cfg(unix)]
pub(super) use unix::Watch;

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

    const STOPPING: &str = "stopping when the records in work are done; once more ends it at once";

    /// How long a message waits for standard error to take it.
    const PATIENCE: Duration = Duration::from_millis(200);

    /// Watches for signals from the moment it is started.
    pub(crate) struct Watch {
        shared: Arc<Shared>,
        /// Wakes the thread when it has something else to wait for.
        wake: UnixStream,
    }

    struct Shared {
        quiet: bool,
        stage: Mutex<Stage>,
        /// Files that are not whole, and are removed if the command ends at once.
        unfinished: Mutex<Vec<PathBuf>>,
        /// Those that are removed only if it ends before the run has begun: of a run, scores are kept.
        opening: Mutex<Vec<PathBuf>>,
    }

    /// What the thread waits for.
    enum Event {
        Signal(i32),
        /// The run has not come back this long after its deadline.
        GiveUp(Duration),
        Woken,
    }

    impl Watch {
        /// Starts the thread.
        pub(crate) fn start(quiet: bool) -> Result<Self, Fault> {
            let cannot = |error: io::Error| {
                Fault::from(manyhands::Error::Workers {
                    threads: 1,
                    source: format!("it would watch for signals: {error}").into(),
                })
            };
            let shared = Arc::new(Shared {
                quiet,
                stage: Mutex::new(Stage::Opening),
                unfinished: Mutex::default(),
                opening: Mutex::default(),
            });
            let (wake, woken) = UnixStream::pair().map_err(cannot)?;
            let mut watcher = Watcher {
                shared: Arc::clone(&shared),
                signals: Vec::new(),
                woken,
            };
            let mut senders = Vec::new();
            for signal in [SIGHUP, SIGINT, SIGTERM] {
                let (sender, receiver) = UnixStream::pair().map_err(cannot)?;
                watcher.signals.push((signal, receiver));
                senders.push((signal, sender));
            }
            let thread = thread::Builder::new().name("manyhands-signals".to_owned());
            thread.spawn(move || watcher.run()).map_err(cannot)?;
            // Only now, so that without the thread signals do what they do to any other program.
            for (signal, sender) in senders {
                pipe::register(signal, sender).map_err(cannot)?;
            }
            // Not killed by a limit to the size of files: then the write fails, and what is there is kept.
            signal_hook::flag::register(SIGXFSZ, Arc::default()).map_err(cannot)?;
            Ok(Watch { shared, wake })
        }

        /// Opens an output, and removes its file, which is not whole, if a signal ends the command before
        /// the run has begun.
        pub(crate) fn opening<T>(
            &self,
            open: impl FnOnce() -> Result<T, Fault>,
            unfinished: impl FnOnce(&T) -> Option<PathBuf>,
        ) -> Result<T, Fault> {
            // Held until the file is known, so that no signal comes between.
            let mut files = lock(&self.shared.opening);
            let opened = open()?;
            files.extend(unfinished(&opened));
            Ok(opened)
        }

        /// Removes this file, which is not whole, if the command ends at once.
        pub(crate) fn unfinished(&self, file: Option<PathBuf>) {
            lock(&self.shared.unfinished).extend(file);
        }

        /// From now on the first signal stops this run.
        pub(crate) fn running(&self, watched: Watched) {
            *lock(&self.shared.stage) = Stage::Running(watched);
            self.wake();
        }

        /// From now on the first signal ends the command at once: only reports are left to be written.
        pub(crate) fn over(&self) {
            let mut stage = lock(&self.shared.stage);
            let scores = match &mut *stage {
                Stage::Running(watched) => watched.scores.take(),
                Stage::Opening | Stage::Over(_) => None,
            };
            *stage = Stage::Over(scores);
            drop(stage);
            self.wake();
        }

        /// Waits for the thread to end the command, which it has begun to do.
        pub(crate) fn wait_for_the_end(&self) -> ! {
            loop {
                thread::park();
            }
        }

        fn wake(&self) {
            // A full pipe means that the thread will wake anyway.
            let _ = io::Write::write(&mut &self.wake, &[0]);
        }
    }

    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    struct Watcher {
        shared: Arc<Shared>,
        /// A byte comes for each signal.
        signals: Vec<(i32, UnixStream)>,
        woken: UnixStream,
    }

    impl Watcher {
        fn run(mut self) {
            loop {
                match self.wait() {
                    Event::Signal(signal) if self.shared.stops_run(signal) => {
                        if !self.shared.quiet {
                            say(STOPPING);
                        }
                    }
                    Event::Signal(signal) => {
                        self.shared.end(Exit::Signal(signal), "ended by a signal");
                    }
                    Event::GiveUp(grace) => {
                        let why = format!(
                            "error: stopped before the end: the deadline has passed, and a record \
                             was still being scored {} s later",
                            grace.as_secs()
                        );
                        self.shared.end(Exit::Deadline, &why);
                    }
                    Event::Woken => {}
                }
            }
        }

        /// Waits for the next event.
        fn wait(&mut self) -> Event {
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
                Ok(0) => return give_up.map_or(Event::Woken, |(_, grace)| Event::GiveUp(grace)),
                Ok(_) => {}
                // Interrupted by the very signal, most often; else not too soon again.
                Err(error) => {
                    if error != rustix::io::Errno::INTR {
                        thread::sleep(Duration::from_millis(10));
                    }
                    return Event::Woken;
                }
            }
            let ready: Vec<_> = watched
                .iter()
                .map(|one| !one.revents().is_empty())
                .collect();
            let byte = &mut [0];
            for ((signal, stream), ready) in self.signals.iter_mut().zip(&ready) {
                if *ready && stream.read(byte).is_ok_and(|read| read > 0) {
                    return Event::Signal(*signal);
                }
            }
            let _ = self.woken.read(byte);
            Event::Woken
        }
    }

    impl Shared {
        /// Stops the run, if there is one that no signal has stopped yet.
        fn stops_run(&self, signal: i32) -> bool {
            match &*lock(&self.stage) {
                Stage::Running(watched) => watched.token.cancel_with(StopReason::Signal(signal)),
                Stage::Opening | Stage::Over(_) => false,
            }
        }

        /// Ends the command, whatever its other threads are at. Scores that are whole lines in order are
        /// kept, what is not whole is removed.
        fn end(&self, exit: Exit, why: &str) -> ! {
            let kept = match &*lock(&self.stage) {
                Stage::Opening => {
                    self.remove_opened();
                    None
                }
                Stage::Running(watched) => {
                    let scores = watched.scores.as_ref();
                    scores.map(|scores| scores.keep_so_far())
                }
                Stage::Over(scores) => scores.as_ref().map(|scores| Ok(scores.kept())),
            };
            for file in std::mem::take(&mut *lock(&self.unfinished)) {
                let _ = std::fs::remove_file(file);
            }
            let kept = match kept {
                Some(Ok(Some(kept))) => format!("\n{}", super::super::score::told(&kept)),
                Some(Err(error)) => format!("\nerror: {}", plain(error)),
                Some(Ok(None)) | None => String::new(),
            };
            say(&format!("{why}{kept}"));
            std::process::exit(exit.code().into());
        }

        /// Removes the files that have been opened, also one that is just being opened. A pipe may be
        /// waited for meanwhile, which has no file to remove.
        fn remove_opened(&self) {
            /// How long making a file may take.
            const PATIENCE: Duration = Duration::from_millis(500);

            let began = Instant::now();
            while began.elapsed() < PATIENCE {
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

    /// Writes a line to standard error, if that takes it. It does not use the standard library's
    /// writer: another thread may hold its lock while it waits for a full pipe to be read.
    fn say(line: &str) {
        let stderr = io::stderr();
        let stderr = stderr.as_fd();
        let line = format!("\n{line}\n");
        let mut watched = [PollFd::new(&stderr, PollFlags::OUT)];
        // A pipe is ready if it takes a whole page, which is more than a line has.
        if poll(&mut watched, Some(&timespec(PATIENCE))).is_ok_and(|ready| ready > 0) {
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

/// Where there are no signals of this kind, the system ends the command, and a run that does not come back
/// is waited for.
#[cfg(not(unix))]
mod elsewhere {
    use super::*;

    pub(crate) struct Watch;

    impl Watch {
        pub(crate) fn start(_quiet: bool) -> Result<Self, Fault> {
            Ok(Watch)
        }

        pub(crate) fn opening<T>(
            &self,
            open: impl FnOnce() -> Result<T, Fault>,
            _unfinished: impl FnOnce(&T) -> Option<PathBuf>,
        ) -> Result<T, Fault> {
            open()
        }

        pub(crate) fn unfinished(&self, _file: Option<PathBuf>) {}

        pub(crate) fn running(&self, _watched: Watched) {}

        pub(crate) fn over(&self) {}

        pub(crate) fn wait_for_the_end(&self) -> ! {
            loop {
                std::thread::park();
            }
        }
    }
}
