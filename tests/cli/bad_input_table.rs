//! The lines of `docs/bad-input.md` that no other test covers, and a check that each line names its test.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use super::{
    Ran, binary, folder_with, gzip, names, program, ran, read, run, score, score_in_little_memory,
    shell, write,
};

/// Runs `score` with a scores file, and returns the lines of this file with the result of the run.
fn scores(folder: &tempfile::TempDir, input: &str, arguments: &[&str]) -> (Ran, Vec<String>) {
    let scores = ["--scores", "out.jsonl", "--force", "-q"];
    let ran = score(folder, input, &[&scores, arguments].concat());
    let name = match ran.code {
        0 | 1 => "out.jsonl",
        _ => "out.jsonl.partial",
    };
    let lines = std::fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    (ran, lines.lines().map(str::to_owned).collect())
}

/// Asserts that a run refuses an input before anything is scored.
fn refused(ran: &Ran, message: &str) {
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{}", ran.err);
    assert!(
        ran.err.starts_with("error: ") && ran.err.contains(message),
        "{}",
        ran.err
    );
}

#[test]
fn every_line_of_the_page_names_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |path: &str| std::fs::read_to_string(root.join(path)).expect("a file");
    let page = text("docs/bad-input.md");
    let entries = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.ends_with(" test |"));
    let mut named = BTreeSet::new();
    for entry in entries {
        let cell = entry
            .trim_end_matches(" |")
            .rsplit("| ")
            .next()
            .expect("cells");
        let test = cell.trim_matches('`');
        let (file, name) = test
            .split_once("::")
            .unwrap_or_else(|| panic!("no test: {entry}"));
        let source = text(&format!("tests/cli/{file}.rs"));
        assert!(
            source.contains(&format!("\nfn {name}() {{")),
            "there is no test {test}"
        );
        named.insert(test.to_owned());
    }
    // Each test of this file is named, too.
    let own = text("tests/cli/bad_input_table.rs");
    for name in own.split("#[test]\n").skip(1).filter_map(|test| {
        let name = test.split("fn ").nth(1)?.split('(').next()?;
        (name != "every_line_of_the_page_names_a_test").then_some(name)
    }) {
        assert!(
            named.contains(&format!("bad_input_table::{name}")),
            "no line names {name}"
        );
    }
    assert!(text("README.md").contains("docs/bad-input.md"));
}

#[test]
fn ragged_records() {
    let table = "id,text\n1,good\n2\n3,bad,x\n4,\"a\nb\"\n5,\"x\n\",y\n6,good\n";
    let folder = folder_with("in.csv", table);
    let (ran, lines) = scores(&folder, "in.csv", &[]);
    assert_eq!((ran.code, lines.len()), (1, 6), "{}", ran.err);
    let told = "failed: in.csv:3: expected 2 fields as in the header, found 1\n\
                failed: in.csv:4: expected 2 fields as in the header, found 3\n\
                failed: in.csv:7: expected 2 fields as in the header, found 3\n\
                3 of 6 records could not be scored\n";
    assert_eq!(ran.err, told);
}

