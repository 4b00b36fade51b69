//! Futures that are polled when they can make progress.
//!
//! A set of futures such as `FuturesUnordered` allocates for each future. Here a slot, its memory and its waker are reused
//! by one future after the other, so a record costs no allocation.

#[cfg(all(test, shuttle))]
mod model;
#[cfg(all(test, not(shuttle)))]
mod tests;

#[cfg(all(test, shuttle))]
pub(super) use model::Sleeper;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use tokio::task::coop::has_budget_remaining;

use crate::error::Panicked;
use crate::panics::caught;
use crate::sync::atomic::{AtomicBool, Ordering::AcqRel};
use crate::sync::{Mutex, lock};

/// Futures in flight.
pub(super) struct CallSlots<F> {
    slots: Vec<CallSlot<F>>,
    free: Vec<usize>,
    ready: Arc<ReadyList>,
    /// The slots that are polled next. Their numbers are not in the list `ready`.
    next: Vec<usize>,
}

struct CallSlot<F> {
    future: Pin<Box<Option<F>>>,
    was_polled: bool,
    signal: Arc<SlotSignal>,
    waker: Waker,
}

/// The slots whose futures can make progress.
#[derive(Default)]
pub(super) struct ReadyList {
    state: Mutex<ReadyState>,
}

#[derive(Default)]
struct ReadyState {
    slots: Vec<usize>,
    /// Wakes the thread that polls, if it may be asleep.
    driver: Option<Waker>,
    /// Whether the thread was woken since it last looked at the list.
    is_woken: bool,
}

impl ReadyList {
    /// Wakes the thread that polls.
    pub(super) fn wake(&self) {
        let mut state = lock(&self.state);
        // If the thread is awake, it sees this before it sleeps.
        state.is_woken = true;
        let driver = state.driver.take();
        drop(state);
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    fn add(&self, slot: usize) {
        let mut state = lock(&self.state);
        state.slots.push(slot);
        let driver = state.driver.take();
        drop(state);
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    /// Moves the numbers of the slots to `next`. Until [`set_driver`](Self::set_driver) is called, the thread that polls is
    /// awake and need not be woken.
    pub(super) fn take(&self, next: &mut Vec<usize>) {
        let mut state = lock(&self.state);
        state.driver = None;
        state.is_woken = false;
        match next.is_empty() {
            true => std::mem::swap(next, &mut state.slots),
            false => next.append(&mut state.slots),
        }
    }

    /// Sets the waker that is called when a slot is ready. If a slot is ready already, or the thread was woken meanwhile, the
    /// function returns false instead, and the thread must not sleep.
    pub(super) fn set_driver(&self, driver: &Waker) -> bool {
        let mut state = lock(&self.state);
        let may_sleep = state.slots.is_empty() && !state.is_woken;
        if may_sleep {
            state.driver = Some(driver.clone());
        }
        may_sleep
    }
}

/// Puts the number of a slot into the list when its future can make progress.
struct SlotSignal {
    slot: usize,
    /// Whether the number is in the list, or among those that are polled next.
    is_listed: AtomicBool,
    ready: Arc<ReadyList>,
}

impl Wake for SlotSignal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_listed.swap(true, AcqRel) {
            self.ready.add(self.slot);
        }
    }
}

impl<F: Future> CallSlots<F> {
    pub(super) fn new(ready: Arc<ReadyList>) -> Self {
        CallSlots {
            slots: Vec::new(),
            free: Vec::new(),
            ready,
            next: Vec::new(),
        }
    }

    /// Number of futures in flight.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Adds a future, and returns the number of its slot. It is polled next.
    pub(super) fn add(&mut self, future: F) -> usize {
        let number = self.free.pop().unwrap_or_else(|| {
            let number = self.slots.len();
            let signal = Arc::new(SlotSignal {
                slot: number,
                is_listed: AtomicBool::new(false),
                ready: Arc::clone(&self.ready),
            });
            self.slots.push(CallSlot {
                future: Box::pin(None),
                was_polled: false,
                waker: Waker::from(Arc::clone(&signal)),
                signal,
            });
            number
        });
        let slot = &mut self.slots[number];
        slot.future.set(Some(future));
        slot.was_polled = false;
        // A late waker of an earlier future may have listed the slot.
        if !slot.signal.is_listed.swap(true, AcqRel) {
            self.next.push(number);
        }
        number
    }

    /// Polls each future once that can make progress, and calls `done` with the slots and the outputs of those that are
    /// complete. A future that panics is complete.
    ///
    /// If the futures have used up what tokio allows a task before it must yield, the others are polled after the next
    /// yield, since the sockets and timers of tokio would not let them make progress.
    pub(super) fn poll(&mut self, mut done: impl FnMut(usize, Result<F::Output, Box<Panicked>>)) {
        self.ready.take(&mut self.next);
        let mut polled = 0;
        while polled < self.next.len() && has_budget_remaining() {
            let number = self.next[polled];
            polled += 1;
            let slot = &mut self.slots[number];
            // This comes first: a future that is woken while it is polled is polled again. The exchange also makes what
            // was done before earlier wake-ups visible to the future.
            slot.signal.is_listed.swap(false, AcqRel);
            let Some(future) = slot.future.as_mut().as_pin_mut() else {
                continue;
            };
            slot.was_polled = true;
            let mut context = Context::from_waker(&slot.waker);
            let output = match caught(|| future.poll(&mut context)) {
                Ok(Poll::Pending) => continue,
                Ok(Poll::Ready(output)) => Ok(output),
                Err(panicked) => Err(panicked),
            };
            let output = match caught(|| slot.future.set(None)) {
                Ok(()) => output,
                Err(panicked) => Err(panicked),
            };
            self.free.push(number);
            done(number, output);
        }
        self.next.drain(..polled);
    }

    /// Drops the futures that were never polled.
    pub(super) fn drop_unpolled(&mut self) {
        for (number, slot) in self.slots.iter_mut().enumerate() {
            if slot.future.is_some() && !slot.was_polled {
                let _ = caught(|| slot.future.set(None));
                self.free.push(number);
            }
        }
    }

    /// Whether a future can be polled without yielding to the runtime before.
    pub(super) fn can_poll_on(&self) -> bool {
        !self.next.is_empty() && has_budget_remaining()
    }

    /// Makes `driver` be woken when a future can make progress, at once if there is one.
    pub(super) fn wake_later(&self, driver: &Waker) {
        if !self.next.is_empty() || !self.ready.set_driver(driver) {
            driver.wake_by_ref();
        }
    }
}

impl<F> Drop for CallSlots<F> {
    /// Drops the futures. If one of them panics meanwhile, the others are still dropped.
    fn drop(&mut self) {
        for slot in &mut self.slots {
            let _ = caught(|| slot.future.set(None));
        }
    }
}
