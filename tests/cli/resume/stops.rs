//! Runs over a program that are stopped, and go on: no answered call is made again.

use tempfile::TempDir;

use super::kills::asked;
use crate::{Ran, finish, folder_with, run, send, start, wait_while_running, write};

/// The command, for a program that is this script.
fn command<'a>(options: &[&'a str], script: &'a str) -> Vec<&'a str> {
    let start = [
        "score",
        "in.jsonl",
        "--with",
        "exec",
        "-j",
        "2",
        "--json",
        "-o",
        "out.jsonl",
    ];
    [&start[..], options, &["--", "sh", "-c", script]].concat()
}

const SCRIPT: &str =
    "while read -r line; do sleep 0.02; echo \"$line\" >> asked; echo ${#line}; done";

fn some_numbers() -> TempDir {
    let records: String = (0..300).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    folder_with("in.jsonl", records)
}

/// Goes on with a run that was stopped, and checks that every answer which the program had given was taken over.
/// `failed` is the number of answers that were failures.
fn assert_goes_on(folder: &TempDir, stopped: &Ran, code: i32, failed: usize, script: &str) {
    assert_eq!(stopped.code, code, "{}", stopped.err);
    let answered = asked(folder).len() - failed;
    let whole = run(folder, &command(&["--resume"], script));
    assert_eq!(whole.code, 0, "{}", whole.err);
    assert_eq!(whole.json()["resumed"], answered);
    assert_eq!(whole.json()["scored"], 300);
    let asked = asked(folder);
    assert_eq!(asked.len(), 300);
    assert_eq!(asked.values().sum::<usize>(), 300 + failed);
}

#[test]
fn no_answered_call_is_made_again_after_a_signal() {
    for signal in [("INT", 130), ("TERM", 143)] {
        let folder = some_numbers();
        let mut child = start(&folder, &command(&[], SCRIPT));
        wait_while_running(&mut child, "some calls", || asked(&folder).len() >= 20);
        send(child.id(), signal.0);
        assert_goes_on(&folder, &finish(child), signal.1, 0, SCRIPT);
    }
}

#[test]
fn no_answered_call_is_made_again_after_a_deadline() {
    let folder = some_numbers();
    let stopped = run(&folder, &command(&["--deadline", "800ms"], SCRIPT));
    assert_goes_on(&folder, &stopped, 124, 0, SCRIPT);
}

#[test]
fn no_answered_call_is_made_again_after_a_failure() {
    let folder = some_numbers();
    let script = "while read -r line; do sleep 0.02; echo \"$line\" >> asked; case $line in *:30}) test -e works || { \
                  echo '{\"error\":\"no credit\"}'; continue; };; esac; echo ${#line}; done";
    let stopped = run(&folder, &command(&["--on-failure", "stop"], script));
    write(&folder, "works", "");
    assert_goes_on(&folder, &stopped, 4, 1, script);
    assert_eq!(asked(&folder)["{\"n\":30}"], 2);
}
