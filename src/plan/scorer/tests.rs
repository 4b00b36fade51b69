//! Columns of every kind, known before the run or found during it, from the texts to the answer.

use std::collections::BTreeMap;
use std::io::Cursor;

use serde_json::{Value, json};

use super::{AnyScorer, ExecOptions, MadeUpOptions, MatchOptions, NumberOptions, SentimentOptions};
use crate::dataset::TextStream;
use crate::execution::{Executor, Sequential, TaskQueue, WorkStealing};
use crate::plan::{Answer, ExecutorName, Plan, RunOptions};
use crate::task::matching::{Matching, Measure};

const TEXTS: [&str; 5] = [
    "good 1 speed=3 class=x",
    "bad 2.5 class=y",
    "good -4 speed=x",
    "good nothing",
    "fair 9 speed=0.5 class=x",
];

fn plan(scorer: MadeUpOptions) -> Plan {
    let mut plan = Plan::new(["unused"]);
    plan.scorer = scorer.into();
    plan.top = 2;
    plan
}

fn answer(plan: &Plan) -> Answer {
    let lines: Vec<String> = TEXTS
        .iter()
        .map(|text| format!("{{\"text\":\"{text}\",\"id\":{}}}\n", text.len()))
        .collect();
    let records = TextStream::new("texts", Cursor::new(lines.concat()));
    let opened = plan.open_over(records).expect("a plan");
    opened.run(RunOptions::default()).expect("a run")
}

fn json_of(plan: &Plan) -> Value {
    serde_json::from_str(&answer(plan).to_json()).expect("JSON")
}

#[test]
fn labels_are_counted_and_numbers_summed_up_whatever_their_range() {
    let json = json_of(&plan(MadeUpOptions::default()));
    assert_eq!((&json["scored"], &json["failed"]), (&json!(4), &json!(1)));
    let scores = json["scores"].as_object().expect("an object");
    let names: Vec<&str> = scores.keys().map(String::as_str).collect();
    assert_eq!(names, ["label", "number", "tenth"]);
    let labels = json!({"count": 4, "labels": {"bad": 1, "fair": 1, "good": 2}});
    assert_eq!(scores["label"], labels);
    assert_eq!(scores["number"]["sum"], 8.5);
    let bins = scores["number"]["histogram"]["counts"].as_array();
    assert_eq!(bins.map(Vec::len), Some(13));
    assert_eq!(scores["tenth"]["histogram"]["under"], 1);
    // If there is no main column, records are not ranked.
    assert_eq!((&json["top"], &json["bottom"]), (&json!([]), &json!([])));
}

#[test]
fn found_columns_are_summed_up_by_their_names() {
    let (rank, open) = (Some("speed".to_owned()), true);
    let mut plan = plan(MadeUpOptions { rank, open });
    plan.by = vec!["id".to_owned()];
    let json = json_of(&plan);
    let scores = json["scores"].as_object().expect("an object");
    let names: Vec<&str> = scores.keys().map(String::as_str).collect();
    assert_eq!(names, ["class", "label", "number", "speed", "tenth"]);
    let classes = json!({"count": 3, "labels": {"x": 2, "y": 1}});
    assert_eq!(scores["class"], classes);
    // In this column, two records have a number and one record has a label.
    assert_eq!(
        (&scores["speed"]["count"], &scores["speed"]["sum"]),
        (&json!(2), &json!(3.5))
    );
    assert_eq!(scores["speed"]["labels"], json!({"x": 1}));
    // This column is the main column, by which records are ranked and groups are compared.
    assert_eq!(json["top"][0]["text"], TEXTS[0]);
    assert_eq!(json["bottom"][0]["text"], TEXTS[4]);
    let groups = json["groups"].as_array().expect("a list");
    let name = json!([TEXTS[0].len().to_string()]);
    let group = groups.iter().find(|group| group["group"] == name);
    assert_eq!(group.expect("a group")["mean"], 3.0);
    let summary = answer(&plan).report.value;
    let order: Vec<&str> = summary.numbers().map(|(name, _)| name).collect();
    assert_eq!(order, ["number", "tenth", "speed"]);
}

#[test]
fn labels_and_found_columns_are_part_of_the_digest() {
    let mut digests = BTreeMap::new();
    for open in [false, true] {
        for executor in [
            ExecutorName::Sequential,
            ExecutorName::WorkStealing,
            ExecutorName::TaskQueue,
        ] {
            let mut plan = plan(MadeUpOptions { rank: None, open });
            plan.executor = executor;
            plan.threads = "3".parse().ok();
            let digest = answer(&plan).digest.to_string();
            assert_eq!(*digests.entry(open).or_insert(digest.clone()), digest);
        }
    }
    assert_ne!(digests[&false], digests[&true]);
}

