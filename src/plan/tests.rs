//! Plans that are written down and read again.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::task::matching::{Matching, Measure};

/// A plan in which every field is set.
fn full() -> Plan {
    let mut plan = Plan::new(["a.jsonl", "b.jsonl"]);
    let matching = Matching::by(Measure::Wratio).cutoff(60.5).best(3);
    let mut scorer = MatchOptions::new(matching, "cities.txt");
    scorer.field = Some("name".to_owned());
    plan.scorer = scorer.into();
    plan.head = Some(1 << 41);
    plan.sample = Some(Sampling {
        records: 1 << 39,
        seed: u64::MAX,
    });
    plan.max_record = 1 << 40;
    plan.fields = vec!["city".to_owned(), "state".to_owned()];
    plan.missing = Some(Missing::Empty);
    plan.by = vec!["country".to_owned(), "year".to_owned()];
    plan.top = 7;
    plan.keep = vec!["id".to_owned(), "country".to_owned()];
    plan.executor = ExecutorName::ProcessPool;
    plan.threads = "50%".parse().ok();
    plan.pin = true;
    plan.on_failure = OnFailure::SkipShare { at_most: 0.1 + 0.2 };
    plan.limit = Limit::in_flight(3).per_second(0.7).burst(2).budget(1 << 33);
    plan.deadline = Some(Duration::from_millis(90_001));
    plan.timeout = Some(Duration::new(5, 1));
    plan
}

fn read(json: &Value) -> Result<Plan, serde_json::Error> {
    serde_json::from_str(&json.to_string())
}

#[test]
fn a_plan_reads_as_it_was_written() {
    for plan in [full(), Plan::new(["a.jsonl"])] {
        let written = serde_json::to_string(&plan).expect("JSON");
        assert!(written.starts_with("{\"version\":1,"), "{written}");
        let read: Plan = serde_json::from_str(&written).expect("a plan");
        assert_eq!(read, plan);
        assert_eq!(serde_json::to_string(&read).expect("JSON"), written);
    }
}

/// Collects, for every object in a JSON value, a pointer to the object.
fn objects(json: &Value, at: &str, found: &mut Vec<String>) {
    let members: Vec<(String, &Value)> = match json {
        Value::Object(members) => {
            found.push(at.to_owned());
            members
                .iter()
                .map(|(name, value)| (name.clone(), value))
                .collect()
        }
        Value::Array(values) => values
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    for (name, value) in members {
        objects(value, &format!("{at}/{name}"), found);
    }
}

#[test]
fn a_plan_with_an_unknown_field_is_refused() {
    let plan = serde_json::to_value(full()).expect("JSON");
    let mut found = Vec::new();
    objects(&plan, "", &mut found);
    for within in [
        "",
        "/scorer",
        "/scorer/match",
        "/scorer/match/matching",
        "/on_failure/skip-share",
        "/limit",
        "/deadline",
    ] {
        assert!(
            found.iter().any(|object| object == within),
            "{within} is not among {found:?}"
        );
    }
    for object in found {
        let mut other = plan.clone();
        let object = other.pointer_mut(&object).expect("an object");
        object["unknown"] = json!(1);
        assert!(read(&other).is_err(), "{other} is read");
    }
}

#[test]
fn a_plan_of_another_version_is_refused() {
    let mut plan = serde_json::to_value(full()).expect("JSON");
    plan["version"] = json!(2);
    let error = read(&plan).expect_err("another version").to_string();
    let message = "the plan has version 2, and this program reads version 1; write it again with the \
                   same version of the program";
    assert!(error.starts_with(message), "{error}");
    plan.as_object_mut().expect("an object").remove("version");
    let error = read(&plan).expect_err("no version").to_string();
    assert!(error.starts_with("missing field `version`"), "{error}");
}
