//! Decides when the next call may start.
//!
//! All calls of a run start here, one after the other. So the limits hold for the whole run, and it is always known what
//! the next call waits for.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::rate::CallRate;
use super::tally::Held;
use super::window::Key;
use super::{CallControl, Calls, FIRST_ADAPTIVE};
use crate::error::Error;

/// A record that may be called.
pub(super) struct CallCandidate<O> {
    pub(super) key: Key,
    pub(super) record: Arc<O>,
    /// How often the record was tried before.
    pub(super) tries: u32,
    /// Whether it was tried again for an error that allows this only [once](super::Again::Once).
    pub(super) asked_once: bool,
    /// The time in flight of its earlier calls.
    pub(super) in_flight: Duration,
}

/// A record that waits to be tried again.
struct Waiting<O> {
    due: Instant,
    candidate: CallCandidate<O>,
}

impl<O> PartialEq for Waiting<O> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<O> Eq for Waiting<O> {}

impl<O> PartialOrd for Waiting<O> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<O> Ord for Waiting<O> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.candidate.key).cmp(&(other.due, other.candidate.key))
    }
}

/// Decides when the next call may start.
pub(super) struct Turnstile<O> {
    waiting: BinaryHeap<Reverse<Waiting<O>>>,
    fresh: VecDeque<CallCandidate<O>>,
    /// Has a permit for each call that may be in flight at most.
    semaphore: Arc<Semaphore>,
    /// May allow fewer calls for now.
    allowed: AllowedInFlight,
    rate: CallRate,
    control: CallControl,
    budget: Option<u64>,
}

/// What the turnstile says.
pub(super) enum CallDecision<O> {
    /// The call may start. The permit must be held while it is in flight.
    Start(CallCandidate<O>, OwnedSemaphorePermit),
    /// No call may start, and why. If the time is known, it is asked again after this time.
    Held(Held, Option<Duration>),
    /// The budget is spent: no further record is started.
    Spent,
}

impl<O> Turnstile<O> {
    /// # Errors
    ///
    /// Returns an error if the number of calls per second is not above 0.
    pub(super) fn new(calls: &Calls) -> Result<Self, Error> {
        Ok(Turnstile {
            waiting: BinaryHeap::new(),
            fresh: VecDeque::new(),
            semaphore: Arc::new(Semaphore::new(calls.in_flight.min(Semaphore::MAX_PERMITS))),
            allowed: AllowedInFlight::new(calls),
            rate: CallRate::new(calls.per_second)?,
            control: calls.control(),
            budget: calls.budget,
        })
    }

    /// Number of records that wait to be tried again.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether no fresh record is at the turnstile.
    pub(super) fn needs_fresh(&self) -> bool {
        self.fresh.is_empty()
    }

    pub(super) fn add_fresh(&mut self, key: Key, record: Arc<O>) {
        self.fresh.push_back(CallCandidate {
            key,
            record,
            tries: 0,
            asked_once: false,
            in_flight: Duration::ZERO,
        });
    }

    /// Lets a record wait to be tried again.
    pub(super) fn add_waiting(&mut self, candidate: CallCandidate<O>, due: Instant) {
        self.waiting.push(Reverse(Waiting { due, candidate }));
    }

    pub(super) fn allowed(&mut self) -> &mut AllowedInFlight {
        &mut self.allowed
    }

    /// Says whether a call may start, if `in_flight` calls are in flight. `without` is why there is no fresh record, if
    /// there is none.
    pub(super) fn next(
        &mut self,
        now: Instant,
        in_flight: usize,
        without: Held,
    ) -> CallDecision<O> {
        let due = self.waiting.peek().map(|Reverse(first)| first.due);
        let until_due = due.map(|due| due.saturating_duration_since(now));
        let is_retry = until_due.is_some_and(|time| time.is_zero());
        if !is_retry {
            if self.fresh.is_empty() {
                return CallDecision::Held(without, until_due);
            }
            let unfinished = in_flight + self.waiting.len();
            if !self.can_afford(unfinished) {
                return match unfinished {
                    0 => CallDecision::Spent,
                    _ => CallDecision::Held(Held::Budget, until_due),
                };
            }
        }
        if in_flight >= self.allowed.number() {
            return CallDecision::Held(Held::Limit, None);
        }
        let Ok(permit) = Arc::clone(&self.semaphore).try_acquire_owned() else {
            return CallDecision::Held(Held::Limit, None);
        };
        if let Some(left) = self.control.pause_left(now) {
            return CallDecision::Held(Held::Pause, Some(left));
        }
        // The token comes last, so that none is taken for a call that does not start.
        if let Err(time) = self.rate.take() {
            return CallDecision::Held(Held::Rate, Some(time));
        }
        let candidate = match is_retry {
            true => self.waiting.pop().map(|Reverse(first)| first.candidate),
            false => self.fresh.pop_front(),
        };
        match candidate {
            Some(candidate) => CallDecision::Start(candidate, permit),
            None => CallDecision::Held(without, until_due),
        }
    }

    /// Whether another record can be paid for, if each unfinished record costs as much as the dearest so far.
    fn can_afford(&self, unfinished: usize) -> bool {
        let Some(budget) = self.budget else {
            return true;
        };
        let reserved = (unfinished as u64 + 1).saturating_mul(self.control.largest());
        self.control.spent().saturating_add(reserved) <= budget
    }
}

/// The number of calls that may be in flight, which may adapt to the service.
pub(super) struct AllowedInFlight {
    number: usize,
    most: usize,
    is_adaptive: bool,
    /// Number of times that the number was halved. A call that started before the last time says nothing about the
    /// number now.
    halvings: u32,
    /// Number of successful calls since the number was changed.
    successes: usize,
}

impl AllowedInFlight {
    fn new(calls: &Calls) -> Self {
        let first = match calls.is_adaptive {
            true => FIRST_ADAPTIVE.min(calls.in_flight),
            false => calls.in_flight,
        };
        AllowedInFlight {
            number: first,
            most: calls.in_flight,
            is_adaptive: calls.is_adaptive,
            halvings: 0,
            successes: 0,
        }
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Identifies the time between two halvings.
    pub(super) fn halvings(&self) -> u32 {
        self.halvings
    }

    /// Notes that a call was successful.
    pub(super) fn succeeded(&mut self) {
        if !self.is_adaptive {
            return;
        }
        self.successes += 1;
        if self.successes >= self.number && self.number < self.most {
            self.number += 1;
            self.successes = 0;
        }
    }

    /// Notes that the service has throttled a call that was started after this number of halvings.
    pub(super) fn throttled(&mut self, halvings: u32) {
        if self.is_adaptive && halvings == self.halvings {
            self.number = (self.number / 2).max(1);
            self.halvings += 1;
            self.successes = 0;
        }
    }
}
