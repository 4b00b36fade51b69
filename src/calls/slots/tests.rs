//! Tests of slots on one thread.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::{CallSlots, ReadyList};

type Boxed<'f> = Pin<Box<dyn Future<Output = usize> + 'f>>;

fn slots<'f>() -> CallSlots<Boxed<'f>> {
    CallSlots::new(Arc::new(ReadyList::default()))
}

/// Polls once, and returns the outputs, or the messages of the panics.
fn poll(slots: &mut CallSlots<Boxed<'_>>) -> Vec<(usize, Result<usize, String>)> {
    let mut done = Vec::new();
    slots.poll(|slot, output| {
        done.push((slot, output.map_err(|panicked| panicked.message)));
    });
    done
}

/// Panics when it is dropped.
struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("in drop");
    }
}

#[test]
fn a_future_is_polled_when_it_is_added_and_when_it_is_woken() {
    let polls = Cell::new(0);
    let waker = RefCell::new(None);
    let mut slots = slots();
    slots.add(Box::pin(poll_fn(|context: &mut Context<'_>| {
        polls.set(polls.get() + 1);
        *waker.borrow_mut() = Some(context.waker().clone());
        match polls.get() {
            2 => Poll::Ready(7),
            _ => Poll::Pending,
        }
    })));
    assert!(slots.can_poll_on());
    assert_eq!(poll(&mut slots), []);
    assert_eq!((poll(&mut slots), polls.get()), (Vec::new(), 1));
    let late = waker.borrow().clone().expect("a waker");
    late.wake_by_ref();
    late.wake_by_ref();
    assert_eq!(poll(&mut slots), [(0, Ok(7))]);
    assert_eq!((slots.len(), polls.get()), (0, 2));
    // The waker of a future that is done wakes the next one in its slot, but never polls it twice.
    late.wake_by_ref();
    assert_eq!(slots.add(Box::pin(std::future::ready(8))), 0);
    assert_eq!(poll(&mut slots), [(0, Ok(8))]);
    late.wake();
    assert_eq!(poll(&mut slots), []);
}

#[test]
fn a_panic_is_the_output_of_its_future() {
    let mut slots = slots();
    slots.add(Box::pin(async { panic!("in poll") }));
    slots.add(Box::pin(async { 1 }));
    slots.add(Box::pin(async {
        let _held = PanicsInDrop;
        2
    }));
    let done = poll(&mut slots);
    assert_eq!(done[0], (0, Err("in poll".to_owned())));
    assert_eq!(done[1], (1, Ok(1)));
    assert_eq!(done[2], (2, Err("in drop".to_owned())));
    assert_eq!(slots.len(), 0);
    // Futures that are dropped at the end of a run may panic as well.
    for _ in 0..2 {
        let held = PanicsInDrop;
        slots.add(Box::pin(async move {
            let _held = held;
            std::future::pending().await
        }));
    }
    assert_eq!(poll(&mut slots), []);
    drop(slots);
}

#[test]
fn futures_that_were_never_polled_can_be_dropped() {
    let mut slots = slots();
    let polled = slots.add(Box::pin(std::future::pending()));
    assert_eq!(poll(&mut slots), []);
    let held = PanicsInDrop;
    slots.add(Box::pin(async move {
        let _held = held;
        1
    }));
    slots.drop_unpolled();
    assert_eq!((poll(&mut slots), slots.len()), (Vec::new(), 1));
    assert_ne!(slots.add(Box::pin(async { 2 })), polled);
    assert_eq!(slots.len(), 2);
}

/// A waker that counts.
struct Counting(std::sync::atomic::AtomicUsize);

impl std::task::Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }
}

#[test]
fn a_wake_up_during_a_turn_is_seen_at_its_end() {
    let counting = Arc::new(Counting(0.into()));
    let driver = Waker::from(Arc::clone(&counting));
    let count = || counting.0.load(std::sync::atomic::Ordering::SeqCst);
    let ready = Arc::new(ReadyList::default());
    let mut slots: CallSlots<Boxed<'_>> = CallSlots::new(Arc::clone(&ready));
    slots.wake_later(&driver);
    ready.wake();
    ready.wake();
    assert_eq!(count(), 1);
    assert_eq!(poll(&mut slots), []);
    ready.wake();
    assert_eq!(count(), 1);
    slots.wake_later(&driver);
    assert_eq!(count(), 2);
    assert_eq!(poll(&mut slots), []);
    slots.wake_later(&driver);
    assert_eq!(count(), 2);
}
