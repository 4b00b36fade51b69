//! Stopping a run from outside.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Why a run was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// [`Cancel::cancel`] was called.
    Cancelled,
    /// The deadline has passed.
    Deadline,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped")
    }
}

/// Stops runs.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<(AtomicBool, OnceLock<StopReason>)>);

impl Cancel {
    /// One that stops nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the runs that have it.
    pub fn cancel(&self) {
        let _ = self.0.1.set(StopReason::Cancelled);
        self.0.0.store(true, Relaxed);
    }

    /// Whether it has been called.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.0.0.load(Relaxed)
    }

    /// Why.
    pub fn reason(&self) -> Option<StopReason> {
        self.0.1.get().copied()
    }
}
