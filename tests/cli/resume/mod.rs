//! Runs that end early and go on with `--resume`.

#[cfg(unix)]
mod failed;
#[cfg(unix)]
mod kills;
#[cfg(unix)]
mod others;
mod refusals;
mod shards;
#[cfg(unix)]
mod stops;

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::{EXECUTORS, Ran, folder_with, names, read, run, score, write};

/// Records with one of a few texts, some of which are equal.
fn some_records(records: usize) -> String {
    let text = |number: usize| ["good", "bad", "table", "not so good", "awful"][number % 5];
    let line = |number: usize| {
        let n = number % 97;
        let text = text(number);
        format!(
            "{{\"n\":{n},\"kind\":\"k{}\",\"text\":\"{text} {n}\"}}\n",
            n % 7
        )
    };
    (0..records).map(line).collect()
}

/// A report without what differs between a calm run and one that goes on.
fn without_times(report: &Ran) -> Value {
    let mut json = report.json();
    let object = json.as_object_mut().expect("an object");
    for key in [
        "command",
        "date",
        "timing",
        "machine",
        "resumed",
        "resumed_left",
        "pairs",
    ] {
        object.remove(key);
    }
    if let Some(plan) = object["plan"].as_object_mut() {
        plan.remove("deadline");
        plan.remove("limit");
    }
    json
}

/// Runs the command until a deadline ends it, goes on without the deadline, and checks that the end is that of a calm run.
/// Returns how many answers were taken over.
fn assert_goes_on(folder: &TempDir, command: &[&str], output: &str, early: &[&str]) -> u64 {
    let (_, extension) = output.split_once('.').expect("an extension");
    let calm_output = format!("calm.{extension}");
    let calm_command = ["score", "--json", "-o", &calm_output];
    let calm = run(folder, &[&calm_command[..], command].concat());
    assert_eq!(calm.code, 0, "{}", calm.err);
    let resumed = &["score", "--resume", "--json", "-o", output];
    let stopped = run(folder, &[resumed, early, command].concat());
    assert_eq!(stopped.code, 124, "{}", stopped.err);
    let note = format!("the answers are kept in {output}.journal");
    assert!(stopped.err.contains(&note), "{}", stopped.err);
    let whole = run(folder, &[resumed, command].concat());
    assert_eq!(whole.code, 0, "{}", whole.err);
    assert_eq!(without_times(&whole), without_times(&calm));
    let bytes = |name: &str| fs::read(folder.path().join(name)).expect("a file");
    assert!(bytes(output) == bytes(&calm_output), "{output}");
    for left in names(folder) {
        let is_left = left.contains("journal") || left.contains("partial");
        assert!(!is_left && !left.starts_with('.'), "{left}");
    }
    for written in [output, &calm_output] {
        fs::remove_file(folder.path().join(written)).expect("it is there");
    }
    whole.json()["resumed"].as_u64().expect("a number")
}

#[test]
fn a_run_that_was_stopped_goes_on_to_the_same_end() {
    let folder = folder_with("in.jsonl", some_records(3_000));
    let early = ["--rate", "2000", "--deadline", "300ms"];
    for executor in EXECUTORS {
        for (options, output) in [
            (&["--by", "kind", "--top", "5"][..], "out.jsonl"),
            (&["--keep", "*"], "out.csv.gz"),
        ] {
            let start = ["in.jsonl", "--with", "sentiment", "--executor", executor];
            let command = [&start[..], options].concat();
            let taken = assert_goes_on(&folder, &command, output, &early);
            assert!(taken > 0 && taken < 3_000, "{executor}: {taken}");
        }
    }
}

#[test]
fn matches_with_their_quotes_go_on() {
    let folder = folder_with("in.jsonl", some_records(2_000));
    let names: String = (0..97).map(|n| format!("good {n},land {n}\n")).collect();
    write(&folder, "names.csv", "text,land\n".to_owned() + &names);
    let early = ["--rate", "2000", "--deadline", "300ms"];
    for executor in ["work-stealing", "process-pool"] {
        for best in ["1", "2"] {
            let command = [
                "in.jsonl",
                "--with",
                "match",
                "--against",
                "names.csv",
                "--measure",
                "ratio",
                "--best",
                best,
                "--against-keep",
                "land",
                "--executor",
                executor,
            ];
            assert!(assert_goes_on(&folder, &command, "out.jsonl", &early) > 0);
        }
    }
}

