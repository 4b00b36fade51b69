//! These tests check that `docs/http.md` is true: its examples are those of the repository and give the right scores, and
//! its messages are those of the program.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::server::{Received, Reply, Server};
use super::{PROXIES, call, folder, good, lines};
use crate::{Ran, binary, example, finish, folder_with, read, sample, write};

const PAGE: &str = include_str!("../../../docs/http.md");

const SERVICE: &str = include_str!("../../../examples/http/service.py");

const REQUEST: &str = include_str!("../../../examples/http/request.json");

#[test]
fn the_page_shows_the_files_of_the_examples() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/http");
    let mut shown = 0;
    for entry in folder.read_dir().expect("a folder") {
        let path = entry.expect("an entry").path();
        let code = std::fs::read_to_string(&path).expect("an example");
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        let language = if name.ends_with(".py") {
            "python"
        } else {
            "json"
        };
        assert!(
            PAGE.contains(&format!("\n```{language}\n{code}```\n")),
            "the page does not show {name}"
        );
        assert!(PAGE.contains(&format!(
            "[`examples/http/{name}`](../examples/http/{name})"
        )));
        shown += 1;
    }
    assert_eq!(shown, 2);
}

/// The commands of the page that score records, each on one line.
fn commands() -> Vec<String> {
    let blocks = PAGE.split("\n```sh\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("\n```").next());
    let lines = blocks.map(|block| block.replace("\\\n", " "));
    let lines: Vec<String> = lines
        .flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let found: Vec<String> = lines
        .into_iter()
        .filter(|line| line.starts_with("manyhands "))
        .collect();
    assert_eq!(found.len(), 2, "{found:?}");
    found
}

/// Runs a command of the page with the address of a service in the place of `from`.
fn run_command(folder: &TempDir, command: &str, from: &str, to: &str) -> Ran {
    assert!(command.contains(from), "{command}");
    let command = command.replace(from, to);
    let line = command.replacen("manyhands", "exec \"$0\"", 1);
    let mut shell = Command::new("sh");
    shell.args(["-c", &line]).arg(binary());
    shell.env("OPENAI_API_KEY", "sk-of-the-page-012345");
    finish(super::start_calls(in_folder(shell, folder)))
}

/// The service of the page, on a port that is free. It ends when it is dropped.
struct PythonService {
    child: Child,
    port: u16,
}

impl PythonService {
    fn start(folder: &TempDir) -> Self {
        // The last line of the page's service would not tell which port it got.
        let last =
            "ThreadingHTTPServer((\"127.0.0.1\", int(sys.argv[1])), Scorer).serve_forever()\n";
        assert!(SERVICE.ends_with(last));
        let told = "server = ThreadingHTTPServer((\"127.0.0.1\", int(sys.argv[1])), Scorer)\n\
                    print(server.server_port, flush=True)\nserver.serve_forever()\n";
        write(folder, "service.py", SERVICE.replace(last, told));
        let mut python = Command::new("python3");
        python.args(["service.py", "0"]).current_dir(folder.path());
        let mut child = python
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is python3");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let port = line.trim().parse().expect("a port");
        PythonService { child, port }
    }
}

impl Drop for PythonService {
    fn drop(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

#[test]
fn the_service_of_the_page_scores_reviews() {
    let folder = folder_with(
        "reviews.jsonl",
        std::fs::read(sample()).expect("the sample"),
    );
    let service = PythonService::start(&folder);
    let from = "http://127.0.0.1:8000/";
    let ran = run_command(
        &folder,
        &commands()[0],
        from,
        &from.replace("8000", &service.port.to_string()),
    );
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("best\n"), "{}", ran.out);
    let scores = read(&folder, "scores.jsonl");
    let first: Vec<&str> = scores.lines().take(2).collect();
    let shown = format!("```text\n{}\n```", first.join("\n"));
    assert!(
        PAGE.contains(&shown),
        "the page shows other scores than {shown}"
    );
    let records = read(&folder, "reviews.jsonl");
    for (line, record) in lines(&scores).iter().zip(lines(&records)) {
        let text = record["text"].as_str().expect("a text");
        assert_eq!(
            line["words"],
            text.split_whitespace().count() as f64,
            "{line}"
        );
        let tone = if text.contains('!') { "loud" } else { "calm" };
        assert_eq!(line["tone"], tone, "{line}");
    }
    assert_eq!(scores.lines().count(), records.lines().count());
}

#[test]
fn the_example_of_the_library_gives_the_right_mean() {
    let code = include_str!("../../../examples/service.rs");
    assert!(PAGE.contains(&format!("\n```rust\n{code}```\n")));
    assert!(PAGE.contains("[`examples/service.rs`](../examples/service.rs)"));
    let folder = folder(20);
    let server = Server::start(|received| match received.n() {
        7 => Reply::status(400).body("no"),
        n => Reply::json(json!({"words": n})),
    });
    let mut example = Command::new(example("service"));
    example.args(["in.jsonl", &server.url("/"), "words"]);
    let ran = finish(super::start_calls(in_folder(example, &folder)));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    // The numbers from 0 to 19 without 7.
    let mean = (190.0 - 7.0) / 19.0;
    let expected = format!(
        "19 records scored, 1 failed\nmean {mean}\nfailed: in.jsonl:8: 400 Bad Request: no\n"
    );
    assert!(ran.out.starts_with(&expected), "{}", ran.out);
}

/// The command in this folder, in an environment without proxies.
fn in_folder(mut command: Command, folder: &TempDir) -> Command {
    command.current_dir(folder.path());
    for name in PROXIES {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command
}

#[test]
fn the_command_of_the_page_asks_a_language_model() {
    let folder = folder_with(
        "reviews.csv",
        "id,text\n7,\"So \"\"good\"\"\"\n8,bad\n9,strange\n",
    );
    write(&folder, "request.json", REQUEST);
    let server = Server::start(|received| {
        assert_eq!(
            received.header("authorization"),
            Some("Bearer sk-of-the-page-012345")
        );
        let json = received.json();
        let message = match json["messages"][1]["content"].as_str() {
            Some("So \"good\"") => "{\"label\": \"good\", \"score\": 0.9}",
            Some("bad") => "```json\n{\"label\": \"bad\", \"score\": 0}\n```",
            _ => "{\"label\": \"great\", \"score\": 1}",
        };
        Reply::chat(message, 100)
    });
    let from = "https://api.openai.com";
    let ran = run_command(&folder, &commands()[1], from, server.url("").as_str());
    assert_eq!(ran.code, 1, "{}", ran.err);
    let scores = read(&folder, "ratings.csv");
    assert!(
        scores.contains("1,7,good,0.9,,\n2,8,bad,0.0,,\n"),
        "{scores}"
    );
    assert_eq!(read(&folder, "failed.csv"), "id,text\n9,strange\n");
    let received = server.received();
    assert_eq!(received.len(), 4, "the third record is asked for twice");
    assert!(
        received
            .iter()
            .all(|one| one.target == "/v1/chat/completions")
    );
    // The request is the one of the page.
    let mut request: Value = serde_json::from_str(REQUEST).expect("JSON");
    request["messages"][1]["content"] = json!("bad");
    assert!(received.iter().any(|one| one.json() == request));
}

