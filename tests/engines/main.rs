//! These tests run the examples under `examples/engines`: the commands that they give to an engine with a stand-in for the
//! engine, and, if `MANYHANDS_ENGINES` is set, the examples of Ray and Spark on these engines.
#![cfg(all(unix, feature = "cli"))]

mod commands;
mod page;
mod real;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_manyhands"))
}

/// Returns a file of `examples/engines` as text.
fn example(name: &str) -> String {
    let path = root().join("examples/engines").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns a folder that contains `shared/reviews.jsonl` and an empty folder `shared/run1`, as the examples expect.
fn shared() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let shared = folder.path().join("shared");
    fs::create_dir_all(shared.join("run1")).expect("a folder");
    fs::copy(
        root().join("data/reviews.jsonl"),
        shared.join("reviews.jsonl"),
    )
    .expect("the sample");
    folder
}

/// Runs a program in a folder, with the folder `bin` in it and `manyhands` first on its path. Returns its standard
/// output, and panics if it ends with another exit code than 0.
fn succeed(folder: &Path, program: &[&str], variables: &[(&str, String)]) -> String {
    let mut paths = vec![
        folder.join("bin"),
        binary().parent().expect("a folder").to_owned(),
    ];
    paths.extend(std::env::split_paths(
        &std::env::var_os("PATH").expect("a path"),
    ));
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).current_dir(folder);
    command.env("PATH", std::env::join_paths(paths).expect("paths"));
    for (name, value) in variables {
        command.env(name, value);
    }
    let output = command.output().expect("the program starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program:?}: {error}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Returns the digests that reports state.
fn digests(reports: &str) -> Vec<&str> {
    let lines = reports.lines();
    let values = lines.filter_map(|line| line.strip_prefix("digest "));
    values
        .map(|value| value.split(' ').next().expect("a value"))
        .collect()
}

/// Asserts that the report and the scores that an example has left in `shared/run1` are those of a single run.
fn assert_same_as_single_run(folder: &TempDir, report: &str) {
    let shared = folder.path().join("shared");
    let (input, whole) = (shared.join("reviews.jsonl"), shared.join("whole.jsonl"));
    let paths = [&input, &whole].map(|path: &PathBuf| path.to_str().expect("UTF-8"));
    let single = [
        "manyhands",
        "score",
        paths[0],
        "--with",
        "sentiment",
        "-o",
        paths[1],
    ];
    let single = succeed(folder.path(), &single, &[]);
    assert_eq!(digests(report), digests(&single));
    assert_eq!(digests(report).len(), 1, "{report}");
    let scores = |path: PathBuf| fs::read(path).expect("scores");
    assert!(scores(whole) == scores(shared.join("run1/scores.jsonl")));
}
