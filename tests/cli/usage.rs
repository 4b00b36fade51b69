//! These tests check the messages about wrong usage, the help and the version.

use manyhands::plan::AnyScorer;

use super::{THREE, columns, folder_with, run};

fn misused(arguments: &[&str], message: &str) {
    let folder = folder_with("three.jsonl", THREE);
    let ran = run(&folder, arguments);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
    let told = ran.err.starts_with(&format!("error: {message}"));
    assert!(
        told,
        "the error does not begin with {message}:\n{}",
        ran.err
    );
}

#[test]
fn wrong_usage_is_exit_2_with_the_allowed_values() {
    let score = ["score", "three.jsonl", "--with", "sentiment"];
    let with = |more: &[&'static str]| [&score[..], more].concat();
    let http = if cfg!(feature = "http") { ", http" } else { "" };
    let no_scorer = format!(
        "invalid value 'vader' for '--with <SCORER>': no scorer is called \"vader\"; known scorers: sentiment, number, match, exec{http}\n"
    );
    misused(&["score", "three.jsonl", "--with", "vader"], &no_scorer);
    let no_executor = "invalid value 'x' for '--executor <NAME>': no executor is called \"x\"; known executors: sequential, work-stealing, task-queue, process-pool\n";
    misused(&with(&["--executor", "x"]), no_executor);
    for threads in [
        "0",
        "x",
        "+1",
        "1.5",
        "5000",
        "99999999999999999999",
        "0%",
        "101%",
        "%",
        "5.5%",
        "50 %",
    ] {
        let threads = ["-j", threads];
        let message = format!(
            "invalid value '{}' for '--threads <N|P%>': expected a whole number from 1 to 1024, or a share of the cores from 1% to 100%\n",
            threads[1]
        );
        misused(&with(&threads), &message);
    }
    for bytes in [
        "0",
        "",
        "x",
        "+1",
        "-1",
        "1.5",
        "KiB",
        "1 KiB",
        "99999999999999999999",
        "99999999999999GiB",
    ] {
        let option = format!("--max-record={bytes}");
        let mut arguments = score.to_vec();
        arguments.push(&option);
        let message = format!(
            "invalid value '{bytes}' for '--max-record <BYTES>': expected a whole number of bytes from 1, such as 1000000, 1e6, 64kB, 1MB or 16MiB\n"
        );
        misused(&arguments, &message);
    }
    let options = ["--rate", "--deadline", "--timeout", "--in-flight"];
    let expected = [
        "<N/s|N/m>': expected a rate above 0, such as 100/s, 0.5/s or 600/m; ",
        "<DURATION>': expected a duration, such as 90s, 5m, 1h30m or 500ms, or a number of seconds\n",
        "<DURATION>': expected a duration, such as 90s, 5m, 1h30m or 500ms, or a number of seconds\n",
        "<N|auto>': expected a whole number from 1, such as 64, or auto, which adapts the number to the service\n",
    ];
    for (option, expected) in options.into_iter().zip(expected) {
        let message = format!("invalid value '10/h' for '{option} {expected}");
        misused(&with(&[option, "10/h"]), &message);
    }
    let missing = "the following required arguments were not provided:\n  ";
    misused(
        &["score", "three.jsonl"],
        &format!("{missing}--with <SCORER>\n"),
    );
    misused(
        &with(&["--keep", "id"]),
        &format!("{missing}--scores <OUT>\n"),
    );
    misused(
        &with(&["--force"]),
        &format!("{missing}<--scores <OUT>|--failures <FILE>|--html <FILE>|--partial <FILE>>\n"),
    );
    misused(&["generate"], &format!("{missing}--records <N>\n"));
    misused(
        &["bench", "--executors", "x"],
        "invalid value 'x' for '--executors <NAME,...>': no executor is called \"x\"",
    );
    misused(
        &["bench", "--threads", "1,0"],
        "invalid value '0' for '--threads <N,...>'",
    );
    misused(
        &["bench", "--rounds", "0"],
        "invalid value '0' for '--rounds <N>'",
    );
    misused(
        &["bench", "three.jsonl", "--records", "5"],
        "the argument '[FILE]...' cannot be used with '--records <N>'",
    );
    misused(
        &["generate", "--records", "many"],
        "invalid value 'many' for '--records <N>'",
    );
    misused(&with(&["--top", "x"]), "invalid value 'x' for '--top <K>'");
    misused(
        &with(&["--on-failure", "cry"]),
        "invalid value 'cry' for '--on-failure <WHAT>'",
    );
    misused(
        &with(&["--nonsense"]),
        "unexpected argument '--nonsense' found",
    );
    misused(&["scores"], "unrecognized subcommand 'scores'");
    for (option, value) in [("--delimiter", Some(";")), ("--no-header", None)] {
        for format in ["jsonl", "json", "text"] {
            let arguments: Vec<_> = [Some(option), value].into_iter().flatten().collect();
            let message = format!("{option} is for delimited text, not for --format {format}\n");
            misused(
                &with(&[&arguments[..], &["--format", format]].concat()),
                &message,
            );
        }
    }
    misused(
        &with(&["--by", "a,\"b"]),
        "invalid value 'a,\"b' for '--by <FIELD,...>': expected a closing quote after a name in quotes",
    );
}

#[test]
fn counts_sizes_and_durations_may_have_units() {
    let folder = folder_with("three.jsonl", THREE);
    let score = ["score", "three.jsonl", "--with", "sentiment"];
    let plain = run(&folder, &score);
    let options = [
        ["--in-flight", "1k"],
        ["--rate", "60M/m"],
        ["--deadline", "1h30m"],
        ["--max-record", "64kB"],
        ["--top", "1e1"],
        ["--on-failure", "skip:2k"],
        ["-o", "scores.jsonl"],
    ];
    let ran = run(&folder, &[&score, options.as_flattened()].concat());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(ran.digest(), plain.digest());
    let generated = run(&folder, &["generate", "--records", "0.002k"]);
    assert_eq!(generated.out.lines().count(), 2);
}

#[test]
fn help_lists_every_option_in_80_columns() {
    let folder = folder_with("unused", "");
    let score = [
        "--with",
        "--field",
        "--by",
        "--top",
        "--keep",
        "-o, --scores <OUT>",
        "--in-flight <N|auto>",
        "--rate <N/s|N/m>",
        "--force",
        "--json",
        "-j, --threads <N|P%>",
        "--pin",
        "--executor",
        "--on-failure",
        "--against",
        "--against-field",
        "--measure",
        "--cutoff",
        "--best",
        "--against-keep",
        "--process",
        "--color",
        "-q, --quiet",
    ];
    let bench = ["--machine", "--json", "--color", "-q, --quiet"];
    let generate = ["--records", "--seed", "--color", "-q, --quiet"];
    let program = [
        "score",
        "generate",
        "bench",
        "--version",
        "Exit codes: 0 all records scored",
    ];
    for (command, options) in [
        (&["--help"][..], &program[..]),
        (&["score", "--help"], &score),
        (&["generate", "--help"], &generate),
        (&["bench", "--help"], &bench),
    ] {
        let ran = run(&folder, command);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        for option in options {
            assert!(ran.out.contains(option), "{option} is not in\n{}", ran.out);
        }
        for line in ran.out.lines() {
            assert!(columns(line) <= 80, "{line}");
        }
    }
    assert_eq!(run(&folder, &[]).code, 2);
}

/// Returns the long options that a section of the help lists.
fn options_of<'a>(help: &'a str, heading: &str) -> Vec<&'a str> {
    let lines = help.lines().skip_while(|line| *line != heading).skip(1);
    let lines = lines.take_while(|line| line.is_empty() || line.starts_with(' '));
    let first = lines.filter_map(|line| line.trim_start().split(' ').next());
    first.filter(|word| word.starts_with("--")).collect()
}

