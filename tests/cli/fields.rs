//! These tests check missing values, grouping by several fields, and numbers.

use super::*;
use serde_json::{Value, json};

const JSON: &str = r#"{"id":1,"user":{"text":"good"},"rating":4.5,"price":"1e2","kind":"a","year":2024}
{"id":2,"user":{"text":null},"rating":null,"price":" -7 ","kind":"a","year":2024.0}
{"id":3,"rating":0.1,"kind":"","year":null}
{"id":4,"user":{"text":""},"rating":0.2,"price":0.5,"kind":null,"year":"2024"}
{"id":5,"user":{"text":["bad","good"]}}
"#;

/// The same values as [`JSON`], as far as a table can hold them.
const CSV: &str = "id,text,rating,price,kind,year
1,good,4.5,1e2,a,2024
2,,,\" -7 \",a,2024
3,,0.1,,,
4,,0.2,0.5,,2024
5,\"bad\ngood\",,,,
";

fn executors() -> &'static [&'static str] {
    match cfg!(target_os = "linux") {
        true => &["sequential", "work-stealing", "process-pool"],
        false => &["sequential", "work-stealing"],
    }
}

/// Runs the scorer `number` over a file.
fn number(folder: &tempfile::TempDir, file: &str, arguments: &[&str]) -> Ran {
    run(
        folder,
        &[&["score", file, "--with", "number"], arguments].concat(),
    )
}

fn counts(json: &Value) -> [u64; 3] {
    ["scored", "failed", "skipped"].map(|count| json[count].as_u64().expect("a count"))
}

#[test]
fn a_missing_text_fails_is_skipped_or_is_empty() {
    let folder = folder_with("r.jsonl", JSON);
    write(&folder, "r.csv", CSV);
    for executor in executors() {
        let run = |file: &str, missing: &[&str]| {
            let field = if file == "r.csv" { "text" } else { "user.text" };
            let arguments = ["--field", field, "--executor", executor, "--json"];
            score(&folder, file, &[&arguments, missing].concat())
        };
        for (missing, in_json, in_csv, code) in [
            (&[][..], [3, 2, 0], [2, 3, 0], 1),
            (&["--missing", "fail"], [3, 2, 0], [2, 3, 0], 1),
            (&["--missing", "skip"], [3, 0, 2], [2, 0, 3], 0),
            (&["--missing", "empty"], [5, 0, 0], [5, 0, 0], 0),
        ] {
            for (file, expected) in [("r.jsonl", in_json), ("r.csv", in_csv)] {
                let ran = run(file, missing);
                assert_eq!(
                    (counts(&ran.json()), ran.code),
                    (expected, code),
                    "{file} {missing:?}"
                );
            }
        }
        let digests = ["r.jsonl", "r.csv"].map(|file| {
            let json = run(file, &["--missing", "empty"]).json();
            json["digest"].as_str().map(str::to_owned)
        });
        assert_eq!(digests[0], digests[1], "{executor}");
    }
    let scores = [
        "--field",
        "user.text",
        "--missing",
        "skip",
        "--scores",
        "out.jsonl",
    ];
    score(&folder, "r.jsonl", &scores);
    let skipped = r#"{"record":2,"skipped":"no value in field \"user.text\""}"#;
    assert_eq!(read(&folder, "out.jsonl").lines().nth(1), Some(skipped));
    let ran = score(&folder, "r.csv", &["--field", "text"]);
    let message = "failed: r.csv:3: expected a text in field \"text\", found no value\n";
    assert!(ran.err.starts_with(message), "{}", ran.err);
}

#[test]
fn several_fields_make_groups_in_which_missing_is_no_text() {
    let folder = folder_with("r.jsonl", JSON);
    for executor in executors() {
        let arguments = [
            "--field",
            "user.text",
            "--missing",
            "empty",
            "--by",
            "kind,year",
        ];
        let more = ["--json", "--executor", executor];
        let json = score(&folder, "r.jsonl", &[&arguments[..], &more].concat()).json();
        let groups = json["groups"].as_array().expect("a list").iter();
        let counts: Vec<Value> = groups
            .map(|group| json!([group["group"], group["count"]]))
            .collect();
        let expected = [
            json!([[null, null], 1]),
            json!([[null, "2024"], 1]),
            json!([["", null], 1]),
            json!([["a", "2024"], 2]),
        ];
        assert_eq!(counts, expected, "{executor}");
    }
    let arguments = [
        "--field",
        "user.text",
        "--missing",
        "empty",
        "--by",
        "kind,year",
    ];
    let text = score(&folder, "r.jsonl", &arguments).out;
    assert!(text.contains("compound by kind, year, 4 groups"), "{text}");
    for name in [
        "(no value), (no value) ",
        "(no value), 2024 ",
        "\"\", (no value) ",
        "a, 2024 ",
    ] {
        assert!(
            text.lines().any(|line| line.trim_start().starts_with(name)),
            "{name}\n{text}"
        );
    }
    let ran = number(
        &folder,
        "r.jsonl",
        &["--field", "id", "--by", "none", "--missing", "fail"],
    );
    let note = "records has a value in the field \"none\"\n";
    assert!(ran.err.contains(note), "{}", ran.err);
}

