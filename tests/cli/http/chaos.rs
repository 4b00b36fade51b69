//! These tests call a service that fails in every way, and compare the answers with those of a calm service.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::server::{Received, Reply, Server};
use super::{command, folder, good, lines, start_calls};
use crate::{Ran, ran, read};

/// A number that depends on a record and on the number of a try alone, and is evenly distributed.
fn drawn(n: u64, attempt: usize) -> u64 {
    // The finalizer of the generator SplitMix64.
    let mut bits = (n << 8 | attempt as u64)
        .wrapping_add(1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

/// Whether no call for this record ever succeeds.
fn is_refused(n: u64) -> bool {
    n % 100 == 77
}

/// A service that answers seven of ten calls well. The third call for a record succeeds, unless none does.
fn wild(received: &Received) -> Reply {
    let n = received.n();
    if is_refused(n) {
        return match n / 100 % 3 {
            0 => Reply::status(400).body("no sense"),
            1 => Reply::json(json!({"error": "no answer to this record"})),
            _ => Reply::json(json!({"score": "a text where numbers are expected", "topic": 1})),
        };
    }
    if received.attempt >= 2 || drawn(n, received.attempt) % 10 >= 3 {
        let delay = drawn(n, received.attempt) / 10 % 400;
        return match delay {
            0..3 => good(received).after(Duration::from_millis(delay)),
            3..10 => good(received).byte_by_byte(),
            _ => good(received),
        };
    }
    // Each cause can pass only once for a record if it is an answer that cannot be used.
    match drawn(n, received.attempt) / 10 % if received.attempt == 0 { 12 } else { 9 } {
        0 => Reply::status(500).header("retry-after-ms", "1"),
        1 => Reply::status(429).header("retry-after-ms", "1"),
        2 => Reply::status(502)
            .header("retry-after-ms", "2")
            .body("<html>".repeat(200)),
        3 => Reply::status(503).header("retry-after-ms", "1"),
        4 => Reply::status(408).header("retry-after-ms", "1"),
        5 => Reply::reset(),
        6 => Reply::closed(),
        7 => good(received).half(),
        8 => Reply::exactly("HTTP/1.1 what\r\n\r\n"),
        9 => Reply::status(200).body("{\"score\": 1, "),
        10 => Reply::json(json!({"score": "high", "topic": "t1"})),
        _ => Reply::status(200).body(vec![b'['; 100_000]),
    }
}

/// The options of all runs.
const OPTIONS: [&str; 9] = [
    "--pick",
    "score=/score",
    "--pick",
    "topic=/topic",
    "--expect",
    "score=number",
    "--expect=topic=text",
    "--json",
    "--force",
];

/// Scores records by calls to this service. On a busy machine, this takes longer than other tests wait for a process.
fn call_patiently(folder: &TempDir, server: &Server, options: &[&str]) -> Ran {
    let child = start_calls(command(folder, &server.url("/"), options));
    ran(child.wait_with_output())
}

/// Calls a wild service, and compares the scores with those of a calm one.
fn assert_nothing_is_lost(records: u64, runs: &[&[&str]]) {
    let folder = folder(records);
    let calm = Server::start(|received| match is_refused(received.n()) {
        true => Reply::status(400),
        false => good(received),
    });
    let options = [&OPTIONS[..], &["-o", "calm.jsonl", "--in-flight", "64"]].concat();
    let ran = call_patiently(&folder, &calm, &options);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let calm_report = ran.json();
    let calm_scores = read(&folder, "calm.jsonl");

    for options in runs {
        let server = Server::start(wild);
        let all = [
            &OPTIONS[..],
            &["-o", "wild.jsonl", "--retries", "8"],
            options,
        ]
        .concat();
        let ran = call_patiently(&folder, &server, &all);
        assert_eq!(ran.code, 1, "{options:?}: {}", ran.err);
        let scores = read(&folder, "wild.jsonl");
        assert_eq!(scores.lines().count() as u64, records);
        for (n, (line, calm)) in (0..).zip(scores.lines().zip(calm_scores.lines())) {
            if is_refused(n) {
                let line = &lines(line)[0];
                assert_eq!(line["record"], n + 1);
                let error = line["error"].as_str().expect("an error");
                let reason = [
                    "no sense",
                    "is an object with \"error\"",
                    "expected a number",
                ][(n / 100 % 3) as usize];
                assert!(error.contains(reason), "{line}");
            } else {
                assert_eq!(line, calm, "{options:?}");
            }
        }
        let report = ran.json();
        let failed = (0..records).filter(|n| is_refused(*n)).count();
        let counts = ["records", "scored", "failed"].map(|name| report[name].clone());
        let right = [
            json!(records),
            json!(records - failed as u64),
            json!(failed),
        ];
        assert_eq!(counts, right, "{options:?}");
        // The answer of the scored records has the bits of the calm run.
        assert_eq!(report["scores"], calm_report["scores"], "{options:?}");
        assert_calls(&server, &report, records, options);
    }
}

/// Checks what the service has seen: no call above the limit, no call too many, and calls for every record.
fn assert_calls(server: &Server, report: &Value, records: u64, options: &[&str]) {
    let memory = server.memory();
    let limit = report["calls"]["limit"].as_u64().expect("a limit") as usize;
    if report["calls"]["adaptive"] == false {
        assert!(
            memory.most_in_flight <= limit,
            "{} in flight, {options:?}",
            memory.most_in_flight
        );
    }
    assert_eq!(
        memory.attempts.len() as u64,
        records,
        "each record has a key of its own"
    );
    let mut calls: BTreeMap<u64, usize> = BTreeMap::new();
    for one in &memory.received {
        *calls.entry(one.n()).or_default() += 1;
    }
    for (n, calls) in calls {
        let needed = match is_refused(n) {
            true if n / 100 % 3 == 0 => 1,
            true => 2,
            false => {
                let fails = |attempt: &usize| drawn(n, *attempt) % 10 < 3;
                1 + (0..2).take_while(fails).count()
            }
        };
        assert_eq!(calls, needed, "record {n}, {options:?}");
    }
}

/// The number of records of the largest run. A long run is made with `MANYHANDS_CHAOS_RECORDS=80000`, which are 100,000
/// calls.
fn records() -> u64 {
    let set = std::env::var("MANYHANDS_CHAOS_RECORDS");
    set.map_or(3_000, |records| {
        records.parse().expect("a number of records")
    })
}

#[test]
fn records_survive_a_service_that_fails_in_every_way() {
    assert_nothing_is_lost(records(), &[&["--in-flight", "64"]]);
}

#[test]
fn records_survive_at_every_limit() {
    let runs: &[&[&str]] = &[
        &["--in-flight", "1", "-j", "1"],
        &["--in-flight", "7", "-j", "4"],
        &["--in-flight", "500", "-j", "2"],
        &["--in-flight", "auto"],
    ];
    assert_nothing_is_lost(1_000, runs);
}
