//! The permits of one run: what a record waits for before it is started, and gives back when done.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::Limit;
use super::bucket::Bucket;
use crate::error::Error;
use crate::sync::{Condvar, Mutex, lock, wait, wait_at_most};

/// How long it takes at most until a stop is noticed by those who wait, where nobody calls
/// [`interrupt`](Permits::interrupt).
const LOOK_UP: Duration = Duration::from_millis(5);

/// Hands out permits to start records, in the order in which they are asked for.
///
/// A permit is waited for with the thread blocked, which a thread of a rayon pool must never be.
pub(crate) struct Permits {
    /// Nothing where nobody ever has to wait.
    gate: Option<Gate>,
}

struct Gate {
    in_flight: usize,
    /// 0 where there is none, so that no record weighs anything.
    budget: u64,
    bucket: Option<Bucket>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How many permits are out …
    permits: usize,
    /// … and what they weigh together.
    weight: u64,
    /// Those who wait, each with a signal of its own: with one for all, every permit given back would
    /// wake every thread, to find that it is another's turn.
    queue: VecDeque<Arc<Condvar>>,
}

impl Permits {
    /// # Errors
    ///
    /// [`Error::Limit`] where the limit allows nothing.
    pub(crate) fn new(limit: &Limit) -> Result<Self, Error> {
        limit.check()?;
        if !limit.waits() {
            return Ok(Permits { gate: None });
        }
        let bucket = |rate| Bucket::new(rate, limit.burst);
        let gate = Gate {
            in_flight: limit.in_flight.unwrap_or(usize::MAX),
            budget: limit.budget.unwrap_or(0),
            bucket: limit.per_second.map(bucket).transpose()?,
            state: Mutex::default(),
        };
        Ok(Permits { gate: Some(gate) })
    }

    /// Waits until a record of this weight may be started; nothing if `stop` says so first. `stop` is
    /// called with a lock held, and should only look at a token.
    pub(crate) fn acquire(&self, weight: u64, stop: impl Fn() -> bool) -> Option<Permit<'_>> {
        let Some(gate) = &self.gate else {
            return (!stop()).then(|| Permit {
                gate: None,
                weight: 0,
            });
        };
        // A record heavier than the budget takes all of it, and so is alone.
        let weight = weight.min(gate.budget);
        gate.enter(weight, stop).then(|| Permit {
            gate: Some(gate),
            weight,
        })
    }

    /// Whether nothing is out and nobody waits.
    #[cfg(test)]
    pub(super) fn is_whole(&self) -> bool {
        self.gate.as_ref().is_none_or(|gate| {
            let state = lock(&gate.state);
            state.permits == 0 && state.weight == 0 && state.queue.is_empty()
        })
    }

    /// How many wait.
    #[cfg(all(test, not(shuttle)))]
    pub(super) fn waiting(&self) -> usize {
        let gate = self.gate.as_ref();
        gate.map_or(0, |gate| lock(&gate.state).queue.len())
    }

    /// Has everybody who waits look at their `stop` now.
    pub(crate) fn interrupt(&self) {
        if let Some(gate) = &self.gate {
            // With the lock held, nobody is between looking and falling asleep.
            for waiter in &lock(&gate.state).queue {
                waiter.notify_one();
            }
        }
    }
}

impl Gate {
    /// Waits in the queue until admitted. Says whether it was: not if `stop` came first.
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
                Err(LOOK_UP)
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
            // The others need not look up: whoever stops wakes the next in leaving.
            state = match admitted {
                Err(time) if first => wait_at_most(own, state, time.min(LOOK_UP)),
                _ => wait(own, state),
            };
        }
    }

    /// Lets a record in, or says how long it should wait before it asks again, unless woken before.
    fn admit(&self, state: &mut State, weight: u64) -> Result<(), Duration> {
        if state.permits >= self.in_flight || weight > self.budget - state.weight {
            return Err(LOOK_UP);
        }
        // Last, so that no token is taken in vain.
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

impl State {
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

/// Lets one record be worked on; given back on drop, and so after a panic too.
pub(crate) struct Permit<'p> {
    gate: Option<&'p Gate>,
    weight: u64,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some(gate) = self.gate {
            gate.give_back(self.weight);
        }
    }
}
