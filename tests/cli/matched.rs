//! These tests check what `--with match` reports: the texts of the matches, the fields of the matched records, and the
//! records of a reference that are left out.

use serde_json::json;
use tempfile::TempDir;

use super::{Ran, columns, folder_with, read, run, write};

const TYPED: &str =
    "{\"id\":7,\"name\":\"Lissabon\"}\n{\"id\":8,\"name\":\"Lima\"}\n{\"id\":9,\"name\":\"xyz\"}\n";

/// A reference with a text over two lines, a record without a text and a ragged record.
const CITIES: &str =
    "id,name,land\nu,Ulm,D\nw,\"Weil\nam Rhein\",D\nn,,\nragged\nl,Lisbon,P\np,Lima,\n";

fn folder() -> TempDir {
    let folder = folder_with("typed.jsonl", TYPED);
    write(&folder, "cities.csv", CITIES);
    folder
}

fn find(folder: &TempDir, arguments: &[&str]) -> Ran {
    let score = ["score", "typed.jsonl", "--with", "match", "--field", "name"];
    run(folder, &[&score[..], arguments].concat())
}

fn scores(folder: &TempDir, file: &str, arguments: &[&str]) -> String {
    let more = ["--against", "cities.csv", "--scores", file, "--force"];
    let ran = find(folder, &[&more[..], arguments].concat());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    read(folder, file)
}

#[test]
fn fields_of_the_matched_record_are_kept() {
    let folder = folder();
    let arguments = [
        "--cutoff",
        "50",
        "--keep",
        "id",
        "--against-keep",
        "id,land",
    ];
    let expected = r#"{"record":1,"best":7,"match":"Lisbon","score":85.71428571428572,"against_id":"l","land":"P","id":7}
{"record":2,"best":8,"match":"Lima","score":100.0,"against_id":"p","land":null,"id":8}
{"record":3,"best":null,"match":null,"score":null,"against_id":null,"land":null,"id":9}
"#;
    assert_eq!(scores(&folder, "out.jsonl", &arguments), expected);
    let expected = "record,best,match,score,against_id,land,id,error,skipped\n\
                    1,7,Lisbon,85.71428571428572,l,P,7,,\n\
                    2,8,Lima,100.0,p,,8,,\n\
                    3,,,,,,9,,\n";
    assert_eq!(scores(&folder, "out.csv", &arguments), expected);
}

#[test]
fn all_fields_of_any_record_are_kept() {
    let folder = folder();
    let cities = "{\"name\":\"Lisbon\",\"tags\":[1,\"a\"]}\n{\"match\":1e3,\"name\":\"Lima\",\"against_match\":true}\n";
    write(&folder, "cities.jsonl", cities);
    let arguments = [
        "--against",
        "cities.jsonl",
        "--against-keep",
        "*",
        "--scores",
    ];
    let written = |file| {
        let ran = find(&folder, &[&arguments[..], &[file]].concat());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        read(&folder, file)
    };
    let first = r#"{"record":1,"best":1,"match":"Lisbon","score":85.71428571428572,"name":"Lisbon","tags":[1,"a"],"against_match":null,"against_against_match":null}"#;
    assert_eq!(written("out.jsonl").lines().next(), Some(first));
    let csv = written("out.csv");
    let expected = [
        "record,best,match,score,name,tags,against_match,against_against_match,error,skipped",
        "1,1,Lisbon,85.71428571428572,Lisbon,\"[1,\"\"a\"\"]\",,,,",
        "2,2,Lima,100.0,Lima,,1e3,true,,",
    ];
    assert_eq!(csv.lines().take(3).collect::<Vec<_>>(), expected);
}

