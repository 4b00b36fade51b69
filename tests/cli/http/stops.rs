//! In these tests, runs over a service end early, or read a pipe.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::json;

use super::server::{Reply, Server};
use super::{call, command, folder, good, lines, score_of, start_calls, topic_of};
use crate::{finish, read, send, unfinished, wait_for, wait_while_running};

/// A service that answers the first hundred records and then no more.
fn stalls() -> Server {
    Server::start(|received| match received.n() {
        n if n < 100 => good(received),
        _ => Reply::never(),
    })
}

/// Checks that the scores of the first hundred records are kept.
fn assert_kept(folder: &tempfile::TempDir) {
    let scores = lines(&read(folder, "out.jsonl.partial"));
    assert_eq!(scores.len(), 100);
    for (n, line) in (0..).zip(scores) {
        assert_eq!(
            line,
            json!({"record": n + 1, "score": score_of(n), "topic": topic_of(n)})
        );
    }
    assert!(!folder.path().join("out.jsonl").exists());
}

#[test]
fn a_signal_ends_a_run_and_keeps_what_was_answered() {
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        let server = stalls();
        let folder = folder(500);
        let options = ["-o", "out.jsonl", "--json", "--in-flight", "8"];
        let mut child = start_calls(command(&folder, &server.url("/"), &options));
        wait_while_running(&mut child, "calls without an answer", || {
            server.memory().received.len() == 108
        });
        // A score is written when its answer is on the disk.
        wait_while_running(&mut child, "the scores", || {
            unfinished(&folder).lines().count() == 100
        });
        send(child.id(), signal);
        let ran = finish(child);
        assert_eq!(ran.code, code, "{signal}: {}", ran.err);
        let report = ran.json();
        assert_eq!(
            (&report["scored"], &report["failed"]),
            (&json!(100), &json!(0)),
            "{signal}"
        );
        assert_kept(&folder);
    }
}

#[test]
fn a_deadline_ends_a_run_and_keeps_what_was_answered() {
    let server = stalls();
    let folder = folder(500);
    let options = ["-o", "out.jsonl", "--json", "--deadline", "10"];
    let ran = call(&folder, &server.url("/"), &options);
    assert_eq!(ran.code, 124, "{}", ran.err);
    let report = ran.json();
    assert_eq!(
        (&report["scored"], &report["failed"]),
        (&json!(100), &json!(0))
    );
    assert_kept(&folder);
}

#[test]
fn a_pause_does_not_keep_a_run_from_ending() {
    let server = Server::start(|_| Reply::status(429).header("Retry-After", "300"));
    let folder = folder(500);
    let mut child = start_calls(command(&folder, &server.url("/"), &["--json"]));
    wait_while_running(&mut child, "a call", || {
        !server.memory().received.is_empty()
    });
    send(child.id(), "TERM");
    let ran = finish(child);
    assert_eq!(ran.code, 143, "{}", ran.err);
    assert_eq!(ran.json()["scored"], 0);
}

#[test]
fn a_failure_may_end_a_run() {
    let server = Server::start(|received| match received.n() {
        50 => Reply::status(400).body("no"),
        _ => good(received),
    });
    let folder = folder(2000);
    let options = ["-o", "out.jsonl", "--on-failure", "stop"];
    let ran = call(&folder, &server.url("/"), &options);
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(
        ran.err.contains("in.jsonl:51") && ran.err.contains("400"),
        "{}",
        ran.err
    );
    let scores = lines(&read(&folder, "out.jsonl.partial"));
    assert_eq!(
        scores[..50]
            .iter()
            .filter(|line| line["score"].is_number())
            .count(),
        50
    );
    assert!(server.received().len() < 2000);
}

#[test]
fn records_of_a_pipe_are_sent_as_they_arrive() {
    let server = Server::start(good);
    let folder = folder(1);
    let url = server.url("/");
    let mut command = std::process::Command::new(crate::binary());
    command.args([
        "score",
        "-",
        "--format",
        "jsonl",
        "--with",
        "http",
        "--url",
        &url,
        "-o",
        "out.jsonl",
    ]);
    command.current_dir(folder.path()).stdin(Stdio::piped());
    let mut child = start_calls(command);
    let mut input = child.stdin.take().expect("a pipe");
    for n in 0..5 {
        writeln!(input, "{{\"n\":{n}}}").expect("it reads");
        input.flush().expect("it reads");
        // The input remains open.
        wait_for("the call", || {
            (server.memory().received.len() == n + 1).then_some(())
        });
    }
    drop(input);
    let ran = finish(child);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(lines(&read(&folder, "out.jsonl")).len(), 5);
}

#[test]
fn a_service_that_does_not_listen_is_named() {
    let port = Server::start(good).port();
    let folder = folder(3);
    let url = format!("http://127.0.0.1:{port}/");
    let ran = call(&folder, &url, &["--retries", "1"]);
    assert!([1, 3].contains(&ran.code), "{}", ran.err);
    assert!(
        ran.err
            .contains(&format!("no connection to 127.0.0.1:{port}")),
        "{}",
        ran.err
    );
    // A service without encryption is not called with encryption.
    let server = Server::start(good);
    let url = server.url("/").replace("http:", "https:");
    let ran = call(&folder, &url, &["--timeout", "30"]);
    assert!([1, 3].contains(&ran.code), "{}", ran.err);
    assert!(
        ran.err.contains("no encrypted connection to 127.0.0.1"),
        "{}",
        ran.err
    );
}
