//! The supervisor: a thread of a run that kills worker processes which do not answer in time.

use std::io;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::handle::ProcessHandle;
use super::protocol::ANSWER_INTERVAL;
use crate::stop::Cancel;
use crate::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use crate::sync::thread::{self, JoinHandle};
use crate::sync::{Mutex, lock};

/// How long worker processes may take to finish their records after a signal, the deadline or an error has stopped
/// the run. After this time the supervisor kills them.
const GRACE: Duration = Duration::from_secs(2);

/// Time between two checks of the worker processes.
const TICK: Duration = Duration::from_millis(10);

/// The longest time that one check adds to a wait. If this whole process was stopped for a while, for example by
/// Ctrl-Z, the answers may have arrived in that time without being read.
const MAX_TICK: Duration = Duration::from_millis(100);

/// Time that a record may take in addition to its timeout, since a worker holds back finished answers for a
/// moment.
const SLACK: Duration = ANSWER_INTERVAL.saturating_mul(2);

/// The worker processes that a run is using, and the token that stops the run.
#[derive(Debug)]
pub(super) struct ProcessesInUse {
    stop: Cancel,
    handles: Mutex<Vec<Weak<ProcessHandle>>>,
}

impl ProcessesInUse {
    pub(super) fn new(stop: Cancel) -> Self {
        ProcessesInUse {
            stop,
            handles: Mutex::default(),
        }
    }

    /// Whether the run has been stopped, so that no further process is started.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Stops the run.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }

    /// Adds a process that the run starts to use.
    pub(super) fn add(&self, handle: &Arc<ProcessHandle>) {
        let mut handles = lock(&self.handles);
        handles.retain(|other| other.strong_count() > 0);
        handles.push(Arc::downgrade(handle));
    }

    /// Removes a process that the run stops using. The process stays alive.
    pub(super) fn remove(&self, handle: &Arc<ProcessHandle>) {
        lock(&self.handles).retain(|other| other.as_ptr() != Arc::as_ptr(handle));
    }

    /// Calls `act` for each process.
    pub(super) fn for_each(&self, act: impl Fn(&ProcessHandle)) {
        for handle in lock(&self.handles).iter() {
            if let Some(handle) = handle.upgrade() {
                act(&handle);
            }
        }
    }
}

/// The supervisor thread. It ends when this value is dropped.
pub(super) struct Supervisor {
    /// Nothing is ever sent through this channel. The thread ends when the sender is dropped.
    alive: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Supervisor {
    /// Starts the thread. It kills a process that is in use if the run was stopped [`GRACE`] ago, or if the
    /// process gives no answer for the time `timeout`.
    pub(super) fn start(
        in_use: Arc<ProcessesInUse>,
        timeout: Option<Duration>,
    ) -> io::Result<Self> {
        let (alive, ended) = mpsc::channel();
        let thread = thread::Builder::new().name("manyhands-supervisor".to_owned());
        let thread = thread.spawn(move || supervise(&in_use, timeout, &ended))?;
        Ok(Supervisor {
            alive: Some(alive),
            thread: Some(thread),
        })
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.alive.take());
        if let Some(thread) = self.thread.take() {
            // If the thread has panicked, the run has ended without it.
            let _ = thread.join();
        }
    }
}

fn supervise(in_use: &ProcessesInUse, timeout: Option<Duration>, ended: &Receiver<()>) {
    let allowed = timeout.map(|timeout| timeout.saturating_add(SLACK));
    let mut checks = Checks::begin(Instant::now());
    while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        checks.check(Instant::now(), in_use, allowed);
    }
}

/// What the supervisor remembers from one check to the next.
struct Checks {
    last: Instant,
    /// The time of the first check after the run was stopped.
    stop_seen: Option<Instant>,
}

impl Checks {
    fn begin(now: Instant) -> Self {
        Checks {
            last: now,
            stop_seen: None,
        }
    }

    /// Kills the processes whose time limit has passed. `allowed` is the time that a process may take to answer.
    fn check(&mut self, now: Instant, in_use: &ProcessesInUse, allowed: Option<Duration>) {
        let passed = (now - self.last).min(MAX_TICK);
        self.last = now;
        if in_use.is_stopped() {
            self.stop_seen.get_or_insert(now);
        }
        // Wall-clock time counts here, even if this thread rarely gets a core, because the user is waiting.
        if self.stop_seen.is_some_and(|seen| now - seen >= GRACE) {
            // This happens at every check, since another thread may just have started a process.
            in_use.for_each(ProcessHandle::try_kill);
        } else if let Some(allowed) = allowed {
            in_use.for_each(|handle| handle.add_wait(passed, allowed));
        }
    }
}

#[cfg(all(test, unix, not(shuttle)))]
mod tests {
    use std::process::Command;

    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    /// A process that is in use, and the token that stops its run.
    fn in_use() -> (ProcessesInUse, Arc<ProcessHandle>, Cancel) {
        let child = Command::new("sleep").arg("600").spawn();
        let handle = Arc::new(ProcessHandle::new(child.expect("the command sleep")));
        let token = Cancel::new();
        let in_use = ProcessesInUse::new(token.clone());
        in_use.add(&handle);
        (in_use, handle, token)
    }

    fn is_running(handle: &ProcessHandle) -> bool {
        handle.try_wait().expect("a child").is_none()
    }

    /// Waits for the end of a process that has been killed.
    fn wait_for_end(handle: &ProcessHandle) {
        let began = Instant::now();
        while is_running(handle) {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "it was not killed"
            );
            thread::sleep(MILLI);
        }
    }

    #[test]
    fn processes_are_killed_a_grace_period_after_the_stop() {
        let (in_use, handle, token) = in_use();
        let began = Instant::now();
        let mut checks = Checks::begin(began);
        checks.check(began + 10 * GRACE, &in_use, None);
        assert!(is_running(&handle), "the run goes on");
        token.cancel();
        let stopped = began + 20 * GRACE;
        checks.check(stopped, &in_use, None);
        checks.check(stopped + GRACE - MILLI, &in_use, None);
        assert!(is_running(&handle), "it may finish its record");
        checks.check(stopped + GRACE, &in_use, None);
        wait_for_end(&handle);
        assert!(!handle.is_overdue(), "the record has had time enough");
    }

    /// While this whole process is stopped, an answer may arrive that no thread can read, so the pause does not count.
    #[test]
    fn a_pause_of_this_process_does_not_count_as_a_wait_for_an_answer() {
        let (in_use, handle, _) = in_use();
        let mut now = Instant::now();
        let mut checks = Checks::begin(now);
        let allowed = Some(3 * MAX_TICK);
        let mut check = |after: Duration| {
            now += after;
            checks.check(now, &in_use, allowed);
            handle.is_overdue()
        };
        handle.while_waiting(|| {
            // The first check starts the clock.
            for after in [MILLI, Duration::from_secs(3_600), MAX_TICK, MAX_TICK] {
                assert!(!check(after), "it was overdue {after:?} later");
            }
            assert!(check(MILLI), "more time has passed than is allowed");
        });
        wait_for_end(&handle);
    }

    #[test]
    fn a_process_that_the_run_stops_using_is_left_alone() {
        let (in_use, handle, token) = in_use();
        in_use.remove(&handle);
        token.cancel();
        let mut checks = Checks::begin(Instant::now());
        let now = Instant::now();
        checks.check(now, &in_use, None);
        checks.check(now + GRACE, &in_use, None);
        assert!(is_running(&handle));
        handle.kill();
        wait_for_end(&handle);
    }
}
