//! These tests check what becomes of the values that a program answers with. The program is `cat`, so that each record
//! is its own answer.

use crate::{folder_with, read, run};

const RECORDS: &str = r#"{"score":1.5,"topic":"b,c","x":[1, "é"],"ok":true}
{"score":NaN,"topic":"a"}
{"score":-Infinity,"topic":"a","x":null,"more":3}
{"topic":"a","score":2}
"#;

fn cat(options: &[&str]) -> (crate::Ran, tempfile::TempDir) {
    let folder = folder_with("in.jsonl", RECORDS);
    let command = ["score", "in.jsonl", "--with", "exec"];
    let ran = run(&folder, &[&command, options, &["--", "cat"]].concat());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    (ran, folder)
}

#[test]
fn columns_are_found_as_they_come_and_written_in_every_format() {
    let (_, folder) = cat(&["-o", "out.csv"]);
    let lines = [
        "record,score,topic,x,ok,more,error,skipped",
        "1,1.5,\"b,c\",\"[1, \"\"é\"\"]\",true,,,",
        "2,NaN,a,,,,,",
        "3,-inf,a,,,3.0,,",
        "4,2.0,a,,,,,",
    ];
    assert_eq!(read(&folder, "out.csv").lines().collect::<Vec<_>>(), lines);
    let (_, folder) = cat(&["-o", "out.jsonl"]);
    let lines = [
        r#"{"record":1,"score":1.5,"topic":"b,c","x":[1, "é"],"ok":true}"#,
        r#"{"record":2,"score":null,"topic":"a"}"#,
        r#"{"record":3,"score":null,"topic":"a","more":3.0}"#,
        r#"{"record":4,"topic":"a","score":2.0}"#,
    ];
    assert_eq!(
        read(&folder, "out.jsonl").lines().collect::<Vec<_>>(),
        lines
    );
}

#[test]
fn a_report_has_numbers_labels_and_the_ranks_by_the_chosen_column() {
    let json = cat(&["--json"]).0.json();
    assert_eq!(
        json["scores"]["topic"]["labels"],
        serde_json::json!({"a": 3, "b,c": 1})
    );
    assert_eq!(
        (
            &json["scores"]["score"]["count"],
            &json["scores"]["score"]["nan"]
        ),
        (&4.into(), &1.into())
    );
    assert_eq!(json["top"][0]["record"], 4);
    // The record has no field `text`, so it is shown as JSON.
    assert_eq!(json["top"][0]["text"], r#"{"topic":"a","score":2}"#);
    let json = cat(&["--json", "--rank", "more", "--field", "topic"])
        .0
        .json();
    assert_eq!(json["top"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&json["top"][0]["record"], &json["top"][0]["text"]),
        (&3.into(), &"a".into())
    );
}

#[test]
fn a_kept_field_has_no_name_of_a_value() {
    let folder = folder_with("in.jsonl", RECORDS);
    let command = [
        "score", "in.jsonl", "--with", "exec", "--keep", "topic", "-o", "out.csv", "--", "cat",
    ];
    let ran = run(&folder, &command);
    let message = "in.jsonl:1: the scorer gives a value named \"topic\", but a line of scores has that name already; give \
                   the value another name";
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains(message), "{}", ran.err);
    // All fields together are prefixed, since a value may have any name.
    let (_, folder) = cat(&["--keep", "*", "-o", "out.csv"]);
    let header = "record,score,topic,x,ok,input_score,input_topic,input_x,input_ok,more,input_more,error,skipped";
    assert_eq!(read(&folder, "out.csv").lines().next(), Some(header));
}
