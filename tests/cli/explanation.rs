//! These tests check what the report says about the course of the run.

use super::{THREE, columns, folder_with, sample, score};

/// Returns the section `run` of a report.
fn section(text: &str) -> String {
    let (_, section) = text.split_once("\nrun\n").expect("a section on the run");
    section.to_owned()
}

/// Each of these sentences begins the same way no matter how long the run takes. `tests/runs` and the tests of the
/// report check the sentences that depend on the clock.
#[test]
fn a_run_that_could_not_be_shared_says_why() {
    for (data, options, wanted) in [
        ("", ["-j", "2"], "there were no records."),
        ("{\"text\":\"good\"}\n", ["-j", "2"], "one record in "),
        (THREE, ["--executor", "sequential"], "1 worker was "),
    ] {
        let folder = folder_with("data.jsonl", data);
        let ran = score(&folder, "data.jsonl", &options);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let section = section(&ran.out);
        let said = section.lines().any(|line| line.starts_with(wanted));
        assert!(said, "{wanted} does not begin a line of\n{section}");
    }
}

#[test]
fn each_worker_has_a_line_and_many_workers_have_three() {
    let folder = folder_with("three.jsonl", THREE);
    let first_words = |threads: &str| -> Vec<String> {
        let ran = score(&folder, "three.jsonl", &["-j", threads]);
        let section = section(&ran.out);
        assert!(section.lines().all(|line| columns(line) <= 80), "{section}");
        let lines = section.lines().skip_while(|line| !line.ends_with(" share"));
        let table = lines.skip(1).take_while(|line| !line.is_empty());
        let first = |line: &str| line.split_whitespace().next().map(str::to_owned);
        table.filter_map(first).collect()
    };
    assert_eq!(first_words("1"), [""; 0]);
    assert_eq!(first_words("2"), ["0", "1"]);
    assert_eq!(first_words("16").len(), 16);
    assert_eq!(first_words("17"), ["minimum", "median", "maximum"]);
}

#[test]
fn the_slowest_records_are_named_with_their_place() {
    let folder = folder_with("unused", "");
    let ran = score(&folder, sample(), &["--json"]);
    let slowest = ran.json()["timing"]["slowest"].clone();
    let slowest = slowest.as_array().expect("an array");
    assert_eq!(slowest.len(), 5);
    let times = slowest
        .iter()
        .map(|slow| slow["time"].as_f64().expect("seconds"));
    assert!(times.is_sorted_by(|longer, shorter| longer >= shorter));
    for slow in slowest {
        assert_eq!(slow["file"], sample());
        assert_eq!(slow["line"], slow["record"]);
    }
    let text = score(&folder, sample(), &[]).out;
    let (_, slowest) = text.split_once("\nslowest\n").expect("slowest records");
    let lines: Vec<_> = slowest
        .lines()
        .take_while(|line| !line.is_empty())
        .collect();
    assert!(lines.len() >= 5, "{slowest}");
    assert!(lines[0].contains("s  "), "{slowest}");
}

#[test]
fn json_accounts_for_the_whole_time() {
    let folder = folder_with("unused", "");
    for threads in ["1", "3"] {
        let json = score(&folder, sample(), &["-j", threads, "--json"]).json();
        let timing = &json["timing"];
        let shares = timing["shares"].as_object().expect("an object");
        let all: f64 = shares.values().filter_map(serde_json::Value::as_f64).sum();
        assert!((all - 1.0).abs() < 1e-9, "{shares:?}");
        let workers = timing["workers"].as_array().expect("an array");
        assert_eq!(workers.len().to_string(), threads);
        let records = workers
            .iter()
            .filter_map(|worker| worker["records"].as_u64());
        assert_eq!(records.sum::<u64>(), 2000);
        let seconds = |name: &str| timing[name].as_f64().expect("seconds");
        assert!(seconds("bound") <= seconds("work") && seconds("span") <= seconds("bound"));
        assert!(seconds("finish") <= seconds("wall"));
        assert!(timing["helps_until"].as_u64() >= Some(1));
        assert!(
            timing["explanation"]
                .as_str()
                .is_some_and(|said| !said.is_empty())
        );
    }
}
