//! These tests run `--with http` against a service on loopback.

mod answers;
mod budget;
mod chaos;
mod limits;
mod page;
mod retries;
mod secrets;
mod server;
mod server_tests;
mod stops;
mod usage;

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use self::server::{Received, Reply};
use crate::{Ran, binary, finish, folder_with};

/// The variables that name a proxy.
const PROXIES: [&str; 4] = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"];

/// A folder with a file of this number of records, whose fields `n` count from 0.
fn folder(records: u64) -> TempDir {
    let line = |n: u64| {
        format!(
            "{{\"n\":{n},\"text\":\"review {n}\",\"kind\":\"k{}\"}}\n",
            n % 3
        )
    };
    folder_with("in.jsonl", (0..records).map(line).collect::<String>())
}

/// The value that a good service gives the record with this number. Each of them is an exact number.
fn score_of(n: u64) -> f64 {
    (n * 7 % 1009) as f64 / 8.0
}

fn topic_of(n: u64) -> String {
    format!("t{}", n % 5)
}

/// The reply of a good service to a record.
fn good(received: &Received) -> Reply {
    let n = received.n();
    Reply::json(json!({"score": score_of(n), "topic": topic_of(n)}))
}

/// A command that scores `in.jsonl` by calls to this URL, in an environment without proxies.
fn command(folder: &TempDir, url: &str, options: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(["score", "in.jsonl", "--with", "http", "--url", url]);
    command.args(options).current_dir(folder.path());
    for name in PROXIES {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command
}

fn start_calls(mut command: Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.stderr(Stdio::piped()).spawn().expect("it starts")
}

/// Scores `in.jsonl` by calls to this URL.
fn call(folder: &TempDir, url: &str, options: &[&str]) -> Ran {
    finish(start_calls(command(folder, url, options)))
}

/// The lines of a scores file.
fn lines(scores: &str) -> Vec<Value> {
    let lines = scores.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}
