//! These tests check the formats and the compressions of scores files.

use std::fs;
use std::io::Read as _;

use super::{Ran, THREE, folder_with, names, read, score};
use tempfile::TempDir;

/// Records whose kept fields need quotes in some format, and one record that fails.
const AWKWARD: &str = r#"{"id":"a, b","text":"good"}
{"id":"tab\there","text":"bad"}
{"id":"c","text":null}
{"text":"table","id":"say \"hi\", then\ngo"}
"#;

fn bytes(folder: &TempDir, name: &str) -> Vec<u8> {
    fs::read(folder.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Returns the unpacked contents of a file whose compressed data must be complete.
fn unpacked(folder: &TempDir, name: &str) -> String {
    let packed = bytes(folder, name);
    let mut text = String::new();
    let read = match name.contains(".gz") {
        true => flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text),
        false => {
            zstd::Decoder::new(&packed[..]).and_then(|mut frame| frame.read_to_string(&mut text))
        }
    };
    read.unwrap_or_else(|error| panic!("{name}: {error}"));
    text
}

#[test]
fn a_table_of_tabs_has_quotes_where_they_are_needed() {
    let folder = folder_with("in.jsonl", AWKWARD);
    let arguments = ["--keep", "id", "--scores", "out.tsv"];
    assert_eq!(score(&folder, "in.jsonl", &arguments).code, 1);
    let expected = "record\tneg\tneu\tpos\tcompound\tid\terror\tskipped
1\t0.0\t0.0\t1.0\t0.4404\ta, b\t\t
2\t1.0\t0.0\t0.0\t-0.5423\t\"tab\there\"\t\t
3\t\t\t\t\t\t\"in.jsonl:3: expected a text in field \"\"text\"\", found no value\"\t
4\t0.0\t1.0\t0.0\t0.0\t\"say \"\"hi\"\", then\ngo\"\t\t
";
    assert_eq!(read(&folder, "out.tsv"), expected);
}

#[test]
fn a_compressed_file_has_the_same_lines_on_every_executor() {
    for format in ["jsonl", "csv", "tsv"] {
        let folder = folder_with("in.jsonl", AWKWARD.repeat(500));
        let write = |name: &str, executor: &str| {
            let arguments = ["--keep", "id,text", "--scores", name, "--force", "-j", "3"];
            let ran = score(
                &folder,
                "in.jsonl",
                &[&arguments[..], &["--executor", executor]].concat(),
            );
            assert_eq!(ran.code, 1, "{}", ran.err);
        };
        let plain = format!("out.{format}");
        write(&plain, "sequential");
        for ending in ["gz", "zst"] {
            let packed = format!("out.{format}.{ending}");
            write(&packed, "sequential");
            assert_eq!(unpacked(&folder, &packed), read(&folder, &plain));
            let first = bytes(&folder, &packed);
            assert!(first.len() < bytes(&folder, &plain).len() / 4);
            write(&packed, "work-stealing");
            assert!(first == bytes(&folder, &packed), "{packed}");
        }
    }
}

#[test]
fn a_compressed_file_can_be_scored_again() {
    let folder = folder_with("three.jsonl", THREE);
    let scores = |ran: Ran| ran.json()["scores"]["compound"].clone();
    let first = scores(score(&folder, "three.jsonl", &["--json"]));
    for name in ["a.jsonl.gz", "a.csv.gz", "a.tsv.zst", "A.CSV.ZST"] {
        let written = score(
            &folder,
            "three.jsonl",
            &["--keep", "text", "--scores", name],
        );
        assert_eq!(written.code, 0, "{}", written.err);
        assert_eq!(scores(score(&folder, name, &["--json"])), first, "{name}");
    }
}

#[test]
fn a_halted_run_keeps_a_compressed_file_that_is_complete() {
    let folder = folder_with("in.jsonl", AWKWARD);
    let halted = |name: &str| {
        let arguments = [
            "--scores",
            name,
            "--on-failure",
            "stop",
            "--executor",
            "sequential",
        ];
        let ran = score(&folder, "in.jsonl", &arguments);
        let kept = format!("  the scores of the first 3 records are in {name}.partial");
        assert_eq!((ran.code, ran.err.lines().last()), (4, Some(&*kept)));
    };
    for format in ["jsonl", "csv"] {
        let plain = format!("out.{format}");
        halted(&plain);
        for ending in ["gz", "zst"] {
            let packed = format!("{plain}.{ending}");
            halted(&packed);
            let lines = unpacked(&folder, &format!("{packed}.partial"));
            assert_eq!(lines, read(&folder, &format!("{plain}.partial")));
        }
    }
    assert!(
        names(&folder)
            .iter()
            .all(|name| name == "in.jsonl" || name.ends_with(".partial"))
    );
}

#[test]
fn an_empty_input_makes_an_empty_compressed_file() {
    let folder = folder_with("empty.jsonl", "");
    for name in ["out.jsonl.gz", "out.csv.zst"] {
        assert_eq!(score(&folder, "empty.jsonl", &["--scores", name]).code, 0);
    }
    assert_eq!(unpacked(&folder, "out.jsonl.gz"), "");
    let header = "record,neg,neu,pos,compound,error,skipped\n";
    assert_eq!(unpacked(&folder, "out.csv.zst"), header);
}

/// A name that this build cannot write is refused before anything is read.
#[cfg(not(feature = "parquet"))]
#[test]
fn a_columnar_file_needs_a_build_with_the_feature() {
    let folder = folder_with("in.jsonl", "{\"text\":\"good\"}\n");
    for name in ["out.parquet", "out.arrow", "out.feather", "out.parquet.zst"] {
        let ran = score(&folder, "in.jsonl", &["-o", name]);
        let told = format!("error: {name}: this build cannot write ");
        assert!(ran.err.starts_with(&told), "{}", ran.err);
        assert!(ran.err.contains("--features parquet"), "{}", ran.err);
        assert_eq!((ran.code, names(&folder)), (2, vec!["in.jsonl".to_owned()]));
    }
}