#[test]
fn several_matches_have_columns_of_their_own_in_a_table() {
    let folder = folder();
    let arguments = [
        "--best",
        "2",
        "--cutoff",
        "25",
        "--against-keep",
        "land",
        "--keep",
        "id",
    ];
    let expected = "record,best_1,match_1,score_1,land_1,best_2,match_2,score_2,land_2,id,error,skipped\n\
                    1,7,Lisbon,85.71428571428572,P,8,Lima,50.0,,7,,\n\
                    2,8,Lima,100.0,,7,Lisbon,40.0,P,8,,\n\
                    3,,,,,,,,,9,,\n";
    assert_eq!(scores(&folder, "out.csv", &arguments), expected);
    let json = scores(&folder, "out.jsonl", &arguments);
    let expected = [
        r#"{"record":2,"best":[8,7],"match":["Lima","Lisbon"],"score":[100.0,40.0],"land":[null,"P"],"id":8}"#,
        r#"{"record":3,"best":[],"match":[],"score":[],"land":[],"id":9}"#,
    ];
    assert_eq!(json.lines().skip(1).collect::<Vec<_>>(), expected);

    // A field of the input has another name if the table has a column with its name.
    write(&folder, "typed.jsonl", "{\"name\":\"Lima\",\"best_2\":3}\n");
    let arguments = ["--best", "2", "--cutoff", "90", "--keep", "best_2"];
    let expected = "record,best_1,match_1,score_1,best_2,match_2,score_2,input_best_2,error,skipped\n\
                    1,8,Lima,100.0,,,,3,,\n";
    assert_eq!(scores(&folder, "out.csv", &arguments), expected);
    let table = [
        "--against",
        "cities.csv",
        "--scores",
        "out.tsv",
        "--best",
        "4000",
    ];
    let message =
        "a table would have more than 10000 columns; write the scores as JSON lines (.jsonl)";
    let ran = find(&folder, &table);
    assert_eq!((ran.code, ran.err), (2, format!("error: {message}\n")));
}

#[test]
fn worker_processes_give_the_same_matches() {
    let folder = folder();
    for more in [&["--cutoff", "25"][..], &["--best", "2"]] {
        let arguments = [more, &["--against-keep", "*"]].concat();
        let here = scores(&folder, "out.jsonl", &arguments);
        let pool = [&arguments[..], &["--executor", "process-pool", "-j", "2"]].concat();
        assert_eq!(scores(&folder, "out.jsonl", &pool), here);
        let report = |arguments: &[&str]| {
            let json = ["--against", "cities.csv", "--json"];
            let json = find(&folder, &[&json[..], arguments].concat()).json();
            ["digest", "top", "bottom", "reference"].map(|key| json[key].clone())
        };
        assert_eq!(report(&pool), report(&arguments));
    }
}

#[test]
fn reports_show_what_the_best_and_worst_records_match() {
    let folder = folder();
    let arguments = ["--against", "cities.csv", "--cutoff", "50", "--top", "1"];
    let json = find(&folder, &[&arguments[..], &["--json"]].concat()).json();
    let example = |record, score, text, best, matched| {
        json!([{
            "record": record, "score": score, "file": "typed.jsonl", "line": record,
            "text": text, "best": best, "match": matched,
        }])
    };
    assert_eq!(json["top"], example(2, 100.0, "Lima", 8, "Lima"));
    let worst = example(1, 85.714_285_714_285_72, "Lissabon", 7, "Lisbon");
    assert_eq!(json["bottom"], worst);
    let text = find(&folder, &arguments).out;
    let words: Vec<String> = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for line in [
        "100.0000 record 2 Lima = line 8 Lima",
        "85.7143 record 1 Lissabon = line 7 Lisbon",
    ] {
        assert!(
            words.iter().any(|words| words == line),
            "{line} is not in\n{text}"
        );
    }
    assert!(
        text.lines().skip(1).all(|line| columns(line) <= 80),
        "{text}"
    );
}

#[test]
fn records_of_a_reference_without_a_text_are_left_out_and_counted() {
    let folder = folder();
    let ran = find(&folder, &["--against", "cities.csv"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let told = "2 records of the reference were left out; line 5: expected a text in field \"name\", found no value";
    let text = ran.out.replace('\n', " ");
    assert!(text.contains(told), "{}", ran.out);
    let json = find(&folder, &["--against", "cities.csv", "--json"]).json();
    let expected = json!({"texts": 4, "left_out": 2, "first_left_out": 5});
    assert_eq!(json["reference"], expected);
    write(&folder, "whole.txt", "Ulm\n");
    let json = find(&folder, &["--against", "whole.txt", "--json"]).json();
    assert_eq!(json["reference"], json!({"texts": 1}));
}

#[test]
fn a_field_to_keep_must_be_in_the_reference() {
    let folder = folder();
    let ran = find(
        &folder,
        &["--against", "cities.csv", "--against-keep", "country"],
    );
    let message = "error: cities.csv: expected a field \"country\" to keep, but no record has it; the fields of the \
                   first record: \"id\", \"name\", \"land\"\n";
    assert_eq!((ran.code, ran.err.as_str()), (3, message));
}
