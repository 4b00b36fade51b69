//! Tests slots under the model checker. It reports a deadlock, so a model that ends has lost no wake-up.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::{CallSlots, ReadyList};
use crate::sync::{Condvar, Mutex, check_model, lock, thread, wait};

/// Lets a thread sleep until it is woken.
#[derive(Default)]
pub(in crate::calls) struct Sleeper {
    is_woken: Mutex<bool>,
    woken: Condvar,
}

impl Sleeper {
    /// Sleeps unless the thread was woken since it last slept.
    pub(in crate::calls) fn sleep(&self) {
        let mut is_woken = lock(&self.is_woken);
        while !*is_woken {
            is_woken = wait(&self.woken, is_woken);
        }
        *is_woken = false;
    }
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        *lock(&self.is_woken) = true;
        self.woken.notify_all();
    }
}

/// What a call waits for.
#[derive(Default)]
struct Answer {
    state: Mutex<(bool, Option<Waker>)>,
}

impl Answer {
    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        state.1 = Some(context.waker().clone());
        match state.0 {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    fn arrive(&self) {
        let mut state = lock(&self.state);
        state.0 = true;
        let waker = state.1.clone();
        drop(state);
        if let Some(waker) = waker {
            waker.wake_by_ref();
            // Some futures are woken too often.
            waker.wake();
        }
    }
}

#[test]
fn every_future_that_is_woken_is_polled() {
    const FUTURES: usize = 3;
    const IN_FLIGHT: usize = 2;
    check_model(|| {
        let answers: Arc<Vec<Answer>> = Arc::new((0..FUTURES).map(|_| Answer::default()).collect());
        let others: Vec<_> = [0..1, 1..FUTURES]
            .into_iter()
            .map(|part| {
                let answers = Arc::clone(&answers);
                thread::spawn(move || answers[part].iter().for_each(Answer::arrive))
            })
            .collect();
        let sleeper = Arc::new(Sleeper::default());
        let driver = Waker::from(Arc::clone(&sleeper));
        let mut slots = CallSlots::new(Arc::new(ReadyList::default()));
        let (mut started, mut done) = (0, 0);
        while done < FUTURES {
            slots.poll(|_, output| {
                assert!(output.is_ok());
                done += 1;
            });
            while slots.len() < IN_FLIGHT && started < FUTURES {
                let (answers, number) = (Arc::clone(&answers), started);
                slots.add(poll_fn(move |context| answers[number].poll(context)));
                started += 1;
            }
            if done < FUTURES {
                slots.wake_later(&driver);
                sleeper.sleep();
            }
        }
        assert_eq!((started, slots.len()), (FUTURES, 0));
        for other in others {
            other.join().unwrap();
        }
    });
}
