//! The handle with which calls influence all other calls.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};
use crate::sync::{Mutex, lock};

/// With this handle, a call can slow down all other calls, and say what it has spent. Clones refer to the same run.
///
/// ```
/// use manyhands::calls::Calls;
///
/// let calls = Calls::in_flight(16).budget(10_000);
/// let control = calls.control();
/// let task = async move |text: &String| {
///     let tokens = text.len() as u64; // a real service says this in its answer
///     control.spend(tokens);
///     tokens
/// };
/// # let _ = task;
/// ```
#[derive(Clone, Default)]
pub struct CallControl(Arc<ControlState>);

#[derive(Default)]
struct ControlState {
    pause: Mutex<Option<Instant>>,
    spent: AtomicU64,
    /// The largest amount that was spent at once.
    largest: AtomicU64,
}

impl CallControl {
    /// Starts no call before this time has passed. A shorter pause does not end a longer one.
    pub fn pause_all(&self, time: Duration) {
        let Some(until) = Instant::now().checked_add(time) else {
            return;
        };
        let mut pause = lock(&self.0.pause);
        *pause = (*pause).max(Some(until));
    }

    /// Adds to what was spent.
    pub fn spend(&self, amount: u64) {
        let spent = &self.0.spent;
        let _ = spent.fetch_update(Relaxed, Relaxed, |spent| Some(spent.saturating_add(amount)));
        self.0.largest.fetch_max(amount, Relaxed);
    }

    /// What was spent so far.
    pub fn spent(&self) -> u64 {
        self.0.spent.load(Relaxed)
    }

    /// The largest amount that was spent at once.
    pub(super) fn largest(&self) -> u64 {
        self.0.largest.load(Relaxed)
    }

    /// The rest of the pause. `None` if there is no pause now.
    pub(crate) fn pause_left(&self, now: Instant) -> Option<Duration> {
        let until = (*lock(&self.0.pause))?;
        Some(until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }
}

impl fmt::Debug for CallControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallControl")
            .field("spent", &self.spent())
            .finish_non_exhaustive()
    }
}
