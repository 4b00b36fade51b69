//! These tests cover the options `--save-baseline`, `--baseline` and `--fail-if-slower` of `bench`.

use tempfile::TempDir;

use super::{Ran, THREE, columns, folder_with, names, read, run, write};

/// Runs `bench` over three reviews with two rounds. Such a run takes almost no time.
fn bench(folder: &TempDir, arguments: &[&str]) -> Ran {
    bench_rounds(folder, "2", arguments)
}

/// Like [`bench`], with more rounds: a difference between only two rounds may be due to chance.
fn bench_rounds(folder: &TempDir, rounds: &str, arguments: &[&str]) -> Ran {
    let short = [
        "bench",
        "three.jsonl",
        "--rounds",
        rounds,
        "--threads",
        "1",
        "--executors",
        "task-queue",
    ];
    run(folder, &[&short[..], arguments].concat())
}

fn saved() -> TempDir {
    let folder = folder_with("three.jsonl", THREE);
    let ran = bench(
        &folder,
        &["--save-baseline", "main", "--baseline-dir", "kept"],
    );
    let note = "note: saved as baseline kept/main.json\n";
    assert_eq!((ran.code, ran.err.as_str()), (0, note));
    folder
}

/// Applies a change to the saved baseline.
fn rewrite(folder: &TempDir, change: impl Fn(&mut serde_json::Value)) {
    let mut baseline = serde_json::from_str(&read(folder, "kept/main.json")).expect("JSON");
    change(&mut baseline);
    write(folder, "kept/main.json", baseline.to_string());
}

/// Sets the times of the rounds, in seconds. The rounds take these times in turns.
fn set_times(baseline: &mut serde_json::Value, seconds: &[f64]) {
    for cell in baseline["measurements"]
        .as_array_mut()
        .expect("measurements")
    {
        let turns = cell["turns"].as_array_mut().expect("turns");
        for (turn, seconds) in turns.iter_mut().zip(seconds.iter().cycle()) {
            turn["wall"] = (*seconds).into();
        }
    }
}

const AGAINST: [&str; 4] = ["--baseline", "main", "--baseline-dir", "kept"];

#[test]
fn a_baseline_is_the_whole_comparison_and_is_replaced_by_the_next() {
    let folder = saved();
    let kept: manyhands::measure::Comparison =
        serde_json::from_str(&read(&folder, "kept/main.json")).expect("a comparison");
    assert_eq!((kept.measurements.len(), kept.workload.records), (2, 3));
    let ran = bench(
        &folder,
        &["--save-baseline", "main", "--baseline-dir", "kept"],
    );
    let note = "note: saved as baseline kept/main.json, in place of an earlier one\n";
    assert_eq!((ran.code, ran.err.as_str()), (0, note));
    let entries = std::fs::read_dir(folder.path().join("kept")).expect("a folder");
    assert_eq!(entries.count(), 1, "an unfinished file is left");

    let default = bench(&folder, &["--save-baseline", "x", "--quiet"]);
    assert_eq!((default.code, default.err.as_str()), (0, ""));
    assert_eq!(names(&folder), [".manyhands", "kept", "three.jsonl"]);
    assert!(folder.path().join(".manyhands/baselines/x.json").exists());
}

#[test]
fn a_comparison_is_reported_with_its_baseline() {
    let folder = saved();
    let ran = bench(&folder, &[&AGAINST[..], &["--json", "--quiet"]].concat());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let json = ran.json();
    assert_eq!(json["baseline"]["name"], "main");
    let cells = json["baseline"]["ratios"].as_array().expect("ratios");
    assert_eq!(cells.len(), 2);
    assert_eq!(
        (&cells[1]["executor"], &cells[1]["threads"]),
        (&"task-queue".into(), &1.into())
    );

    let ran = bench(&folder, &AGAINST);
    assert!(ran.out.contains("baseline main ("), "{}", ran.out);
    assert!(
        ran.out.contains("time now divided by that of the"),
        "{}",
        ran.out
    );
    for line in ran.out.lines() {
        let warning = line.starts_with("warning: ");
        assert!(columns(line) <= 80 || warning, "{line}");
    }
}

/// The rounds of the baseline take a nanosecond, which is the shortest time that a baseline has. No real round is as
/// short.
#[test]
fn a_slowdown_beyond_the_limit_is_exit_7_and_saves_nothing() {
    let folder = saved();
    let save = ["--save-baseline", "main", "--baseline-dir", "kept"];
    assert_eq!(bench_rounds(&folder, "8", &save).code, 0);
    rewrite(&folder, |baseline| set_times(baseline, &[1e-9]));
    let before = read(&folder, "kept/main.json");
    let gate = [
        &AGAINST[..],
        &["--fail-if-slower", "5%", "--save-baseline", "main"],
    ]
    .concat();
    let ran = bench_rounds(&folder, "8", &gate);
    assert_eq!(ran.code, 7, "{}", ran.err);
    assert!(ran.out.contains("digest "), "no report is printed");
    for line in ran.err.lines() {
        let told = line.starts_with("slower: ") && line.contains("as long as in main (");
        assert!(told && line.ends_with("more than 5.0 % longer"), "{line}");
    }
    assert_eq!(ran.err.lines().count(), 2, "{}", ran.err);
    assert_eq!(read(&folder, "kept/main.json"), before);

    // The times of the baseline differ by a factor of 100, so a difference of 5 % cannot be found.
    rewrite(&folder, |baseline| set_times(baseline, &[1e5, 1e7]));
    let ran = bench(&folder, &gate);
    assert_eq!(ran.code, 0, "being faster is not a failure: {}", ran.err);
    let coarse = "note: nothing was found to be slower by 5.0 %, but only differences of ";
    assert_eq!(ran.err.matches(coarse).count(), 1, "{}", ran.err);
    assert_ne!(read(&folder, "kept/main.json"), before);
}

