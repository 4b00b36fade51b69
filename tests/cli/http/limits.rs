//! These tests check that there are never more calls than a limit allows.

use std::time::Duration;

use serde_json::json;

use super::server::{Reply, Server};
use super::{call, command, folder, good, start_calls};
use crate::{finish, send, wait_while_running};

/// A time after which no test waits any more.
const NEVER: Duration = Duration::from_secs(3600);

#[test]
fn as_many_calls_are_in_flight_as_the_limit_allows() {
    for (options, limit) in [
        (&[][..], 16),
        (&["--in-flight", "1"], 1),
        (&["--in-flight", "3", "-j", "4"], 3),
        (&["--in-flight", "100", "-j", "1"], 100),
        (&["--in-flight", "auto"], 16),
    ] {
        let server = Server::start(|_| Reply::status(200).after(NEVER));
        let folder = folder(500);
        let mut child = start_calls(command(&folder, &server.url("/"), options));
        wait_while_running(&mut child, "all calls", || {
            server.memory().received.len() == limit
        });
        // A call too many would follow at once.
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(server.memory().most_in_flight, limit, "{options:?}");
        send(child.id(), "TERM");
        assert_eq!(finish(child).code, 143);
    }
}

#[test]
fn no_limit_is_exceeded_when_calls_end_in_every_way() {
    for (in_flight, threads) in [("1", "2"), ("5", "1"), ("32", "4")] {
        let server = Server::start(|received| match (received.n() % 10, received.attempt) {
            (0, 0) => Reply::status(500).byte_by_byte(),
            (1, 0) => Reply::reset(),
            (2, 0) => good(received).half(),
            (3, 0) => Reply::closed(),
            (4, 0) => Reply::exactly("nonsense\r\n\r\n"),
            (5, _) => good(received).after(Duration::from_millis(received.n() % 7)),
            (6, _) => good(received).byte_by_byte(),
            (7, _) => Reply::status(404),
            _ => good(received),
        });
        let folder = folder(600);
        let options = ["--json", "--in-flight", in_flight, "-j", threads];
        let ran = call(&folder, &server.url("/"), &options);
        assert_eq!(ran.code, 1, "{}", ran.err);
        let report = ran.json();
        assert_eq!(
            (&report["scored"], &report["failed"]),
            (&json!(540), &json!(60))
        );
        let most: u64 = in_flight.parse().expect("a number");
        let seen = server.memory().most_in_flight as u64;
        assert!(seen <= most, "{seen} in flight, {in_flight} allowed");
        assert_eq!(report["calls"]["most_in_flight"], most);
        assert_eq!(report["calls"]["calls"], 600 + 5 * 60);
    }
}

#[test]
fn no_more_calls_are_started_than_the_rate_allows() {
    for (rate, per_second) in [("40/s", 40.0), ("1200/m", 20.0)] {
        let server = Server::start(|received| match received.attempt {
            // Calls that try again count too.
            0 if received.n() % 4 == 0 => Reply::status(500).header("retry-after-ms", "1"),
            _ => good(received),
        });
        let folder = folder(80);
        let start = server.age();
        let ran = call(&folder, &server.url("/"), &["--rate", rate]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let received = server.received();
        assert_eq!(received.len(), 100);
        // A machine that is busy delays calls, so that several arrive together. But no call arrives too early.
        for (before, one) in received.iter().enumerate() {
            let since = (one.at - start).as_secs_f64();
            let allowed = per_second * (since + 1.0);
            assert!(
                (before as f64) < allowed,
                "{rate}: {before} calls before {since} s"
            );
        }
    }
}

#[test]
fn an_adaptive_limit_follows_the_service() {
    let server = Server::start(good);
    let folder = folder(3000);
    let ran = call(
        &folder,
        &server.url("/"),
        &["--in-flight", "auto", "--json"],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    let calls = &ran.json()["calls"];
    let limit = calls["limit"].as_u64().expect("a number");
    assert!(limit > 16, "each round of calls adds one: {calls}");
    let most = server.memory().most_in_flight as u64;
    assert!(most <= limit, "{most} in flight, {limit} allowed");
    assert_eq!(calls["adaptive"], true);

    // This service refuses every other call of the first hundred.
    let server = Server::start(|received| match received.number {
        number if number < 100 && number % 2 == 0 => Reply::status(429),
        _ => good(received),
    });
    let options = ["--in-flight", "auto", "--json", "--retries", "100"];
    let ran = call(&folder, &server.url("/"), &options);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let throttled = &ran.json()["calls"]["statuses"]["429"];
    assert_eq!(*throttled, 50);
}

#[test]
fn a_record_that_waits_for_its_next_try_gives_its_place_to_others() {
    let server = Server::start(|received| match received.n() {
        0 => Reply::status(500).header("Retry-After", "250"),
        _ => good(received),
    });
    let folder = folder(300);
    let mut child = start_calls(command(&folder, &server.url("/"), &["--in-flight", "1"]));
    wait_while_running(&mut child, "all other records", || {
        server.memory().received.len() == 300
    });
    send(child.id(), "INT");
    assert_eq!(finish(child).code, 130);
}

#[test]
fn calls_take_no_longer_than_the_timeout() {
    let server = Server::start(|received| match received.n() {
        3 => Reply::never(),
        5 => Reply::endless(),
        _ => good(received),
    });
    let folder = folder(20);
    // The endless answer is cut off, because it is too long.
    let options = ["--timeout", "3", "--retries", "1", "--json"];
    let ran = call(&folder, &server.url("/"), &options);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let report = ran.json();
    assert_eq!(
        (&report["scored"], &report["failed"]),
        (&json!(18), &json!(2))
    );
    assert!(ran.err.contains("3 s"), "{}", ran.err);
    assert!(ran.err.contains("16777216 bytes"), "{}", ran.err);
    let received = server.received();
    let calls = |n| received.iter().filter(|one| one.n() == n).count();
    assert_eq!((calls(3), calls(5)), (2, 1));
}