/// The address space of the process is smaller than the file.
#[cfg(target_os = "linux")]
#[test]
fn an_unclosed_quote_at_the_end_of_100_mb() {
    let filling = "so ".repeat((1 << 20) / 3);
    let large = format!("{filling},good\n").repeat(100);
    assert!(large.len() >= 100_000_000);
    let folder = folder_with("end.csv", format!("x,text\n{large}x,\"open\nx,bad\n"));
    write(
        &folder,
        "begin.csv",
        format!("x,text\nx,good\nx,\"open\n{large}"),
    );
    write(&folder, "q.jsonl", "{\"text\":\"good\"}\n");
    let told = "expected the end of the quoted field that begins here, found the end of the text; close the quote";
    for (file, line, records) in [("end.csv", 102, 100), ("begin.csv", 3, 1)] {
        let outputs = "--with sentiment -j 2 --top 0 --scores out.jsonl --force";
        for (input, name) in [(file, file), ("- --format csv", "<stdin>")] {
            let ran = score_in_little_memory(&folder, &format!("{input} {outputs} < {file}"));
            let place = format!("error: {name}:{line}:3: {told}");
            assert!(ran.code == 3 && ran.err.starts_with(&place), "{}", ran.err);
            let kept = read(&folder, "out.jsonl.partial");
            assert_eq!(
                kept.matches("\"compound\":0.4404").count(),
                records,
                "{input}"
            );
            // The last line is the error.
            assert_eq!(kept.lines().count(), records + 1, "{input}");
        }
        let ran =
            score_in_little_memory(&folder, &format!("q.jsonl --with match --against {file}"));
        refused(&ran, &format!("{file}:{line}:3: {told}"));
    }
}

