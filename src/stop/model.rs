//! Tests the token under the model checker, which tries many orders of the threads' steps.

use std::time::{Duration, Instant};

use super::{Cancel, DeadlineGuard, StopReason};
use crate::sync::{check_model, thread};

#[test]
fn the_first_reason_counts_and_stays() {
    check_model(|| {
        let token = Cancel::new();
        let threads: Vec<_> = [
            StopReason::Deadline,
            StopReason::Signal(2),
            StopReason::Cancelled,
        ]
        .into_iter()
        .map(|reason| {
            let token = token.clone();
            thread::spawn(move || {
                let first = token.cancel_with(reason);
                assert!(token.is_cancelled());
                assert_eq!(token.reason() == Some(reason), first);
                first
            })
        })
        .collect();
        let firsts = threads.into_iter().map(|thread| thread.join().unwrap());
        assert_eq!(firsts.filter(|first| *first).count(), 1);
    });
}

#[test]
fn the_reason_of_a_child_stays() {
    check_model(|| {
        let parent = Cancel::new();
        let child = parent.child();
        let (one, two) = (parent.clone(), child.clone());
        let signal = thread::spawn(move || one.cancel_with(StopReason::Signal(15)));
        let deadline = thread::spawn(move || two.cancel_with(StopReason::Deadline));
        let early = child.reason();
        assert!(early.is_none() || child.is_cancelled());
        let (signal, deadline) = (signal.join().unwrap(), deadline.join().unwrap());
        let late = child.reason();
        assert!(late.is_some() && early.is_none_or(|early| Some(early) == late));
        assert_eq!(deadline, late == Some(StopReason::Deadline));
        // A child does not cancel its parent.
        assert!(signal);
        assert_eq!(parent.reason(), Some(StopReason::Signal(15)));
    });
}

#[test]
fn a_deadline_ends_with_its_guard() {
    check_model(|| {
        let token = Cancel::new();
        let far = Instant::now() + Duration::from_secs(3_600);
        let guard = DeadlineGuard::start(far, token.clone()).unwrap();
        let elsewhere = token.clone();
        let other = thread::spawn(move || elsewhere.cancel());
        // Time does not pass in a model: if the thread did not end with its guard, this would hang.
        drop(guard);
        other.join().unwrap();
        assert_eq!(token.reason(), Some(StopReason::Cancelled));
    });
}
