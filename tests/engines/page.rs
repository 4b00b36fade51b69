//! These tests check that `docs/cluster.md` is true: its commands give the answer of a single run, and it names every
//! example.

use std::fs;

use crate::{digests, root, shared, succeed};

const PAGE: &str = include_str!("../../docs/cluster.md");

/// Returns the blocks of shell commands that a laptop can run.
fn commands() -> Vec<&'static str> {
    let blocks = PAGE.split("\n```sh\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("\n```").next().expect("a block"));
    blocks.collect()
}

#[test]
fn the_commands_for_a_laptop_give_the_answer_of_a_single_run() {
    let folder = shared();
    // Smaller data have the same commands.
    let all = commands()
        .join("\n")
        .replace("--records 1e5", "--records 4000");
    let reports = succeed(folder.path(), &["sh", "-e", "-c", &all], &[]);
    let digests = digests(&reports);
    // The reports are those of the single run, of the merge, and of the merge in steps.
    assert_eq!(digests, [digests[0]; 3], "{reports}");
    let scores = |name| fs::read(folder.path().join(name)).expect("scores");
    assert!(scores("whole.jsonl") == scores("scores.jsonl"));
}

#[test]
fn the_page_names_every_example() {
    let folder = root().join("examples/engines");
    for entry in folder.read_dir().expect("a folder") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_str().expect("UTF-8");
        let link = format!("(../examples/engines/{name})");
        assert!(PAGE.contains(&link), "the page has no link {link}");
    }
}

#[test]
fn the_page_names_the_versions_of_the_engines() {
    let pinned = fs::read_to_string(root().join("examples/engines/requirements.txt"));
    for line in pinned.expect("the versions").lines() {
        if let Some((_, version)) = line.split_once("==") {
            assert!(PAGE.contains(version), "the page does not name {line}");
        }
    }
}

#[test]
fn the_readme_names_the_page() {
    let readme = fs::read_to_string(root().join("README.md")).expect("a readme");
    assert!(readme.contains("(docs/cluster.md)"));
}

#[test]
fn the_page_quotes_the_refusals_of_merge() {
    let sources = ["src/plan/merge/tiling.rs", "src/plan/partial/file.rs"];
    let sources = sources.map(|path| fs::read_to_string(root().join(path)).expect("a source"));
    // A message continues on the next line of its source after a backslash.
    let words: Vec<&str> = sources
        .iter()
        .flat_map(|text| text.split_whitespace())
        .collect();
    let messages = words.join(" ").replace("\\ ", "");
    let (_, table) = PAGE.split_once("\n| it says |").expect("the table");
    let lines = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let quotes: Vec<&str> = lines
        .map(|line| line.split('`').nth(1).expect("a quote"))
        .collect();
    assert!(quotes.len() >= 12, "{quotes:?}");
    for piece in quotes.iter().flat_map(|quote| quote.split(" … ")) {
        assert!(messages.contains(piece), "merge does not say {piece:?}");
    }
}
