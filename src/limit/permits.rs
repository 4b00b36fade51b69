//! The permits of one run. A record needs a permit before it is started, and the permit is returned when the
//! record is done.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::Limit;
use super::bucket::Bucket;
use crate::error::Error;
use crate::sync::{Condvar, Mutex, lock, wait, wait_at_most};

/// The time after which the first waiting worker notices a stop, if no thread calls
/// [`interrupt`](Permits::interrupt).
const CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// Hands out permits to start records, in the order in which workers ask for them.
///
/// Waiting for a permit blocks the thread, so the waiting thread must not belong to a rayon pool.
pub(crate) struct Permits {
    /// What grants the permits; `None` if no record ever has to wait.
    gate: Option<PermitGate>,
}

struct PermitGate {
    in_flight: usize,
    /// The maximum total weight of the records in flight; 0 if there is no budget, in which case every record
    /// weighs 0.
    budget: u64,
    bucket: Option<Bucket>,
    state: Mutex<PermitState>,
}

#[derive(Default)]
struct PermitState {
    /// The number of permits in use.
    permits: usize,
    /// The total weight of the records that have these permits.
    weight: u64,
    /// The waiting workers, in order, each with a condition variable of its own. With one condition variable
    /// for all, every returned permit would wake every thread.
    queue: VecDeque<Arc<Condvar>>,
}

impl Permits {
    /// # Errors
    ///
    /// Returns [`Error::Limit`] if the limit allows nothing, or if its rate cannot be kept.
    pub(crate) fn new(limit: &Limit) -> Result<Self, Error> {
        limit.check()?;
        if !limit.waits() {
            return Ok(Permits { gate: None });
        }
        let bucket = |rate| Bucket::new(rate, limit.burst);
        let gate = PermitGate {
            in_flight: limit.in_flight.unwrap_or(usize::MAX),
            budget: limit.budget.unwrap_or(0),
            bucket: limit.per_second.map(bucket).transpose()?,
            state: Mutex::default(),
        };
        Ok(Permits { gate: Some(gate) })
    }

    /// Waits until a record of this weight may be started. Returns `None` if `stop` returns true before that.
    /// `stop` is called while a lock is held, and should do no more than check a token.
    pub(crate) fn acquire(&self, weight: u64, stop: impl Fn() -> bool) -> Option<Permit<'_>> {
        let Some(gate) = &self.gate else {
            return (!stop()).then(|| Permit {
                gate: None,
                weight: 0,
            });
        };
        // A record that is heavier than the budget takes all of it, and is scored alone.
        let weight = weight.min(gate.budget);
        gate.enter(weight, stop).then(|| Permit {
            gate: Some(gate),
            weight,
        })
    }

    /// Takes a token of the rate, or returns the time until one is available. Other limits do not count.
    #[cfg(unix)]
    pub(crate) fn take_token(&self) -> Result<(), Duration> {
        let bucket = self.gate.as_ref().and_then(|gate| gate.bucket.as_ref());
        bucket.map_or(Ok(()), Bucket::take)
    }

    /// Whether no permit is in use and no worker waits.
    #[cfg(test)]
    pub(super) fn is_whole(&self) -> bool {
        self.gate.as_ref().is_none_or(|gate| {
            let state = lock(&gate.state);
            state.permits == 0 && state.weight == 0 && state.queue.is_empty()
        })
    }

    /// The number of waiting workers.
    #[cfg(all(test, not(shuttle)))]
    pub(super) fn waiting(&self) -> usize {
        let gate = self.gate.as_ref();
        gate.map_or(0, |gate| lock(&gate.state).queue.len())
    }

    /// Makes every waiting worker call its `stop` now.
    pub(crate) fn interrupt(&self) {
        if let Some(gate) = &self.gate {
            // While the lock is held, no worker is between its check and its wait.
            for waiter in &lock(&gate.state).queue {
                waiter.notify_one();
            }
        }
    }
}

impl PermitGate {
    /// Waits in the queue until the record is admitted. Returns false if `stop` returns true before that.
    fn enter(&self, weight: u64, stop: impl Fn() -> bool) -> bool {
        let mut state = lock(&self.state);
        let mut place: Option<Arc<Condvar>> = None;
        loop {
            let first = match (&place, state.queue.front()) {
                (None, first) => first.is_none(),
                (Some(own), first) => first.is_some_and(|first| Arc::ptr_eq(own, first)),
            };
            let stopped = stop();
            let admitted = if first && !stopped {
                self.admit(&mut state, weight)
            } else {
                Err(CHECK_INTERVAL)
            };
            if stopped || admitted.is_ok() {
                if let Some(own) = place {
                    state.leave(&own);
                }
                return !stopped;
            }
            let own = place.get_or_insert_with(|| {
                let own = Arc::new(Condvar::new());
                state.queue.push_back(Arc::clone(&own));
                own
            });
            // The workers behind the first one need not check by themselves, because a worker that leaves
            // wakes the next one.
            state = match admitted {
                Err(time) if first => wait_at_most(own, state, time.min(CHECK_INTERVAL)),
                _ => wait(own, state),
            };
        }
    }

    /// Admits a record, or returns how long it should wait before it asks again, unless it is woken before
    /// that time.
    fn admit(&self, state: &mut PermitState, weight: u64) -> Result<(), Duration> {
        if state.permits >= self.in_flight || weight > self.budget - state.weight {
            return Err(CHECK_INTERVAL);
        }
        // The token is taken last, so that no token is taken for a record that is not admitted.
        if let Some(bucket) = &self.bucket {
            bucket.take()?;
        }
        state.permits += 1;
        state.weight += weight;
        Ok(())
    }

    fn give_back(&self, weight: u64) {
        let mut state = lock(&self.state);
        state.permits -= 1;
        state.weight -= weight;
        state.wake_first();
    }
}

impl PermitState {
    fn leave(&mut self, own: &Arc<Condvar>) {
        self.queue.retain(|waiter| !Arc::ptr_eq(waiter, own));
        self.wake_first();
    }

    fn wake_first(&self) {
        if let Some(first) = self.queue.front() {
            first.notify_one();
        }
    }
}

/// A permit allows one record to be scored. It is returned when it is dropped, even after a panic.
pub(crate) struct Permit<'p> {
    gate: Option<&'p PermitGate>,
    weight: u64,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some(gate) = self.gate {
            gate.give_back(self.weight);
        }
    }
}
