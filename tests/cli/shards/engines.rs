//! What engines do to shards: they number them, kill them, run them twice, and run them at the same time.

use std::process::Stdio;
use std::thread;
use std::time::Duration;

use super::{merge_all, names_like, score_shard, score_shards, some_records, without_times};
use crate::{binary, folder_with, program, ran, run, score, send, wait_for};

#[test]
fn sixteen_shards_of_which_some_are_killed_and_some_run_twice_give_the_answer_of_one_run() {
    let folder = folder_with("a.jsonl", some_records(4_000));
    let start = |number: u64| {
        let mut command = std::process::Command::new(binary());
        command.current_dir(folder.path());
        command.args([
            "score",
            "a.jsonl",
            "--with",
            "sentiment",
            "--by",
            "kind",
            "--rate",
            "1000",
        ]);
        command.args(["--shard", &format!("{number}/16")]);
        command.args(["--partial", &format!("part-{number}.mh")]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("it starts")
    };
    // The first attempt of every third shard is killed, as if its node had died.
    for number in (1..=16).step_by(3) {
        let mut attempt = start(number);
        thread::sleep(Duration::from_millis(20 * number));
        attempt.kill().expect("it can be killed");
        attempt.wait().expect("it ends");
    }
    // Of every other shard, two attempts run at the same time.
    let attempts: Vec<_> = (1..=16)
        .flat_map(|number| std::iter::repeat_n(number, 1 + (number % 2) as usize))
        .map(start)
        .collect();
    for mut attempt in attempts {
        attempt.wait().expect("it ends");
    }
    // If two attempts end in the same moment, one of them may have failed. The engine tries it again.
    score_shards(&folder, &["a.jsonl"], 16, &["--by", "kind"]);
    let merged = merge_all(&folder, &["--json"]);
    let whole = score(&folder, "a.jsonl", &["--by", "kind", "--json"]);
    assert_eq!((merged.code, whole.code), (1, 1), "{}", merged.err);
    assert_eq!(without_times(&merged), without_times(&whole));
    let left = names_like(folder.path(), ".manyhands-", "");
    assert!(
        left.len() <= 6,
        "only killed attempts leave files: {left:?}"
    );
}

#[test]
fn a_shard_that_is_done_is_not_scored_again() {
    let folder = folder_with("a.jsonl", some_records(100));
    let shard = |arguments: &[&str]| score_shard(&folder, &["a.jsonl"], (1, 2), arguments);
    let path = folder.path().join("part-1.mh");
    let written = || path.metadata().expect("a file").modified().expect("a time");
    assert_eq!(shard(&[]).code, 0);
    let first = written();
    let again = shard(&[]);
    assert_eq!((again.code, written()), (0, first), "{}", again.err);
    assert!(
        again.err.contains("is the answer of this shard already"),
        "{}",
        again.err
    );
    // Another plan is another answer, so the file is in the way.
    let other = shard(&["--by", "kind"]);
    assert_eq!((other.code, written()), (5, first), "{}", other.err);
    assert_eq!(shard(&["--by", "kind", "--force"]).code, 0);
    assert_ne!(written(), first);
    // So is a changed input.
    std::fs::write(folder.path().join("a.jsonl"), some_records(101)).expect("a file");
    assert_eq!(shard(&["--by", "kind"]).code, 5);
}

#[test]
fn a_shard_that_was_killed_before_its_scores_had_their_name_is_scored_again() {
    let folder = folder_with("a.jsonl", some_records(100));
    let shard = |scores: &str| score_shard(&folder, &["a.jsonl"], (1, 2), &["-o", scores]);
    let scores = folder.path().join("s.jsonl");
    assert_eq!(shard("s.jsonl").code, 0);
    let written = std::fs::read(&scores).expect("scores");
    let again = shard("s.jsonl");
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.err.contains("is the answer of this shard already"));
    // The partial answer gets its name first, so this is what a killed attempt leaves.
    std::fs::remove_file(&scores).expect("a file");
    let again = shard("s.jsonl");
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(std::fs::read(&scores).expect("scores") == written);
    // Without its own partial answer, a scores file may be that of anything.
    std::fs::write(folder.path().join("other.jsonl"), "{}").expect("a file");
    assert_eq!(shard("other.jsonl").code, 5);
}

