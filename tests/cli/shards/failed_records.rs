//! The files of failures of shards, which `merge` puts together.

use std::fs;

use tempfile::TempDir;

use super::{merge_all, score_shard, some_records};
use crate::{Ran, folder_with, run, shell, write};

/// Scores all shards with files of failures whose names are in another order than the shards. Returns the names of the
/// files of failures and of the reasons.
fn score_with_failures(
    folder: &TempDir,
    files: &[&str],
    of: u64,
    ending: &str,
    options: &[&str],
) -> Vec<String> {
    let mut names = Vec::new();
    for number in 1..=of {
        let name = format!("{}-bad{ending}", 9 - number);
        let arguments = [&["--failures", &name], options].concat();
        let scored = score_shard(folder, files, (number, of), &arguments);
        assert_eq!(scored.code, 0, "{}", scored.err);
        names.push(format!("{name}.reasons.jsonl"));
        names.push(name);
    }
    names
}

/// Merges all shards, and puts these files together.
fn merge_failures(folder: &TempDir, joined: &str, from: &[String]) -> Ran {
    let from: Vec<&str> = from.iter().map(String::as_str).collect();
    merge_all(
        folder,
        &[&["--failures", joined, "--from"], &from[..]].concat(),
    )
}

fn bytes(folder: &TempDir, name: &str) -> Vec<u8> {
    fs::read(folder.path().join(name)).expect(name)
}

