//! These tests check which calls are made again, and when.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::server::{Received, Reply, Server};
use super::{call, folder, good, lines};
use crate::read;

/// What a service may do with the first call for a record, such that another call makes sense. There is one for each record.
const PASSING: [fn(&Received) -> Reply; 14] = [
    |_| Reply::status(408),
    |_| Reply::status(429),
    |_| Reply::status(500).body("x".repeat(100_000)),
    |_| Reply::status(502),
    |_| Reply::status(503),
    |_| Reply::status(504),
    |_| Reply::status(529).body("overloaded"),
    |_| Reply::reset(),
    |_| Reply::closed(),
    |received| good(received).half(),
    |_| Reply::exactly("HTTP/1.1 two hundred\r\n\r\n"),
    |_| Reply::exactly("SSH-2.0-OpenSSH_9.2\r\n"),
    |_| Reply::exactly("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12"),
    |_| {
        Reply::status(200)
            .header("Content-Encoding", "gzip")
            .body("no gzip")
    },
];

#[test]
fn what_may_succeed_later_is_tried_again() {
    let records = PASSING.len() as u64;
    for in_flight in ["1", "16"] {
        let server = Server::start(|received| match received.attempt {
            0 => PASSING[received.n() as usize](received),
            _ => good(received),
        });
        let folder = folder(records);
        let ran = call(
            &folder,
            &server.url("/"),
            &["--in-flight", in_flight, "--json"],
        );
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        let retries = &ran.json()["calls"]["retries"];
        let retries: BTreeMap<String, u64> =
            serde_json::from_value(retries.clone()).expect("numbers");
        assert_eq!(retries.values().sum::<u64>(), records, "{retries:?}");
        let memory = server.memory();
        let calls = memory.attempts.values();
        assert!(calls.clone().all(|calls| *calls == 2), "{calls:?}");
        assert_eq!(calls.len() as u64, records);
    }
}

#[test]
fn a_record_is_tried_again_as_often_as_the_option_says() {
    for (options, calls) in [
        (&["--retries", "0"][..], 1),
        (&["--retries", "2"], 3),
        (&[], 6),
    ] {
        let server = Server::start(|_| Reply::status(503).body("come back later"));
        let folder = folder(1);
        let ran = call(
            &folder,
            &server.url("/"),
            &[options, &["-o", "out.jsonl"]].concat(),
        );
        assert!([1, 3].contains(&ran.code), "{}", ran.err);
        assert!(
            ran.err.contains("503") && ran.err.contains("come back later"),
            "{}",
            ran.err
        );
        let memory = server.memory();
        assert_eq!(memory.received.len(), calls, "{options:?}");
        assert_eq!(memory.attempts.len(), 1);
    }
}

#[test]
fn what_cannot_succeed_fails_at_once() {
    let replies = [
        (400, "no such model"),
        (401, "\u{1b}[31mwrong\u{7} key"),
        (402, "pay first"),
        (403, ""),
        (404, "<html>\n  <body>not here</body>"),
        (413, "too large"),
        (422, "\u{202e}reversed"),
        (304, ""),
        (302, ""),
    ];
    let server = Server::start(move |received| {
        let (status, body) = replies[received.n() as usize];
        Reply::status(status).body(body.repeat(if status == 413 { 1000 } else { 1 }))
    });
    let count = replies.len();
    let folder = folder(count as u64);
    let options = ["-o", "out.jsonl", "--on-failure", "skip"];
    let ran = call(&folder, &server.url("/"), &options);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_eq!(server.received().len(), count);
    let scores = lines(&read(&folder, "out.jsonl"));
    assert_eq!(scores.len(), count);
    for (line, (status, body)) in scores.iter().zip(replies) {
        let error = line["error"].as_str().expect("an error");
        assert!(error.contains(&status.to_string()), "{error}");
        let first = body
            .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != ' ')
            .next();
        assert!(error.contains(first.unwrap_or_default()), "{error}");
        assert!(error.chars().count() < 400, "{error}");
        assert!(
            !error.contains(['\u{1b}', '\u{7}', '\u{202e}', '\n']),
            "{error:?}"
        );
    }
}