#[test]
fn templates_become_what_the_page_says() {
    let folder = folder_with(
        "in.jsonl",
        "{\"text\": \"So \\\"good\\\"\", \"stars\": 4}\n",
    );
    let server = Server::start(|_| Reply::status(200).body("1"));
    let mut templates = 0;
    for line in PAGE.lines().filter(|line| line.starts_with("| `{")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let [template, _, body] = cells[..] else {
            continue;
        };
        let [template, body] = [template, body].map(|cell| cell.trim().trim_matches('`'));
        let ran = call(&folder, &server.url("/"), &["--body", template]);
        assert_eq!(ran.code, 0, "{template}: {}", ran.err);
        let received = server.received();
        let sent = received.last().expect("a call");
        assert_eq!(String::from_utf8_lossy(&sent.body), body);
        templates += 1;
    }
    assert_eq!(templates, 4);
}

#[test]
fn values_are_picked_as_the_page_says() {
    let server = Server::start(|received| {
        let inner = match received.n() {
            0 => "{\"label\": \"good\"}",
            _ => "0.7",
        };
        let mut answer =
            json!({"result": {"score": 0.5, "label": "good"}, "results": [{"flagged": true}]});
        answer["choices"] = json!([{"message": {"content": inner}}]);
        Reply::json(answer)
    });
    let mut picks = 0;
    for line in PAGE
        .lines()
        .filter(|line| line.contains(" | `") && line.contains("=/"))
    {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [_, pick, expect] = cells[..] else {
            continue;
        };
        let [pick, expect] = [pick, expect].map(|cell| cell.trim_matches('`').replace("\\|", "|"));
        let folder = folder(2);
        let options = ["--pick", &pick, "--expect", &expect, "-o", "out.jsonl"];
        let ran = call(&folder, &server.url("/"), &options);
        let name = pick.split('=').next().expect("a name");
        let scores = lines(&read(&folder, "out.jsonl"));
        let expected = match (pick.contains('#'), pick.ends_with('#')) {
            (true, true) => [None, Some(json!(0.7))],
            (true, false) => [Some(json!("good")), None],
            (false, _) => {
                let value = match name {
                    "score" => json!(0.5),
                    "label" => json!("good"),
                    _ => json!(true),
                };
                [Some(value.clone()), Some(value)]
            }
        };
        for (line, value) in scores.iter().zip(expected) {
            assert_eq!(line.get(name), value.as_ref(), "{pick}: {line}");
        }
        assert_eq!(
            ran.code,
            i32::from(pick.contains('#')),
            "{pick}: {}",
            ran.err
        );
        picks += 1;
    }
    assert_eq!(picks, 6);
}

