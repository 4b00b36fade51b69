//! These tests check that a run ends when its budget is spent.

use serde_json::json;

use super::server::{Reply, Server};
use super::{call, folder, lines, score_of};
use crate::{Ran, read};

/// Scores records with a budget of 1,000, of which the record with the number n costs `cost(n)`.
fn spend(records: u64, in_flight: &str, cost: fn(u64) -> u64) -> (Ran, Vec<serde_json::Value>) {
    let server = Server::start(move |received| {
        let n = received.n();
        Reply::json(json!({"score": score_of(n), "usage": {"total": cost(n)}}))
    });
    let folder = folder(records);
    let options = [
        "--pick",
        "score=/score",
        "--budget",
        "/usage/total=1000",
        "--json",
        "-o",
        "out.jsonl",
        "--in-flight",
        in_flight,
    ];
    let ran = call(&folder, &server.url("/"), &options);
    let file = if ran.code == 0 {
        "out.jsonl"
    } else {
        "out.jsonl.partial"
    };
    let scores = lines(&read(&folder, file));
    // Every call counts, and every call belongs to a record that was scored.
    let spent: u64 = server.received().iter().map(|one| cost(one.n())).sum();
    let budget = &ran.json()["calls"]["budget"];
    let overshoot = spent.saturating_sub(1000);
    let expected =
        json!({"of": "/usage/total", "limit": 1000, "spent": spent, "overshoot": overshoot});
    assert_eq!(*budget, expected);
    assert_eq!(server.received().len(), scores.len());
    (ran, scores)
}

#[test]
fn a_run_ends_when_its_budget_is_spent() {
    for in_flight in ["1", "4", "64"] {
        let (ran, scores) = spend(500, in_flight, |_| 10);
        assert_eq!(ran.code, 9, "{in_flight}: {}", ran.err);
        assert!(ran.err.contains("budget"), "{}", ran.err);
        let report = ran.json();
        assert_eq!(
            (&report["scored"], &report["failed"]),
            (&json!(100), &json!(0))
        );
        for (n, line) in (0..100).zip(&scores) {
            assert_eq!(*line, json!({"record": n + 1, "score": score_of(n)}));
        }
        assert_eq!(scores.len(), 100);
    }
}

#[test]
fn a_budget_is_exceeded_by_calls_in_flight_at_most() {
    // The first calls are cheap, so the estimate is too low when expensive ones are in flight.
    let (ran, _) = spend(500, "8", |n| if n < 90 { 10 } else { 60 });
    assert_eq!(ran.code, 9, "{}", ran.err);
    let overshoot = ran.json()["calls"]["budget"]["overshoot"]
        .as_u64()
        .expect("a number");
    assert!(overshoot <= 8 * 60, "{overshoot}");
    let (ran, _) = spend(500, "1", |n| n % 7 * 10);
    assert_eq!(ran.code, 9, "{}", ran.err);
    let budget = &ran.json()["calls"]["budget"];
    let spent = budget["spent"].as_u64().expect("a number");
    assert!((940..=1000).contains(&spent), "{budget}");
}

#[test]
fn a_budget_that_is_not_spent_ends_nothing() {
    let (ran, scores) = spend(100, "16", |_| 10);
    assert_eq!((ran.code, scores.len()), (0, 100), "{}", ran.err);
    let (ran, scores) = spend(100, "16", |_| 0);
    assert_eq!((ran.code, scores.len()), (0, 100), "{}", ran.err);
}

#[test]
fn answers_that_cannot_be_used_count_and_unknown_costs_are_failures() {
    let server = Server::start(|received| match received.n() {
        // This answer has no price, so it cannot be kept to the budget.
        3 => Reply::json(json!({"score": 1})),
        4 => Reply::json(json!({"score": 1, "usage": {"total": "many"}})),
        _ => Reply::json(json!({"score": "high", "usage": {"total": 100}})),
    });
    let folder = folder(50);
    let options = [
        "--pick",
        "score=/score",
        "--expect",
        "score=number",
        "--budget",
        "/usage/total=1000",
        "--json",
        "-o",
        "out.jsonl",
        "--in-flight",
        "1",
    ];
    let ran = call(&folder, &server.url("/"), &options);
    assert_eq!(ran.code, 9, "{}", ran.err);
    // Each record is asked for twice.
    assert_eq!(ran.json()["calls"]["budget"]["spent"], 1000);
    let scores = lines(&read(&folder, "out.jsonl.partial"));
    for n in [3, 4] {
        let error = scores[n]["error"].as_str().expect("an error");
        assert!(
            error.contains("expected a number for the budget at /usage/total"),
            "{error}"
        );
    }
    let calls = server.received().iter().filter(|one| one.n() == 3).count();
    assert_eq!(calls, 1, "its price is not known the next time either");
}