#[test]
fn a_record_waits_for_as_long_as_the_service_says() {
    /// The reply to the first call, and the time that the record waits after it at least. The first record has none.
    type Waiting = fn() -> Reply;
    let waits: [(Waiting, u64); 5] = [
        (|| Reply::status(429).header("Retry-After", "2"), 2000),
        (|| Reply::status(503).header("Retry-After", "1"), 1000),
        (|| Reply::status(500).header("retry-after-ms", "1500"), 1500),
        (
            || {
                Reply::status(429)
                    .header("retry-after-ms", "700")
                    .header("Retry-After", "60")
            },
            700,
        ),
        (
            || {
                let date = SystemTime::now() + Duration::from_secs(3);
                Reply::status(503).header("Retry-After", &httpdate(date))
            },
            // Dates have no fractions of seconds.
            2000,
        ),
    ];
    for (number, (wait, at_least)) in waits.into_iter().enumerate() {
        let server = Server::start(move |received| match received.attempt {
            0 => wait(),
            _ => good(received),
        });
        let folder = folder(1);
        let ran = call(&folder, &server.url("/"), &[]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        let received = server.received();
        assert_eq!(received.len(), 2);
        let waited = received[1].at - received[0].at;
        assert!(
            waited >= Duration::from_millis(at_least),
            "{number}: {waited:?}"
        );
    }
}

/// A date as HTTP has it, such as `Sun, 06 Nov 1994 08:49:37 GMT`. The program `date` knows the calendar.
fn httpdate(time: SystemTime) -> String {
    let seconds = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("a time after 1970");
    let date = std::process::Command::new("date")
        .args([
            "-u",
            "-d",
            &format!("@{}", seconds.as_secs()),
            "+%a, %d %b %Y %H:%M:%S GMT",
        ])
        .env("LC_ALL", "C")
        .output();
    let date = date.expect("there is date").stdout;
    String::from_utf8(date).expect("UTF-8").trim().to_owned()
}

#[test]
fn a_service_that_asks_for_a_long_time_is_not_waited_for() {
    let server = Server::start(|received| match received.n() {
        0 => Reply::status(429).header("Retry-After", "301"),
        1 => Reply::status(503).header("Retry-After", "Fri, 31 Dec 2100 23:59:59 GMT"),
        2 => Reply::status(500).header("retry-after-ms", "3000000"),
        _ => good(received),
    });
    let folder = folder(10);
    let ran = call(&folder, &server.url("/"), &["--json"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_eq!(ran.json()["scored"], 7);
    assert_eq!(server.received().len(), 10);
    assert!(
        ran.err.contains("301 s") && ran.err.contains("3000 s"),
        "{}",
        ran.err
    );
}

#[test]
fn all_calls_wait_for_a_service_that_is_overloaded() {
    let replies: [fn() -> Reply; 4] = [
        || Reply::status(429).header("retry-after-ms", "1500"),
        || Reply::status(503).header("Retry-After", "2"),
        || {
            let reply = Reply::json(json!(1)).header("x-ratelimit-remaining", "0");
            reply.header("x-ratelimit-reset", "2")
        },
        || {
            let reply = Reply::json(json!(1)).header("x-ratelimit-limit-requests", "1");
            let reply = reply.header("x-ratelimit-remaining-requests", "0");
            reply.header("x-ratelimit-reset-requests", "0m1.5s")
        },
    ];
    for (number, first) in replies.into_iter().enumerate() {
        let server = Server::start(move |received| match received.number {
            0 => first(),
            _ => Reply::json(json!(2)),
        });
        let folder = folder(8);
        let ran = call(&folder, &server.url("/"), &["--in-flight", "1", "--json"]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{number}");
        let received = server.received();
        let waited = received[1].at - received[0].at;
        assert!(
            waited >= Duration::from_millis(1500),
            "{number}: {waited:?}"
        );
        let held_up = &ran.json()["calls"]["held_up"]["service"];
        assert!(
            held_up.as_f64().is_some_and(|held_up| held_up > 1.0),
            "{number}: {held_up}"
        );
    }
}

#[test]
fn numbers_that_services_send_although_they_do_not_know_them_delay_nothing() {
    let server = Server::start(|received| {
        let reply = good(received).header("x-ratelimit-remaining-requests", "-1");
        let reply = reply.header("x-ratelimit-reset-requests", "3600");
        let reply = reply
            .header("x-ratelimit-limit-tokens", "0")
            .header("x-ratelimit-remaining-tokens", "0");
        reply
            .header("x-ratelimit-reset-tokens", "0")
            .header("x-ratelimit-reset", "soon")
    });
    let folder = folder(200);
    let ran = call(&folder, &server.url("/"), &["--in-flight", "1", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.json()["calls"]["held_up"]["service"], 0.0);
}

#[test]
fn keys_tell_records_apart_and_tries_together() {
    let server = Server::start(|received| match received.attempt {
        0 => Reply::status(500),
        _ => good(received),
    });
    let folder = folder(20);
    let keys = || {
        let memory = server.memory();
        let mut keys: Vec<String> = memory.attempts.keys().cloned().collect();
        keys.sort();
        keys
    };
    let first = call(&folder, &server.url("/"), &[]);
    assert_eq!(first.code, 0, "{}", first.err);
    let once = keys();
    assert_eq!(once.len(), 20);
    // Another run sends the same keys, whatever its limits.
    let again = call(&folder, &server.url("/"), &["--in-flight", "3", "-j", "1"]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert_eq!(keys(), once);
    // Another path, and another body, are other calls.
    for (path, body) in [("/v2", "{\"n\":{{n}}}"), ("/", "{\"n\": {{n}}}")] {
        let ran = call(&folder, &server.url(path), &["--body", body]);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    assert_eq!(keys().len(), 60);
}

#[test]
fn redirects_to_the_same_place_are_followed_with_the_record() {
    let server = Server::start(|received| match received.target.as_str() {
        "/old" => Reply::status(308).header("Location", "/newer"),
        "/newer" => Reply::status(307).header("Location", "new?v=2"),
        "/new?v=2" => good(received),
        "/loop" => Reply::status(307).header("Location", "/loop"),
        "/see" => Reply::status(302).header("Location", "/new?v=2"),
        other => panic!("{other}"),
    });
    let folder = folder(3);
    let options = ["--header", "X-Key: secret-of-the-test"];
    let ran = call(&folder, &server.url("/old"), &options);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let received = server.received();
    assert_eq!(received.len(), 9);
    assert!(
        received
            .iter()
            .all(|one| one.header("x-key") == Some("secret-of-the-test"))
    );
    for (path, message) in [
        ("/loop", "the service redirects more than 5 times"),
        ("/see", "which clients follow without the record"),
    ] {
        let ran = call(&folder, &server.url(path), &options);
        assert!([1, 3].contains(&ran.code), "{}", ran.err);
        assert!(ran.err.contains(message), "{}", ran.err);
    }
}
