//! Tests the token and the deadline.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::{Cancel, DeadlineGuard, StopReason};

const LONG: Duration = Duration::from_secs(3_600);

#[test]
fn every_reason_comes_back_as_it_went_in() {
    let signals = [0, 2, 15, -1, i32::MIN, i32::MAX].map(StopReason::Signal);
    for reason in [StopReason::Cancelled, StopReason::Deadline]
        .into_iter()
        .chain(signals)
    {
        let token = Cancel::new();
        assert_eq!((token.is_cancelled(), token.reason()), (false, None));
        assert!(token.cancel_with(reason) && !token.cancel_with(StopReason::Cancelled));
        assert_eq!((token.is_cancelled(), token.reason()), (true, Some(reason)));
    }
    assert_eq!(StopReason::Signal(15).to_string(), "signal 15");
}

#[test]
fn a_token_is_cancelled_with_its_parents() {
    let parent = Cancel::new();
    let (one, two) = (parent.child().child(), parent.child());
    one.cancel_with(StopReason::Deadline);
    assert!(one.is_cancelled() && !two.is_cancelled() && !parent.is_cancelled());
    parent.cancel_with(StopReason::Signal(2));
    assert!(!two.cancel_with(StopReason::Deadline));
    assert_eq!(one.reason(), Some(StopReason::Deadline));
    assert_eq!(two.reason(), Some(StopReason::Signal(2)));
}

#[test]
fn a_deadline_cancels_in_its_time() {
    let token = Cancel::new();
    let at = Instant::now() + Duration::from_millis(5);
    let guard = DeadlineGuard::start(at, token.clone()).unwrap();
    while !token.is_cancelled() {
        thread::sleep(Duration::from_millis(1));
    }
    assert!(Instant::now() >= at);
    assert_eq!(token.reason(), Some(StopReason::Deadline));
    drop(guard);

    let late = Cancel::new();
    let _guard = DeadlineGuard::start(at, late.clone()).unwrap();
    assert_eq!(late.reason(), Some(StopReason::Deadline));
}

#[test]
fn a_deadline_that_is_dropped_does_nothing_and_is_not_waited_for() {
    let token = Cancel::new();
    // If dropping the guard waited for the deadline, this would take an hour.
    drop(DeadlineGuard::start(Instant::now() + LONG, token.clone()).unwrap());
    assert!(!token.is_cancelled());
    // The guard's thread has ended too, and no longer holds a token.
    assert_eq!(Arc::strong_count(&token.token), 1);
}
