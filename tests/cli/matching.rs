//! These tests cover `--with match`: its reference, its scores file and its report.

use serde_json::json;
use tempfile::TempDir;

use super::{Ran, columns, folder_with, make_pipe, read, run, write};

const PRODUCTS: &str = r#"{"id":1,"title":"copper kettle","kind":"x"}
{"id":2,"title":"glass lamp","kind":"y"}
{"id":3,"title":"zzz","kind":"x"}
"#;

/// The text of a reference file. Blank lines are not matched, but they count as lines.
const REFERENCE: &str = "oak shelf\n\nkettle, copper\r\nglass lamps\ncopper kettles\n";

fn folder() -> TempDir {
    let folder = folder_with("products.jsonl", PRODUCTS);
    write(&folder, "reference.txt", REFERENCE);
    folder
}

fn find(folder: &TempDir, arguments: &[&str]) -> Ran {
    let score = [
        "score",
        "products.jsonl",
        "--with",
        "match",
        "--field",
        "title",
    ];
    run(folder, &[&score[..], arguments].concat())
}

fn scores(arguments: &[&str]) -> String {
    let folder = folder();
    let more = [
        &["--against", "reference.txt", "--scores", "out.jsonl"],
        arguments,
    ]
    .concat();
    let ran = find(&folder, &more);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    read(&folder, "out.jsonl")
}

#[test]
fn a_line_of_scores_names_the_line_of_the_best_match() {
    let expected = r#"{"record":1,"best":5,"match":"copper kettles","score":96.2962962962963,"id":1}
{"record":2,"best":4,"match":"glass lamps","score":95.23809523809523,"id":2}
{"record":3,"best":1,"match":"oak shelf","score":0.0,"id":3}
"#;
    assert_eq!(scores(&["--keep", "id"]), expected);
}

#[test]
fn below_the_cutoff_there_is_no_match() {
    let expected = r#"{"record":1,"best":5,"match":"copper kettles","score":0.9285714285714286}
{"record":2,"best":4,"match":"glass lamps","score":0.9090909090909091}
{"record":3,"best":null,"match":null,"score":null}
"#;
    let found = scores(&["--measure", "levenshtein", "--cutoff", "0.5"]);
    assert_eq!(found, expected);
    let token_sort = scores(&["--measure", "token-sort", "--cutoff", "90", "--process"]);
    let first = r#"{"record":1,"best":3,"match":"kettle, copper","score":100.0}"#;
    assert_eq!(token_sort.lines().next(), Some(first));
}

#[test]
fn several_matches_are_lists() {
    let several = scores(&["--best", "2"]);
    let first = r#"{"record":1,"best":[5,3],"match":["copper kettles","kettle, copper"],"score":[96.2962962962963,44.44444444444444]}"#;
    assert_eq!(several.lines().next(), Some(first));
    let cut = scores(&["--best", "2", "--cutoff", "90"]);
    assert_eq!(
        cut.lines().collect::<Vec<_>>(),
        [
            r#"{"record":1,"best":[5],"match":["copper kettles"],"score":[96.2962962962963]}"#,
            r#"{"record":2,"best":[4],"match":["glass lamps"],"score":[95.23809523809523]}"#,
            r#"{"record":3,"best":[],"match":[],"score":[]}"#,
        ]
    );
}

#[test]
fn csv_has_the_same_values() {
    let folder = folder();
    let more = ["--against", "reference.txt", "--scores", "out.csv"];
    find(&folder, &[&more[..], &["--cutoff", "50"]].concat());
    let expected = "record,best,match,score,error,skipped\n1,5,copper kettles,96.2962962962963,,\n2,4,glass lamps,95.23809523809523,,\n3,,,,,\n";
    assert_eq!(read(&folder, "out.csv"), expected);
}

