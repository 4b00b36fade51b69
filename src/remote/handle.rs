//! The part of a worker process that two threads share: the one that uses it, and the supervisor.

use std::io;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use crate::sync::{Mutex, lock, try_lock};

/// A child process, and whether a thread waits for it.
///
/// The supervisor decides under the same lock under which a wait begins and ends. So a process is never
/// found overdue for a record that has been answered.
#[derive(Debug)]
pub(super) struct Handle {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    child: Child,
    wait: Wait,
    /// Whether the supervisor has killed the process because a record took too long.
    overdue: bool,
}

/// Whether a thread waits for the process to read records or to answer them.
#[derive(Debug, PartialEq)]
enum Wait {
    Over,
    /// The supervisor has not seen it yet, so it does not know how long ago it began.
    Begun,
    /// Time that has passed since the supervisor saw it first.
    Seen(Duration),
}

impl Handle {
    pub(super) fn new(child: Child) -> Self {
        let state = State {
            child,
            wait: Wait::Over,
            overdue: false,
        };
        Handle {
            state: Mutex::new(state),
        }
    }

    /// Calls `act`, which may have to wait for the process. The supervisor counts the time.
    pub(super) fn waiting<R>(&self, act: impl FnOnce() -> R) -> R {
        lock(&self.state).wait = Wait::Begun;
        let done = act();
        lock(&self.state).wait = Wait::Over;
        done
    }

    /// Whether the process was killed because a record took too long.
    pub(super) fn is_overdue(&self) -> bool {
        lock(&self.state).overdue
    }

    /// The exit status, if the process has ended.
    pub(super) fn try_wait(&self) -> io::Result<Option<ExitStatus>> {
        lock(&self.state).child.try_wait()
    }

    /// Kills the process, unless it has ended, and waits for its end, so that no zombie is left.
    pub(super) fn kill_and_wait(&self) -> io::Result<ExitStatus> {
        let mut state = lock(&self.state);
        // It fails only if the process has ended.
        let _ = state.child.kill();
        state.child.wait()
    }

    /// Kills the process, unless it has ended.
    pub(super) fn kill(&self) {
        let _ = lock(&self.state).child.kill();
    }

    /// Kills the process, for the supervisor. It does not wait for the lock: the thread that uses the
    /// process has it either for a moment, and the supervisor comes back, or while it ends the process.
    pub(super) fn try_kill(&self) {
        if let Some(mut state) = try_lock(&self.state) {
            let _ = state.child.kill();
        }
    }

    /// Adds `passed` to the time waited, and kills the process if that is more than `allowed`. As
    /// [`try_kill`](Handle::try_kill), it does not wait for the lock.
    pub(super) fn pass(&self, passed: Duration, allowed: Duration) {
        let Some(mut state) = try_lock(&self.state) else {
            return;
        };
        state.wait = match state.wait {
            Wait::Over => Wait::Over,
            Wait::Begun => Wait::Seen(Duration::ZERO),
            Wait::Seen(waited) => Wait::Seen(waited + passed),
        };
        if matches!(state.wait, Wait::Seen(waited) if waited > allowed) {
            state.overdue = true;
            let _ = state.child.kill();
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Command;

    fn sleeping() -> Handle {
        let child = Command::new("sleep").arg("600").spawn();
        Handle::new(child.expect("there is sleep"))
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn only_the_time_of_one_wait_counts() {
        let handle = sleeping();
        let passes = |seconds: u32| {
            for _ in 0..seconds {
                handle.pass(SECOND, 2 * SECOND);
            }
            handle.is_overdue()
        };
        assert!(!passes(9), "no thread waits");
        for _ in 0..3 {
            // The first look starts the clock.
            assert!(!handle.waiting(|| passes(3)), "each wait took 2 s");
        }
        assert!(!passes(9), "no thread waits any more");
        assert_eq!(handle.try_wait().expect("a child"), None);
        assert!(handle.waiting(|| passes(4)), "this wait took 3 s");
        let status = handle.kill_and_wait().expect("a child");
        assert_eq!(status.signal(), Some(9));
    }

    #[test]
    fn a_process_that_was_killed_is_waited_for() {
        let handle = sleeping();
        handle.kill();
        handle.try_kill();
        let status = handle.kill_and_wait().expect("a child");
        assert_eq!(status.signal(), Some(9));
        assert!(!handle.is_overdue());
    }
}
