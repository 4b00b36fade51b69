//! Each kind of mistake in the input has a clear message, and the other records are still scored.

use manyhands::plan::ExecutorName;

use super::{EXECUTORS, binary, folder_with, run, score, write};

/// Asserts that a line between two good ones fails with this message, which begins with its column.
fn fails(line: impl AsRef<[u8]>, message: &str) {
    fails_with(&[], line, message);
}

fn fails_with(arguments: &[&str], line: impl AsRef<[u8]>, message: &str) {
    // One character beyond ASCII shows that the file is UTF-8.
    let good = "{\"text\":\"good é\"}\n".as_bytes();
    let folder = folder_with("in.jsonl", [good, line.as_ref(), b"\n", good].concat());
    let ran = score(&folder, "in.jsonl", &[&["--json"], arguments].concat());
    let hint = match message.contains("expected a field ") {
        true => "note: --missing skip skips records without a value\n",
        false => "",
    };
    let told = format!("failed: in.jsonl:2:{message}\n1 of 3 records could not be scored\n{hint}");
    assert_eq!(ran.err, told);
    assert_eq!(ran.code, 1);
    let json = ran.json();
    assert_eq!((&json["scored"], &json["failed"]), (&2.into(), &1.into()));
}

/// Asserts that a line is scored like `good`.
fn passes(line: impl AsRef<[u8]>) {
    let folder = folder_with("in.jsonl", line);
    let ran = score(&folder, "in.jsonl", &["--json"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(ran.json()["scores"]["compound"]["mean"], 0.4404);
}

/// Asserts that a whole file is refused.
fn refused(contents: impl AsRef<[u8]>, message: &str) {
    let folder = folder_with("in.jsonl", contents);
    let ran = score(&folder, "in.jsonl", &[]);
    assert_eq!(ran.err, format!("error: in.jsonl: {message}\n"));
    assert_eq!((ran.code, ran.out.as_str()), (3, ""));
}

#[test]
fn files_that_cannot_be_read() {
    let folder = folder_with("good.jsonl", "{\"text\":\"good\"}\n");
    let ran = run(
        &folder,
        &["score", "good.jsonl", "no.jsonl", "--with", "sentiment"],
    );
    let told = "error: no.jsonl: no such file; check the name and the folder\n";
    assert_eq!(
        (ran.code, ran.err.as_str(), ran.out.as_str()),
        (3, told, "")
    );
    let ran = score(&folder, ".", &[]);
    let told = "error: .: is a directory; name the files in it\n";
    assert_eq!((ran.code, ran.err.as_str()), (3, told));
}

#[test]
fn an_input_without_records_has_a_report() {
    for nothing in ["", "\n", " \n\t\r\n\n   ", "\u{feff}"] {
        let folder = folder_with("in.jsonl", nothing);
        let ran = score(&folder, "in.jsonl", &[]);
        assert_eq!(ran.code, 0, "{nothing:?}");
        assert!(ran.out.starts_with("0 records scored  "), "{}", ran.out);
        assert_eq!(ran.err, "note: the input has no records\n");
        assert_eq!(score(&folder, "in.jsonl", &["--quiet"]).err, "");
        let json = score(&folder, "in.jsonl", &["--json"]).json();
        assert_eq!(json["scores"]["compound"]["mean"], serde_json::Value::Null);
    }
}

#[test]
fn files_of_other_kinds_are_refused() {
    let utf16 = "is UTF-16; name the encoding (--encoding utf-16le or --encoding utf-16be), or convert the text to UTF-8";
    refused(b"\xff\xfe{\0}\0", utf16);
    refused(b"\xfe\xff\0{\0}", utf16);
    refused(
        b"\x1f\x8b\x08\0",
        "ends in the middle of its gzip data, after 0 unpacked bytes; it is incomplete, so get it again",
    );
}

#[test]
fn lines_that_are_not_objects() {
    let found = |found: &str| format!("1: expected a JSON object, found {found}");
    fails("Hello", &found("text that is not JSON"));
    fails("\0\0\0", &found("text that is not JSON"));
    fails("[1,2]", &found("an array"));
    fails("[1,", &found("an array"));
    fails("12", &found("a number"));
    fails("-1e999", &found("a number"));
    fails("\"text\"", &found("a string"));
    fails("true", &found("a boolean"));
    fails("null", &found("null"));
    fails("  [1]", "3: expected a JSON object, found an array");
}

#[test]
fn lines_that_are_broken() {
    let broken = |column: u32, reason: &str| {
        format!("{column}: expected a JSON object, found a broken one: {reason}")
    };
    let goes_on = "; if it goes on in the next line, use --format json";
    fails(r#"{"text":"go"#, &broken(11, "EOF while parsing a string"));
    fails(
        r#"{"text":"good""#,
        &broken(14, &format!("EOF while parsing an object{goes_on}")),
    );
    fails(r#"{"text":"good"} x"#, &broken(17, "trailing characters"));
    fails(
        r#"{"text":"good"}[{"text":"bad"}]"#,
        &broken(16, "trailing characters"),
    );
    fails(r#"{"text":"good",}"#, &broken(16, "trailing comma"));
    fails("{'text':'good'}", &broken(2, "key must be a string"));
    fails(r#"{"text":"\q"}"#, &broken(11, "invalid escape"));
    // For this error, the parser reports the place of the last correct character.
    let control = "control character (\\u0000-\\u001F) found while parsing a string";
    fails("{\"text\":\"a\0b\"}", &broken(10, control));
    fails("{\"text\":\"a\tb\"}", &broken(10, control));
    // A broken field is an error even if it is not read.
    fails(r#"{"text":"good","x":nul}"#, &broken(23, "expected ident"));
}

/// The second record of a line, and a record of a document, may begin in the middle of their line.
#[test]
fn columns_are_those_of_the_line() {
    let line = r#"{"text":"good"}  {"text": 5} {"text":"\q"}"#;
    let text = format!("{}\n{line}\n", r#"{"text":"good"}"#.repeat(3));
    let wrong = "expected a string in field \"text\", found a number";
    let broken = "expected a JSON object, found a broken one: invalid escape";
    let document = format!("[\n  {line}]\n").replace("} ", "}, ");
    let folder = folder_with("in.jsonl", text);
    write(&folder, "in.json", document);
    for (file, [first, second]) in [("in.jsonl", [27, 40]), ("in.json", [30, 44])] {
        let told =
            format!("failed: {file}:2:{first}: {wrong}\nfailed: {file}:2:{second}: {broken}\n");
        for executor in EXECUTORS {
            // With --rate, few records of a stream are taken at a time, so a line is taken in several pieces.
            for arguments in [&[][..], &["--head", "9", "--rate", "1e6/s"]] {
                let executor = ["--executor", executor];
                let ran = score(&folder, file, &[&executor[..], arguments].concat());
                assert!(ran.err.starts_with(&told), "{executor:?}: {}", ran.err);
            }
        }
        let matching = ["score", "in.jsonl", "--with", "match", "--against", file];
        let ran = run(&folder, &matching);
        let told = format!("error: {file}:2:{first}: {wrong}\n");
        assert_eq!((ran.code, ran.err), (3, told));
    }
    write(&folder, "lines.json", "[{\"text\":\n 5}, {\"text\": 5}]");
    let ran = score(&folder, "lines.json", &["--on-failure", "skip"]);
    let told = format!("failed: lines.json:1: {wrong}\nfailed: lines.json:2:15: {wrong}\n");
    assert!(ran.err.starts_with(&told), "{}", ran.err);
}

#[test]
fn records_without_the_field() {
    let expected =
        |names: &str| format!("1: expected a field \"text\"; the record's fields: {names}");
    fails("{}", &expected("none"));
    fails(r#"{"Text":"good","a b":1}"#, &expected(r#""Text", "a b""#));
    let many = r#"{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1}"#;
    fails(
        many,
        &expected(r#""a", "b", "c", "d", "e", "f", "g", "h", …"#),
    );
    let long = format!("{{\"{}\":1}}", "é".repeat(1000));
    fails(long, &expected(&format!("\"{}\"…", "é".repeat(40))));
}

#[test]
fn a_field_of_another_type() {
    let found = |found: &str| format!("16: expected a string in field \"text\", found {found}");
    for (value, kind) in [
        ("1", "a number"),
        ("-1.5e3", "a number"),
        ("1e999", "a number"),
        ("true", "a boolean"),
        ("false", "a boolean"),
        ("[\"good\", 1]", "an array"),
        ("{\"text\":\"good\"}", "an object"),
    ] {
        fails(format!("{{\"id\":7,\"text\":{value}}}"), &found(kind));
    }
}

#[test]
fn bytes_that_are_not_utf8() {
    fails(
        b"{\"text\":\"a\xff\"}",
        "11: expected UTF-8 text, found a byte that is not",
    );
    fails(
        b"{\"x\":\"\xc3\",\"text\":\"good\"}",
        "7: expected UTF-8 text, found a byte that is not",
    );
}

#[test]
fn half_surrogate_pairs() {
    let half = "a string with half a surrogate pair";
    for text in ["\\ud800", "\\udc00", "a\\ud800\\u0041"] {
        let line = format!("{{\"text\":\"{text}\"}}");
        let found =
            format!("9: expected a string in field \"text\", found {half}, which is no character");
        fails(line, &found);
    }
    passes(r#"{"x":"\ud800","text":"good"}"#);
    passes(r#"{"\ud83d\udc4d":"a pair is a character","text":"good"}"#);
}

#[test]
fn every_way_to_write_a_good_line() {
    passes(r#"{"text":"good"}"#);
    passes("\u{feff}{\"text\":\"good\"}\r\n");
    passes("\n\n  {\"text\" : \"good\" }  \r\n\n");
    passes(r#"{"te\u0078t":"good"}"#);
    passes(r#"{"text":"g\u006fod"}"#);
    passes(r#"{"text":"bad","text":"good"}"#);
    passes(r#"{"text":1,"text":"good"}"#);
    passes(r#"{"text":{},"a":[],"text":"good"}"#);
    passes(r#"{"n":1e999,"m":-0.0000000000000000000000000001e-99999,"text":"good"}"#);
    passes(format!(
        "{{\"n\":{},\"text\":\"good\"}}",
        "9".repeat(10_000)
    ));
}

#[test]
fn if_a_field_appears_twice_the_last_one_is_used() {
    let last = "23: expected a string in field \"text\", found a number";
    fails(r#"{"text":"good","text":1}"#, last);
    let folder = folder_with("in.jsonl", r#"{"g":1,"text":0,"g":2,"text":"good","g":3}"#);
    let arguments = ["--by", "g", "--keep", "g", "--scores", "-"];
    let ran = score(&folder, "in.jsonl", &arguments);
    assert!(ran.out.ends_with(",\"g\":3}\n"), "{}", ran.out);
}

#[test]
fn fields_with_odd_names() {
    for name in [
        "",
        " ",
        "a b",
        "a.b",
        "日本",
        "te\"xt",
        "-x",
        "text\\",
        "\u{1b}[1m",
    ] {
        let line = serde_json::json!({ name: "good", "text": 1 }).to_string();
        let folder = folder_with("in.jsonl", line);
        let field = format!("--field={name}");
        let ran = score(&folder, "in.jsonl", &["--json", &field]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{name:?}");
        assert_eq!(ran.json()["scores"]["compound"]["sum"], 0.4404);
    }
    let missing = r#"1: expected a field "a\"b"; the record's fields: "text""#;
    let folder = folder_with("in.jsonl", r#"{"text":"good"}"#);
    let options = ["--field", "a\"b", "--on-failure", "skip"];
    let ran = score(&folder, "in.jsonl", &options);
    assert!(
        ran.err
            .starts_with(&format!("failed: in.jsonl:1:{missing}\n")),
        "{}",
        ran.err
    );
    assert!(
        ran.out.starts_with("0 records scored, 1 failed  "),
        "{}",
        ran.out
    );
}

#[test]
fn groups_are_strings_numbers_and_booleans() {
    let lines = [
        r#"{"text":"good","g":"a"}"#,
        r#"{"text":"good","g":"\u0061"}"#,
        r#"{"text":"good"}"#,
        r#"{"text":"good","g":null}"#,
        r#"{"text":"good","g":1.50}"#,
        r#"{"text":"good","g":15e-1}"#,
        r#"{"text":"good","g":"1.50"}"#,
        r#"{"text":"good","g":-0}"#,
        r#"{"text":"good","g":"(no value)"}"#,
        r#"{"text":"good","g":true}"#,
        r#"{"text":"good","g":""}"#,
    ];
    let folder = folder_with("in.jsonl", lines.join("\n"));
    let ran = score(&folder, "in.jsonl", &["--by", "g", "--json"]);
    assert_eq!(ran.code, 0);
    let json = ran.json();
    let groups = json["groups"].as_array().expect("a list").iter();
    let counts: Vec<_> = groups
        .map(|group| (group["group"][0].as_str(), group["count"].clone()))
        .collect();
    let expected = [
        (None, 2),
        (Some(""), 1),
        (Some("(no value)"), 1),
        (Some("0"), 1),
        (Some("1.5"), 2),
        (Some("1.50"), 1),
        (Some("a"), 2),
        (Some("true"), 1),
    ];
    assert_eq!(counts, expected.map(|(name, count)| (name, count.into())));
    let text = score(&folder, "in.jsonl", &["--by", "g"]).out;
    for name in ["(no value) ", "\"(no value)\" "] {
        assert!(
            text.lines().any(|line| line.trim_start().starts_with(name)),
            "{text}"
        );
    }

    let expected = "expected a string, a number or a boolean in field \"g\", found";
    let by = ["--by", "g"];
    fails_with(
        &by,
        r#"{"text":"good","g":[1]}"#,
        &format!("20: {expected} an array"),
    );
    fails_with(
        &by,
        r#"{"g":{"a":1},"text":"good"}"#,
        &format!("6: {expected} an object"),
    );
    let half = format!("20: {expected} a string with half a surrogate pair, which is no character");
    fails_with(&by, r#"{"text":"good","g":"\ud800"}"#, &half);
}

#[test]
fn a_line_of_many_megabytes_is_one_record_if_the_limit_allows_it() {
    let text = "table ".repeat(3_500_000);
    let long = format!(
        "{{\"text\":\"good\"}}\n{{\"x\":\"{text}\",\"text\":\"bad\"}}\n{{\"text\":\"good\"}}"
    );
    let folder = folder_with("in.jsonl", long);
    let limit = ["--max-record", "1GiB"];
    let json = score(
        &folder,
        "in.jsonl",
        &[&["--json", "-j", "2"], &limit[..]].concat(),
    )
    .json();
    assert_eq!(json["scores"]["compound"]["count"], 3);
    assert_eq!(json["bottom"][0]["record"], 2);
    let ran = score(&folder, "in.jsonl", &["--json"]);
    let told = "failed: in.jsonl:2: expected a record of at most 16777216 bytes, found a longer one; \
        if it is meant to be that long, raise the limit (--max-record)\n\
        1 of 3 records could not be scored\n";
    assert_eq!((ran.code, ran.err.as_str()), (1, told));
    assert_eq!(ran.json()["scores"]["compound"]["count"], 2);
}

/// Scores lines that are exactly as long as the limit, and lines that are one byte longer, with every line ending.
#[test]
fn lines_near_the_length_limit() {
    let line = |bytes: usize| format!("{{\"text\":\"{}\"}}", "x".repeat(bytes - 11));
    let lines = [
        ("\u{feff}".to_owned() + &line(1024), "\r\n"),
        (line(1025), "\r\n"),
        (line(1024), "\n"),
        (line(1025), "\n"),
        (" ".repeat(1024), "\n"),
        (" ".repeat(1025), "\n"),
        ("x".repeat(1_000_000), "\n"),
        (line(1024), "\r"),
    ];
    let text: String = lines.iter().map(|(line, end)| line.clone() + end).collect();
    let folder = folder_with("in.jsonl", &text);
    let mut digests = Vec::new();
    for limit in ["1024", "1KiB"] {
        for executor in EXECUTORS {
            for file in ["in.jsonl", "-"] {
                let mut program = super::program(folder.path());
                program.args([
                    "score",
                    file,
                    "--with",
                    "sentiment",
                    "--scores",
                    "-",
                    "--quiet",
                ]);
                program.args(["--executor", executor, "--max-record", limit, "-j", "2"]);
                let ran = super::ran(program.write_stdin(text.clone()).output());
                let failed: Vec<bool> = ran
                    .out
                    .lines()
                    .map(|line| line.contains("\"error\""))
                    .collect();
                // The fifth line is blank, so it is not a record.
                let expected = [false, true, false, true, true, true, false];
                assert_eq!(
                    (ran.code, failed),
                    (1, expected.to_vec()),
                    "{executor} {file}: {}",
                    ran.err
                );
                let errors = ran
                    .out
                    .matches(": expected a record of at most 1024 bytes, found")
                    .count();
                assert_eq!(errors, 4, "{}", ran.out);
                let digest = ran.err.lines().find(|line| line.starts_with("digest "));
                digests.push(digest.expect("a digest").to_owned());
            }
        }
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "{digests:?}");
}

#[test]
fn a_reference_with_a_line_over_the_limit_is_refused() {
    let folder = folder_with("in.jsonl", "{\"text\":\"good\"}\n");
    let long = "x".repeat(100);
    write(&folder, "lines", format!("good\n\n{long}\n"));
    write(
        &folder,
        "records.jsonl",
        format!("{{\"text\":\"good\"}}\n\n{{\"text\":\"{long}\"}}\n"),
    );
    write(
        &folder,
        "table.csv",
        format!("text,id\r\n\r\n\"{long}\",\r\ngood,1\r\n"),
    );
    let against = |file: &str, limit: u64| {
        let arguments = ["score", "in.jsonl", "--with", "match", "--against", file];
        run(
            &folder,
            &[&arguments[..], &["--max-record", &limit.to_string()]].concat(),
        )
    };
    for (file, most) in [("lines", 100), ("records.jsonl", 111), ("table.csv", 103)] {
        let refused = against(file, most - 1);
        let told = format!(
            "error: {file}:3: expected a record of at most {} bytes, found a longer one; if it is \
             meant to be that long, raise the limit (--max-record)\n",
            most - 1
        );
        assert_eq!((refused.code, refused.err), (3, told));
        assert_eq!(against(file, most).code, 0, "{file}");
    }
}

/// The second line of the file is longer than the address space of the program.
#[cfg(target_os = "linux")]
#[test]
fn a_line_that_does_not_fit_in_memory_is_one_failed_record() {
    let folder = folder_with("in.jsonl", "{\"text\":\"good\"}\n");
    let path = folder.path().join("in.jsonl");
    let mut file = std::fs::File::options()
        .append(true)
        .open(path)
        .expect("a file");
    // The file gets a hole, which is one line of zeros and takes no space on the disk.
    file.set_len(GIANT).expect("room");
    std::io::Write::write_all(&mut file, b"\n{\"text\":\"bad\"}\n").expect("room");
    for executor in EXECUTORS {
        for file in ["in.jsonl", "-"] {
            let ran = in_little_memory(&folder, &[file, "--executor", executor]);
            let name = if file == "-" { "<stdin>" } else { file };
            let told = format!("failed: {name}:2: expected a record of at most 16777216 bytes, ");
            assert!(ran.err.starts_with(&told), "{executor} {file}: {}", ran.err);
            assert_eq!((ran.code, ran.json()["scored"].clone()), (1, 2.into()));
        }
    }
    for file in ["in.jsonl", "-"] {
        let ran = in_little_memory(&folder, &[file, "--max-record", "1GiB"]);
        let name = if file == "-" { "<stdin>" } else { file };
        let told = "holds a record that does not fit in memory; lower the limit (--max-record)";
        assert_eq!((ran.code, ran.err), (3, format!("error: {name}: {told}\n")));
    }
}

/// Length of a line in bytes. The line does not fit in an address space of [`LITTLE_KIB`].
#[cfg(target_os = "linux")]
const GIANT: u64 = 320 << 20;

/// Size of an address space in KiB. It is large enough for the program, but not for the long line.
#[cfg(target_os = "linux")]
const LITTLE_KIB: u64 = 300 << 10;

/// Runs `score` with an address space of [`LITTLE_KIB`] and with `in.jsonl` as standard input. All threads share one
/// arena of the allocator, because each further arena would reserve 64 MiB.
#[cfg(target_os = "linux")]
fn in_little_memory(folder: &tempfile::TempDir, arguments: &[&str]) -> super::Ran {
    let mut shell = std::process::Command::new("sh");
    let command = format!("ulimit -v {LITTLE_KIB} && exec \"$0\" score \"$@\" < in.jsonl");
    shell.args(["-c", &command, binary().to_str().expect("a path")]);
    shell
        .args(arguments)
        .args(["--with", "sentiment", "--json", "-j", "2", "--quiet"]);
    shell
        .env("MALLOC_ARENA_MAX", "1")
        .current_dir(folder.path());
    super::ran(shell.output())
}

#[test]
fn a_word_of_a_megabyte_is_shown_by_its_beginning() {
    let folder = folder_with(
        "in.jsonl",
        format!("{{\"text\":\"{}\"}}", "x".repeat(1 << 20)),
    );
    let ran = score(&folder, "in.jsonl", &[]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("xxx…\n"), "{}", ran.out);
    assert!(ran.out.len() < 10_000);
}

#[test]
fn nesting_a_million_deep() {
    let deep = 1_000_000;
    let nested = format!("{}{}", "[".repeat(deep), "]".repeat(deep));
    passes(format!("{{\"x\":{nested},\"text\":\"good\"}}"));
    let array = "9: expected a string in field \"text\", found an array";
    fails(format!("{{\"text\":{nested}}}"), array);
    fails(&nested, "1: expected a JSON object, found an array");
    let group = "6: expected a string, a number or a boolean in field \"x\", found an array";
    fails_with(
        &["--by", "x"],
        format!("{{\"x\":{nested},\"text\":\"good\"}}"),
        group,
    );
    let open = "5000008: expected a JSON object, found a broken one: EOF while parsing a value; if it goes on \
                in the next line, use --format json";
    fails(format!("{{\"text\":{}", "{\"a\":".repeat(deep)), open);
}

#[test]
fn the_last_line_of_a_file_may_lack_its_line_ending() {
    let folder = folder_with("a.jsonl", "{\"text\":\"good\"}");
    write(&folder, "b.jsonl", "{\"text\":\"bad\"}");
    let ran = run(
        &folder,
        &[
            "score",
            "a.jsonl",
            "b.jsonl",
            "--with",
            "sentiment",
            "--json",
        ],
    );
    assert_eq!(ran.json()["records"], 2);
}

/// This test uses the library, because it changes the file after it is opened and before it is read.
#[cfg(unix)]
#[test]
fn a_shortened_file_is_an_error_and_a_replaced_file_is_read_as_it_was() {
    let folder = folder_with("in.jsonl", "{\"text\":\"good\"}\n".repeat(1000));
    let path = folder.path().join("in.jsonl");
    let plan = manyhands::plan::Plan::new([&path]);

    let opened = plan.open().expect("it is there");
    write(&folder, "new.jsonl", "{}\n");
    std::fs::rename(folder.path().join("new.jsonl"), &path).expect("a new name");
    let answer = opened
        .run(manyhands::plan::RunOptions::default())
        .expect("the old file is still open");
    assert_eq!((answer.report.scored, answer.report.failed), (1000, 0));

    for executor in ExecutorName::ALL {
        let mut plan = plan.clone();
        plan.executor = executor;
        plan.program = Some(binary().to_owned());
        write(&folder, "in.jsonl", "{\"text\":\"good\"}\n".repeat(1000));
        let opened = plan.open().expect("it is there");
        write(&folder, "in.jsonl", "{\"text\":\"good\"}\n".repeat(10));
        let error = opened
            .run(manyhands::plan::RunOptions::default())
            .expect_err("lines are missing");
        let told =
            "in.jsonl: changed while it was being read; run again once no program writes to it";
        assert!(error.to_string().ends_with(told), "{executor}: {error}");
    }
}
