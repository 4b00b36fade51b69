//! The command line, run as a program: what it prints, what it writes, what it comes back with.
#![cfg(feature = "cli")]

mod bad_input;
mod baselines;
mod bench;
#[cfg(unix)]
mod exit_codes;
mod explanation;
mod failures;
mod generate;
mod hostile;
mod matching;
#[cfg(unix)]
mod outputs;
#[cfg(target_os = "linux")]
mod process_pool;
mod report;
mod scores_file;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod streams;
mod usage;

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

/// What a run came back with.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).expect("one JSON object on standard output")
    }

    /// The digest of a text report.
    fn digest(&self) -> &str {
        let line = self.out.lines().find(|line| line.starts_with("digest "));
        line.expect("a digest").split(' ').nth(1).expect("a value")
    }
}

/// The program in a folder, free of the settings of whoever runs the tests.
fn program(folder: &Path) -> Command {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("manyhands");
    command.current_dir(folder);
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(name);
    }
    command
}

fn run(folder: &TempDir, arguments: &[&str]) -> Ran {
    ran(program(folder.path()).args(arguments).output())
}

fn ran(output: std::io::Result<Output>) -> Ran {
    let output = output.expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes UTF-8");
    let ran = Ran {
        code: output.status.code().expect("an exit, not a signal"),
        out: text(output.stdout),
        err: text(output.stderr),
    };
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    ran
}

/// `score FILE --with sentiment` with further arguments.
fn score(folder: &TempDir, file: &str, arguments: &[&str]) -> Ran {
    let all = [&["score", file, "--with", "sentiment"], arguments].concat();
    run(folder, &all)
}

/// The program, started and talked to through pipes.
#[cfg(unix)]
fn start(folder: &TempDir, arguments: &[&str]) -> std::process::Child {
    use std::process::Stdio;

    std::process::Command::new(assert_cmd::cargo::cargo_bin!("manyhands"))
        .args(arguments)
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts")
}

/// Sends a signal to the program.
#[cfg(unix)]
fn send(child: &std::process::Child, signal: &str) {
    let id = child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-s", signal, &id])
        .status();
    assert!(sent.expect("there is kill").success());
}

/// A folder that holds one file.
fn folder_with(name: &str, contents: impl AsRef<[u8]>) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(&folder, name, contents);
    folder
}

fn write(folder: &TempDir, name: &str, contents: impl AsRef<[u8]>) {
    std::fs::write(folder.path().join(name), contents).expect("a file");
}

fn read(folder: &TempDir, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).expect("a file")
}

/// The names of what is in a folder, sorted; hidden ones too.
fn names(folder: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path()).expect("a folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        let name = entry.expect("an entry").file_name();
        name.into_string().expect("a name in UTF-8")
    };
    let mut names: Vec<_> = entries.map(name).collect();
    names.sort();
    names
}

/// Three reviews whose compound scores are 0.4404, -0.5423 and 0.
const THREE: &str = r#"{"id":"a","rating":5,"kind":"x","text":"good"}
{"id":"b","rating":1,"kind":"y","text":"bad"}
{"id":"c","rating":3,"kind":"x","text":"table"}
"#;

/// The made-up reviews of the repository.
fn sample() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/data/reviews.jsonl")
}

/// How many columns of a terminal a line takes; wide are the scripts and pictures the tests use.
fn columns(line: &str) -> usize {
    const JOINER: char = '\u{200d}';
    let width = |(before, c): (char, char)| match u32::from(c) {
        _ if before == JOINER || c == JOINER => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xff00..=0xff60 => 2,
        0x1f300..=0x1faff => 2,
        _ => 1,
    };
    let before = std::iter::once(' ').chain(line.chars());
    before.zip(line.chars()).map(width).sum()
}
