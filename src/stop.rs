//! Stopping a run from outside: a token that is looked at before every record, and a deadline that
//! trips it.

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
/// Displays as what comes after "stopped: ".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StopReason {
    /// By [`Cancel::cancel`].
    Cancelled,
    /// Its time was up.
    Deadline,
    /// The process was told to stop by the signal of this number.
    Signal(i32),
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StopReason::Cancelled => f.write_str("cancelled"),
            StopReason::Deadline => f.write_str("the deadline has passed"),
            StopReason::Signal(number) => write!(f, "signal {number}"),
        }
    }
}

/// Code of a token that nobody has cancelled.
const GOING: u64 = 0;

impl StopReason {
    /// The reason as a number other than [`GOING`], which fits into one atomic together with the
    /// signal's own: a lock in its place could not be taken in a handler of signals.
    fn code(self) -> u64 {
        match self {
            StopReason::Cancelled => 1,
            StopReason::Deadline => 2,
            StopReason::Signal(number) => 3 << 32 | u64::from(number.cast_unsigned()),
        }
    }

    fn of_code(code: u64) -> Option<Self> {
        match code {
            GOING => None,
            1 => Some(StopReason::Cancelled),
            2 => Some(StopReason::Deadline),
            signal => Some(StopReason::Signal((signal as u32).cast_signed())),
        }
    }
}

/// Stops runs gracefully: records that have been started are finished, no others are started.
///
/// A clone is the same token. The first to cancel it gives the reason, and there is no way back.
/// Looking is one relaxed load of an atomic, and cancelling is one exchange, so that it may be done
/// in a handler of signals.
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
    token: Arc<Token>,
}

#[derive(Debug, Default)]
struct Token {
    code: AtomicU64,
    /// The token this one is a child of.
    above: Option<Cancel>,
}

impl Cancel {
    /// A token that nobody has cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// A token of its own, which is cancelled with this one too: the deadline of one run must not
    /// stop the others that share a token.
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
        let token = Token {
            code: AtomicU64::new(GOING),
            above: Some(self.clone()),
        };
        Cancel {
            token: Arc::new(token),
        }
    }

    /// Stops, for the reason [`StopReason::Cancelled`] if there is none yet.
    pub fn cancel(&self) {
        self.cancel_with(StopReason::Cancelled);
    }

    /// Stops for this reason. Says whether it is the one that counts: `false` if the token had been
    /// cancelled before.
    pub fn cancel_with(&self, reason: StopReason) -> bool {
        // What was cancelled above came first, and is to be told as the reason.
        self.reason().is_none() && self.trip(reason)
    }

    /// Whether to start nothing further.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        let mut token = &self.token;
        loop {
            if token.code.load(Relaxed) != GOING {
                return true;
            }
            match &token.above {
                Some(above) => token = &above.token,
                None => return false,
            }
        }
    }

    /// Why, once it is cancelled; the same answer ever after.
    pub fn reason(&self) -> Option<StopReason> {
        if self.token.code.load(Relaxed) == GOING
            && let Some(reason) = self.token.above.as_ref().and_then(Cancel::reason)
        {
            // Kept here, so that a reason of its own which comes later does not take its place.
            self.trip(reason);
        }
        StopReason::of_code(self.token.code.load(Relaxed))
    }

    fn trip(&self, reason: StopReason) -> bool {
        let code = &self.token.code;
        code.compare_exchange(GOING, reason.code(), Relaxed, Relaxed)
            .is_ok()
    }
}

/// Cancels a token when its time is up, unless dropped before.
pub(crate) struct DeadlineGuard {
    /// Nothing is ever sent: the thread ends when this is dropped.
    alive: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl DeadlineGuard {
    /// Starts the thread that waits until `after` has passed since `began`. None if that is beyond what
    /// the clock can tell: it never comes.
    pub(crate) fn start_after(
        began: Instant,
        after: Duration,
        token: &Cancel,
    ) -> io::Result<Option<Self>> {
        let at = began.checked_add(after);
        at.map(|at| Self::start(at, token.clone())).transpose()
    }

    /// Starts the thread that waits; where `at` has passed, cancels at once.
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
        let thread = thread::Builder::new().name("deadline".to_owned());
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
            // It cannot have panicked, and could do no harm if it had.
            let _ = thread.join();
        }
    }
}