#[test]
fn a_baseline_that_cannot_be_used_is_exit_2() {
    let folder = saved();
    let refused = |arguments: &[&str], message: &str| {
        let ran = bench(&folder, arguments);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (2, ""),
            "{arguments:?}: {}",
            ran.err
        );
        assert!(
            ran.err.contains(message),
            "{message} is not in\n{}",
            ran.err
        );
    };
    let missing = ["--baseline", "other", "--baseline-dir", "kept"];
    let there_is = "error: no baseline is called \"other\"; kept has main; save one with --save-baseline other";
    refused(&missing, there_is);
    let none = ".manyhands/baselines has no baselines";
    refused(&["--baseline", "main"], none);
    refused(&["--fail-if-slower", "5%"], "--baseline <NAME>");
    for share in ["5", "0.05", "x%", "-1%", "%", "NaN%"] {
        let argument = format!("--fail-if-slower={share}");
        let arguments = [&AGAINST[..], &[&argument]].concat();
        refused(&arguments, "expected a share such as 5% or 2.5%");
    }
    for name in ["", "a/b", "..", ".x", "a b"] {
        refused(&["--save-baseline", name], "expected letters, digits");
    }

    write(&folder, "more.jsonl", [THREE, THREE].concat());
    let arguments = ["bench", "more.jsonl", "--rounds", "1", "--threads", "1"];
    let ran = run(&folder, &[&arguments[..], &AGAINST].concat());
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("not the same work: 6 records now, 3 then"),
        "{}",
        ran.err
    );
    assert!(ran.out.contains("digest "), "no report is printed");

    rewrite(&folder, |baseline| baseline["schema"] = 999.into());
    refused(
        &AGAINST,
        "kept/main.json: has schema 999, but this version reads 2",
    );
    write(&folder, "kept/main.json", "{\"schema\":2}");
    refused(
        &AGAINST,
        "kept/main.json: is not a complete comparison: missing field",
    );
    write(&folder, "kept/main.json", "nothing");
    refused(
        &AGAINST,
        "kept/main.json: is not a comparison; choose another name",
    );

    write(&folder, "file", "");
    let ran = bench(
        &folder,
        &["--save-baseline", "main", "--baseline-dir", "file"],
    );
    assert_eq!(ran.code, 5, "{}", ran.err);
    assert!(
        ran.err
            .starts_with("error: file: the baseline cannot be saved: "),
        "{}",
        ran.err
    );
}

#[test]
fn a_file_that_is_not_a_comparison_is_not_overwritten() {
    let folder = folder_with("three.jsonl", THREE);
    write(&folder, "reviews.json", THREE);
    std::fs::create_dir(folder.path().join("folder.json")).expect("a folder");
    let long = "x".repeat(300);
    for (name, reason) in [
        (
            "reviews",
            "the file exists and is not a comparison; choose another name",
        ),
        ("folder", "directory"),
        (long.as_str(), "too long"),
    ] {
        let ran = bench(&folder, &["--save-baseline", name, "--baseline-dir", "."]);
        assert_eq!((ran.code, ran.out.as_str()), (5, ""), "{}", ran.err);
        let told = format!("error: ./{name}.json: the baseline cannot be saved: ");
        assert!(
            ran.err.starts_with(&told) && ran.err.contains(reason),
            "{}",
            ran.err
        );
    }
    assert_eq!(read(&folder, "reviews.json"), THREE);
    assert_eq!(
        names(&folder),
        ["folder.json", "reviews.json", "three.jsonl"]
    );
}

/// A signal ends `bench` at once.
#[cfg(unix)]
#[test]
fn a_signal_leaves_no_unfinished_file() {
    let folder = folder_with("three.jsonl", THREE);
    let arguments = ["--save-baseline", "main", "--baseline-dir", "kept"];
    let many = [
        "bench",
        "three.jsonl",
        "--rounds",
        "18446744073709551615",
        "-j",
        "1",
    ];
    let mut child = super::start(&folder, &[&many[..], &arguments].concat());
    // The folder is created before anything is measured.
    super::wait_while_running(&mut child, "the folder", || {
        folder.path().join("kept").exists()
    });
    // The program spends most of this time on measurements. Whatever it is doing when the signal arrives, it
    // must leave no file.
    std::thread::sleep(std::time::Duration::from_millis(200));
    super::send(child.id(), "TERM");
    assert_eq!(child.wait().expect("an end").code(), None);
    let left = std::fs::read_dir(folder.path().join("kept")).expect("a folder");
    assert_eq!(left.count(), 0);
}
