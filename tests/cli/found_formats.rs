//! How the format of an input is found if its name does not show it, and what is said about it.

use super::{Ran, folder_with, program, ran, read, run, score, score_stdin, write};

/// A first object on one line does not show that the later ones are too.
#[test]
fn a_json_file_may_begin_with_an_object_on_one_line() {
    let mixed = "{\"text\":\"good\"}\n{\n  \"text\": \"bad\"\n}\n{\n  \"text\": 5\n}\n";
    let folder = folder_with("mixed.json", mixed);
    write(&folder, "mixed.jsonl", mixed);
    for file in ["mixed.json", "mixed.jsonl"] {
        let ran = score(&folder, file, &["--json"]);
        let told =
            format!("failed: {file}:5: expected a string in field \"text\", found a number\n");
        assert!(ran.err.starts_with(&told), "{}", ran.err);
        assert_eq!(ran.json()["scored"], 2, "{file}");
        assert_eq!(ran.json()["files"][0]["format"], "json");
    }
    // The first record of a pipe does not wait for the others.
    let ran = score_stdin(&folder, &[], mixed);
    let remedy = "EOF while parsing an object; if it goes on in the next line, use --format json";
    assert!(ran.err.contains(remedy), "{}", ran.err);
}

#[test]
fn reports_say_which_formats_were_guessed() {
    let folder = folder_with("notes", "good\nbad\n");
    write(&folder, "more", "good\n");
    write(&folder, "table", "id,text\n1,good\n");
    write(&folder, "known.txt", "good\n");
    let files = [
        "score",
        "notes",
        "more",
        "table",
        "known.txt",
        "--with",
        "sentiment",
    ];
    let text = run(&folder, &[&files[..], &["--html", "page.html"]].concat());
    let told = "notes and another input are read as plain text, since neither a name nor the\n\
                first line shows another format\n\
                table is read as delimited text, as the first record shows\n";
    assert!(text.out.contains(told), "{}", text.out);
    assert!(read(&folder, "page.html").contains("table is read as delimited text"));
    let json = run(&folder, &[&files[..], &["--json"]].concat()).json();
    let guessed: Vec<bool> = json["files"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|file| file["format_was_guessed"] == true)
        .collect();
    assert_eq!(guessed, [true, true, true, false]);
    let asked = score(&folder, "notes", &["--format", "text"]);
    assert!(!asked.out.contains("is read as"), "{}", asked.out);
}

#[test]
fn a_name_that_says_otherwise_is_never_plain_text() {
    let folder = folder_with("good.jsonl", "{\"text\":\"good\"}\n");
    let refused = |ran: Ran, told: &str| {
        assert_eq!((ran.code, ran.err), (3, format!("error: {told}\n")));
    };
    for (name, kind) in [
        ("book.XLSX", "an Excel workbook"),
        ("data.parquet", "a Parquet file"),
        ("data.sqlite.gz", "a SQLite database"),
    ] {
        for (content, found) in [("good\nbad\n", "plain text"), ("", "nothing")] {
            write(&folder, name, content);
            let told = |option: &str| {
                format!(
                    "{name}: expected {kind}, as the name says, found {found}; if the file is text, name its format \
                     with {option}"
                )
            };
            refused(score(&folder, name, &[]), &told("--format"));
            let matching = ["score", "good.jsonl", "--with", "match", "--against", name];
            refused(run(&folder, &matching), &told("--against-format"));
            let asked = score(&folder, name, &["--format", "text"]);
            assert_eq!(asked.code, 0, "{}", asked.err);
        }
    }
    // Many programs give tables of text the name of a workbook.
    write(&folder, "export.xls", "id\ttext\n1\tgood\n");
    assert_eq!(score(&folder, "export.xls", &[]).code, 0);
}

#[test]
fn a_header_longer_than_64_kib_is_recognised() {
    let header = format!("{}text\n", "x,".repeat(50_000));
    let folder = folder_with("wide", format!("{header}{}good\n", ",".repeat(50_000)));
    let from_file = score(&folder, "wide", &["--scores", "-"]);
    let from_pipe = score_stdin(&folder, &["--scores", "-"], read(&folder, "wide"));
    for ran in [from_file, from_pipe] {
        assert!(ran.out.contains("\"compound\":0.4404"), "{}", ran.err);
    }
}

#[test]
fn a_line_for_excel_names_the_delimiter() {
    let table = "sep=;\r\nid;text\r\n1;good, really\r\n2\r\n";
    let folder = folder_with("excel.csv", table);
    write(&folder, "excel", table);
    for input in ["excel.csv", "excel", "-"] {
        let mut program = program(folder.path());
        program.args(["score", input, "--with", "sentiment", "--json"]);
        let ran = ran(program.write_stdin(table).output());
        let name = if input == "-" { "<stdin>" } else { input };
        let told = format!("failed: {name}:4: expected 2 fields as in the header, found 1");
        assert!(ran.err.starts_with(&told), "{}", ran.err);
        let json = ran.json();
        assert_eq!(json["top"][0]["text"], "good, really");
        assert_eq!(json["files"][0]["delimiter"], ";");
    }
    let told = "error: excel.csv:2: expected a field \"body\"; the fields of the header: \"id\", \"text\"\n";
    assert_eq!(score(&folder, "excel.csv", &["--field", "body"]).err, told);
    let columns = ["--no-header", "--field", "2", "--json"];
    let json = score(&folder, "excel.csv", &columns).json();
    assert_eq!(
        (&json["records"], &json["failures"][0]["line"]),
        (&3.into(), &4.into())
    );
}

#[test]
fn a_header_without_the_field_has_a_remedy() {
    for (header, remedy) in [
        (
            "id,Txt,body",
            "\"id\", \"Txt\", \"body\"; did you mean \"Txt\"?",
        ),
        (
            "id^text",
            "\"id^text\"; the header has this field if it is divided at \"^\": use --delimiter '^'",
        ),
        (
            "id body",
            "\"id body\"; if another character separates its fields, name it with --delimiter",
        ),
    ] {
        let folder = folder_with("in.csv", format!("{header}\n1,2,3\n"));
        let told = format!(
            "error: in.csv:1: expected a field \"text\"; the fields of the header: {remedy}\n"
        );
        let ran = score(&folder, "in.csv", &[]);
        assert_eq!((ran.code, ran.err), (3, told));
    }
}
