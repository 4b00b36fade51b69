//! The beginning of a file, its name and the wanted fields determine the format in which the file is read.

use super::*;
use tempfile::TempDir;

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
    for fields in [
        &["--field", "text", "--field", "kind"][..],
        &["--field", "kind"],
    ] {
        let message = "is plain text, where each line is one text in the field \"text\", and has no field \"kind\"; \
                       if it is a table, say so with --format csv\n";
        let ran = score(&folder, "r.txt", fields);
        assert_eq!((ran.code, ran.err), (3, format!("error: r.txt: {message}")));
    }
    // A mistyped name must not score the lines of a table.
    let ran = shell(
        &folder,
        "printf 'id,text\\n1,good\\n' | \"$0\" score --with sentiment --field txet",
    );
    assert_eq!((ran.code, ran.out.as_str()), (3, ""));
    let message = "error: <stdin>: is plain text, where each line is one text in the field \"text\", and has no \
                   field \"txet\"; if it is a table, say so with --format csv\n";
    assert_eq!(ran.err, message);
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

/// Runs `score` and returns the scored lines of the scores file.
fn scores(folder: &TempDir, arguments: &[&str], stdin: Option<&str>) -> Ran {
    let mut program = program(folder.path());
    program.args(["score", "--with", "sentiment", "--scores", "-", "-q"]);
    program.args(arguments);
    ran(program.write_stdin(stdin.unwrap_or_default()).output())
}

#[test]
fn the_format_is_found_however_the_records_are_written() {
    let folder = folder_with("r.jsonl", "{\"text\":\"good\"}\n{\"text\":\"bad\"}\n");
    let expected = scores(&folder, &["r.jsonl"], None).out;
    assert_eq!(expected.lines().count(), 2);
    let cases: [(&str, &str, &[&str]); 19] = [
        ("R.JSONL", "{\"text\":\"good\"}\r{\"text\":\"bad\"}", &[]),
        (
            "joined.json",
            "\u{feff}{\"text\":\"good\"}\u{feff}{\"text\":\"bad\"}\n",
            &[],
        ),
        ("a.txt", "{\"text\":\"good\"} {\"text\":\"bad\"}\n", &[]),
        (
            "array.json",
            "[{\"text\":\"good\"},{\"text\":\"bad\"}]",
            &[],
        ),
        (
            "a.csv",
            "\n[\n {\"text\":\"good\"},\n {\"text\":\"bad\"}\n]",
            &[],
        ),
        (
            "pretty",
            "{\n \"text\": \"good\"\n}\n{\n \"text\": \"bad\"\n}\n",
            &[],
        ),
        (
            "lines.txt",
            "{\"text\":\"good\"}\n{\"text\":\"bad\"}\n",
            &["--format", "json"],
        ),
        ("R.CSV", "id,text\r1,good\r2,bad", &[]),
        ("semicolons.csv", "id;text\n1;good\n2;bad\n", &[]),
        ("bars", "id|text\n1|good\n2|bad\n", &[]),
        (
            "named.txt",
            "id,text\n1,good\n2,bad\n",
            &["--format", "csv"],
        ),
        (
            "colons.csv",
            "id:text\n1:good\n2:bad\n",
            &["--delimiter", ":"],
        ),
        ("colons", "id:text\n1:good\n2:bad\n", &["--delimiter", ":"]),
        ("commas.tsv", "x,y\ttext\n1\tgood\n2\tbad\n", &[]),
        (
            "tabs.csv",
            "x,y\ttext\n1\tgood\n2\tbad\n",
            &["--delimiter", "tab"],
        ),
        (
            "bare.csv",
            "1,good\n2,bad\n",
            &["--no-header", "--field", "2"],
        ),
        (
            "bare",
            "1,\"good\"\n2,bad\n",
            &["--no-header", "--field", "2"],
        ),
        ("lines", "good\n\nbad", &[]),
        ("lines.jsonl", "good\nbad\n", &["--format", "text"]),
    ];
    for (name, content, arguments) in cases {
        write(&folder, name, content);
        let file = scores(&folder, &[&[name], arguments].concat(), None);
        assert_eq!(
            (file.code, file.out),
            (0, expected.clone()),
            "{name}: {}",
            file.err
        );
        // The name `-` has no ending, so a case whose format follows from the ending of its name cannot be read from
        // standard input.
        if name.contains('.') && !content.starts_with(['{', '\u{feff}']) {
            continue;
        }
        for input in [&["-"][..], &[]] {
            let stream = scores(&folder, &[input, arguments].concat(), Some(content));
            assert_eq!(
                (stream.code, stream.out),
                (0, expected.clone()),
                "{name}: {}",
                stream.err
            );
        }
    }
}

#[test]
fn the_report_names_the_files_and_a_delimiter_that_was_found() {
    let folder = folder_with("r.csv", "id;text\n1;good\n");
    write(&folder, "s.jsonl", "{\"text\":\"bad\"}\n");
    let report = run(
        &folder,
        &["score", "r.csv", "s.jsonl", "--with", "sentiment"],
    );
    let line = "the fields of r.csv are separated by \";\", as in its header\n";
    assert!(report.out.contains(line), "{}", report.out);
    assert!(!report.out.contains("fields of s.jsonl"), "{}", report.out);
    let json = run(
        &folder,
        &["score", "r.csv", "s.jsonl", "--with", "sentiment", "--json"],
    );
    let files = serde_json::json!([
        {"path": "r.csv", "format": "csv", "delimiter": ";", "bytes": 15},
        {"path": "s.jsonl", "format": "jsonl", "bytes": 15},
    ]);
    assert_eq!(json.json()["files"], files);
    let stream = score(&folder, "-", &["--json"]);
    let files = serde_json::json!([{"path": "<stdin>", "format": "jsonl", "bytes": 0}]);
    assert_eq!(stream.json()["files"], files);
}