#[test]
fn records_that_have_changed_are_scored_again_and_the_others_are_not() {
    // No two records are equal.
    let numbered = some_records(1_000)
        .lines()
        .enumerate()
        .map(|(number, line)| line.replacen('{', &format!("{{\"id\":{number},"), 1))
        .collect::<Vec<_>>();
    let folder = folder_with("in.jsonl", numbered.join("\n"));
    let command = ["--resume", "-o", "out.jsonl", "--json"];
    let early = ["--rate", "1000", "--deadline", "400ms"];
    let stopped = score(&folder, "in.jsonl", &[&command[..], &early].concat());
    assert_eq!(stopped.code, 124, "{}", stopped.err);
    let kept = stopped.json()["records"].as_u64().expect("a number");
    // The first record is new, one is changed, one is missing, and two have changed their places.
    let mut lines = numbered;
    lines[10] = lines[10].replace("\"n\"", "\"m\"");
    lines.remove(20);
    lines.swap(30, 35);
    lines.insert(0, "{\"text\":\"new\"}".to_owned());
    write(&folder, "in.jsonl", lines.join("\n") + "\n");
    let whole = score(&folder, "in.jsonl", &command);
    assert_eq!(whole.code, 0, "{}", whole.err);
    let calm = score(&folder, "in.jsonl", &["--json", "-o", "calm.jsonl"]);
    assert_eq!(without_times(&whole), without_times(&calm));
    assert_eq!(read(&folder, "out.jsonl"), read(&folder, "calm.jsonl"));
    // More records may have been scored than the stopped run has reported.
    let resumed = whole.json()["resumed"].as_u64().expect("a number");
    assert!(resumed >= kept - 2, "{resumed} of {kept}");
    assert_eq!(whole.json()["resumed_left"], 2);
    let text = run(&folder, &["score", "in.jsonl", "--with", "sentiment"]);
    assert!(!text.out.contains("taken over"), "{}", text.out);
}

#[test]
fn a_scorer_with_other_options_takes_nothing_over() {
    let folder = folder_with("in.jsonl", some_records(500));
    let command = ["--resume", "-o", "out.jsonl"];
    let early = ["--rate", "1000", "--deadline", "200ms"];
    let stopped = score(&folder, "in.jsonl", &[&command[..], &early].concat());
    assert_eq!(stopped.code, 124, "{}", stopped.err);
    let start = [
        "score",
        "in.jsonl",
        "--with",
        "sentiment",
        "--field",
        "kind",
        "--json",
    ];
    let other = run(&folder, &[&start[..], &command].concat());
    assert_eq!(other.code, 0, "{}", other.err);
    assert_eq!(other.json()["resumed"], 0);
    assert!(other.json()["resumed_left"].as_u64() > Some(0));
    let note = "note: the answers in out.jsonl.journal are of another command, which differs in --field; every record is scored \
                anew\n";
    assert!(other.err.starts_with(note), "{}", other.err);
    // They cost nothing, so they do not stay.
    assert!(!names(&folder).iter().any(|name| name.contains("journal")));
}

#[test]
fn answers_that_a_stopped_run_has_not_reached_are_not_said_to_be_unfit() {
    // No other record is equal to the first one.
    let records = "{\"text\":\"first\"}\n".to_owned() + &some_records(1_000);
    let folder = folder_with("in.jsonl", records);
    let command = ["--resume", "-o", "out.jsonl"];
    let early = ["--rate", "1000", "--deadline", "400ms"];
    assert_eq!(
        score(&folder, "in.jsonl", &[&command[..], &early].concat()).code,
        124
    );
    let early = ["--on-failure", "stop"];
    let line = read(&folder, "in.jsonl").replacen("\"text\"", "\"tixt\"", 1);
    write(&folder, "in.jsonl", line);
    let halted = score(&folder, "in.jsonl", &[&command[..], &early].concat());
    assert_eq!(halted.code, 4, "{}", halted.err);
    assert!(halted.out.contains("not needed so far"), "{}", halted.out);
    let whole = score(&folder, "in.jsonl", &command);
    assert!(
        whole.out.contains("; 1 other answer fits no record"),
        "{}",
        whole.out
    );
}
