//! Shards that end early and go on with `--resume`.

use std::fs;

use super::{some_records, without_times};
use crate::{folder_with, names, read, run, score};

#[test]
fn a_shard_goes_on_and_merges_to_the_same_answer() {
    let folder = folder_with("in.jsonl", some_records(2_000));
    let shard = |number: &str, options: &[&str]| {
        let partial = format!("part-{number}.mh");
        let scores = format!("part-{number}.jsonl");
        let shard = format!("{number}/2");
        let start = [
            "--resume",
            "--shard",
            &shard,
            "--partial",
            &partial,
            "-o",
            &scores,
        ];
        score(&folder, "in.jsonl", &[&start[..], options].concat())
    };
    let stopped = shard("1", &["--rate", "1000", "--deadline", "300ms"]);
    assert_eq!(stopped.code, 124, "{}", stopped.err);
    assert!(stopped.err.contains("part-1.mh.journal"), "{}", stopped.err);
    for number in ["1", "2", "1"] {
        let ran = shard(number, &[]);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    let merge = [
        "merge",
        "part-1.mh",
        "part-2.mh",
        "-o",
        "merged.jsonl",
        "--json",
    ];
    let from = ["--from", "part-1.jsonl", "part-2.jsonl"];
    let merged = run(&folder, &[&merge[..], &from].concat());
    let calm = score(&folder, "in.jsonl", &["--json", "-o", "calm.jsonl"]);
    assert_eq!(merged.json()["digest"], calm.json()["digest"]);
    assert_eq!(read(&folder, "merged.jsonl"), read(&folder, "calm.jsonl"));
    assert!(!names(&folder).iter().any(|name| name.contains("journal")));
}

/// A command that is killed when its files have their names, and before it has printed its report, leaves its journal.
#[test]
fn a_shard_whose_report_was_not_printed_prints_it_from_its_partial_answer() {
    let records = some_records(2_000).replace("good 0\"", "");
    let folder = folder_with("in.jsonl", records);
    let shard = |options: &[&str]| {
        let start = ["--shard", "2/2", "--partial", "part.mh", "-o", "s.jsonl"];
        let page = ["--html", "page.html", "--resume", "--json"];
        let by = ["--by", "kind", "--field", "text"];
        score(
            &folder,
            "in.jsonl",
            &[&start[..], &page, &by, options].concat(),
        )
    };
    let stopped = shard(&["--rate", "1000", "--deadline", "300ms"]);
    assert_eq!(stopped.code, 124, "{}", stopped.err);
    let path = |name: &str| folder.path().join(name);
    fs::copy(path("part.mh.journal"), path("copy")).expect("a journal");
    let whole = shard(&[]);
    assert_eq!(whole.code, 0, "{}", whole.err);
    assert_eq!(
        names(&folder),
        ["copy", "in.jsonl", "page.html", "part.mh", "s.jsonl"]
    );
    let written = |name: &str| {
        path(name)
            .metadata()
            .and_then(|file| file.modified())
            .expect("a file")
    };
    let before = [written("part.mh"), written("s.jsonl")];

    fs::rename(path("copy"), path("part.mh.journal.complete")).expect("a file");
    let again = shard(&[]);
    assert_eq!(again.code, 0, "{}", again.err);
    let report = |ran| {
        let mut report = without_times(ran);
        report.as_object_mut().expect("an object").remove("shards");
        report
    };
    assert_eq!(report(&again), report(&whole));
    assert!(report(&whole)["failed"].as_u64() > Some(0));
    assert_eq!(
        again
            .err
            .replace(again.err.lines().next().expect("a note"), "")
            .trim(),
        whole.err.trim()
    );
    assert_eq!([written("part.mh"), written("s.jsonl")], before);
    assert_eq!(
        names(&folder),
        ["in.jsonl", "page.html", "part.mh", "s.jsonl"]
    );

    // Its report is printed now, so there is no journal.
    let third = shard(&[]);
    assert_eq!((third.code, third.out.as_str()), (0, ""), "{}", third.err);
}