/// Compares the files of failures of the shards with those of one run. Returns the file of failures and the reasons.
fn check(
    folder: &TempDir,
    files: &[&str],
    of: u64,
    ending: &str,
    options: &[&str],
) -> (Vec<u8>, String) {
    let from = score_with_failures(folder, files, of, ending, options);
    let (whole, joined) = (format!("whole{ending}"), format!("joined{ending}"));
    let one = [&["score"], files, &["--with", "sentiment"], options].concat();
    let one = run(folder, &[&one[..], &["--failures", &whole]].concat());
    let merged = merge_failures(folder, &joined, &from);
    assert_eq!(merged.code, one.code, "{}", merged.err);
    let warnings = |ran: &Ran| {
        let lines = ran.err.lines().filter(|line| line.contains("warning"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(warnings(&merged), warnings(&one), "{files:?}");
    let text = |bytes| String::from_utf8(bytes).expect("JSON");
    let reasons = |name: &str| text(bytes(folder, &format!("{name}.reasons.jsonl")));
    let (records, why) = (bytes(folder, &whole), reasons(&whole));
    assert_eq!(reasons(&joined), why, "{files:?} {of}");
    assert!(bytes(folder, &joined) == records, "{files:?} {of} {ending}");
    shell(folder, "rm part-*.mh *-bad* whole* joined*");
    (records, why)
}

/// Tables with quotes, line ends and bytes that are not UTF-8.
fn table(records: usize) -> Vec<u8> {
    let mut bytes = b"text,\"two\nnames\"\r\n".to_vec();
    for _ in 0..records {
        bytes.extend_from_slice(
            b"good \xc3\xa9,1\r\n,\"2\"\"\n\nand\"\r\n\"bad\nand worse\",3\r\nragged\r\n",
        );
        bytes.extend_from_slice(b"b\xe9,4\n\n\x1f\x8b,5\r\n");
    }
    bytes
}

#[test]
fn the_failures_of_the_shards_are_joined_to_the_bytes_of_one_run() {
    let folder = folder_with("a.jsonl", some_records(300));
    write(&folder, "we\"ird.csv", table(40));
    write(&folder, "good.jsonl", "{\"text\":\"good\"}\n".repeat(50));
    write(
        &folder,
        "a.txt",
        b"good \xc3\xa9\n\x1f\x8bx\nb\xe9\n\n".repeat(20),
    );
    for of in [1, 6] {
        for ending in [".jsonl", ".jsonl.gz", ".zst"] {
            let (records, reasons) = check(&folder, &["a.jsonl"], of, ending, &[]);
            assert!(!records.is_empty() && reasons.lines().count() == 12);
        }
        let (records, reasons) = check(&folder, &["we\"ird.csv"], of, ".csv", &[]);
        assert!(records.starts_with(b"text,\"two\nnames\"\n,\"2\"\"\n\nand\"\nragged\n"));
        assert!(reasons.lines().count() >= 120, "{reasons}");
        let last = reasons.lines().last().expect("a reason");
        assert!(last.starts_with("{\"record\":240,\"file\":\"we\\\"ird.csv\",\"line\":"));
        check(&folder, &["we\"ird.csv"], of, ".csv.gz", &[]);
        check(&folder, &["a.txt"], of, ".txt", &[]);
        let empty = check(&folder, &["good.jsonl"], of, ".jsonl", &[]);
        assert_eq!(empty, (Vec::new(), String::new()));
        check(&folder, &["good.jsonl"], of, ".jsonl.gz", &[]);
        let several = ["good.jsonl", "a.jsonl", "good.jsonl", "a.jsonl"];
        check(&folder, &several, of, ".jsonl", &["--max-record", "60"]);
    }
}

#[test]
fn records_of_other_formats_are_left_out_as_in_one_run() {
    let folder = folder_with("a.jsonl", some_records(100));
    write(&folder, "b.csv", table(20));
    let other = "id,text\n".to_owned() + &"1,\n2,good\n".repeat(200) + &"x".repeat(900) + ",y\n";
    write(&folder, "c.csv", other);
    for of in [2, 3, 8] {
        for (files, left_out) in [(["a.jsonl", "c.csv"], 201), (["b.csv", "c.csv"], 201)] {
            let options = ["--max-record", "500"];
            let (_, reasons) = check(&folder, &files, of, ".out", &options);
            let marked = reasons
                .lines()
                .filter(|line| line.ends_with(",\"left_out\":true}"));
            assert_eq!(marked.count(), left_out, "{files:?} {of}");
        }
    }
}

#[test]
fn records_that_a_shard_has_left_out_and_one_run_has_not_are_refused() {
    let folder = folder_with("a.jsonl", "{\"text\":1}\n");
    write(&folder, "b.csv", "id,text\n1,\n2,\n3,\n4,\n");
    write(&folder, "c.jsonl", "{\"text\":2}\n");
    let from = score_with_failures(&folder, &["a.jsonl", "b.csv", "c.jsonl"], 2, ".out", &[]);
    let refused = merge_failures(&folder, "joined.out", &from);
    assert_eq!(refused.code, 3, "{}", refused.err);
    let expected = "7-bad.out: lacks failed records of its shard that have the format and header of those in 8-bad.out, ";
    assert!(refused.err.contains(expected), "{}", refused.err);
    assert!(!folder.path().join("joined.out").exists());
}

#[test]
fn scores_and_failures_are_taken_from_one_list() {
    let folder = folder_with("a.jsonl", some_records(200));
    for number in 1..=3 {
        let (scores, failures) = (format!("x{number}.jsonl"), format!("y{number}.jsonl"));
        let arguments = ["-o", &scores, "--failures", &failures];
        let scored = score_shard(&folder, &["a.jsonl"], (number, 3), &arguments);
        assert_eq!(scored.code, 0, "{}", scored.err);
    }
    let one = "\"$0\" score a.jsonl --with sentiment -o scores --failures failures -q";
    let one = one.replace(" scores ", " scores.jsonl ");
    assert_eq!(shell(&folder, &one).code, 1);
    for outputs in ["-o s.jsonl --failures f", "-o s.jsonl", "--failures f"] {
        let merged = shell(
            &folder,
            &format!("\"$0\" merge part-*.mh -q {outputs} --from y*.jsonl x*.jsonl"),
        );
        assert_eq!(merged.code, 1, "{}", merged.err);
        let same = "set -e; test ! -e s.jsonl || cmp s.jsonl scores.jsonl; \
                    test ! -e f || { cmp f failures; cmp f.reasons.jsonl failures.reasons.jsonl; }; \
                    ls | grep -c -E '^(s.jsonl|f|f.reasons.jsonl)$'; rm -f s.jsonl f f.reasons.jsonl";
        let compared = shell(&folder, same);
        let files = usize::from(outputs.contains("-o")) + 2 * usize::from(outputs.contains(" f"));
        let expected = (0, format!("{files}\n"));
        assert_eq!((compared.code, compared.out), expected, "{}", compared.err);
    }
}

#[test]
fn files_of_failures_that_are_not_those_of_the_shards_are_refused() {
    let folder = folder_with("a.jsonl", some_records(200));
    let from = score_with_failures(&folder, &["a.jsonl"], 3, ".jsonl", &[]);
    let exists = |name: &str| folder.path().join(name).exists();
    let refused = |from: &[String], expected: &[&str]| {
        let refused = merge_failures(&folder, "joined.jsonl", from);
        assert_eq!(refused.code, 3, "{}", refused.err);
        for text in expected {
            assert!(refused.err.contains(text), "{}", refused.err);
        }
        assert!(!exists("joined.jsonl") && !exists("joined.jsonl.reasons.jsonl"));
    };
    let without = |name: &str| {
        let rest = from.iter().filter(|from| *from != name);
        rest.cloned().collect::<Vec<_>>()
    };
    let reasons = "7-bad.jsonl.reasons.jsonl";
    refused(
        &without("7-bad.jsonl"),
        &["shard 2 of 3: none of the 5 files is its file of failures"],
    );
    refused(
        &without(reasons),
        &["shard 2 of 3: none of the 5 files is its file of reasons"],
    );
    let foreign = [&from[..], &["a.jsonl".to_owned()]].concat();
    refused(&foreign, &["a.jsonl: is a file of none of the 3 shards"]);
    for name in ["7-bad.jsonl", reasons] {
        let before = bytes(&folder, name);
        let changed = String::from_utf8_lossy(&before).replacen('5', "6", 1);
        assert!(changed.as_bytes() != before);
        write(&folder, name, changed);
        refused(
            &from,
            &[
                &format!("{name}: is a file of none"),
                "shard 2 of 3 has no file of",
            ],
        );
        write(&folder, name, before);
    }
    // A file that exists is not overwritten without being told so.
    write(&folder, "old.jsonl.reasons.jsonl", "precious");
    let over = merge_failures(&folder, "old.jsonl", &from);
    assert_eq!((over.code, exists("old.jsonl")), (5, false), "{}", over.err);
    assert_eq!(bytes(&folder, "old.jsonl.reasons.jsonl"), b"precious");
    shell(
        &folder,
        "\"$0\" merge part-*.mh --force --failures old.jsonl --from *-bad*",
    );
    assert!(bytes(&folder, "old.jsonl.reasons.jsonl").starts_with(b"{\"record\":8,"));
    // One run refuses these names too.
    let other = merge_failures(&folder, "joined.csv", &from);
    assert_eq!(other.code, 2, "{}", other.err);
    assert!(
        other.err.contains("choose a name that ends in .jsonl"),
        "{}",
        other.err
    );
    assert_eq!(merge_failures(&folder, "-", &from).code, 2);
    for arguments in [&["--from", "a.jsonl"][..], &["--failures", "joined.jsonl"]] {
        assert_eq!(merge_all(&folder, arguments).code, 2, "{arguments:?}");
    }
    // A shard without a file of failures.
    assert_eq!(
        score_shard(&folder, &["a.jsonl"], (2, 3), &["--force"]).code,
        0
    );
    refused(
        &from,
        &["shard 2 of 3: it was scored without a file of failures; score it again with --failures"],
    );
}

#[test]
fn a_shard_is_scored_again_if_its_files_of_failures_are_missing() {
    let folder = folder_with("a.jsonl", some_records(100));
    let scored = |arguments: &[&str]| {
        let arguments = [&["--failures", "bad"], arguments].concat();
        let ran = score_shard(&folder, &["a.jsonl"], (2, 2), &arguments);
        assert_eq!(ran.code, 0, "{}", ran.err);
        !ran.err.contains("nothing was scored")
    };
    assert!(scored(&[]));
    assert!(!scored(&[]));
    shell(&folder, "rm bad.reasons.jsonl");
    assert!(scored(&["--force"]));
    assert!(!scored(&[]));
    assert!(bytes(&folder, "bad.reasons.jsonl").starts_with(b"{\"record\":"));
}