/// With more than 3,200 labels, only the frequent ones are listed, and their numbers are estimates.
#[test]
fn the_frequent_labels_do_not_depend_on_who_counts_them() {
    let often = |n: u32| {
        if n.is_multiple_of(3) {
            "often".to_owned()
        } else {
            format!("label{n}")
        }
    };
    let texts: Vec<String> = (0..9_000)
        .map(|n| format!("{} 1 found={}", often(n), often(n + 1)))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let run = |executor: &dyn Executor| {
        let scorer = MadeUpOptions {
            rank: None,
            open: true,
        };
        let answer = scorer
            .open_over(&texts)
            .run_on(executor, RunOptions::default());
        let answer = answer.expect("a run");
        (answer.digest, answer.report.value.labels)
    };
    let (digest, labels) = run(&Sequential);
    assert_eq!(labels.keys().collect::<Vec<_>>(), ["found", "label"]);
    for summary in labels.values() {
        assert_eq!((summary.count, summary.exact), (9_000, false));
        let by_frequency = summary.by_frequency();
        assert!(
            matches!(*by_frequency, [("often", 3_000..3_050)]),
            "{by_frequency:?}"
        );
    }
    for threads in [1, 2, 5] {
        let (stealing, queue) = (WorkStealing::new(threads), TaskQueue::new(threads));
        assert_eq!(run(&stealing), (digest, labels.clone()));
        assert_eq!(run(&queue), (digest, labels.clone()));
    }
}

#[test]
fn a_column_without_a_known_range_has_a_histogram_of_its_numbers() {
    let texts = ["a 1 of=3", "a 2 of=-1e300", "a 4", "a NaN", "a inf of=x"];
    let opened = MadeUpOptions {
        rank: None,
        open: true,
    }
    .open_over(&texts);
    let answer = opened.run(RunOptions::default()).expect("a run");
    let json: Value = serde_json::from_str(&answer.to_json()).expect("JSON");
    let number = &json["scores"]["number"];
    let edges: Vec<f64> = (0..=12).map(|edge| 1.0 + f64::from(edge) / 4.0).collect();
    let counts = [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1];
    let expected = json!({"edges": edges, "counts": counts, "under": 0, "over": 1});
    assert_eq!(number["histogram"], expected);
    // The mean is NaN, which JSON cannot express. The quantiles leave NaN out.
    assert_eq!((&number["count"], &number["nan"]), (&json!(5), &json!(1)));
    assert_eq!(
        (&number["mean"], &number["quantiles"]["0.5"]),
        (&Value::Null, &json!(3.0))
    );
    let found = &json["scores"]["of"]["histogram"];
    let counts = found["counts"].as_array().expect("a list").iter();
    assert_eq!(counts.filter_map(Value::as_u64).sum::<u64>(), 2);
    assert!(json["scores"]["of"].get("nan").is_none());
}

#[test]
fn a_found_column_cannot_have_the_name_of_another() {
    for name in ["label", "record", "id"] {
        let mut plan = plan(MadeUpOptions {
            rank: None,
            open: true,
        });
        plan.keep = vec!["id".to_owned()];
        let line = format!("{{\"text\":\"good 1 {name}=x\",\"id\":7}}\n");
        let records = TextStream::new("texts", Cursor::new(line));
        let opened = plan.open_over(records).expect("a plan");
        let failures = opened.run(RunOptions::default()).expect("a run");
        let failures = failures.report.failures.iter().map(ToString::to_string);
        let message = format!(
            "texts:1: the scorer gives a value named {name:?}, but a line of scores has that name \
             already; give the value another name"
        );
        assert_eq!(failures.collect::<Vec<_>>(), [message]);
    }
}

#[test]
fn every_scorer_is_written_under_its_name() {
    let matching = Matching::by(Measure::Ratio);
    let scorers = [
        AnyScorer::from(SentimentOptions::default()),
        NumberOptions::default().into(),
        MatchOptions::new(matching, "cities.txt").into(),
        ExecOptions::new(["cat", "-u"]).into(),
        MadeUpOptions::default().into(),
    ];
    // A service has options that cannot be made up here.
    let others = usize::from(cfg!(feature = "http"));
    assert_eq!(AnyScorer::NAMES.len(), scorers.len() + others);
    for scorer in scorers {
        let name = AnyScorer::known_name(scorer.name()).expect("a name");
        let json = serde_json::to_value(&scorer).expect("JSON");
        let names: Vec<_> = json.as_object().expect("an object").keys().collect();
        assert_eq!(names, [name]);
        let read: AnyScorer = serde_json::from_value(json).expect("a scorer");
        assert_eq!(read, scorer);
    }
}
