//! These tests cover `--html`: the pages that the program writes, and the files to which it writes them.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

use super::markup::check;
use super::{MAX_BYTES, save_page};

/// Runs the program in a folder, and returns its exit code and its standard error.
pub fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command: Command = assert_cmd::cargo::cargo_bin_cmd!("manyhands");
    let output = command
        .current_dir(folder)
        .args(arguments)
        .output()
        .expect("it starts");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(!stderr.contains("panicked"), "{stderr}");
    (output.status.code().expect("an exit"), stderr)
}

pub fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

pub const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/reviews.jsonl");

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).expect("a page")
}

#[test]
fn bench_writes_a_page() {
    let folder = folder();
    let arguments = [
        "bench",
        SAMPLE,
        "--rounds",
        "2",
        "-j",
        "1,2",
        "--html",
        "bench.html",
    ];
    let (code, stderr) = run(folder.path(), &arguments);
    assert_eq!(code, 0, "{stderr}");
    let page = read(&folder, "bench.html");
    let content = check(&page);
    save_page("bench.html", &page);
    assert!(page.len() < MAX_BYTES);
    assert!(content.text.contains("work-stealing") && content.text.contains("task-queue"));
    for id in ["times", "speed-up", "efficiency", "drift"] {
        assert!(content.ids.contains(id), "there is no plot {id}");
    }
}

#[test]
fn score_writes_a_page() {
    let folder = folder();
    let arguments = [
        "score",
        SAMPLE,
        "--with",
        "sentiment",
        "--by",
        "category",
        "-j",
        "2",
        "--json",
        "--html",
        "score.html",
    ];
    let mut command: Command = assert_cmd::cargo::cargo_bin_cmd!("manyhands");
    let output = command
        .current_dir(folder.path())
        .args(arguments)
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(0));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let page = read(&folder, "score.html");
    let content = check(&page);
    save_page("score.html", &page);
    assert!(page.len() < MAX_BYTES);
    assert!(
        content
            .text
            .contains(json["digest"].as_str().expect("a digest"))
    );
    let mean = json["scores"]["compound"]["mean"].as_f64().expect("a mean");
    assert!(
        content
            .text
            .contains(&format!("{mean:.4}").replace('-', "−"))
    );
    for id in [
        "histogram-compound",
        "histogram-neg",
        "groups",
        "shares",
        "workers",
    ] {
        assert!(content.ids.contains(id), "there is no plot {id}");
    }
}

#[test]
fn a_page_shows_matches_and_failures() {
    let folder = folder();
    let lines = "{\"text\":\"Lissabon\"}\n{\"text\":\"Lima\"}\nnot JSON\n{\"title\":1}\n";
    fs::write(folder.path().join("typed.jsonl"), lines).expect("a file");
    fs::write(folder.path().join("cities.txt"), "Lisbon\nLima\nLondon\n").expect("a file");
    let arguments = [
        "score",
        "typed.jsonl",
        "--with",
        "match",
        "--against",
        "cities.txt",
        "--cutoff",
        "60",
        "--html",
        "m.html",
    ];
    let (code, stderr) = run(folder.path(), &arguments);
    assert_eq!(code, 1, "{stderr}");
    let page = read(&folder, "m.html");
    let text = check(&page).text;
    save_page("match.html", &page);
    assert!(
        text.contains("2 records have a match, 50 % of all"),
        "{text}"
    );
    assert!(text.contains("2 of 4 records could not be scored"));
    assert!(text.contains("typed.jsonl:3:"));
}

#[test]
fn an_empty_input_makes_a_page() {
    let folder = folder();
    fs::write(folder.path().join("none.jsonl"), "").expect("a file");
    let arguments = [
        "score",
        "none.jsonl",
        "--with",
        "sentiment",
        "--html",
        "none.html",
    ];
    let (code, stderr) = run(folder.path(), &arguments);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        check(&read(&folder, "none.html"))
            .text
            .contains("there were no records")
    );
}

#[test]
fn an_existing_file_is_overwritten_only_with_force() {
    let folder = folder();
    let page = folder.path().join("page.html");
    fs::write(&page, "mine").expect("a file");
    let arguments = [
        "score",
        SAMPLE,
        "--with",
        "sentiment",
        "--html",
        "page.html",
    ];
    let (code, stderr) = run(folder.path(), &arguments);
    assert_eq!(code, 5, "{stderr}");
    assert!(stderr.contains("page.html: already exists"), "{stderr}");
    assert_eq!(read(&folder, "page.html"), "mine");
    let bench = ["bench", SAMPLE, "--rounds", "1", "--html", "page.html"];
    assert_eq!(run(folder.path(), &bench).0, 5);
    let forced = [&arguments[..], &["--force"]].concat();
    assert_eq!(run(folder.path(), &forced).0, 0);
    check(&read(&folder, "page.html"));
    let left: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn an_input_is_never_overwritten_by_a_page() {
    let folder = folder();
    fs::write(folder.path().join("data.jsonl"), "{\"text\":\"good\"}\n").expect("a file");
    let score = ["score", "data.jsonl", "--with", "sentiment", "--html"];
    let (code, stderr) = run(
        folder.path(),
        &[&score[..], &["data.jsonl", "--force"]].concat(),
    );
    assert_eq!(code, 5);
    assert!(
        stderr.contains("is an input; write the page to another file"),
        "{stderr}"
    );
    let (code, stderr) = run(
        folder.path(),
        &[&score[..], &["a.html", "--scores", "a.html"]].concat(),
    );
    assert!(code == 2 || code == 5, "{code} {stderr}");
    let (code, stderr) = run(folder.path(), &[&score[..], &["-"]].concat());
    assert_eq!(code, 2);
    assert!(
        stderr.contains("the page cannot be written to standard output"),
        "{stderr}"
    );
    let (code, _) = run(
        folder.path(),
        &["score", "data.jsonl", "--with", "sentiment", "--force"],
    );
    assert_eq!(code, 2);
    let (code, stderr) = run(folder.path(), &[&score[..], &["missing/a.html"]].concat());
    assert_eq!(code, 5, "{stderr}");
}
