//! In these tests, worker processes die once or repeatedly, while they start or while they score.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use manyhands::plan::{ExecutorName, MatchOptions, Plan, RunOptions};
use manyhands::report::Digest;
use manyhands::task::matching::{Matching, Measure};
use tempfile::TempDir;

use super::{
    BUSY, ENDLESS, SLOW, Streamed, children, error_of, json, kill, lives, plan, run, script,
    slow_match, used, wait_until_busy, worker_of,
};
use crate::{binary, output_of, send, start, wait_for};

#[test]
fn a_record_whose_processes_are_killed_each_time_fails_and_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    slow_match(&folder, ENDLESS);
    let pool = [
        "--executor",
        "process-pool",
        "-j",
        "1",
        "--json",
        "--scores",
    ];
    let child = start(
        &folder,
        &[&SLOW, pool.as_slice(), &["killed.jsonl"]].concat(),
    );
    // The first process has further records. The next five have only this one.
    let mut killed = None;
    for _ in 0..6 {
        let worker = worker_of(child.id(), killed);
        wait_until_busy(worker);
        kill(worker);
        killed = Some(worker);
    }
    let output = output_of(child);
    assert_eq!(output.status.code(), Some(1));
    let report = json(&output);
    let counts = ["records", "scored", "failed"].map(|name| report[name].as_u64());
    assert_eq!(counts, [Some(7), Some(6), Some(1)]);
    let failure = &report["failures"][0];
    assert_eq!(
        failure["error"],
        "the worker process died: killed by signal 9"
    );
    assert_eq!(
        (&failure["record"], &failure["line"]),
        (&4.into(), &4.into())
    );

    // The other records have the same scores as in a run without that record.
    let all = fs::read_to_string(folder.path().join("slow.jsonl")).expect("the records");
    let others: Vec<&str> = all
        .lines()
        .map(|line| if line.len() > 1000 { "{}" } else { line })
        .collect();
    fs::write(folder.path().join("slow.jsonl"), others.join("\n")).expect("a file");
    run(
        &folder,
        &[
            &SLOW,
            ["--executor", "sequential", "--scores", "others.jsonl"].as_slice(),
        ]
        .concat(),
    );
    let lines = |name: &str| {
        let text = fs::read_to_string(folder.path().join(name)).expect("scores");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 7);
        lines.remove(3);
        lines
    };
    assert_eq!(lines("killed.jsonl"), lines("others.jsonl"));
}

#[test]
fn a_process_that_is_killed_from_outside_costs_no_record() {
    let folder = tempfile::tempdir().expect("a folder");
    for further in [[].as_slice(), &["--rate", "1000"]] {
        let mut run = Streamed::start(&folder, further);
        run.score(20);
        for _ in 0..2 {
            let workers = run.workers();
            assert!(!workers.is_empty(), "there are processes to kill");
            for worker in workers {
                kill(worker);
            }
            run.score(20);
        }
        run.end_with_all_scored(60);
    }
}

#[test]
fn no_process_outlives_the_run() {
    let folder = tempfile::tempdir().expect("a folder");
    slow_match(&folder, ENDLESS);
    let pool = ["--executor", "process-pool", "-j", "2"];
    for signals in [["KILL"].as_slice(), &["TERM", "TERM"]] {
        let mut child = start(&folder, &[SLOW.as_slice(), &pool].concat());
        let id = child.id();
        let busy = wait_for("a busy process", || {
            children(id).into_iter().find(|id| used(*id) >= BUSY)
        });
        let workers = children(id);
        assert!(workers.contains(&busy) && workers.len() == 2);
        for signal in signals {
            send(id, signal);
            std::thread::sleep(Duration::from_millis(300));
        }
        child.wait().expect("the command ends");
        for worker in workers {
            wait_for("the exit of a process", || (!lives(worker)).then_some(()));
        }
    }
}

#[test]
fn a_process_that_cannot_be_replaced_ends_the_run() {
    for limited in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path().display();
        let binary = binary().display();
        let program = script(
            &folder,
            &format!("[ -e {at}/id ] && exit 3; echo $$ > {at}/id; exec {binary} \"$@\""),
        );
        slow_match(&folder, ENDLESS);
        let mut plan = plan(Some(&program));
        plan.files = vec![folder.path().join("slow.jsonl")];
        let matching = Matching::by(Measure::Levenshtein).cutoff(0.1);
        let reference = folder.path().join("reference.txt");
        plan.scorer = MatchOptions::new(matching, reference).into();
        plan.threads = "1".parse().ok();
        if limited {
            plan.limit = plan.limit.per_second(1000.0);
        }
        let error = std::thread::scope(|scope| {
            let error = scope.spawn(|| error_of(&plan));
            let id = wait_for("the process", || {
                let id = fs::read_to_string(folder.path().join("id")).ok()?;
                id.trim().parse().ok()
            });
            wait_until_busy(id);
            kill(id);
            error.join().expect("no panic")
        });
        assert!(error.contains("exit status 3"), "{error}");
    }
}

