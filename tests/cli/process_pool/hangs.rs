//! In these tests, worker processes hang. A stop of the run must end them, and so must a timeout.

use std::io::Write as _;
use std::time::Duration;

use manyhands::plan::{ExecutorName, RunOptions};
use manyhands::report::End;
use manyhands::{Error, StopReason};
use serde_json::Value;

use super::{
    ENDLESS, SLOW, Streamed, json, lives, plan, run, script, slow_match, wait_until_busy, worker_of,
};
use crate::{binary, output_of, sample, send, start};

#[test]
fn a_signal_and_the_deadline_stop_a_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = Streamed::start(&folder, &[]);
    run.score(20);
    let workers = run.workers();
    send(run.child.id(), "INT");
    // The input is still open, so only the signal ends the run.
    let (code, report) = run.end();
    assert_eq!((code, &report["scored"]), (Some(130), &20.into()));
    assert_eq!(report["end"]["how"], "stopped");
    assert!(!workers.into_iter().any(lives), "no process is left behind");

    let mut run = Streamed::start(&folder, &["--deadline", "2"]);
    run.score(1);
    let (code, report) = run.end();
    assert_eq!((code, &report["scored"]), (Some(124), &1.into()));
}

/// Arguments without a limit and with a limit. With a limit, each record is sent in a conversation of its own.
const LIMITS: [&[&str]; 2] = [&[], &["--rate", "1000"]];

#[test]
fn a_stopped_process_does_not_delay_a_signal() {
    let folder = tempfile::tempdir().expect("a folder");
    for limit in LIMITS {
        // The second text is longer than what a pipe can hold, so the command is blocked in a write.
        for text in ["good".to_owned(), "so good ".repeat(1 << 18)] {
            let mut run = Streamed::start(&folder, limit);
            run.score(20);
            let workers = run.workers();
            assert!(!workers.is_empty());
            workers.iter().for_each(|worker| send(*worker, "STOP"));
            let line = format!("{{\"text\": \"{text}\"}}\n");
            let stdin = run.stdin.as_mut().expect("standard input is open");
            stdin.write_all(line.as_bytes()).expect("the run reads it");
            send(run.child.id(), "INT");
            let (code, report) = run.end();
            assert_eq!(code, Some(130));
            let counts = ["records", "scored", "failed"].map(|name| report[name].as_u64());
            assert_eq!(counts, [Some(20), Some(20), Some(0)]);
            assert_eq!(report["end"]["how"], "stopped");
            for worker in workers {
                assert!(!lives(worker), "no process is left behind");
            }
        }
    }
}

/// Checks the report of a run that was stopped while a worker worked on the fourth record. A worker sends the answers
/// of records that take little time together, so some of the three answers before may not have been sent.
fn stopped_before_the_endless_record(report: &Value) {
    assert_eq!(report["end"]["how"], "stopped");
    assert_eq!(report["scored"], report["records"]);
    assert!(report["records"].as_u64() <= Some(3), "{report}");
}

#[test]
fn an_endless_record_delays_neither_a_signal_nor_the_deadline() {
    let folder = tempfile::tempdir().expect("a folder");
    slow_match(&folder, ENDLESS);
    for limit in LIMITS {
        let pool = ["--json", "--executor", "process-pool", "-j", "1"];
        let arguments = [SLOW.as_slice(), &pool, limit].concat();
        let child = start(&folder, &arguments);
        wait_until_busy(worker_of(child.id(), None));
        send(child.id(), "TERM");
        let output = output_of(child);
        assert_eq!(output.status.code(), Some(143));
        stopped_before_the_endless_record(&json(&output));

        let arguments = [&arguments, ["--deadline", "1"].as_slice()].concat();
        let output = run(&folder, &arguments);
        assert_eq!(output.status.code(), Some(124));
        stopped_before_the_endless_record(&json(&output));
    }
}

#[test]
fn a_process_that_is_never_ready_does_not_delay_the_deadline() {
    let folder = tempfile::tempdir().expect("a folder");
    let welcome = concat!("manyhands ", env!("CARGO_PKG_VERSION"), ": I am.");
    for before in ["", &format!("printf '{welcome}';")] {
        let program = script(&folder, &format!("{before} exec sleep 600"));
        let mut plan = plan(Some(&program));
        plan.deadline = Some(Duration::from_millis(50));
        let answer = plan.open().expect("the sample").run(RunOptions::default());
        let report = answer.expect("the run is stopped").report;
        assert!(matches!(report.end, End::Stopped(StopReason::Deadline)));
        assert_eq!(report.records, 0);
    }
}

#[test]
fn a_record_that_exceeds_the_timeout_fails_and_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    slow_match(&folder, ENDLESS);
    // In a build without optimisation, each of the other records may take some tenths of a second.
    let pool = ["--json", "--executor", "process-pool", "-j", "1"];
    let timeout = ["--timeout", "5"];
    let output = run(&folder, &[SLOW.as_slice(), &pool, &timeout].concat());
    assert_eq!(output.status.code(), Some(1));
    let report = json(&output);
    let counts = ["records", "scored", "failed"].map(|name| report[name].as_u64());
    assert_eq!(counts, [Some(7), Some(6), Some(1)]);
    let failure = &report["failures"][0];
    let told = "no answer within 5 s; the worker process was killed";
    assert_eq!(failure["error"], told);
    assert_eq!(failure["record"], 4);
}

#[test]
fn a_stopped_process_is_replaced_after_the_timeout() {
    let folder = tempfile::tempdir().expect("a folder");
    for limit in LIMITS {
        let mut run = Streamed::start(&folder, &[&["--timeout", "2"], limit].concat());
        run.score(20);
        let workers = run.workers();
        assert!(!workers.is_empty());
        workers.iter().for_each(|worker| send(*worker, "STOP"));
        run.score(20);
        run.end_with_all_scored(40);
        for worker in workers {
            assert!(!lives(worker), "no process is left behind");
        }
    }
}

#[test]
fn the_timeout_does_not_apply_while_processes_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("sleep 4; exec {} \"$@\"", binary().display());
    let mut plan = plan(Some(&script(&folder, &text)));
    plan.timeout = Some(Duration::from_secs(2));
    let answer = plan.open().expect("the sample").run(RunOptions::default());
    let report = answer.expect("a run").report;
    assert_eq!((report.scored, report.failed), (2000, 0));
}

#[test]
fn a_timeout_that_the_executor_cannot_enforce_is_refused() {
    let refused = |result: Result<String, Error>| match result {
        Err(error @ Error::Limit { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let mut plan = plan(Some(binary()));
    plan.timeout = Some(Duration::from_millis(1500));
    let told = "a limit of 1.5 s for a record: a thread cannot be stopped in the middle of a record; \
        use the executor process-pool";
    for executor in ExecutorName::ALL {
        let mut plan = plan.clone();
        plan.executor = executor;
        let opened = plan.open().map(|_| executor.to_string());
        match executor {
            ExecutorName::ProcessPool => assert!(opened.is_ok()),
            _ => assert_eq!(refused(opened), told),
        }
        plan.timeout = Some(Duration::ZERO);
        let none = "a limit of 0 s for a record: it must be more than 0";
        assert_eq!(refused(plan.open().map(|_| String::new())), none);
    }

    let folder = tempfile::tempdir().expect("a folder");
    let score = ["score", sample(), "--with", "sentiment", "--timeout", "1.5"];
    let output = run(&folder, &score);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        format!("error: {told}\n")
    );
}
