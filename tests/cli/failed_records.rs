//! These tests check the file of failed records, and the reasons beside it.

use std::fs;
use std::io::Read as _;

use super::{EXECUTORS, folder_with, names, read, run, score, write};
use serde_json::Value;
use tempfile::TempDir;

const CSV: &str = "id;text;note
1;good;x
2;;\"two \"\"lines\"\"
of text\"
3;ragged
4;bad;y
5;;\"z;\"
";

fn reasons(folder: &TempDir, name: &str) -> Vec<Value> {
    let lines = read(folder, &format!("{name}.reasons.jsonl"));
    lines
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

/// Replaces bytes of a file, like a user who corrects the file.
fn mend(folder: &TempDir, name: &str, from: &str, to: &str) {
    let text = read(folder, name);
    assert!(text.contains(from), "{text}");
    write(folder, name, text.replace(from, to));
}

#[test]
fn failed_records_of_a_table_can_be_mended_and_scored() {
    let folder = folder_with("in.csv", CSV);
    let expected = "id;text;note\n2;;\"two \"\"lines\"\"\nof text\"\n3;ragged\n5;;\"z;\"\n";
    for executor in EXECUTORS {
        let arguments = [
            "--failures",
            "bad.csv",
            "--force",
            "--executor",
            executor,
            "-j",
            "2",
        ];
        let ran = score(&folder, "in.csv", &arguments);
        assert_eq!(ran.code, 1, "{}", ran.err);
        assert_eq!(read(&folder, "bad.csv"), expected, "{executor}");
        let found: Vec<_> = reasons(&folder, "bad.csv")
            .iter()
            .map(|reason| {
                (
                    reason["record"].as_u64(),
                    reason["file"].clone(),
                    reason["line"].as_u64(),
                )
            })
            .collect();
        let place = |record, line| (Some(record), Value::from("in.csv"), Some(line));
        assert_eq!(found, [place(2, 3), place(3, 5), place(5, 7)]);
        let error = &reasons(&folder, "bad.csv")[1]["error"];
        assert_eq!(error, "expected 3 fields as in the header, found 2");
    }
    mend(&folder, "bad.csv", "2;;", "2;great;");
    mend(&folder, "bad.csv", "3;ragged", "3;ragged;");
    mend(&folder, "bad.csv", "5;;", "5;bad;");
    let arguments = ["--failures", "again.csv", "-o", "-", "--keep", "id,note"];
    let ran = score(&folder, "bad.csv", &arguments);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines: Vec<Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let kept: Vec<_> = lines
        .iter()
        .map(|line| (line["id"].clone(), line["note"].clone()))
        .collect();
    let expected = [
        ("2", Value::from("two \"lines\"\nof text")),
        ("3", Value::Null),
        ("5", Value::from("z;")),
    ];
    assert_eq!(kept, expected.map(|(id, note)| (Value::from(id), note)));
    assert_eq!(
        (
            read(&folder, "again.csv"),
            reasons(&folder, "again.csv").len()
        ),
        (String::new(), 0)
    );
}

#[test]
fn failed_lines_of_json_stand_as_they_are_even_if_they_are_not_utf_8() {
    let lines = b"{\"text\":\"good \xc3\xa9\"}\n{\"text\": null }\n{broken\n\n{\"text\":\"\xff\"}\n{\"text\":\"bad\"}\n";
    let folder = folder_with("in.jsonl", lines);
    for executor in ["work-stealing", "process-pool"] {
        let arguments = [
            "--failures",
            "bad.jsonl",
            "-o",
            "out.csv",
            "--force",
            "--executor",
            executor,
        ];
        assert_eq!(score(&folder, "in.jsonl", &arguments).code, 1);
        let failed = fs::read(folder.path().join("bad.jsonl")).expect("a file");
        assert_eq!(
            failed, b"{\"text\": null }\n{broken\n{\"text\":\"\xff\"}\n",
            "{executor}"
        );
        let places: Vec<_> = reasons(&folder, "bad.jsonl")
            .iter()
            .map(|reason| {
                (
                    reason["record"].clone(),
                    reason["line"].clone(),
                    reason["column"].clone(),
                )
            })
            .collect();
        let place = |record: u64, line: u64, column: Value| (record.into(), line.into(), column);
        assert_eq!(
            places,
            [
                place(2, 2, Value::Null),
                place(3, 3, 2.into()),
                place(4, 5, 10.into())
            ]
        );
        assert_eq!(
            read(&folder, "out.csv").lines().count(),
            6,
            "the scores are complete"
        );
    }
}

#[test]
fn failed_values_of_a_document_and_failed_lines_of_text_can_be_given_back() {
    let folder = folder_with(
        "in.json",
        "[{\"text\": \"good\"},\n {\"text\":\n  7}, {\"text\": \"bad\"}, {\"a\": 1}]",
    );
    assert_eq!(
        score(&folder, "in.json", &["--failures", "bad.json"]).code,
        1
    );
    assert_eq!(read(&folder, "bad.json"), "{\"text\":\n  7}\n{\"a\": 1}\n");
    mend(&folder, "bad.json", "7", "\"great\"");
    let ran = score(
        &folder,
        "bad.json",
        &["--failures", "again.json", "--on-failure", "skip"],
    );
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_eq!(read(&folder, "again.json"), "{\"a\": 1}\n");
    let folder = folder_with("in.txt", b"good \xc3\xa9\nb\xe9\n");
    assert_eq!(score(&folder, "in.txt", &["--failures", "bad.txt"]).code, 1);
    assert_eq!(
        fs::read(folder.path().join("bad.txt")).expect("a file"),
        b"b\xe9\n"
    );
}

#[test]
fn a_table_without_a_header_and_a_compressed_file() {
    let folder = folder_with("in.csv", "1,good\n2,\n");
    let arguments = ["--no-header", "--field", "2", "--failures", "bad.csv.gz"];
    assert_eq!(score(&folder, "in.csv", &arguments).code, 1);
    let packed = fs::read(folder.path().join("bad.csv.gz")).expect("a file");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_string(&mut text)
        .expect("gzip");
    assert_eq!(text, "2,\n");
}

#[test]
fn records_that_do_not_fit_in_are_left_out_and_marked() {
    let folder = folder_with("a.csv", "id,text\n1,\n");
    write(&folder, "b.csv", "text,id\n,2\n");
    write(
        &folder,
        "c.csv",
        format!("id,text\n3,{}\n4,\n5,good\n", "x".repeat(100)),
    );
    let files = [
        "score",
        "a.csv",
        "b.csv",
        "c.csv",
        "--with",
        "sentiment",
        "--max-record",
        "50",
    ];
    let ran = run(&folder, &[&files[..], &["--failures", "bad.csv"]].concat());
    assert_eq!(ran.code, 1);
    let warning = "warning: 2 of the failed records are not in the file of failures, ";
    assert!(
        ran.err.lines().any(|line| line.starts_with(warning)),
        "{}",
        ran.err
    );
    assert_eq!(read(&folder, "bad.csv"), "id,text\n1,\n4,\n");
    let marks: Vec<_> = reasons(&folder, "bad.csv")
        .iter()
        .map(|reason| (reason["record"].as_u64(), reason["left_out"].as_bool()))
        .collect();
    let expected = [(1, None), (2, Some(true)), (3, Some(true)), (4, None)];
    assert_eq!(marks, expected.map(|(record, mark)| (Some(record), mark)));
}

#[test]
fn a_halted_run_keeps_the_failed_records_so_far() {
    let folder = folder_with("in.csv", CSV);
    let arguments = [
        "--failures",
        "bad.csv",
        "--on-failure",
        "skip:1",
        "--executor",
        "sequential",
    ];
    assert_eq!(score(&folder, "in.csv", &arguments).code, 4);
    let kept = read(&folder, "bad.csv.partial");
    assert_eq!(
        kept,
        "id;text;note\n2;;\"two \"\"lines\"\"\nof text\"\n3;ragged\n"
    );
    assert_eq!(
        read(&folder, "bad.csv.reasons.jsonl.partial")
            .lines()
            .count(),
        2
    );
    assert_eq!(
        names(&folder),
        ["bad.csv.partial", "bad.csv.reasons.jsonl.partial", "in.csv"]
    );
}

#[test]
fn if_every_record_fails_alike_nothing_is_left() {
    let folder = folder_with("in.csv", "id,text\n1,\n2,\n");
    let arguments = ["--failures", "bad.csv", "-o", "out.csv"];
    assert_eq!(score(&folder, "in.csv", &arguments).code, 3);
    assert_eq!(names(&folder), ["in.csv"]);
}

#[test]
fn files_that_are_in_use_or_have_another_format_are_refused() {
    let folder = folder_with("in.csv", CSV);
    write(&folder, "bad.csv.reasons.jsonl", "precious");
    for (arguments, code, expected) in [
        (
            &["--failures", "in.csv"][..],
            5,
            "in.csv: is an input; write the failed records to another file",
        ),
        (
            &["--failures", "bad.csv"],
            5,
            "bad.csv.reasons.jsonl: already exists; choose another name",
        ),
        (
            &["--failures", "x.csv", "-o", "x.csv"],
            5,
            "x.csv: is also named for the scores; write the failed records",
        ),
        (
            &["--failures", "x.csv", "--html", "x.csv.reasons.jsonl"],
            5,
            "x.csv.reasons.jsonl: is also named for the reasons",
        ),
        (
            &["--failures", "x.jsonl"],
            2,
            "x.jsonl: failed records are written as they stand in the input, and in.csv is csv; ",
        ),
        (&["--failures", "-"], 2, "--failures: two files are written"),
    ] {
        let ran = score(&folder, "in.csv", arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.err);
        assert!(
            ran.err.starts_with(&format!("error: {expected}")),
            "{}",
            ran.err
        );
    }
    assert_eq!(names(&folder), ["bad.csv.reasons.jsonl", "in.csv"]);
    assert_eq!(read(&folder, "bad.csv.reasons.jsonl"), "precious");
}

/// A limit of the size of a file stands for a full disk. The scores file is small, and the file of failures is not.
#[cfg(unix)]
#[test]
fn the_message_of_a_full_disk_names_the_file_that_did_not_fit() {
    let bad = format!("{{\"text\":1,\"long\":\"{}\"}}\n", "x".repeat(10_000));
    let folder = folder_with("in.jsonl", bad.repeat(100));
    let line = "trap '' XFSZ; ulimit -f 200; \"$0\" score in.jsonl --with sentiment --on-failure skip -o out.csv \
                --failures bad.jsonl";
    let ran = super::shell(&folder, line);
    let told =
        "error: cannot write the failed records to bad.jsonl: File too large (os error 27)\n";
    assert!(ran.err.starts_with(told), "{}", ran.err);
    assert_eq!(ran.code, 5);
}
