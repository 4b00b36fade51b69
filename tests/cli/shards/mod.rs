//! Shards that are scored by processes of their own, and `merge`, which puts them together.

mod engines;
mod failed_records;
mod files;
mod refusals;

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::{Ran, run};

/// Scores a shard of these files. The partial answer is `part-N.mh`.
fn score_shard(folder: &TempDir, files: &[&str], shard: (u64, u64), arguments: &[&str]) -> Ran {
    let (number, of) = shard;
    let (shard, partial) = (format!("{number}/{of}"), format!("part-{number}.mh"));
    let named = [
        "--with",
        "sentiment",
        "--shard",
        &shard,
        "--partial",
        &partial,
    ];
    run(folder, &[&["score"], files, &named, arguments].concat())
}

/// Scores all shards of these files.
fn score_shards(folder: &TempDir, files: &[&str], of: u64, arguments: &[&str]) {
    for number in 1..=of {
        let scored = score_shard(folder, files, (number, of), arguments);
        assert_eq!(scored.code, 0, "{}", scored.err);
    }
}

/// Merges all partial answers in the folder.
fn merge_all(folder: &TempDir, arguments: &[&str]) -> Ran {
    let parts = names_like(folder.path(), "part-", ".mh");
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    run(folder, &[&["merge"], &parts[..], arguments].concat())
}

/// The files whose names begin and end like this.
fn names_like(folder: &Path, begin: &str, end: &str) -> Vec<String> {
    let found = fs::read_dir(folder).expect("a folder");
    let names = found.map(|entry| entry.expect("an entry").file_name().into_string());
    let names = names.map(|name| name.expect("it is UTF-8"));
    let mut names: Vec<String> = names
        .filter(|name| name.starts_with(begin) && name.ends_with(end))
        .collect();
    names.sort();
    names
}

/// A report without what differs between two runs, and between a run and a merged report.
fn without_times(report: &Ran) -> serde_json::Value {
    let mut json = report.json();
    let object = json.as_object_mut().expect("an object");
    for name in ["timing", "machine", "command", "date", "shards", "plan"] {
        object.remove(name);
    }
    json
}

/// Records as JSON lines, some of which fail.
fn some_records(records: usize) -> String {
    let line = |record: usize| match record % 50 {
        7 => "{\"text\":5,\"kind\":\"a\"}\n".to_owned(),
        31 => "broken\n\n".to_owned(),
        other => format!(
            "{{\"text\":\"good film number {record}, not bad\",\"kind\":\"{}\"}}\n",
            other % 3
        ),
    };
    (0..records).map(line).collect()
}
