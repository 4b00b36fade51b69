//! Shards of every kind of input.

use super::{merge_all, score_shards, some_records, without_times};
use crate::{folder_with, gzip, run, score, shell};

/// Compares the merged shards with one run.
fn check(folder: &tempfile::TempDir, files: &[&str], of: u64, arguments: &[&str]) {
    score_shards(folder, files, of, arguments);
    let merged = merge_all(folder, &["--json"]);
    let one = [
        &["score"],
        files,
        &["--with", "sentiment", "--json"],
        arguments,
    ]
    .concat();
    let whole = run(folder, &one);
    assert_eq!(merged.code, whole.code, "{}", merged.err);
    assert_eq!(without_times(&merged), without_times(&whole), "{files:?}");
    shell(folder, "rm part-*.mh");
}

#[test]
fn every_format_can_be_divided() {
    let folder = folder_with("a.jsonl", some_records(300));
    let write = |name: &str, content: &[u8]| {
        std::fs::write(folder.path().join(name), content).expect("a file");
    };
    write("a.jsonl.gz", &gzip(some_records(200).as_bytes()));
    write("b.jsonl.gz", &gzip(some_records(100).as_bytes()));
    write("empty.jsonl", b"");
    let table = "text;kind\r\n\"a \"\"good\"\" one;\r\nand a line\";1\r\nbad;2\r\n".to_owned();
    let lines = "\"a \"\"good\"\" one;\r\nand a line\";1\r\nbad;2\r\n".repeat(90);
    write("a.csv", (table + &lines).as_bytes());
    write("a.txt", "a good line\n\nbad\n".repeat(50).as_bytes());
    let objects = vec!["{\"text\":\"a good thing\",\n\"kind\":1}"; 60].join(",");
    write("a.json", format!("[{objects}]").as_bytes());
    for of in [1, 5] {
        check(&folder, &["a.jsonl"], of, &["--by", "kind"]);
        check(
            &folder,
            &["a.jsonl", "empty.jsonl", "a.csv"],
            of,
            &["--by", "kind"],
        );
        check(&folder, &["a.txt"], of, &[]);
        check(&folder, &["a.json"], of, &[]);
        check(&folder, &["a.jsonl.gz", "a.jsonl", "b.jsonl.gz"], of, &[]);
        check(&folder, &["empty.jsonl"], of, &[]);
        check(&folder, &["a.csv"], of, &["--encoding", "windows-1252"]);
    }
}

#[test]
fn every_executor_and_scorer_can_score_a_shard() {
    let folder = folder_with("a.jsonl", some_records(300));
    for executor in crate::EXECUTORS {
        check(&folder, &["a.jsonl"], 3, &["--executor", executor]);
    }
    std::fs::write(folder.path().join("names.txt"), "good film\nbad thing\n").expect("a file");
    for scorer in [
        "match --against names.txt --best 2",
        "number --field score --missing skip",
        "exec --by kind -- sh -c 'while read -r line; do echo \"${#line}\"; done'",
    ] {
        let score = format!("\"$0\" score a.jsonl --with {scorer}");
        let (with, rest) = scorer.split_once(" -- ").unwrap_or((scorer, ""));
        let rest = if rest.is_empty() {
            String::new()
        } else {
            format!(" -- {rest}")
        };
        let shards = format!(
            "for i in 1 2 3; do \"$0\" score a.jsonl --with {with} --shard $i/3 --partial part-$i.mh{rest} || exit; done; \
             \"$0\" merge part-*.mh --json; code=$?; rm part-*.mh; exit $code"
        );
        let merged = shell(&folder, &format!("({shards}) | tail -n 1"));
        let score = score.replacen(" -- ", " --json -- ", 1);
        let score = if rest.is_empty() {
            score + " --json"
        } else {
            score
        };
        let whole = shell(&folder, &score);
        let facts = |ran: &crate::Ran| {
            let json = ran.json();
            [
                "digest", "records", "failed", "skipped", "top", "bottom", "groups", "pairs",
            ]
            .map(|name| json[name].clone())
        };
        let ([merged @ .., pairs], [whole @ .., compared]) = (facts(&merged), facts(&whole));
        assert_eq!(merged, whole, "{scorer}");
        let sum = |pairs: &serde_json::Value| {
            pairs["compared"].as_u64().unwrap_or(0) + pairs["skipped"].as_u64().unwrap_or(0)
        };
        assert_eq!(sum(&pairs), sum(&compared), "{scorer}");
    }
}