/// The cells of the line of the page that names this test.
fn cells(test: &str) -> Vec<&'static str> {
    let end = format!(" | `http/page::{test}` |");
    let line = PAGE.lines().find_map(|line| line.strip_suffix(&end));
    let line = line.unwrap_or_else(|| panic!("no line names {test}"));
    line.trim_start_matches("| ").split(" | ").collect()
}

/// The message that the page promises for this test.
fn message(test: &str) -> &'static str {
    cells(test)[2].trim_matches('`').trim()
}

/// Scores three records with a service that replies in this way to the second one, and answers the others. The second
/// record must fail with the message of the page after as many calls, and the others must be scored.
fn fails(
    test: &str,
    options: &[&str],
    calls: usize,
    reply: impl Fn(&Received) -> Reply + Send + Sync + 'static,
) {
    let server = Server::start(move |received| match received.n() {
        1 => reply(received),
        _ => good(received),
    });
    let folder = folder(3);
    let all = [&["-o", "out.jsonl"], options].concat();
    let ran = call(&folder, &server.url("/"), &all);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let message = message(test);
    let mut told = ran.err.lines();
    let first = told.next().expect("a failure");
    assert!(first.starts_with("failed: in.jsonl:2: "), "{first}");
    let port = server.port().to_string();
    let first = first
        .replace(&port, "8000")
        .replace("within 3 s", "within 60 s");
    assert!(first.contains(message), "the page says: {message}\n{first}");
    assert_eq!(told.next(), Some("1 of 3 records could not be scored"));
    let scores = lines(&read(&folder, "out.jsonl"));
    let is_scored: Vec<bool> = scores
        .iter()
        .map(|line| line["score"].is_number())
        .collect();
    assert_eq!(is_scored, [true, false, true]);
    let received = server.received();
    assert_eq!(received.iter().filter(|one| one.n() == 1).count(), calls);
}