#[test]
fn duplicate_names_in_the_header() {
    let folder = folder_with("in.csv", "text,text,id\ngood,bad,1\n");
    let told = "in.csv:1: expected one field \"text\" in the header, found 2; name the column by its number";
    refused(&score(&folder, "in.csv", &[]), told);
    let (ran, lines) = scores(&folder, "in.csv", &["--field", "2", "--keep", "*"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let kept = "\"compound\":-0.5423,\"text\":\"good\",\"text_2\":\"bad\",\"id\":\"1\"}";
    assert!(lines[0].ends_with(kept), "{}", lines[0]);
}

#[test]
fn a_header_without_the_field() {
    let folder = folder_with("in.csv", "id,body\n1,good\n");
    let told = "in.csv:1: expected a field \"text\"; the fields of the header: \"id\", \"body\"";
    refused(&score(&folder, "in.csv", &[]), told);
    refused(
        &score(&folder, "in.csv", &["--field", "bdoy"]),
        "; did you mean \"body\"?",
    );
    // This table has no header: its first record is taken for one.
    write(&folder, "headless.csv", "1,good\n2,bad\n");
    refused(
        &score(&folder, "headless.csv", &[]),
        "the fields of the header: \"1\", \"good\"",
    );
    let (ran, lines) = scores(&folder, "headless.csv", &["--no-header", "--field", "2"]);
    assert_eq!((ran.code, lines.len()), (0, 2));
}

#[test]
fn empty_names_in_the_header() {
    let folder = folder_with("in.csv", "id,,text\n1,bad,good\n");
    let compound = |arguments: &[&str]| {
        let (ran, lines) = scores(&folder, "in.csv", arguments);
        assert_eq!(ran.code, 0, "{}", ran.err);
        lines[0]
            .split("\"compound\":")
            .nth(1)
            .expect("a score")
            .to_owned()
    };
    assert_eq!(compound(&[]), "0.4404}");
    assert_eq!(compound(&["--field", "2"]), "-0.5423}");
}

#[test]
fn an_input_without_records() {
    for (name, content) in [
        ("in.csv", "id,text\n"),
        ("in.csv", ""),
        ("in.json", "[]"),
        ("in.jsonl", "\n\n"),
    ] {
        let folder = folder_with(name, content);
        let ran = score(&folder, name, &["--json"]);
        assert_eq!(
            (ran.code, ran.json()["records"].clone()),
            (0, 0.into()),
            "{name}"
        );
        assert_eq!(ran.err, "note: the input has no records\n");
    }
}

#[test]
fn fields_absent_in_some_records() {
    let lines = "{\"text\":\"good\"}\n{\"id\":2}\n{\"text\":null}\n{\"text\":\"bad\",\"x\":1}\n";
    let folder = folder_with("in.jsonl", lines);
    let (ran, _) = scores(&folder, "in.jsonl", &[]);
    let told = "failed: in.jsonl:2:1: expected a field \"text\"; the record's fields: \"id\"\n\
                failed: in.jsonl:3: expected a text in field \"text\", found no value\n";
    assert!(ran.code == 1 && ran.err.starts_with(told), "{}", ran.err);
    for (missing, scored, skipped) in [("skip", 2, 2), ("empty", 4, 0)] {
        let ran = score(&folder, "in.jsonl", &["--missing", missing, "--json"]);
        let json = ran.json();
        assert_eq!((ran.code, &json["failed"]), (0, &0.into()));
        assert_eq!(
            (&json["scored"], &json["skipped"]),
            (&scored.into(), &skipped.into())
        );
    }
}

#[test]
fn mixed_schemas() {
    let mut lines = "{\"text\":\"good\",\"a\":1}\n".repeat(1000);
    lines.push_str("{\"b\":{\"c\":[2]},\"text\":\"bad\"}\n");
    let folder = folder_with("in.jsonl", lines);
    // A table with other columns, in another order, is part of the same dataset.
    write(&folder, "in.csv", "d,text\n3,good\n");
    let common = [
        "score",
        "in.jsonl",
        "in.csv",
        "--with",
        "sentiment",
        "--keep",
        "*",
    ];
    let json = run(&folder, &[&common[..], &["--scores", "out.jsonl"]].concat());
    assert_eq!(json.code, 0, "{}", json.err);
    let out = read(&folder, "out.jsonl");
    let last: Vec<&str> = out.lines().skip(999).collect();
    assert!(last[0].ends_with(",\"text\":\"good\",\"a\":1}"), "{last:?}");
    assert!(
        last[1].ends_with(",\"b\":{\"c\":[2]},\"text\":\"bad\"}"),
        "{last:?}"
    );
    assert!(
        last[2].ends_with(",\"d\":\"3\",\"text\":\"good\"}"),
        "{last:?}"
    );
    let table = run(&folder, &[&common[..], &["--scores", "out.csv"]].concat());
    assert_eq!(table.code, 0);
    let told = "warning: 2 records have fields without a column in the table of scores, such as \"b\" in record 1001";
    assert!(table.err.contains(told), "{}", table.err);
}

/// The records of the files that the tests damage. No two lines are equal, so that they are not compressed to nothing.
fn lines() -> String {
    let line = |record: u32| {
        let filling = format!("{:08x}", record.wrapping_mul(0x9e37_79b9));
        format!("{{\"text\":\"good {filling}\"}}\n")
    };
    (0..40_000).map(line).collect()
}

#[test]
fn truncated_gzip() {
    let packed = gzip(lines().as_bytes());
    let folder = folder_with("in.jsonl.gz", &packed[..packed.len() * 3 / 4]);
    let (ran, kept) = scores(&folder, "in.jsonl.gz", &[]);
    assert_eq!(ran.code, 3);
    let place = format!(
        "error: in.jsonl.gz:{}: ends in the middle of its gzip data",
        kept.len()
    );
    assert!(ran.err.starts_with(&place), "{}", ran.err);
    let scored = kept
        .iter()
        .filter(|line| line.contains("\"compound\":0.4404"))
        .count();
    assert!(
        scored > 20_000 && scored + 1 == kept.len(),
        "{scored} of {}",
        kept.len()
    );
}

#[test]
fn corrupt_zstd() {
    let mut packed = zstd::encode_all(lines().as_bytes(), 1).expect("memory");
    let place = packed.len() * 3 / 4;
    packed[place..].fill(0xff);
    let folder = folder_with("in.jsonl.zst", packed);
    let (ran, kept) = scores(&folder, "in.jsonl.zst", &["-j", "1"]);
    assert_eq!(ran.code, 3);
    assert!(
        ran.err.contains("its zstd data is damaged ("),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("; check the file with zstd -t"),
        "{}",
        ran.err
    );
    assert!(kept.len() > 10_000, "{}", kept.len());
    for _ in 0..3 {
        assert_eq!(scores(&folder, "in.jsonl.zst", &["-j", "4"]).1, kept);
    }
}

#[test]
fn parquet_with_a_broken_footer() {
    let folder = folder_with(
        "in.parquet",
        b"PAR1\x15\x04\x15 these bytes are no footer \0\0\0\x7fPAR1",
    );
    refused(&score(&folder, "in.parquet", &[]), "Parquet");
    let matching = [
        "score",
        super::sample(),
        "--with",
        "match",
        "--against",
        "in.parquet",
    ];
    refused(&run(&folder, &matching), "Parquet");
}

#[test]
fn nul_bytes() {
    let folder = folder_with("in.csv", "id,text\n1,\0 good\n\0\0,\"\0 bad\n\"\n");
    write(&folder, "in.txt", "good \0\n\0\0\n");
    for (file, compound) in [("in.csv", [0.4404, -0.5423]), ("in.txt", [0.4404, 0.0])] {
        let (ran, lines) = scores(&folder, file, &[]);
        assert_eq!((ran.code, lines.len()), (0, 2), "{file}: {}", ran.err);
        for (line, compound) in lines.iter().zip(compound) {
            assert!(
                line.ends_with(&format!("\"compound\":{compound:?}}}")),
                "{file}: {line}"
            );
        }
    }
    write(
        &folder,
        "in.jsonl",
        "{\"text\":\"go\0od\"}\n{\"text\":\"go\\u0000od\"}\n\0\0\n",
    );
    let (ran, _) = scores(&folder, "in.jsonl", &[]);
    assert!(
        ran.err
            .starts_with("failed: in.jsonl:1:11: expected a JSON object, found a broken one: "),
        "{}",
        ran.err
    );
    assert!(
        ran.err
            .contains("failed: in.jsonl:3:1: expected a JSON object, found text"),
        "{}",
        ran.err
    );
    assert!(
        ran.code == 1 && ran.err.ends_with("2 of 3 records could not be scored\n"),
        "{}",
        ran.err
    );
}

#[test]
fn invalid_utf_8() {
    for (name, bytes, place) in [
        (
            "in.csv",
            &b"id,text\n1,\xc3\xa9 good\n2,g\xffood\n3,bad\n"[..],
            "3:4",
        ),
        (
            "in.jsonl",
            b"{\"text\":\"\xc3\xa9 good\"}\n{\"text\":\"g\xff\"}\n{\"text\":\"bad\"}\n",
            "2:11",
        ),
        ("in.txt", b"\xc3\xa9 good\r\xff\rbad\r", "2:1"),
    ] {
        let folder = folder_with(name, bytes);
        let ran = score(&folder, name, &["--json"]);
        let told =
            format!("failed: {name}:{place}: expected UTF-8 text, found a byte that is not\n");
        assert!(ran.code == 1 && ran.err.starts_with(&told), "{}", ran.err);
        assert_eq!(ran.json()["scored"], 2);
        let replaced = score(&folder, name, &["--json", "--lossy"]);
        assert_eq!(
            (replaced.code, replaced.json()["scored"].clone()),
            (0, 3.into())
        );
    }
}

#[test]
fn lines_are_counted_alike() {
    let good = "{\"text\":\"good\"}";
    let texts = [
        ("in.jsonl", format!("{good}\n\n{good}\n\n{{}}\n{good}\n"), 5),
        (
            "in.json",
            format!("[\n{good},\n\n{good},\n {{}},\n{good}]\n"),
            5,
        ),
        (
            "in.csv",
            "id,text\n\n1,good\n2,\"a\n\nb\"\n3\n4,good\n".to_owned(),
            7,
        ),
        ("in.txt", "good\n\n\u{fffd}\ngood\n".to_owned(), 3),
    ];
    for (name, text, line) in texts {
        for line_end in ["\n", "\r\n", "\r"] {
            // In plain text, only a byte that is not UTF-8 makes a record fail.
            let bytes = text.replace('\n', line_end).into_bytes();
            let marked = [&bytes[..], "é".as_bytes()].concat();
            let bytes = match name {
                "in.txt" => {
                    let place = marked
                        .windows(3)
                        .position(|bytes| bytes == "\u{fffd}".as_bytes());
                    let place = place.expect("it is there");
                    [&marked[..place], b"\xff", &marked[place + 3..]].concat()
                }
                _ => bytes,
            };
            let folder = folder_with(name, &bytes);
            for input in [name, "-"] {
                let mut program = program(folder.path());
                program.args(["score", input, "--with", "sentiment", "-q"]);
                if name == "in.txt" || name == "in.csv" {
                    program.args(["--format", &name[3..].replace("txt", "text")]);
                }
                let ran = ran(program.write_stdin(bytes.clone()).output());
                let shown = if input == "-" { "<stdin>" } else { name };
                assert!(
                    ran.code == 1 && ran.err.starts_with(&format!("failed: {shown}:{line}:")),
                    "{name} {line_end:?}: {}",
                    ran.err
                );
            }
        }
    }
}

/// This test uses the library, because it changes the file after it is opened and before it is read.
#[test]
fn a_file_that_grows() {
    use manyhands::plan::{Plan, RunOptions};

    let folder = folder_with("in.jsonl", "{\"text\":\"good\"}\n".repeat(1000));
    write(
        &folder,
        "in.csv",
        format!("text\n{}", "good\n".repeat(1000)),
    );
    for name in ["in.jsonl", "in.csv"] {
        let path = folder.path().join(name);
        let opened = Plan::new([&path]).open().expect("it is there");
        let mut file = std::fs::File::options()
            .append(true)
            .open(&path)
            .expect("a file");
        let more = if name == "in.csv" {
            "bad\n"
        } else {
            "{\"text\":\"bad\"}\n"
        };
        file.write_all(more.repeat(1000).as_bytes()).expect("room");
        let answer = opened.run(RunOptions::default()).expect("it can be read");
        let compound = &answer.report.value.scores["compound"];
        assert_eq!(
            (answer.report.records, answer.report.scored),
            (1000, 1000),
            "{name}"
        );
        assert_eq!(compound.quantiles.min, Some(0.4404), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_device() {
    let folder = folder_with("unused", "");
    let ran = score(&folder, "/dev/null", &[]);
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (0, "note: the input has no records\n")
    );
    if cfg!(target_os = "linux") {
        // The record of an endless device is too long. The run reads on until its deadline.
        let ran = score(&folder, "/dev/zero", &["--deadline", "500ms", "--json"]);
        assert_eq!(
            (ran.code, ran.json()["records"].clone()),
            (124, 0.into()),
            "{}",
            ran.err
        );
    }
}

/// The superuser may read every file, so the test then gives up its rights before it starts the program.
#[cfg(target_os = "linux")]
#[test]
fn permission_denied() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = folder_with("in.jsonl", "{\"text\":\"good\"}\n");
    let mode = |path: &Path, mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, mode).expect("it is ours");
    };
    let file = folder.path().join("in.jsonl");
    mode(&file, 0o000);
    let ran = match std::fs::read(&file) {
        Err(_) => score(&folder, "in.jsonl", &[]),
        Ok(_) => {
            // Another user may start this copy.
            mode(folder.path(), 0o755);
            std::fs::copy(binary(), folder.path().join("manyhands")).expect("room");
            mode(&folder.path().join("manyhands"), 0o755);
            let other = "setpriv --reuid 65534 --regid 65534 --clear-groups ./manyhands";
            let ran = shell(&folder, &format!("{other} score in.jsonl --with sentiment"));
            if ran.code == 126 || ran.code == 127 {
                eprintln!("skipped: another user cannot be taken on here: {}", ran.err);
                return;
            }
            ran
        }
    };
    refused(&ran, "in.jsonl: permission denied; it must be readable\n");
    assert!(!names(&folder).iter().any(|name| name.contains("out")));
}
