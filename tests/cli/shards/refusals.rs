//! What `score --shard` and `merge` refuse, and what they say about it.

use super::{merge_all, score_shard, score_shards, some_records};
use crate::{folder_with, run, score, score_stdin};

#[test]
fn a_missing_shard_is_named() {
    let folder = folder_with("a.jsonl", some_records(100));
    score_shards(&folder, &["a.jsonl"], 3, &[]);
    std::fs::remove_file(folder.path().join("part-2.mh")).expect("a file");
    let merged = merge_all(&folder, &[]);
    assert_eq!((merged.code, merged.out.as_str()), (3, ""));
    assert!(
        merged.err.contains("shard 2/3 is missing"),
        "{}",
        merged.err
    );
}

#[test]
fn a_damaged_or_foreign_file_is_named() {
    let folder = folder_with("a.jsonl", some_records(100));
    score_shards(&folder, &["a.jsonl"], 2, &[]);
    let path = folder.path().join("part-2.mh");
    let bytes = std::fs::read(&path).expect("a file");
    std::fs::write(&path, &bytes[..bytes.len() - 1]).expect("a file");
    let merged = merge_all(&folder, &[]);
    assert_eq!(merged.code, 3);
    assert!(
        merged.err.contains("part-2.mh: is damaged or cut short"),
        "{}",
        merged.err
    );
    let foreign = run(&folder, &["merge", "a.jsonl"]);
    assert_eq!(foreign.code, 3);
    assert!(
        foreign
            .err
            .contains("a.jsonl: is not the partial answer of a shard"),
        "{}",
        foreign.err
    );
    let absent = run(&folder, &["merge", "part-9.mh"]);
    assert_eq!(absent.code, 3);
    assert!(
        absent.err.contains("part-9.mh: no such file"),
        "{}",
        absent.err
    );
    let other = String::from_utf8_lossy(&bytes).replacen("\"format\":1", "\"format\":2", 1);
    std::fs::write(&path, other.as_bytes()).expect("a file");
    let other = merge_all(&folder, &[]);
    assert!(other.err.contains("in the format 2"), "{}", other.err);
}

#[test]
fn a_changed_input_is_noticed() {
    let folder = folder_with("a.jsonl", some_records(100));
    score_shards(&folder, &["a.jsonl"], 2, &[]);
    let text = std::fs::read_to_string(folder.path().join("a.jsonl")).expect("a file");
    std::fs::write(folder.path().join("a.jsonl"), text.replace("good", "evil")).expect("a file");
    assert_eq!(
        score_shard(&folder, &["a.jsonl"], (2, 2), &["--force"]).code,
        0
    );
    let merged = merge_all(&folder, &[]);
    assert_eq!(merged.code, 3);
    assert!(
        merged.err.contains("they have read different contents"),
        "{}",
        merged.err
    );
    std::fs::write(folder.path().join("a.jsonl"), text + "\n").expect("a file");
    assert_eq!(
        score_shard(&folder, &["a.jsonl"], (2, 2), &["--force"]).code,
        0
    );
    let merged = merge_all(&folder, &[]);
    assert!(merged.err.contains("is of another input"), "{}", merged.err);
}

#[test]
fn a_wrong_assumption_about_quotes_is_refused_with_the_right_one() {
    // Some cuts are inside the long text.
    let quoted = "looks,like\nsome,records\n".repeat(40);
    let folder = folder_with(
        "a.csv",
        format!("text,kind\n\"{quoted}\",1\ngood,2\n\"fine\",3\n"),
    );
    let mut told = 0;
    score_shards(&folder, &["a.csv"], 4, &["--starts", "unquoted"]);
    let merged = loop {
        let merged = merge_all(&folder, &["--json"]);
        if merged.code == 0 {
            break merged;
        }
        assert_eq!(merged.code, 3, "{}", merged.err);
        let (before, _) = merged
            .err
            .split_once("/4 again with --starts quoted")
            .expect("advice");
        let number = before
            .rsplit(' ')
            .next()
            .expect("a number")
            .parse()
            .expect("a number");
        let arguments = ["--starts", "quoted", "--force"];
        assert_eq!(
            score_shard(&folder, &["a.csv"], (number, 4), &arguments).code,
            0
        );
        told += 1;
        assert!(told < 4, "{}", merged.err);
    };
    assert!(told > 0);
    let whole = score(&folder, "a.csv", &["--json"]);
    assert_eq!(merged.json()["digest"], whole.json()["digest"]);
}

#[test]
fn what_only_one_process_can_read_is_refused() {
    let folder = folder_with("a.jsonl", some_records(10));
    let piped = score_stdin(&folder, &["--shard", "1/2", "--partial", "p.mh"], "{}\n");
    assert_eq!(piped.code, 3);
    assert!(
        piped.err.contains("which only one process can read"),
        "{}",
        piped.err
    );
    for (arguments, message) in [
        (&["--shard", "1/2"][..], "--partial"),
        (
            &["--shard", "3/2", "--partial", "p.mh"],
            "a number from 1 to 2",
        ),
        (
            &["--shard", "1/2", "--partial", "p.mh", "--head", "5"],
            "--head",
        ),
        (
            &["--shard", "1/2", "--partial", "p.mh", "--sample", "5"],
            "--sample",
        ),
        (&["--partial", "p.mh", "--sample", "5"], "cannot be merged"),
        (&["--partial", "-"], "name a file"),
        (&["--starts", "quoted", "--partial", "p.mh"], "--shard"),
        (
            &["--shard", "auto/2", "--partial", "p.mh"],
            "none of the variables",
        ),
    ] {
        let refused = score(&folder, "a.jsonl", arguments);
        assert_eq!(refused.code, 2, "{arguments:?}: {}", refused.err);
        assert!(
            refused.err.contains(message),
            "{arguments:?}: {}",
            refused.err
        );
    }
}

#[test]
fn an_output_that_is_an_input_or_exists_is_refused() {
    let folder = folder_with("a.jsonl", some_records(10));
    let over = score(&folder, "a.jsonl", &["--partial", "a.jsonl", "--force"]);
    assert_eq!(over.code, 5);
    assert!(over.err.contains("is an input"), "{}", over.err);
    score_shards(&folder, &["a.jsonl"], 2, &[]);
    let over = merge_all(&folder, &["--partial", "part-1.mh", "--force"]);
    assert_eq!(over.code, 5, "{}", over.err);
    let exists = merge_all(&folder, &["--partial", "a.jsonl"]);
    assert_eq!(exists.code, 5, "{}", exists.err);
}