#[test]
fn a_reference_is_read_by_the_same_rules() {
    let folder = folder_with("q.csv", "title\nGamma\n");
    let reference = "id;title\n1;Alpha\n2;Gamma\n";
    let with = |arguments: &[&str]| {
        let common = [
            "score", "q.csv", "--with", "match", "--field", "title", "--cutoff", "100",
        ];
        let scores = ["--scores", "-", "-q"];
        let ran = run(&folder, &[&common, arguments, &scores].concat());
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
        ran.out
    };
    let found = |line: u64| {
        format!("{{\"record\":1,\"best\":{line},\"match\":\"Gamma\",\"score\":100.0}}\n")
    };
    for name in ["REFERENCE.CSV", "reference", "reference.txt"] {
        write(&folder, name, reference);
    }
    assert_eq!(with(&["--against", "REFERENCE.CSV"]), found(3));
    assert_eq!(with(&["--against", "reference"]), found(3));
    assert_eq!(
        with(&["--against", "reference.txt", "--against-format", "csv"]),
        found(3)
    );
    write(&folder, "reference.TXT", "Alpha\rGamma\n");
    assert_eq!(with(&["--against", "reference.TXT"]), found(2));
}

/// Standard input is a device here. A terminal is treated in the same way, but a test has no terminal.
#[cfg(unix)]
#[test]
fn without_a_file_a_device_on_standard_input_is_not_read() {
    let folder = folder_with("r.csv", "text\ngood\n");
    let mut program = std::process::Command::new(binary());
    program
        .args(["score", "--with", "sentiment"])
        .current_dir(folder.path());
    let from_null = ran(program.stdin(std::process::Stdio::null()).output());
    assert_eq!(from_null.code, 2, "{}", from_null.err);
    let message = "expected a FILE to score, or a pipe or a file on standard input";
    assert!(from_null.err.contains(message), "{}", from_null.err);
    let file = std::fs::File::open(folder.path().join("r.csv")).unwrap();
    let from_file = ran(program.stdin(file).output());
    assert_eq!((from_file.code, from_file.err.as_str()), (0, ""));
}

#[test]
fn a_delimiter_is_one_character() {
    let folder = folder_with("r.csv", "text\n");
    for delimiter in ["::", "\"", "\n", "", "¦"] {
        let ran = score(&folder, "r.csv", &["--delimiter", delimiter]);
        assert_eq!(ran.code, 2);
        assert!(
            ran.err
                .contains("expected a delimiter of one ASCII character"),
            "{}",
            ran.err
        );
    }
}

/// If an input cannot be read any further, the records before this place are scored, and their scores are kept.
#[test]
fn an_input_that_cannot_be_read_to_its_end_is_exit_3() {
    let good = "{\"record\":1,\"neg\":0.0,\"neu\":0.0,\"pos\":1.0,\"compound\":0.4404}\n";
    let quote = "expected the end of the quoted field that begins here, found the end of the text";
    let cases = [
        (
            "r.csv",
            "id,text\n1,good\n2,\"bad\n\n".to_owned() + &"x,y\n".repeat(9000),
            3,
            3,
            quote,
        ),
        (
            "r.json",
            "[{\"text\": \"good\"},\n{\"text\": \"bad".to_owned(),
            2,
            14,
            "expected the end of the value that begins in line 2",
        ),
        (
            "g.json",
            "[{\"text\": \"good\"},\n ;{\"text\": \"bad\"}]".to_owned(),
            2,
            2,
            "expected a value after the comma, found ';'",
        ),
    ];
    for (name, content, line, column, message) in cases {
        let folder = folder_with(name, &content);
        for executor in ["sequential", "work-stealing", "task-queue"] {
            let arguments = [
                "--executor",
                executor,
                "--scores",
                "out.jsonl",
                "--force",
                "-q",
            ];
            let file = score(&folder, name, &arguments);
            assert_eq!(file.code, 3, "{name}: {}", file.err);
            let place = format!("{name}:{line}:{column}: {message}");
            assert!(file.err.contains(&place), "{}", file.err);
            let partial = read(&folder, "out.jsonl.partial");
            assert!(partial.starts_with(good), "{partial}");
            assert_eq!(partial.lines().count(), 2, "{partial}");
        }
        let stdin = score_stdin(&folder, &[], content);
        let place = format!("<stdin>:{line}:{column}: {message}");
        assert!(
            stdin.code == 3 && stdin.err.contains(&place),
            "{}",
            stdin.err
        );
        let reference = [
            "--with",
            "match",
            "--against",
            name,
            "--against-field",
            "text",
        ];
        write(&folder, "q.jsonl", "{\"text\":\"good\"}\n");
        let ran = run(&folder, &[&["score", "q.jsonl"], &reference[..]].concat());
        let place = format!("{name}:{line}:{column}: {message}");
        assert!(ran.code == 3 && ran.err.contains(&place), "{}", ran.err);
    }
}

/// Brackets that are nested deeper than the scanner checks are counted, so that the values after them are found.
#[test]
fn a_document_may_be_nested_deeply() {
    for depth in [126, 127, 128, 129, 300] {
        let deep = "[".repeat(depth) + "{}" + &"]".repeat(depth);
        let document = format!("[{{\"text\":\"good\",\"x\":{deep}}},\n{{\"text\":\"bad\"}}]");
        let folder = folder_with("deep.json", document);
        let ran = score(&folder, "deep.json", &["--json"]);
        assert_eq!(ran.json()["records"], 2, "{depth}: {}", ran.err);
    }
}