#[test]
fn a_report_of_a_shard_says_what_it_counts() {
    let folder = folder_with("a.jsonl", some_records(100));
    let shard = super::score_shard(&folder, &["a.jsonl"], (2, 2), &[]);
    assert_eq!(shard.code, 0, "{}", shard.err);
    assert!(shard.out.contains("shard 2/2 of a.jsonl"), "{}", shard.out);
    assert!(
        shard
            .err
            .contains("are counted from the beginning of shard 2/2"),
        "{}",
        shard.err
    );
    super::score_shard(&folder, &["a.jsonl"], (1, 2), &[]);
    let merged = merge_all(&folder, &[]);
    assert_eq!(merged.code, 1, "{}", merged.err);
    assert!(
        merged
            .out
            .contains("2 shards, whose times are added up here"),
        "{}",
        merged.out
    );
    assert!(merged.err.contains("a.jsonl:8:"), "{}", merged.err);
    let whole = score(&folder, "a.jsonl", &[]);
    assert_eq!(merged.digest(), whole.digest());
    let page = merge_all(&folder, &["--html", "report.html", "-q"]);
    assert_eq!(page.code, 1);
    let page = std::fs::read_to_string(folder.path().join("report.html")).expect("a page");
    assert!(page.contains("The shards"));
    let head = std::fs::read(folder.path().join("part-1.mh")).expect("a file");
    let line = head.split(|byte| *byte == b'\n').next().expect("a line");
    let line: serde_json::Value = serde_json::from_slice(line).expect("JSON");
    assert_eq!(
        (&line["shards"], &line["files"][0]),
        (&"1/2".into(), &"a.jsonl".into())
    );
}

#[test]
fn the_scores_of_the_shards_are_joined_to_the_bytes_of_one_run() {
    let folder = folder_with("a.jsonl", some_records(400));
    let table = "text,kind\n".to_owned() + &"good,1\n\"bad\nand worse\",2\n,3\n".repeat(50);
    std::fs::write(folder.path().join("b.csv"), table).expect("a file");
    for ending in ["jsonl", "csv", "tsv.gz", "jsonl.zst"] {
        let files = ["a.jsonl", "b.csv"];
        let options = ["--keep", "kind", "--missing", "skip"];
        let mut parts = Vec::new();
        for number in 1..=7 {
            // The names are in another order than the shards.
            let scores = format!("{}-scores.{ending}", 9 - number);
            let arguments = [&options[..], &["-o", &scores]].concat();
            let scored = super::score_shard(&folder, &files, (number, 7), &arguments);
            assert_eq!(scored.code, 0, "{}", scored.err);
            parts.push(scores);
        }
        let (whole, joined) = (format!("whole.{ending}"), format!("joined.{ending}"));
        let one = [
            &["score"],
            &files[..],
            &["--with", "sentiment", "-o", &whole],
        ]
        .concat();
        assert_eq!(run(&folder, &[&one, &options[..]].concat()).code, 1);
        let from: Vec<&str> = parts.iter().map(String::as_str).collect();
        let merge =
            |joined: &str| merge_all(&folder, &[&["-o", joined, "--from"], &from[..]].concat());
        let merged = merge(&joined);
        assert_eq!(merged.code, 1, "{}", merged.err);
        let bytes = |name: &str| std::fs::read(folder.path().join(name)).expect("a file");
        assert!(bytes(&whole) == bytes(&joined), "{ending}");
        // A file of scores that has changed is refused, and nothing is written.
        shell(&folder, &format!("printf x >> 3-scores.{ending}"));
        let refused = merge(&format!("other.{ending}"));
        assert_eq!(refused.code, 3, "{}", refused.err);
        assert!(
            refused.err.contains(&format!("3-scores.{ending}")),
            "{}",
            refused.err
        );
        assert!(!folder.path().join(format!("other.{ending}")).exists());
        shell(&folder, "rm part-*.mh *-scores.*");
    }
}

/// A columnar file is cut at records, and its lines are the numbers of its records, so nothing is renumbered but the records.
#[cfg(feature = "parquet")]
#[test]
fn columnar_files_are_cut_at_records() {
    let folder = folder_with("a.jsonl", some_records(400));
    for name in ["a.parquet", "b.arrow"] {
        let made = score(&folder, "a.jsonl", &["--keep", "kind", "-o", name]);
        assert_eq!(made.code, 1, "{}", made.err);
    }
    let score_kinds = ["--field", "kind", "--by", "kind", "--missing", "fail"];
    for of in [1, 4, 9] {
        check(&folder, &["a.parquet"], of, &score_kinds);
        check(
            &folder,
            &["a.parquet", "b.arrow", "a.parquet"],
            of,
            &score_kinds,
        );
        check(&folder, &["a.parquet", "a.jsonl"], of, &score_kinds);
    }
}
