//! These tests check the report as text and as JSON.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use manyhands::plan::Plan;

use super::{THREE, columns, folder_with, program, ran, run, sample, score, write};

#[test]
fn the_text_report_has_all_its_sections() {
    let folder = folder_with("three.jsonl", THREE);
    let ran = score(&folder, "three.jsonl", &["--by", "kind"]);
    assert_eq!(ran.code, 0);
    assert_eq!(ran.err, "");
    let headline = r#"3 records scored  sentiment of "text" in three.jsonl, 141 B"#;
    assert_eq!(ran.out.lines().next(), Some(headline));
    for line in [
        " neg        0.3333   0.5774   0.0000   0.0000  0.0000  0.9000  1.0000",
        " compound  -0.0340   0.4922  -0.5423  -0.4881  0.0000  0.3964  0.4404",
        "compound by kind, 2 groups",
        " x           2   0.2202   0.0000   0.4404        +0.7",
        " y           1  -0.5423  -0.5423  -0.5423        -1.0",
        "  0.4404  record 1  good",
        " -0.5423  record 2  bad",
    ] {
        let words = |line: &str| {
            line.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let has = ran.out.lines().any(|other| words(other) == words(line));
        assert!(has, "{line} is not in\n{}", ran.out);
    }
    let bars = ran.out.lines().filter(|line| line.contains('█'));
    assert_eq!(bars.count(), 3);
    assert_eq!(ran.digest().len(), 32);
    assert!(!ran.out.contains("-0.00 "), "{}", ran.out);
}

/// The figure of the JSON report is NumPy's.
#[test]
fn the_median_of_two_is_between_them() {
    let folder = folder_with("two.jsonl", "{\"text\":\"good\"}\n{\"text\":\"bad\"}\n");
    let ran = score(&folder, "two.jsonl", &["--json"]);
    let quantiles = &ran.json()["scores"]["compound"]["quantiles"];
    assert_eq!(quantiles["0.5"], -0.050949999999999995);
    let text = score(&folder, "two.jsonl", &[]).out;
    assert!(text.contains(" -0.0509 "), "{text}");
    assert!(text.contains("all figures are exact"), "{text}");
}

#[test]
fn the_text_report_is_80_columns_wide_and_plain_in_a_pipe() {
    let folder = folder_with("unused", "");
    let ran = score(&folder, sample(), &["--by", "product", "--top", "20"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.starts_with("2,000 records scored"));
    // The length of the first line depends on the path of the file.
    for line in ran.out.lines().skip(1) {
        assert!(columns(line) <= 80, "{line}");
        assert!(!line.contains('\u{1b}'), "{line}");
    }
}

#[test]
fn colour_is_used_on_request_only() {
    let folder = folder_with("three.jsonl", THREE);
    let coloured = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut program = program(folder.path());
        program.args(["score", "three.jsonl", "--with", "sentiment"]);
        program.args(arguments).envs(environment.iter().copied());
        ran(program.output()).out.contains("\u{1b}[1m")
    };
    assert!(coloured(&["--color", "always"], &[]));
    assert!(coloured(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[], &[]));
    assert!(!coloured(
        &[],
        &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]
    ));
    assert!(!coloured(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn json_has_the_keys_and_numbers_of_the_contract() {
    let folder = folder_with("data.jsonl", format!("{THREE}{{\"kind\":\"x\"}}\n"));
    let ran = score(
        &folder,
        "data.jsonl",
        &["--json", "--by", "kind", "--top", "1"],
    );
    assert_eq!(ran.code, 1);
    let json = ran.json();
    assert!(ran.out.starts_with("{\"schema\":1,\"version\":"));
    let keys: Vec<_> = json.as_object().expect("an object").keys().collect();
    let mut expected = [
        "schema",
        "version",
        "commit",
        "plan",
        "command",
        "date",
        "records",
        "scored",
        "failed",
        "skipped",
        "resumed",
        "resumed_left",
        "digest",
        "end",
        "scores",
        "groups",
        "top",
        "bottom",
        "failures",
        "failures_left_out",
        "warnings",
        "timing",
        "files",
        "machine",
    ];
    expected.sort_unstable();
    let mut keys: Vec<_> = keys.iter().map(|key| key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, expected);

    assert_eq!(
        (&json["records"], &json["scored"], &json["failed"]),
        (&4.into(), &3.into(), &1.into())
    );
    let compound = &json["scores"]["compound"];
    assert_eq!(compound["count"], 3);
    assert_eq!(compound["sum"], 0.4404 - 0.5423);
    assert_eq!(compound["min"], -0.5423);
    assert_eq!(compound["max"], 0.4404);
    let close = |value: &serde_json::Value, wanted: f64| {
        let value = value.as_f64().expect("a number");
        assert!((value - wanted).abs() < 1e-12, "{value} is not {wanted}");
    };
    close(&compound["mean"], -0.1019 / 3.0);
    let variance = (0.4404f64.powi(2) + 0.5423f64.powi(2) - 0.1019f64.powi(2) / 3.0) / 2.0;
    close(&compound["variance"], variance);
    close(&compound["stddev"], variance.sqrt());
    assert_eq!(compound["quantiles"]["0.5"], 0.0);
    let counts = compound["histogram"]["counts"]
        .as_array()
        .expect("an array");
    assert_eq!(counts.len(), 20);
    let filled: Vec<_> = (0..20).filter(|bin| counts[*bin] == 1).collect();
    assert_eq!(filled, [4, 10, 14]);
    assert_eq!(
        compound["histogram"]["edges"].as_array().map(Vec::len),
        Some(21)
    );

    assert_eq!(json["groups"][0]["count"], 2);
    assert_eq!(json["groups"][1]["mean"], -0.5423);
    assert_eq!(json["groups"][1]["stddev"], serde_json::Value::Null);
    let top = serde_json::json!([
        {"record": 1, "score": 0.4404, "file": "data.jsonl", "line": 1, "text": "good"}
    ]);
    assert_eq!(json["top"], top);
    assert_eq!(json["bottom"][0]["record"], 2);
    let failure = serde_json::json!([{
        "record": 4, "file": "data.jsonl", "line": 4, "column": 1,
        "error": r#"expected a field "text"; the record's fields: "kind""#
    }]);
    assert_eq!(json["failures"], failure);
    for key in ["wall", "cpu", "read", "workers"] {
        assert!(json["timing"].get(key).is_some(), "{key}");
    }
}

#[test]
fn json_without_groups_has_no_groups() {
    let folder = folder_with("three.jsonl", THREE);
    let json = score(&folder, "three.jsonl", &["--json"]).json();
    assert!(json.get("groups").is_none());
}

#[test]
fn json_keeps_every_character_of_a_text() {
    let folder = folder_with("a.jsonl", "{\"text\":\"good\u{7f} \u{9b}1m \\u001b[1m\"}\n");
    let json = score(&folder, "a.jsonl", &["--json"]).json();
    assert_eq!(json["top"][0]["text"], "good\u{7f} \u{9b}1m \u{1b}[1m");
}

#[test]
fn top_is_the_number_of_examples() {
    let folder = folder_with("three.jsonl", THREE);
    let none = score(&folder, "three.jsonl", &["--top", "0"]);
    assert_eq!(none.code, 0);
    assert!(!none.out.contains("\nbest") && !none.out.contains("\nworst"));
    // The option asks for more examples than there are records.
    let json = score(&folder, "three.jsonl", &["--top", "5", "--json"]).json();
    let records = |key: &str| -> Vec<_> {
        let examples = json[key].as_array().expect("an array").iter();
        examples.map(|example| example["record"].as_u64()).collect()
    };
    assert_eq!(records("top"), [Some(1), Some(3), Some(2)]);
    assert_eq!(records("bottom"), [Some(2), Some(3), Some(1)]);
}

#[test]
fn every_record_can_be_an_example() {
    let folder = folder_with("unused", "");
    let json = score(
        &folder,
        sample(),
        &["--top", "18446744073709551615", "--json"],
    )
    .json();
    let mut records: Vec<_> = (json["top"].as_array().expect("an array").iter())
        .map(|example| (example["record"].as_u64(), example["line"].as_u64()))
        .collect();
    records.sort_unstable();
    let all: Vec<_> = (1..=2000).map(|n| (Some(n), Some(n))).collect();
    assert_eq!(records, all);
}

#[test]
fn several_files_are_one_dataset() {
    let folder = folder_with("one.jsonl", "{\"text\":\"good\"}\n\n{\"text\":1}");
    write(
        &folder,
        "two.jsonl",
        "\n{\"text\":2}\r\n{\"text\":\"bad\"}\r\n",
    );
    let files = ["score", "one.jsonl", "two.jsonl", "--with", "sentiment"];
    let ran = run(&folder, &files);
    assert_eq!(ran.code, 1);
    let found = "expected a string in field \"text\", found a number";
    let told = format!(
        "failed: one.jsonl:3:9: {found}\nfailed: two.jsonl:2:9: {found}\n\
         2 of 4 records could not be scored\n"
    );
    assert_eq!(ran.err, told);
    assert!(ran.out.contains("in 2 files, "));
    assert!(ran.out.contains(" -0.5423  record 4  bad\n"));
    let json = run(&folder, &[&files[..], &["--json"]].concat()).json();
    assert_eq!(json["bottom"][0]["file"], "two.jsonl");
    assert_eq!(json["bottom"][0]["line"], 3);
    assert_eq!(json["failures"][1]["record"], 3);
}

#[test]
fn the_answer_is_the_same_on_every_executor() {
    let folder = folder_with("unused", "");
    let settings: [&[&str]; 4] = [
        &["--executor", "sequential"],
        &["-j", "1"],
        &["-j", "2"],
        &["--executor", "work-stealing", "-j", "7"],
    ];
    let mut answers = settings.iter().enumerate().map(|(place, setting)| {
        let scores = format!("{place}.jsonl");
        let more = ["--by", "category", "--keep", "id", "--scores", &scores];
        let ran = score(&folder, sample(), &[&more[..], setting].concat());
        assert_eq!(ran.code, 0);
        (ran.digest().to_owned(), super::read(&folder, &scores))
    });
    let first = answers.next().expect("an answer");
    assert_eq!(first.1.lines().count(), 2000);
    assert!(answers.all(|answer| answer == first));
}

#[test]
fn json_and_page_say_what_was_run() {
    let before = now();
    let folder = folder_with("three.jsonl", THREE);
    let options = ["--json", "--by", "kind", "--html", "it's a page.html"];
    let ran = score(&folder, "three.jsonl", &options);
    let json = ran.json();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json["commit"], json["machine"]["commit"]);
    let plan: Plan = serde_json::from_value(json["plan"].clone()).expect("a plan");
    assert_eq!(plan.files, [Path::new("three.jsonl")]);
    assert_eq!(plan.by, ["kind"]);
    let command = [
        &["manyhands", "score", "three.jsonl", "--with", "sentiment"],
        &options[..],
    ];
    assert_eq!(json["command"], serde_json::json!(command.concat()));
    let date = json["date"].as_str().expect("a date");
    let began = humantime::parse_rfc3339(date).expect("a date");
    assert!((before..=now()).contains(&began), "{date}");

    let page = std::fs::read_to_string(folder.path().join("it's a page.html")).expect("a page");
    assert!(page.contains(&format!("<dd>{date}</dd>")));
    let command = "manyhands score three.jsonl --with sentiment --json --by kind --html ";
    let command = format!(r"{command}&#39;it&#39;\&#39;&#39;s a page.html&#39;");
    assert!(page.contains(&command));
}

/// Returns the time in whole seconds, as a report states it.
fn now() -> SystemTime {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    UNIX_EPOCH + Duration::from_secs(now.expect("a time after 1970").as_secs())
}
