//! These tests check the messages about wrong usage of `--with exec`. No program is started.

use crate::{THREE, folder_with, run};

/// Checks that the command ends with exit code 2 and this message. `program` comes after `--`.
fn misused(arguments: &[&str], program: &[&str], message: &str) {
    let folder = folder_with("three.jsonl", THREE);
    let end: &[&str] = if program.is_empty() { &[] } else { &["--"] };
    let all = [arguments, end, program].concat();
    let ran = run(&folder, &all);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (2, ""),
        "{all:?}\n{}",
        ran.err
    );
    let told = ran.err.starts_with(&format!("error: {message}"));
    assert!(
        told,
        "{all:?}: the error does not begin with {message}:\n{}",
        ran.err
    );
}

const EXEC: [&str; 4] = ["score", "three.jsonl", "--with", "exec"];

#[test]
fn a_program_is_needed() {
    let expected = "expected the program that scores the records after --, such as: --with exec -- python3 score.py\n";
    misused(&EXEC, &[], expected);
    misused(&EXEC, &[""], "the scorer exec needs a program to start\n");
    // Without `--`, the words are files to score.
    let folder = folder_with("three.jsonl", THREE);
    let ran = run(&folder, &[&EXEC[..], &["cat"]].concat());
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (2, &*format!("error: {expected}"))
    );
}

#[test]
fn options_of_exec_are_refused_with_other_scorers() {
    for (options, named) in [
        (&["--send", "text"][..], "--send"),
        (&["--start-timeout", "3s"], "--start-timeout"),
        (&["--restart-after", "10"], "--restart-after"),
        (&["--max-memory", "2G"], "--max-memory"),
        (&["--clean-env"], "--clean-env"),
    ] {
        for scorer in ["sentiment", "number"] {
            let arguments = [&["score", "three.jsonl", "--with", scorer], options].concat();
            let message = format!("{named} is for --with exec, not for --with {scorer}\n");
            misused(&arguments, &[], &message);
        }
    }
    let program = "a program after -- is for --with exec, not for --with sentiment\n";
    misused(
        &["score", "three.jsonl", "--with", "sentiment"],
        &["cat"],
        program,
    );
    misused(&["bench"], &["cat"], program);
    let rank = ["score", "three.jsonl", "--with", "number", "--rank", "x"];
    let message =
        "--rank is not for --with number, which ranks the records by a column of its own\n";
    misused(&rank, &[], message);
    let retries = ["score", "three.jsonl", "--with", "number", "--retries", "3"];
    let message =
        "--retries is not for --with number, which gives a record the same answer each time\n";
    misused(&retries, &[], message);
}

#[test]
fn options_of_other_scorers_are_refused_with_exec() {
    let best = [&EXEC[..], &["--best", "2"]].concat();
    misused(
        &best,
        &["cat"],
        "--best is for --with match, not for --with exec\n",
    );
    for executor in ["sequential", "work-stealing", "task-queue", "process-pool"] {
        let arguments = [&EXEC[..], &["--executor", executor]].concat();
        let message = format!(
            "--executor {executor} is not for --with exec, which has worker processes of its own; choose their number \
             with -j\n"
        );
        misused(&arguments, &["cat"], &message);
    }
    let message = "cannot measure: a comparison runs the scorer on different executors, but the scorer exec has worker \
                   processes of its own; measure whole runs instead\n";
    misused(&["bench", "--with", "exec"], &["cat"], message);
    misused(
        &["bench", "three.jsonl", "--with", "exec"],
        &["cat"],
        message,
    );
}

#[test]
fn wrong_values_are_refused_with_the_allowed_ones() {
    for (option, value, message) in [
        (
            "--send",
            "csv",
            "invalid value 'csv' for '--send <json|text|array:N>': expected json, text, or array:N with a number of \
             records from 1 to 65535, such as array:64\n",
        ),
        (
            "--send",
            "array:0",
            "invalid value 'array:0' for '--send <json|text|array:N>': ",
        ),
        (
            "--start-timeout",
            "soon",
            "invalid value 'soon' for '--start-timeout <DURATION>': ",
        ),
        (
            "--start-timeout",
            "0",
            "the time for the start of a program must be more than 0\n",
        ),
        (
            "--restart-after",
            "0",
            "invalid value '0' for '--restart-after <N>': ",
        ),
        (
            "--max-memory",
            "0",
            "invalid value '0' for '--max-memory <BYTES>': ",
        ),
        ("--retries", "-1", "unexpected argument '-1' found"),
        (
            "--retries",
            "1.5",
            "invalid value '1.5' for '--retries <N>': ",
        ),
        (
            "--timeout",
            "0",
            "a limit of 0 s for a record: it must be more than 0\n",
        ),
        (
            "--missing",
            "skip",
            "the program gets whole records, so it decides what a missing value means; leave out --missing, or send \
             the text alone (--send text)\n",
        ),
    ] {
        misused(&[&EXEC[..], &[option, value]].concat(), &["cat"], message);
    }
}
