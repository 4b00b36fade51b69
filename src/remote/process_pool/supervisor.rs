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
    let mut checked = Instant::now();
    let mut stop_seen: Option<Instant> = None;
    while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        let now = Instant::now();
        let passed = (now - checked).min(MAX_TICK);
        checked = now;
        if in_use.is_stopped() {
            stop_seen.get_or_insert(now);
        }
        // Wall-clock time counts here, even if this thread rarely gets a core, because the user is waiting.
        if stop_seen.is_some_and(|seen| now - seen >= GRACE) {
            // This happens at every check, since another thread may just have started a process.
            in_use.for_each(ProcessHandle::try_kill);
        } else if let Some(allowed) = allowed {
            in_use.for_each(|handle| handle.add_wait(passed, allowed));
        }
    }
}