#[test]
fn of_two_attempts_at_the_same_time_the_later_one_finds_the_answer_of_the_other() {
    let folder = folder_with("a.jsonl", some_records(100));
    let mut slow = std::process::Command::new(binary());
    slow.current_dir(folder.path());
    slow.args(["score", "a.jsonl", "--with", "sentiment", "--shard", "1/2"]);
    slow.args(["--partial", "part-1.mh", "-o", "s.jsonl", "--rate", "20"]);
    slow.stdout(Stdio::null()).stderr(Stdio::piped());
    let slow = slow.spawn().expect("it starts");
    let are_open = || names_like(folder.path(), ".manyhands-", "").len() == 2;
    wait_for("the outputs", || are_open().then_some(()));
    send(slow.id(), "STOP");
    let fast = score_shard(&folder, &["a.jsonl"], (1, 2), &["-o", "s.jsonl"]);
    assert_eq!(fast.code, 0, "{}", fast.err);
    send(slow.id(), "CONT");
    let slow = slow.wait_with_output().expect("it ends");
    let error = String::from_utf8(slow.stderr).expect("UTF-8");
    assert!(slow.status.success(), "{error}");
    assert!(
        error.contains("another run has written part-1.mh"),
        "{error}"
    );
    assert_eq!(
        names_like(folder.path(), "", ""),
        ["a.jsonl", "part-1.mh", "s.jsonl"]
    );
}

#[test]
fn a_shard_takes_its_number_from_the_engine() {
    let folder = folder_with("a.jsonl", some_records(100));
    let auto = |name: &str, value: &str, partial: &str| {
        let mut command = program(folder.path());
        command.args([
            "score",
            "a.jsonl",
            "--with",
            "sentiment",
            "--shard",
            "auto/2",
        ]);
        command.args(["--partial", partial]).env(name, value);
        ran(command.output())
    };
    assert_eq!(auto("SLURM_ARRAY_TASK_ID", "1", "part-1.mh").code, 0);
    assert_eq!(auto("JOB_COMPLETION_INDEX", "1", "part-2.mh").code, 0);
    let merged = merge_all(&folder, &["--json"]);
    let whole = score(&folder, "a.jsonl", &["--json"]);
    assert_eq!(without_times(&merged), without_times(&whole));
    let refused = auto("SLURM_ARRAY_TASK_ID", "0", "part-3.mh");
    assert_eq!(refused.code, 2);
    assert!(
        refused
            .err
            .contains("number the tasks of the engine from 1 to 2"),
        "{}",
        refused.err
    );
}

#[test]
fn a_stopped_shard_leaves_nothing_that_looks_complete() {
    let folder = folder_with("a.jsonl", some_records(1_000));
    let limits = ["--rate", "10", "--deadline", "300ms", "-o", "s.jsonl"];
    let stopped = score_shard(&folder, &["a.jsonl"], (1, 2), &limits);
    assert_eq!(stopped.code, 124, "{}", stopped.err);
    assert_eq!(names_like(folder.path(), "", ""), ["a.jsonl"]);
    let again = score_shard(&folder, &["a.jsonl"], (1, 2), &["-o", "s.jsonl"]);
    assert_eq!(again.code, 0, "{}", again.err);
}

#[test]
fn merges_can_be_merged() {
    let folder = folder_with("a.jsonl", some_records(500));
    score_shards(&folder, &["a.jsonl"], 7, &[]);
    let merge = |arguments: &[&str]| run(&folder, &[&["merge"], arguments].concat());
    let some = merge(&["part-3.mh", "part-2.mh", "--partial", "two.mh"]);
    assert_eq!((some.code, some.out.as_str()), (0, ""), "{}", some.err);
    let note = "two.mh is the answer of the shards 2 to 3/7; merge it with the other shards";
    assert!(some.err.contains(note), "{}", some.err);
    let only = "without them, --partial is the only output that can be written";
    for outputs in [
        &["--json"][..],
        &["--html", "page.html"],
        &["-o", "out.jsonl", "--from", "part-2.jsonl"],
    ] {
        let some = ["part-3.mh", "part-2.mh", "--partial", "not.mh"];
        let refused = merge(&[&some, outputs].concat());
        assert_eq!((refused.code, refused.out.as_str()), (3, ""));
        assert!(refused.err.contains(only), "{}", refused.err);
        assert!(
            refused.err.contains("shard 1/7 is missing"),
            "{}",
            refused.err
        );
        let written = names_like(folder.path(), "", "");
        let is_new = |name: &&String| !name.starts_with("part-") && *name != "two.mh";
        assert_eq!(written.iter().find(is_new), Some(&"a.jsonl".to_owned()));
    }
    assert_eq!(merge(&["-"]).code, 2);
    let rest = [
        "part-4.mh",
        "part-5.mh",
        "part-6.mh",
        "part-7.mh",
        "--partial",
        "rest.mh",
    ];
    assert_eq!(merge(&rest).code, 0);
    let all = merge(&[
        "rest.mh",
        "part-1.mh",
        "two.mh",
        "--json",
        "--partial",
        "all.mh",
    ]);
    let whole = score(&folder, "a.jsonl", &["--json"]);
    assert_eq!(without_times(&all), without_times(&whole));
    assert_eq!(
        without_times(&merge(&["all.mh", "--json"])),
        without_times(&whole)
    );
    let direct = merge_all(&folder, &["--partial", "direct.mh", "--json"]);
    assert_eq!(direct.json()["shards"].as_array().map(Vec::len), Some(7));
}