/// Fails a call such that the next one follows soon.
fn soon(reply: Reply) -> Reply {
    reply.header("retry-after-ms", "1")
}

#[test]
fn a_service_that_fails() {
    let reply = |_: &Received| soon(Reply::status(500).body("out of memory"));
    fails("a_service_that_fails", &[], 6, reply);
}

#[test]
fn a_service_that_is_overloaded() {
    let reply = |_: &Received| soon(Reply::status(429).body("slow down"));
    fails("a_service_that_is_overloaded", &[], 6, reply);
}

#[test]
fn a_service_that_asks_for_a_long_time() {
    let reply = |_: &Received| Reply::status(429).header("Retry-After", "3600");
    fails("a_service_that_asks_for_a_long_time", &[], 1, reply);
}

#[test]
fn a_service_that_never_answers() {
    let options = ["--timeout", "3", "--retries", "1"];
    fails("a_service_that_never_answers", &options, 2, |_| {
        Reply::never()
    });
}

#[test]
fn a_service_that_closes_the_connection() {
    let options = ["--retries", "1"];
    fails("a_service_that_closes_the_connection", &options, 2, |_| {
        Reply::closed()
    });
}

#[test]
fn a_service_that_answers_half() {
    let options = ["--retries", "1"];
    let long = |_: &Received| Reply::json(json!({"score": 1, "reasons": "x".repeat(500)})).half();
    fails("a_service_that_answers_half", &options, 2, long);
}

#[test]
fn a_service_that_refuses_a_record() {
    let reply = |_: &Received| Reply::status(400).body("the text is too long");
    fails("a_service_that_refuses_a_record", &[], 1, reply);
}

#[test]
fn a_service_that_gives_a_reason() {
    let reply = |_: &Received| Reply::json(json!({"error": "no French"}));
    fails("a_service_that_gives_a_reason", &[], 2, reply);
}

#[test]
fn a_service_that_answers_no_json() {
    let reply = |_: &Received| Reply::status(200).body("<html>");
    fails("a_service_that_answers_no_json", &[], 2, reply);
}

#[test]
fn a_service_that_leaves_out_a_value() {
    let options = ["--pick", "score=/score"];
    let reply = |_: &Received| Reply::json(json!({"points": 3}));
    fails("a_service_that_leaves_out_a_value", &options, 2, reply);
}

#[test]
fn a_service_that_invents_a_value() {
    let options = ["--pick", "score=/score", "--expect", "score=0..1000"];
    let reply = |_: &Received| Reply::json(json!({"score": 1001}));
    fails("a_service_that_invents_a_value", &options, 2, reply);
}

#[test]
fn a_service_that_changes_the_kind_of_a_value() {
    let reply =
        |_: &Received| Reply::json(json!({"score": "abc"})).after(Duration::from_millis(50));
    fails("a_service_that_changes_the_kind_of_a_value", &[], 1, reply);
}

#[test]
fn a_service_that_redirects_elsewhere() {
    let reply = |_: &Received| Reply::status(307).header("Location", "https://example.com/");
    fails("a_service_that_redirects_elsewhere", &[], 1, reply);
}

#[test]
fn a_service_that_answers_too_much() {
    fails("a_service_that_answers_too_much", &[], 1, |_| {
        Reply::endless()
    });
}

#[test]
fn every_line_of_the_page_names_a_test() {
    let own = include_str!("page.rs");
    let names = |line: &'static str| Some(line.strip_prefix("fn ")?.split_once('(')?.0);
    let tests = own.split("#[test]\n").skip(1).filter_map(names);
    let tests: Vec<&str> = tests.filter(|name| name.starts_with("a_service")).collect();
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for test in &tests {
        assert!(!message(test).is_empty());
        *lines.entry(test).or_default() += 1;
    }
    assert_eq!(
        PAGE.matches("| `http/page::").count(),
        tests.len(),
        "{tests:?}"
    );
}