#[test]
fn the_reference_may_be_a_field_of_json_lines_or_of_a_table() {
    let folder = folder();
    let json = "{\"name\":\"oak shelf\"}\n\n{\"name\":\"copper kettle\"}\n";
    write(&folder, "reference.jsonl", json);
    let table = "id,title\n1,oak shelf\n2,\"copper\nkettle\"\n3,copper kettle\n";
    write(&folder, "reference.csv", table);
    write(&folder, "reference.tsv", table.replace(',', "\t"));
    for (file, more, best) in [
        ("reference.jsonl", &["--against-field", "name"][..], 3),
        ("reference.csv", &[], 5),
        ("reference.tsv", &["--against-field", "title"], 5),
    ] {
        let more = [
            &["--against", file, "--scores", "-", "--cutoff", "99"],
            more,
        ]
        .concat();
        let ran = find(&folder, &more);
        let first = format!("{{\"record\":1,\"best\":{best},\"match\":");
        assert!(
            ran.out.starts_with(&first),
            "{file}: {} {}",
            ran.out,
            ran.err
        );
    }
}

#[test]
fn the_report_counts_matches_and_pairs() {
    let folder = folder();
    let ran = find(&folder, &["--against", "reference.txt", "--cutoff", "50"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let headline = "3 records scored  match of \"title\" in products.jsonl, 119 B against \
                    reference.txt by ratio";
    assert_eq!(ran.out.lines().next(), Some(headline));
    for line in [
        "2 have a match, 66.7 % of all",
        " 95.00                    2  66.7 %",
    ] {
        assert!(ran.out.lines().any(|other| other == line), "{}", ran.out);
    }
    assert!(ran.out.contains("\n12 pairs, "), "{}", ran.out);
    for line in ran.out.lines().skip(1) {
        assert!(columns(line) <= 80, "{line}");
    }
    let arguments = ["--against", "reference.txt", "--cutoff", "50", "--json"];
    let json = find(&folder, &[&arguments[..], &["--by", "kind"]].concat()).json();
    assert_eq!((&json["records"], &json["scored"]), (&3.into(), &3.into()));
    assert_eq!(json["scores"]["score"]["count"], 2);
    assert_eq!(json["scores"]["score"]["histogram"]["counts"][19], 2);
    assert_eq!(json["groups"][0]["count"], 1);
    let two_of_three = 2.0 / 3.0;
    assert_eq!(
        json["matches"],
        json!({
            "matched": 2,
            "of_all": two_of_three,
            "at_least": [{"score": 95.0, "records": 2, "of_all": two_of_three}],
        })
    );
    assert_eq!(json["top"].as_array().map(Vec::len), Some(2));
    let pairs = &json["pairs"];
    let both = pairs["compared"].as_u64().zip(pairs["skipped"].as_u64());
    assert_eq!(both.map(|(compared, skipped)| compared + skipped), Some(12));
    let bounds = ["lengths", "symbols", "halves", "tokens"];
    let by_bound = bounds.map(|bound| pairs["skipped_by"][bound].as_u64());
    let skipped: Option<u64> = by_bound.into_iter().sum();
    assert_eq!(skipped, pairs["skipped"].as_u64());
}

#[test]
fn both_reports_count_the_matches_above_each_score() {
    let folder = folder();
    let ran = find(&folder, &["--against", "reference.txt"]);
    // Three records have a match, and the worst match scores 0. The table begins with the best score and ends
    // with the score that all matches reach.
    let lines = ran.out.lines();
    let lines = lines.skip_while(|line| !line.contains("every scored record has a match"));
    let lines = lines.skip(1).skip_while(|line| !line.ends_with('%'));
    let lines = lines.take_while(|line| line.ends_with('%'));
    let lines: Vec<String> = lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let json = find(&folder, &["--against", "reference.txt", "--json"]).json();
    let matches = &json["matches"];
    assert_eq!(matches["matched"], 3);
    assert_eq!(matches["of_all"], 1.0);
    let at_least = matches["at_least"].as_array().expect("a list");
    let told: Vec<String> = at_least
        .iter()
        .map(|line| {
            let of_all = line["of_all"].as_f64().expect("a number") * 100.0;
            format!(
                "{:.2} {} {of_all:.1} %",
                line["score"].as_f64().expect("a number"),
                line["records"]
            )
        })
        .collect();
    assert_eq!(told, lines);
    assert_eq!(
        (told.len(), &*told[0], &*told[19]),
        (20, "95.00 2 66.7 %", "0.00 3 100.0 %")
    );

    let none = ["--against", "reference.txt", "--cutoff", "99", "--json"];
    let json = find(&folder, &none).json();
    assert_eq!(
        json["matches"],
        json!({"matched": 0, "of_all": 0.0, "at_least": []})
    );
    let sentiment = run(
        &folder,
        &[
            "score",
            "products.jsonl",
            "--with",
            "sentiment",
            "--field",
            "title",
            "--json",
        ],
    );
    assert_eq!(sentiment.json().get("matches"), None);
}

#[test]
fn the_answer_is_the_same_on_every_executor() {
    let folder = folder();
    for measure in ["ratio", "wratio", "jaro-winkler"] {
        let digest = |more: &[&str]| {
            let arguments = ["--against", "reference.txt", "--measure", measure];
            let ran = find(&folder, &[&arguments[..], more].concat());
            ran.digest().to_owned()
        };
        let sequential = digest(&["--executor", "sequential"]);
        assert_eq!(sequential, digest(&["-j", "3"]));
        assert_ne!(sequential, digest(&["--cutoff", "0.9"]));
    }
}

#[test]
fn a_bad_reference_is_exit_3() {
    let folder = folder();
    write(&folder, "blank.txt", "\n  \n");
    write(&folder, "latin.txt", b"good\ncaf\xe9\n");
    write(&folder, "bad-byte.txt", b"caf\xc3\xa9\ncaf\xe9\n");
    write(&folder, "bad.jsonl", "{\"title\":\"a\"}\n\n{\"title\":7}\n");
    write(&folder, "null.jsonl", "\n{\"title\":null}\n{\"id\":1}\n");
    write(&folder, "ragged.csv", "title,id\na\nb\n");
    write(&folder, "other.csv", "name,id\na,1\n");
    write(&folder, "latin.csv", b"title\ncaf\xe9\n\xc3\xa9\n");
    for (file, message) in [
        (
            "none.txt",
            "none.txt: no such file; check the name and the folder",
        ),
        (
            "blank.txt",
            "blank.txt: holds no texts to find matches among",
        ),
        (
            "latin.txt",
            "latin.txt: is not UTF-8 text: none of the characters beyond ASCII in its first 64 KiB is valid UTF-8; convert it first, e.g. with iconv -f WINDOWS-1252 -t UTF-8 (--encoding does not apply to a reference)",
        ),
        (
            "bad-byte.txt",
            "bad-byte.txt:2:4: expected UTF-8 text, found a byte that is not",
        ),
        (
            "bad.jsonl",
            "bad.jsonl:3:10: expected a string in field \"title\", found a number",
        ),
        (
            "null.jsonl",
            "null.jsonl:2: expected a text in field \"title\", found no value",
        ),
        (
            "ragged.csv",
            "ragged.csv:2: expected 2 fields as in the header, found 1",
        ),
        (
            "other.csv",
            "other.csv:1: expected a field \"title\"; the fields of the header: \"name\", \"id\"",
        ),
        (
            "latin.csv",
            "latin.csv:2:4: expected UTF-8 text, found a byte that is not",
        ),
        (".", ".: is a directory; name the files in it"),
    ] {
        let ran = find(&folder, &["--against", file]);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{file}: {}", ran.err);
        assert_eq!(ran.err, format!("error: {message}\n"));
    }
}

#[test]
fn wrong_usage_is_exit_2() {
    let folder = folder();
    for (arguments, message) in [
        (
            &[][..],
            "the following required arguments were not provided:\n  --against <REFERENCE>",
        ),
        (
            &["--against", "reference.txt", "--measure", "x"],
            "invalid value 'x' for '--measure <MEASURE>': no measure is called \"x\"; known measures: ratio, partial,",
        ),
        (
            &[
                "--against",
                "reference.txt",
                "--measure",
                "jaro",
                "--cutoff",
                "80",
            ],
            "--cutoff 80: jaro scores from 0 to 1\n",
        ),
        (
            &["--against", "reference.txt", "--cutoff", "NaN"],
            "--cutoff NaN: ratio scores from 0 to 100\n",
        ),
        (
            &["--against", "reference.txt", "--best", "0"],
            "invalid value '0' for '--best <K>': expected a whole number from 1, such as 1000, 10k, 2M or 1e6\n",
        ),
        (
            &["--process", "--best", "2"],
            "the following required arguments were not provided:\n  --against <REFERENCE>",
        ),
    ] {
        let ran = find(&folder, arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
        assert!(
            ran.err.starts_with(&format!("error: {message}")),
            "{}",
            ran.err
        );
    }
    let sentiment = ["score", "products.jsonl", "--with", "sentiment"];
    for (argument, value) in [
        ("--against", "reference.txt"),
        ("--against-field", "name"),
        ("--against-keep", "name"),
        ("--measure", "jaro"),
        ("--cutoff", "0.5"),
        ("--best", "1"),
    ] {
        let ran = run(&folder, &[&sentiment[..], &[argument, value]].concat());
        let message = format!("error: {argument} is for --with match, not for --with sentiment\n");
        assert_eq!((ran.code, ran.err), (2, message));
    }
    let ran = run(&folder, &[&sentiment[..], &["--process"]].concat());
    let message = "error: --process is for --with match, not for --with sentiment\n";
    assert_eq!((ran.code, ran.err.as_str()), (2, message));
}

#[test]
fn the_reference_is_not_overwritten() {
    let folder = folder();
    write(&folder, "reference.jsonl", "{\"title\":\"a\"}\n");
    let arguments = [
        "--against",
        "reference.jsonl",
        "--scores",
        "reference.jsonl",
        "--force",
    ];
    let ran = find(&folder, &arguments);
    let told = "error: reference.jsonl: is an input; write the scores to another file\n";
    assert_eq!((ran.code, ran.err.as_str()), (5, told));
}

#[test]
fn one_record_against_a_large_reference_has_the_same_answer_on_all_workers() {
    let folder = folder_with("products.jsonl", "{\"title\":\"copper kettle 4711\"}\n");
    let reference: String = (0..150_000)
        .map(|number| {
            format!(
                "{} kettle {}\n",
                ["glass", "copper", "old"][number % 3],
                number / 2
            )
        })
        .collect();
    write(&folder, "reference.txt", reference);
    for measure in ["ratio", "token-set"] {
        let digest = |more: &[&str]| {
            let arguments = ["--against", "reference.txt", "--measure", measure];
            let ran = find(&folder, &[&arguments[..], &["--best", "5"], more].concat());
            assert_eq!((ran.code, ran.err.as_str()), (0, ""));
            ran.digest().to_owned()
        };
        let sequential = digest(&["--executor", "sequential"]);
        for threads in ["1", "2", "5"] {
            assert_eq!(
                digest(&["-j", threads]),
                sequential,
                "{measure} -j {threads}"
            );
        }
        assert_eq!(digest(&[]), sequential);
    }
}

#[cfg(unix)]
#[test]
fn a_reference_may_come_through_a_pipe() {
    let folder = folder();
    make_pipe(&folder, "pipe");
    let pipe = folder.path().join("pipe");
    let writer = std::thread::spawn(move || std::fs::write(pipe, REFERENCE));
    let arguments = ["--json", "--top", "1"];
    let piped = find(&folder, &[&["--against", "pipe"], &arguments[..]].concat());
    writer.join().expect("a thread").expect("a pipe");
    assert_eq!((piped.code, piped.err.as_str()), (0, ""));
    let from_file = find(
        &folder,
        &[&["--against", "reference.txt"], &arguments[..]].concat(),
    );
    assert_eq!(piped.json()["digest"], from_file.json()["digest"]);
}
