//! The ending of a file's name determines the format in which the file is read.

use super::*;

/// Four records. The text of one of them contains quotes, a comma and a line end.
const JSON: &str = r#"{"id":"a","kind":"x","text":"good"}
{"id":"b","kind":"y","text":"bad"}
{"id":"c","kind":"x","text":"table"}
{"id":"d","kind":"y","text":"It is \"good\",\nreally"}
"#;
const CSV: &str = "id,kind,text\r\na,x,good\r\n\r\nb,y,\"bad\"\r\nc,x,table\r\nd,y,\"It is \"\"good\"\",\nreally\"";

#[test]
fn a_table_gives_the_answer_of_json_lines_on_every_executor() {
    let folder = folder_with("r.jsonl", JSON);
    write(&folder, "r.csv", CSV);
    let tabs = CSV
        .replace("good\"\",", "good\"\";")
        .replace(',', "\t")
        .replace("good\"\";", "good\"\",");
    write(&folder, "r.tsv", tabs);
    let scores = |file: &str, executor: &str| {
        let name = format!("{file}-{executor}.jsonl");
        let arguments = [
            "--executor",
            executor,
            "--by",
            "kind",
            "--keep",
            "id",
            "--scores",
            &name,
            "--force",
        ];
        let ran = score(&folder, file, &arguments);
        assert_eq!(
            (ran.code, ran.err.as_str()),
            (0, ""),
            "{file} by {executor}"
        );
        (ran.digest().to_owned(), read(&folder, &name))
    };
    let expected = scores("r.jsonl", "sequential");
    let mut executors = vec!["sequential", "work-stealing", "task-queue"];
    if cfg!(target_os = "linux") {
        executors.push("process-pool");
    }
    for executor in executors {
        for file in ["r.jsonl", "r.csv", "r.tsv"] {
            assert_eq!(scores(file, executor), expected, "{file} by {executor}");
        }
    }
}

#[test]
fn lines_of_plain_text_are_scored() {
    let folder = folder_with("r.txt", "good\n\nbad\n");
    let ran = score(&folder, "r.txt", &["--json"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(ran.json()["scored"], 2);
    let ran = score(&folder, "r.txt", &["--field", "text", "--field", "kind"]);
    let message =
        "error: r.txt: is plain text, where each line is one text, and has no field \"kind\"\n";
    assert_eq!((ran.code, ran.err.as_str()), (3, message));
}

#[test]
fn a_field_that_is_missing_from_the_header_is_exit_3() {
    let folder = folder_with("r.csv", CSV);
    for (arguments, field) in [
        (&["--field", "body"][..], "body"),
        (&["--field", "text", "--field", "4"], "4"),
        (&["--field", "0"], "0"),
    ] {
        let ran = score(&folder, "r.csv", arguments);
        let message = format!(
            "error: r.csv:1: expected a field {field:?}; the fields of the header: \"id\", \"kind\", \"text\"\n"
        );
        assert_eq!((ran.code, ran.err), (3, message));
    }
}

#[test]
fn a_record_with_too_few_values_fails_with_its_line() {
    let folder = folder_with("r.csv", "id,text\n1,good\n\n2\n");
    let ran = score(&folder, "r.csv", &[]);
    assert_eq!(ran.code, 1);
    let message = "r.csv:4: expected 2 fields as in the header, found 1";
    assert!(ran.err.contains(message), "{}", ran.err);
}