/// Returns the digest of the answer to this plan, which is run in one process.
fn digest_of(plan: &Plan) -> Digest {
    let mut plan = plan.clone();
    plan.executor = ExecutorName::Sequential;
    let answer = plan.open().expect("the sample").run(RunOptions::default());
    answer.expect("a run").digest
}

/// Writes a program that counts its starts in `$n`, runs the shell commands `which`, and then becomes a worker.
fn counting(folder: &TempDir, which: &str) -> PathBuf {
    let at = folder.path().display();
    let text = format!(
        "n=1; set -C; until (: > {at}/started.$n) 2> /dev/null; do n=$((n + 1)); done\n\
         {which}\n\
         exec {} \"$@\"",
        binary().display()
    );
    script(folder, &text)
}

fn started(folder: &TempDir) -> usize {
    let there = |number: &usize| {
        let name = format!("started.{number}");
        folder.path().join(name).exists()
    };
    (1..).take_while(there).count()
}

/// Returns the shell commands of a worker that dies after it has read this number of bytes.
fn cut(bytes: u32) -> String {
    // `dd` reads one byte at a time. Other programs would buffer their input.
    let dd = format!("dd bs=1 count={bytes} status=none");
    format!(
        "{{ {dd} | {} worker 2> /dev/null; exit 3; }}",
        binary().display()
    )
}

#[test]
fn processes_that_die_while_starting_are_replaced() {
    let welcome = concat!("manyhands ", env!("CARGO_PKG_VERSION"), ": I am.");
    let cut = cut(40_000);
    for (workers, which) in [
        // Before the greeting, one process dies, all three processes die, or two processes die in succession.
        (1, "[ $n = 1 ] && kill -KILL $$".to_owned()),
        (3, "[ $n -le 3 ] && kill -KILL $$".to_owned()),
        (1, "[ $n -le 2 ] && exit 3".to_owned()),
        // One process dies after it has answered the greeting.
        (
            2,
            format!("[ $n = 2 ] && printf '{welcome}' && kill -KILL $$"),
        ),
        // Processes die while they score, and then their replacements die while they start. This happens to one
        // process, or to several at the same time.
        (
            1,
            format!("[ $n = 1 ] && {cut}; [ $n -le 5 ] && kill -KILL $$"),
        ),
        (
            3,
            format!("[ $n -le 3 ] && {cut}; [ $n -le 7 ] && kill -KILL $$"),
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut plan = plan(Some(&counting(&folder, &which)));
        plan.threads = workers.to_string().parse().ok();
        let answer = plan.open().expect("the sample").run(RunOptions::default());
        let answer = answer.unwrap_or_else(|error| panic!("{which}: {error}"));
        let report = &answer.report;
        assert_eq!((report.scored, report.failed), (2000, 0), "{which}");
        assert_eq!(answer.digest, digest_of(&plan), "{which}");
        assert!(started(&folder) > workers, "{which}");
    }
}

#[test]
fn repeated_deaths_while_starting_end_the_run() {
    let cut = cut(40_000);
    for (which, starts) in [
        ("exit 3".to_owned(), 3),
        (format!("[ $n = 1 ] && {cut}; exit 3"), 6),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut plan = plan(Some(&counting(&folder, &which)));
        plan.threads = "1".parse().ok();
        let error = error_of(&plan);
        assert!(error.contains("processes in succession died"), "{error}");
        assert!(error.contains("exit status 3"), "{error}");
        assert_eq!(started(&folder), starts, "{which}");
    }
}

#[test]
fn a_deleted_program_ends_the_run() {
    for limited in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let which = format!("rm \"$0\"; {}", cut(40_000));
        let mut plan = plan(Some(&counting(&folder, &which)));
        plan.threads = "1".parse().ok();
        if limited {
            plan.limit = plan.limit.per_second(1e6);
        }
        let error = error_of(&plan);
        assert!(error.contains("No such file"), "{error}");
        assert_eq!(started(&folder), 1);
    }
}