#[test]
fn numbers_are_the_values_of_their_fields() {
    let folder = folder_with("r.jsonl", JSON);
    write(&folder, "r.csv", CSV);
    let fields = ["--field", "rating", "--field", "price", "--by", "kind"];
    let mut digests = Vec::new();
    for executor in executors() {
        for file in ["r.jsonl", "r.csv"] {
            let more = ["--json", "--executor", executor];
            let json = number(&folder, file, &[&fields[..], &more].concat()).json();
            assert_eq!(counts(&json), [4, 0, 1], "{file}");
            let rating = &json["scores"]["rating"];
            assert_eq!((&rating["count"], &rating["sum"]), (&json!(3), &json!(4.8)));
            assert_eq!(json["scores"]["price"]["min"], -7.0);
            assert_eq!(json["top"][0]["text"], "4.5\n1e2");
            let groups = json["groups"].as_array().expect("a list");
            let group = groups
                .iter()
                .find(|group| group["group"] == json!(["a"]))
                .expect("a group");
            assert_eq!((&group["count"], &group["mean"]), (&json!(1), &json!(4.5)));
            assert_eq!(group["columns"]["price"]["sum"], 93.0);
            assert_eq!(group["columns"]["rating"]["count"], 1);
            if file == "r.csv" {
                digests.push(json["digest"].clone());
            }
        }
    }
    digests.dedup();
    assert_eq!(digests.len(), 1);
    let scores = ["--scores", "out.jsonl"];
    number(&folder, "r.jsonl", &[&fields[..4], &scores].concat());
    let expected = r#"{"record":1,"rating":4.5,"price":100.0}
{"record":2,"rating":null,"price":-7.0}
{"record":3,"rating":0.1,"price":null}
{"record":4,"rating":0.2,"price":0.5}
{"record":5,"skipped":"no value in any of the fields \"rating\", \"price\""}
"#;
    assert_eq!(read(&folder, "out.jsonl"), expected);
    let strict = ["--json", "--missing", "fail"];
    let json = number(&folder, "r.jsonl", &[&fields[..4], &strict].concat()).json();
    assert_eq!(counts(&json), [2, 3, 0]);
    let lenient = ["--json", "--missing", "empty"];
    let json = number(&folder, "r.jsonl", &[&fields[..4], &lenient].concat()).json();
    assert_eq!(counts(&json), [5, 0, 0]);
}

#[test]
fn what_is_no_number_fails() {
    let values = [
        ("1e400", "found a number that is too large"),
        (
            "\"1e400\"",
            "found \"1e400\", which is too large for a number",
        ),
        ("\"nan\"", "found \"nan\", which is no finite number"),
        ("\"-inf\"", "found \"-inf\", which is no finite number"),
        (
            "\"1,5\"",
            "found \"1,5\"; write it with a decimal point and without thousands separators",
        ),
        (
            "\"1,200.5\"",
            "found \"1,200.5\"; write it with a decimal point and without thousands separators",
        ),
        (
            "\"1.200,5\"",
            "found \"1.200,5\"; write it with a decimal point and without thousands separators",
        ),
        (
            "\"1 200\"",
            "found \"1 200\"; write it with a decimal point and without thousands separators",
        ),
        ("\"1,2,x\"", "found \"1,2,x\""),
        ("\" \"", "found \" \""),
        ("\"\"", "found \"\""),
        ("true", "found a boolean"),
        ("[1]", "found an array"),
        ("NaN", "found NaN or Infinity, which JSON does not have"),
    ];
    let lines = values
        .map(|(value, _)| format!("{{\"n\":{value}}}\n"))
        .concat();
    let folder = folder_with("r.jsonl", lines + "{\"n\":\" +1.5e0 \"}\n");
    let ran = number(&folder, "r.jsonl", &["--field", "n", "--json"]);
    let json = ran.json();
    assert_eq!((counts(&json), ran.code), ([1, 14, 0], 1));
    for (failure, (value, found)) in json["failures"]
        .as_array()
        .expect("a list")
        .iter()
        .zip(values)
    {
        let error = failure["error"].as_str().expect("a message");
        assert!(error.ends_with(found), "{value}: {error}");
    }
}

#[test]
fn a_column_never_has_the_name_of_another() {
    let folder = folder_with("r.jsonl", "{\"record\":5,\"n\":2}\n");
    let fields = ["--field", "record", "--field", "n", "--field", "n"];
    number(
        &folder,
        "r.jsonl",
        &[&fields[..], &["--scores", "out.jsonl"]].concat(),
    );
    let line = "{\"record\":1,\"field_record\":5.0,\"n\":2.0,\"field_n\":2.0}\n";
    assert_eq!(read(&folder, "out.jsonl"), line);
}

#[test]
fn kept_numbers_that_json_lacks_are_null() {
    let line = "{\"text\":\"good\",\"x\":NaN,\"y\":[Infinity],\"z\":1}\n";
    let folder = folder_with("r.jsonl", line);
    for executor in executors() {
        let keep = [
            "--keep",
            "x,y,z,w",
            "--scores",
            "out.jsonl",
            "--force",
            "--executor",
            executor,
        ];
        assert_eq!(score(&folder, "r.jsonl", &keep).code, 0);
        let line = "{\"record\":1,\"neg\":0.0,\"neu\":0.0,\"pos\":1.0,\"compound\":0.4404,\"x\":null,\"y\":[null],\"z\":1}\n";
        assert_eq!(read(&folder, "out.jsonl"), line, "{executor}");
    }
}
