//! The part of a worker process that two threads share: the thread that uses it, and the supervisor.

use std::io;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use crate::sync::{Mutex, lock, try_lock};

/// A child process, and whether a thread is waiting for it.
///
/// One lock is held when a wait begins, when a wait ends, and when the supervisor decides whether to kill the
/// process. So the supervisor never kills a process because of a record that has been answered.
#[derive(Debug)]
pub(super) struct ProcessHandle {
    shared: Mutex<WatchedChild>,
}

#[derive(Debug)]
struct WatchedChild {
    child: Child,
    wait: Wait,
    /// Whether the supervisor has killed the process because a record took too long.
    overdue: bool,
}

/// Whether a thread is waiting until the process reads records or answers them.
#[derive(Debug, PartialEq)]
enum Wait {
    Over,
    /// The supervisor has not seen this wait yet, so it does not know when the wait began.
    Begun,
    /// The time that has passed since the supervisor first saw this wait.
    Seen(Duration),
}

impl ProcessHandle {
    pub(super) fn new(child: Child) -> Self {
        let shared = WatchedChild {
            child,
            wait: Wait::Over,
            overdue: false,
        };
        ProcessHandle {
            shared: Mutex::new(shared),
        }
    }

    /// Calls `act`, which may wait for the process. The supervisor measures the time of this wait.
    pub(super) fn while_waiting<R>(&self, act: impl FnOnce() -> R) -> R {
        lock(&self.shared).wait = Wait::Begun;
        let done = act();
        lock(&self.shared).wait = Wait::Over;
        done
    }

    /// Whether the process was killed because a record took too long.
    pub(super) fn is_overdue(&self) -> bool {
        lock(&self.shared).overdue
    }

    /// Returns the exit status if the process has ended.
    pub(super) fn try_wait(&self) -> io::Result<Option<ExitStatus>> {
        lock(&self.shared).child.try_wait()
    }

    /// Kills the process, unless it has ended, and waits for its end, so that no zombie is left.
    pub(super) fn kill_and_wait(&self) -> io::Result<ExitStatus> {
        let mut shared = lock(&self.shared);
        // This fails only if the process has ended.
        let _ = shared.child.kill();
        shared.child.wait()
    }

    /// Kills the process, unless it has ended.
    pub(super) fn kill(&self) {
        let _ = lock(&self.shared).child.kill();
    }

    /// Kills the process unless the lock is taken. The supervisor calls this. If the lock is taken, the thread
    /// that uses the process either holds it only for a moment, so that the supervisor can try again later, or is
    /// ending the process itself.
    pub(super) fn try_kill(&self) {
        if let Some(mut shared) = try_lock(&self.shared) {
            let _ = shared.child.kill();
        }
    }

    /// Adds `passed` to the time of the current wait, and kills the process if the sum is more than `allowed`.
    /// Like [`try_kill`](ProcessHandle::try_kill), it does nothing if the lock is taken.
    pub(super) fn add_wait(&self, passed: Duration, allowed: Duration) {
        let Some(mut shared) = try_lock(&self.shared) else {
            return;
        };
        shared.wait = match shared.wait {
            Wait::Over => Wait::Over,
            Wait::Begun => Wait::Seen(Duration::ZERO),
            Wait::Seen(waited) => Wait::Seen(waited + passed),
        };
        if matches!(shared.wait, Wait::Seen(waited) if waited > allowed) {
            shared.overdue = true;
            let _ = shared.child.kill();
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Command;

    fn sleeping() -> ProcessHandle {
        let child = Command::new("sleep").arg("600").spawn();
        ProcessHandle::new(child.expect("the command sleep"))
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn each_wait_is_timed_by_itself() {
        let handle = sleeping();
        let passes = |seconds: u32| {
            for _ in 0..seconds {
                handle.add_wait(SECOND, 2 * SECOND);
            }
            handle.is_overdue()
        };
        assert!(!passes(9), "no thread is waiting");
        for _ in 0..3 {
            // The first check starts the clock.
            assert!(!handle.while_waiting(|| passes(3)), "each wait took 2 s");
        }
        assert!(!passes(9), "no thread is waiting any more");
        assert_eq!(handle.try_wait().expect("a child"), None);
        assert!(handle.while_waiting(|| passes(4)), "this wait took 3 s");
        let status = handle.kill_and_wait().expect("a child");
        assert_eq!(status.signal(), Some(9));
    }

    #[test]
    fn a_killed_process_is_reaped() {
        let handle = sleeping();
        handle.kill();
        handle.try_kill();
        let status = handle.kill_and_wait().expect("a child");
        assert_eq!(status.signal(), Some(9));
        assert!(!handle.is_overdue());
    }
}
