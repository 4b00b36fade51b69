//! Runs that are killed at a system call, for each call of a small run in turn.

use crate::case::Case;
use crate::chance::{chance, rounds};
use crate::end::assert_ends_calmly;
use crate::paid::{Account, assert_not_asked_again};
use crate::program::{exec, has, small_sentiments};
use crate::traced::{Injected, can_trace, injecting};

/// The system calls that change what is on the disk, or come before such a change.
const CALLS: [&str; 12] = [
    "openat",
    "flock",
    "write",
    "pwrite64",
    "fdatasync",
    "fsync",
    "ftruncate",
    "rename",
    "renameat2",
    "unlink",
    "close",
    "futex",
];

/// The system calls by which a service is asked and answers.
#[cfg(feature = "http")]
const CALLS_OF_SERVICES: [&str; 4] = ["connect", "writev", "recvfrom", "epoll_wait"];

/// Kills a run at the `nth` time of a call, and goes on. Returns whether the run was killed.
fn killed_at(case: &Case, account: &Account, call: &str, nth: usize) -> bool {
    let mut scene = case.scene();
    let command = case.command(true);
    let before = scene.run(&injecting(call, Injected::Kill, nth), &command);
    let files = scene.files();
    let may = account.may_ask(&files);
    let last = case.go_on(&mut scene);
    let context = format!("killed at call {nth} of {call}, {}", case.name);
    if case.is_paid() {
        account.assert_counted_is_kept(&files, &files);
        assert_not_asked_again(&case.asked(&scene, &last), &may, &context);
        // It may be a process of a program that is killed. Another one is then asked for all that this one has not answered for
        // certain.
        if case.behind.is_empty() {
            let asked = case.asked(&scene, &before);
            assert_not_asked_again(&asked, &account.may_ask(&case.files), &context);
        }
    }
    println!("{context}: {:?}", before.code);
    assert_ends_calmly(case, &scene, &last, Some(&before));
    before.code.is_none()
}

/// Kills each case at these system calls. Every call is tried if there are enough rounds for it. Otherwise some are left
/// out.
fn kill_all_at(test: &str, cases: &[Case], calls: &[&str], default: usize) {
    let mut random = chance(test);
    let rounds = rounds(default);
    let mut kills = 0;
    let leaves_out = if rounds >= 2000 {
        0.0
    } else {
        1.0 - rounds as f64 / 1500.0
    };
    for case in cases {
        let account = Account::of(case);
        for call in calls {
            let mut nth = 1;
            while killed_at(case, &account, call, nth) {
                kills += 1;
                nth += 1;
                while random.f64() < leaves_out {
                    nth += 1;
                }
            }
        }
    }
    println!("{test}: {kills} kills at system calls");
    assert!(kills > 0);
}

#[test]
fn runs_that_are_killed_at_any_system_call_go_on() {
    if !can_trace() || !has("perl") {
        return;
    }
    let programs = [
        exec(8, "1", "-j 1 -o out.jsonl"),
        exec(8, "1", "-j 2 -o out.jsonl --failures bad.jsonl"),
    ];
    let cases: Vec<Case> = small_sentiments().into_iter().chain(programs).collect();
    let test = "runs_that_are_killed_at_any_system_call_go_on";
    kill_all_at(test, &cases, &CALLS, 60);
}

#[cfg(feature = "http")]
#[test]
fn runs_with_a_service_that_are_killed_at_any_system_call_go_on() {
    if !can_trace() {
        return;
    }
    let calls = [&CALLS[..], &CALLS_OF_SERVICES].concat();
    let test = "runs_with_a_service_that_are_killed_at_any_system_call_go_on";
    kill_all_at(test, &crate::service::small_calls(), &calls, 20);
}
