//! Stops a run from outside: with a token that is checked before every record, and with a deadline that
//! cancels the token.

#[cfg(all(test, shuttle))]
mod model;
#[cfg(all(test, not(shuttle)))]
mod tests;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};
use crate::sync::mpsc::{self, RecvTimeoutError};
use crate::sync::thread::{self, JoinHandle};

/// Why a run was stopped before its end.
///
/// A reason is displayed as the text after "stopped: ".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StopReason {
    /// [`Cancel::cancel`] was called.
    Cancelled,
    /// The deadline has passed.
    Deadline,
    /// The process received the signal with this number.
    Signal(i32),
    /// The budget of the run is spent: no further record can be paid for.
    Budget,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StopReason::Cancelled => f.write_str("cancelled"),
            StopReason::Deadline => f.write_str("the deadline has passed"),
            StopReason::Signal(number) => write!(f, "signal {number}"),
            StopReason::Budget => f.write_str("the budget is spent"),
        }
    }
}

/// The code of a token that has not been cancelled.
const NOT_CANCELLED: u64 = 0;

impl StopReason {
    /// The reason as a number other than [`NOT_CANCELLED`], including the number of a signal. It fits into
    /// one atomic, because a signal handler must not lock.
    fn code(self) -> u64 {
        match self {
            StopReason::Cancelled => 1,
            StopReason::Deadline => 2,
            StopReason::Budget => 3,
            StopReason::Signal(number) => 3 << 32 | u64::from(number.cast_unsigned()),
        }
    }

    fn of_code(code: u64) -> Option<Self> {
        match code {
            NOT_CANCELLED => None,
            1 => Some(StopReason::Cancelled),
            2 => Some(StopReason::Deadline),
            3 => Some(StopReason::Budget),
            signal => Some(StopReason::Signal((signal as u32).cast_signed())),
        }
    }
}

/// A token that stops runs gracefully: records that have been started are finished, and no others are
/// started.
///
/// A clone refers to the same token. The first cancellation sets the reason, and a token stays cancelled.
/// Checking a token is one relaxed load of an atomic, and cancelling it is one exchange, which is allowed in
/// a signal handler.
///
/// ```
/// use manyhands::{Cancel, StopReason};
///
/// let token = Cancel::new();
/// let elsewhere = token.clone();
/// std::thread::spawn(move || elsewhere.cancel_with(StopReason::Signal(2))).join().unwrap();
/// token.cancel();
/// assert!(token.is_cancelled());
/// assert_eq!(token.reason(), Some(StopReason::Signal(2)));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    token: Arc<CancelState>,
}

#[derive(Debug, Default)]
struct CancelState {
    code: AtomicU64,
    parent: Option<Cancel>,
}

impl Cancel {
    /// A token that has not been cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a token that is also cancelled when this token is cancelled. With a child for each run, the
    /// deadline of one run does not stop the other runs that share a token.
    ///
    /// ```
    /// # use manyhands::{Cancel, StopReason};
    /// let (all, other) = (Cancel::new(), Cancel::new().child());
    /// let one = all.child();
    /// one.cancel_with(StopReason::Deadline);
    /// assert!(!all.is_cancelled());
    /// let two = all.child();
    /// all.cancel();
    /// assert_eq!(two.reason(), Some(StopReason::Cancelled));
    /// assert_eq!(one.reason(), Some(StopReason::Deadline));
    /// # assert!(!other.is_cancelled());
    /// ```
    #[must_use]
    pub fn child(&self) -> Self {
        let token = CancelState {
            code: AtomicU64::new(NOT_CANCELLED),
            parent: Some(self.clone()),
        };
        Cancel {
            token: Arc::new(token),
        }
    }

    /// Cancels the token. If the token has no reason yet, its reason becomes [`StopReason::Cancelled`].
    pub fn cancel(&self) {
        self.cancel_with(StopReason::Cancelled);
    }

    /// Cancels the token for this reason. Returns false if the token had been cancelled before; it then keeps
    /// its earlier reason.
    pub fn cancel_with(&self, reason: StopReason) -> bool {
        // If the parent has already been cancelled, its cancellation came first, so the reason of the parent
        // is reported.
        self.reason().is_none() && self.set_reason(reason)
    }

    /// Whether the token has been cancelled.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        let mut token = &self.token;
        loop {
            if token.code.load(Relaxed) != NOT_CANCELLED {
                return true;
            }
            match &token.parent {
                Some(parent) => token = &parent.token,
                None => return false,
            }
        }
    }

    /// Why the token was cancelled; `None` if it was not. Once the reason is `Some`, it never changes.
    pub fn reason(&self) -> Option<StopReason> {
        if self.token.code.load(Relaxed) == NOT_CANCELLED
            && let Some(reason) = self.token.parent.as_ref().and_then(Cancel::reason)
        {
            // The reason is copied to this token, so that a later cancellation of this token does not replace
            // it.
            self.set_reason(reason);
        }
        StopReason::of_code(self.token.code.load(Relaxed))
    }

    fn set_reason(&self, reason: StopReason) -> bool {
        let code = &self.token.code;
        code.compare_exchange(NOT_CANCELLED, reason.code(), Relaxed, Relaxed)
            .is_ok()
    }
}

/// Cancels a token at its deadline, unless the guard is dropped before that.
pub(crate) struct DeadlineGuard {
    /// Nothing is ever sent on this channel. The thread ends when the sender is dropped.
    alive: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl DeadlineGuard {
    /// Starts the thread that waits until `after` has passed since `began`. Returns `None` if that time is
    /// later than the clock can represent, because such a deadline never comes.
    pub(crate) fn start_after(
        began: Instant,
        after: Duration,
        token: &Cancel,
    ) -> io::Result<Option<Self>> {
        let at = began.checked_add(after);
        at.map(|at| Self::start(at, token.clone())).transpose()
    }

    /// Starts the thread that waits until `at`. If `at` has passed, cancels the token at once.
    pub(crate) fn start(at: Instant, token: Cancel) -> io::Result<Self> {
        let left = at.saturating_duration_since(Instant::now());
        if left.is_zero() {
            token.cancel_with(StopReason::Deadline);
            return Ok(DeadlineGuard {
                alive: None,
                thread: None,
            });
        }
        let (alive, ended) = mpsc::channel();
        let thread = thread::Builder::new().name("manyhands-deadline".to_owned());
        let thread = thread.spawn(move || {
            if ended.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
                token.cancel_with(StopReason::Deadline);
            }
        })?;
        Ok(DeadlineGuard {
            alive: Some(alive),
            thread: Some(thread),
        })
    }
}

impl Drop for DeadlineGuard {
    fn drop(&mut self) {
        drop(self.alive.take());
        if let Some(thread) = self.thread.take() {
            // The thread does not panic, and a panic in it would change nothing here.
            let _ = thread.join();
        }
    }
}
