//! Text that is not UTF-8 is decoded if its encoding is named, and files of other kinds are refused once.

use std::io::{BufRead as _, BufReader, Write as _};

use super::{
    EXECUTORS, THREE, finish, folder_with, gzip, names, program, ran, score, score_stdin, start,
    write,
};

const ACCENTED: &str = "text\ngood café\nbad – “très”\n";

/// Windows-1252 of [`ACCENTED`].
const LEGACY: &[u8] = b"text\ngood caf\xe9\nbad \x96 \x93tr\xe8s\x94\n";

fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_text_in_another_encoding_has_the_answer_of_utf_8() {
    let folder = folder_with("r.csv", ACCENTED);
    write(&folder, "legacy.csv", LEGACY);
    write(&folder, "wide.csv", utf_16(ACCENTED));
    write(
        &folder,
        "marked.csv",
        utf_16(&format!("\u{feff}{ACCENTED}")),
    );
    let expected = score(&folder, "r.csv", &["--scores", "-", "--keep", "text"]);
    assert_eq!(expected.code, 0, "{}", expected.err);
    for (file, label) in [
        ("legacy.csv", "latin1"),
        ("wide.csv", "UTF-16LE"),
        ("marked.csv", "utf-16"),
        // A byte-order mark overrides the label.
        ("marked.csv", "latin1"),
        ("r.csv", "utf-8"),
    ] {
        for executor in EXECUTORS {
            let arguments = ["--encoding", label, "--executor", executor];
            let scores = ["--scores", "-", "--keep", "text"];
            let ran = score(&folder, file, &[&arguments[..], &scores].concat());
            assert_eq!(
                (ran.code, &ran.out),
                (0, &expected.out),
                "{file}: {}",
                ran.err
            );
        }
    }
    let ran = score(&folder, "r.csv", &["--encoding", "ebcdic"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("no encoding is called \"ebcdic\""),
        "{}",
        ran.err
    );
}

#[test]
fn bytes_that_are_not_text_fail_their_record_or_are_replaced() {
    let bytes = b"{\"text\":\"good \xc3\xa9\"}\n{\"text\":\"bad \xff\"}\n{\"text\":\"good\"}\n";
    let folder = folder_with("in.jsonl", bytes);
    let ran = score(&folder, "in.jsonl", &["--json"]);
    assert_eq!((ran.code, &ran.json()["failed"]), (1, &1.into()));
    let ran = score(
        &folder,
        "in.jsonl",
        &["--lossy", "--scores", "-", "--keep", "text"],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("bad \u{fffd}"), "{}", ran.out);
    // The byte 0xFD is invalid in Shift_JIS.
    write(&folder, "jis.txt", b"good \x83\x65\nbad \xfd\n");
    let ran = score(&folder, "jis.txt", &["--encoding", "shift_jis", "--json"]);
    assert_eq!((ran.code, &ran.json()["failed"]), (1, &1.into()));
    assert!(ran.err.contains("jis.txt:2:5: "), "{}", ran.err);
    let ran = score(&folder, "jis.txt", &["--encoding", "shift_jis", "--lossy"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

#[test]
fn a_text_in_a_legacy_encoding_is_refused_before_anything_is_scored() {
    let folder = folder_with("good.jsonl", THREE);
    let told = "is not UTF-8 text: none of the characters beyond ASCII in its first 64 KiB is valid \
                UTF-8; name the encoding (e.g. --encoding windows-1252), replace such bytes \
                (--lossy), or convert the text to UTF-8\n";
    // The first bytes that are not ASCII come late.
    let late = ["text\n", &"good\n".repeat(10_000)].concat();
    let late = [late.as_bytes(), b"caf\xe9\n"].concat();
    for bytes in [LEGACY, &late] {
        write(&folder, "in.csv", bytes);
        write(&folder, "zero.csv.gz", "");
        for files in [&["in.csv"][..], &["in.csv", "good.jsonl"]] {
            let mut program = program(folder.path());
            program
                .arg("score")
                .args(files)
                .args(["--with", "sentiment", "--scores", "out.jsonl"]);
            let ran = ran(program.output());
            assert_eq!((ran.code, ran.err), (3, format!("error: in.csv: {told}")));
        }
        let ran = score_stdin(&folder, &["--on-failure", "skip"], bytes);
        assert_eq!(ran.code, 3);
        assert_eq!(
            ran.err.lines().next(),
            Some(format!("error: <stdin>: {told}").trim_end())
        );
    }
    assert!(!names(&folder).contains(&"out.jsonl.partial".to_owned()));
    // After the first 64 KiB, a record that is not UTF-8 fails alone, and the file is not refused.
    let far = [late.as_slice(), &b"good\n".repeat(5_000), b"caf\xe9\n"].concat();
    let far = far.strip_prefix(b"text\n").expect("a header");
    let far = [b"text\n\xc3\xa9\n", far].concat();
    write(&folder, "in.csv", far);
    assert_eq!(score(&folder, "in.csv", &["--json"]).json()["failed"], 2);
}

#[test]
fn a_file_of_another_kind_is_refused_before_anything_is_scored() {
    let folder = folder_with("good.jsonl", THREE);
    let wide = utf_16(THREE);
    for (bytes, words) in [
        (
            &b"PK\x03\x04\x14\0[Content_Types].xml xl/workbook.xml"[..],
            "xlsx",
        ),
        (b"PK\x03\x04\x14\0\0\0in.jsonl", "zip archive"),
        (b"SQLite format 3\0", "SQLite"),
        (b"%PDF-1.7\n", "PDF"),
        (b"<!DOCTYPE html>\n<html>", "HTML"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "git lfs pull",
        ),
        (b"PAR1\x15\0", "Parquet"),
        (b"ARROW1\0\0", "Arrow"),
        (&wide, "--encoding utf-16le"),
    ] {
        if cfg!(feature = "parquet") && ["Parquet", "Arrow"].contains(&words) {
            // This build reads these files.
            continue;
        }
        write(&folder, "other.jsonl", bytes);
        let packed = gzip(bytes);
        write(&folder, "other.gz", &packed);
        for file in ["other.jsonl", "other.gz"] {
            let mut program = program(folder.path());
            program.args(["score", "good.jsonl", file, "--with", "sentiment"]);
            let ran = ran(program.args(["--scores", "out.jsonl"]).output());
            assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{words}");
            assert!(
                ran.err.starts_with(&format!("error: {file}: is ")),
                "{}",
                ran.err
            );
            assert!(ran.err.contains(words), "{}", ran.err);
            assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        }
        for bytes in [bytes, &packed] {
            let ran = score_stdin(&folder, &["--scores", "out.jsonl"], bytes);
            assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{words}");
            assert!(ran.err.contains(words), "{}", ran.err);
        }
    }
    assert_eq!(names(&folder), ["good.jsonl", "other.gz", "other.jsonl"]);
}

/// Bytes that look like the beginning of another kind do not delay a record.
#[test]
fn a_line_is_scored_as_soon_as_it_can_be_no_other_kind() {
    let folder = folder_with("unused", "");
    let arguments = ["score", "-", "--with", "sentiment", "--scores", "-"];
    let mut child = start(&folder, &arguments);
    let mut input = child.stdin.take().expect("a pipe");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    for line in ["version\n", "<html\n", "{\"text\":\"good\"}\n", "\u{e9}\n"] {
        input.write_all(line.as_bytes()).expect("it reads");
        let mut score = String::new();
        out.read_line(&mut score).expect("it writes");
        assert!(score.starts_with("{\"record\":"), "{score}");
    }
    drop(input);
    // The first line shows that this is plain text.
    assert_eq!(finish(child).code, 0);
}