#[test]
fn the_help_and_the_readme_name_every_scorer_and_its_options() {
    let readme = include_str!("../../README.md");
    let folder = folder_with("unused", "");
    let help = run(&folder, &["score", "--help"]).out;
    let names = AnyScorer::NAMES.join(", ");
    assert!(
        help.contains(&format!("Use this scorer: {names}\n")),
        "{help}"
    );
    for name in AnyScorer::NAMES {
        let command = format!("--with {name}");
        let synopsis = readme
            .split("\nmanyhands ")
            .find(|part| part.starts_with("score FILE") && part.contains(&command));
        let synopsis = synopsis.unwrap_or_else(|| panic!("the README has no {command}"));
        for option in options_of(&help, &format!("With {name}:")) {
            assert!(synopsis.contains(option), "{option} is not in\n{synopsis}");
        }
    }
    assert_eq!(options_of(&help, "With match:").len(), 8);
}

#[test]
fn version_is_that_of_the_package() {
    let folder = folder_with("unused", "");
    let version = concat!("manyhands ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(run(&folder, &["--version"]).out, version);
}

#[test]
fn quiet_leaves_errors_alone() {
    let folder = folder_with("in.jsonl", "{}\n{\"text\":\"good\"}\n");
    let ran = run(
        &folder,
        &["--quiet", "score", "in.jsonl", "--with", "sentiment"],
    );
    assert_eq!(ran.code, 1);
    assert!(ran.err.starts_with("failed: in.jsonl:1:1: "));
}
