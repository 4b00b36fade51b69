//! A thread beside a run that kills the worker processes which hold the run up.

use std::io;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::handle::Handle;
use super::serve::TOLD_EVERY;
use crate::stop::Cancel;
use crate::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use crate::sync::thread::{self, JoinHandle};
use crate::sync::{Mutex, lock};

/// Time that worker processes have to finish the records they are at once the run is to stop: by a
/// signal, by its deadline, by an error. Then they are killed.
const GRACE: Duration = Duration::from_secs(2);

/// Time between two looks at the worker processes.
const TICK: Duration = Duration::from_millis(10);

/// The most time that one look counts as passed. If this whole process was stopped for a while, as by
/// Ctrl-Z, the answers may have been there all along.
const MOST_PASSED: Duration = Duration::from_millis(100);

/// Time that a record is given beyond its timeout: a worker process may keep an answer to itself for
/// this long while it is at the next record.
const SLACK: Duration = TOLD_EVERY.saturating_mul(2);

/// The worker processes that a run uses now, and the token that stops the run.
#[derive(Debug)]
pub(super) struct InUse {
    stop: Cancel,
    handles: Mutex<Vec<Weak<Handle>>>,
}

impl InUse {
    pub(super) fn new(stop: Cancel) -> Self {
        InUse {
            stop,
            handles: Mutex::default(),
        }
    }

    /// Whether the run is to stop, so that no further process is started.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Stops the run, unless it is stopped already.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }

    /// The run begins to use a process.
    pub(super) fn add(&self, handle: &Arc<Handle>) {
        let mut handles = lock(&self.handles);
        handles.retain(|other| other.strong_count() > 0);
        handles.push(Arc::downgrade(handle));
    }

    /// The run no longer uses a process that lives on.
    pub(super) fn remove(&self, handle: &Arc<Handle>) {
        lock(&self.handles).retain(|other| other.as_ptr() != Arc::as_ptr(handle));
    }

    /// Does something with each process.
    pub(super) fn each(&self, act: impl Fn(&Handle)) {
        for handle in lock(&self.handles).iter() {
            if let Some(handle) = handle.upgrade() {
                act(&handle);
            }
        }
    }
}

/// A thread that kills the worker processes of a run which do not come back in time. It ends when this
/// is dropped.
pub(super) struct Supervisor {
    /// Nothing is ever sent: the thread ends when this is dropped.
    alive: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Supervisor {
    /// Starts the thread. A process is killed [`GRACE`] after the run was stopped, and if it gives no
    /// answer for the time `timeout`.
    pub(super) fn start(in_use: Arc<InUse>, timeout: Option<Duration>) -> io::Result<Self> {
        let (alive, ended) = mpsc::channel();
        let thread = thread::Builder::new().name("supervisor".to_owned());
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
            // If it has panicked, the run has come to its end without it.
            let _ = thread.join();
        }
    }
}

fn supervise(in_use: &InUse, timeout: Option<Duration>, ended: &Receiver<()>) {
    let allowed = timeout.map(|timeout| timeout.saturating_add(SLACK));
    let mut looked = Instant::now();
    // When the stop was seen.
    let mut stopped: Option<Instant> = None;
    while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        let now = Instant::now();
        let passed = (now - looked).min(MOST_PASSED);
        looked = now;
        if in_use.is_stopped() {
            stopped.get_or_insert(now);
        }
        // By the clock, however seldom this thread gets a core: the user who has stopped the run waits.
        if stopped.is_some_and(|stopped| now - stopped >= GRACE) {
            // At every look, since one may just have been started.
            in_use.each(Handle::try_kill);
        } else if let Some(allowed) = allowed {
            in_use.each(|handle| handle.pass(passed, allowed));
        }
    }
}
