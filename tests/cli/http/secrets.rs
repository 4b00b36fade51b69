//! These tests search everything that a run writes for secrets, and check that secrets are sent nowhere else.

use std::fs;

use serde_json::json;
use tempfile::TempDir;

use super::server::{Received, Reply, Server};
use super::{command, folder, good, start_calls};
use crate::{Ran, finish};

/// Secrets, by the places from which they come. The last one is what user info becomes in the header `Authorization`.
const VARIABLE: &str = "sk-variable-0123456789";
const EXPANDED: &str = "expanded/by+the=shell";
const COOKIE: &str = "cookie \"with\\quotes";
const USER: &str = "ada-of-the-url";
const PASSWORD: &str = "pw%2Fof:the-url";
const QUERY: &str = "query-key-0123456789";
const PROXY: &str = "password-of-the-proxy";

/// The forms in which the secrets may appear: as they are, escaped as JSON, and encoded for a URL or a header.
fn forms() -> Vec<String> {
    let mut forms: Vec<String> = [VARIABLE, EXPANDED, COOKIE, USER, PASSWORD, QUERY, PROXY]
        .map(str::to_owned)
        .into();
    forms.push("cookie \\\"with\\\\quotes".to_owned());
    forms.push("cookie &quot;with".to_owned());
    forms.push("pw/of:the-url".to_owned());
    forms.push("expanded%2Fby%2Bthe%3Dshell".to_owned());
    // The base64 form of `ada-of-the-url:`, as far as it does not depend on what follows.
    forms.push("YWRhLW9mLXRoZS11cmw6".to_owned());
    forms
}

/// The URL of a service with a user, a password and a key.
fn url(server: &Server, path: &str) -> String {
    let plain = server.url(path);
    let place = plain.strip_prefix("http://").expect("the scheme");
    format!("http://{USER}:{PASSWORD}@{place}?api-key={QUERY}&v=2")
}

/// Scores records with all secrets, and returns everything that the run writes, as one text.
fn written(folder: &TempDir, url: &str, options: &[&str], proxy: Option<&Server>) -> (Ran, String) {
    let headers = [
        "--header".to_owned(),
        "Authorization: Bearer $SECRET_OF_THE_TEST".to_owned(),
        format!("--header=X-Api-Key: {EXPANDED}"),
        "--header".to_owned(),
        format!("Cookie: session={COOKIE}"),
    ];
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let files = [
        "-o",
        "out.jsonl",
        "--failures",
        "failed.jsonl",
        "--html",
        "page.html",
        "--force",
    ];
    let mut command = command(folder, url, &[&headers[..], &files, options].concat());
    command
        .env("SECRET_OF_THE_TEST", VARIABLE)
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full");
    if let Some(proxy) = proxy {
        command.env(
            "http_proxy",
            format!("http://user:{PROXY}@127.0.0.1:{}", proxy.port()),
        );
    }
    let ran = finish(start_calls(command));
    let mut all = format!("{}\n{}", ran.out, ran.err);
    for entry in fs::read_dir(folder.path()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("a file");
        all += &format!(
            "\n--- {}\n{}",
            path.display(),
            String::from_utf8_lossy(&bytes)
        );
        if path.file_name().is_some_and(|name| name != "in.jsonl") {
            fs::remove_file(path).expect("it is ours");
        }
    }
    (ran, all)
}

fn assert_no_secret(all: &str, what: &str) {
    for secret in forms() {
        let found = all.match_indices(&secret).next();
        if let Some((place, _)) = found {
            let before = all[..place].rfind('\n').map_or(0, |end| end + 1);
            let line = all[before..].lines().next().unwrap_or_default();
            panic!("{what}: {secret} in {line}");
        }
    }
}

/// A reply that repeats everything that the service has received.
fn echo(received: &Received, status: u16) -> Reply {
    let mut text = format!("{} {}\n", received.method, received.target);
    for (name, value) in &received.headers {
        text += &format!("{name}: {value}\n");
    }
    let json = json!({"score": 1, "echo": text, "list": [text], "headers": received.headers, "target": received.target});
    match status {
        200 => Reply::json(json),
        201 => Reply::json(json!({"error": text})),
        202 => Reply::status(200).body(text),
        status if status % 2 == 0 => Reply::status(status).body(text),
        status => Reply::status(status).body(json.to_string()),
    }
}

/// Whether the service has received all secrets of the headers and the URL, so that it makes sense to search for them.
fn has_received_secrets(server: &Server) -> bool {
    let memory = server.memory();
    let bytes = String::from_utf8_lossy(&memory.bytes);
    [VARIABLE, EXPANDED, COOKIE, QUERY]
        .iter()
        .all(|secret| bytes.contains(secret))
}

#[test]
fn no_secret_is_written_whatever_the_service_answers() {
    for status in [200, 201, 202, 400, 401, 429, 500, 503] {
        let server = Server::start(move |received| echo(received, status));
        let folder = folder(4);
        for json in [
            &["--json", "-v"][..],
            &["--quiet"],
            &["--top", "2", "--keep", "*"],
        ] {
            let options = [&["--retries", "1"], json].concat();
            let options: Vec<&str> = options
                .into_iter()
                .filter(|option| *option != "-v")
                .collect();
            let (_, all) = written(&folder, &url(&server, "/v1"), &options, None);
            assert_no_secret(&all, &format!("{status} {json:?}"));
            assert!(all.contains("[hidden]"), "{all}");
        }
        assert!(has_received_secrets(&server), "{status}");
    }
}

#[test]
fn no_secret_is_written_when_there_is_no_answer() {
    let replies: [fn(&Received) -> Reply; 6] = [
        |_| Reply::reset(),
        |_| Reply::closed(),
        |received| echo(received, 200).half(),
        |received| Reply::exactly(format!("HTTP/1.1 {:?}\r\n\r\n", received.headers)),
        |received| Reply::exactly(format!("{:?}\r\n\r\n", received.headers)),
        |received| {
            let all: String = received
                .headers
                .iter()
                .map(|(_, value)| value.as_str())
                .collect();
            let all = all.replace(['\n', '\r'], "");
            Reply::status(200)
                .header("Content-Encoding", &all)
                .header("Retry-After", &all)
                .body("1")
        },
    ];
    for (number, reply) in replies.into_iter().enumerate() {
        let server = Server::start(reply);
        let folder = folder(2);
        let (ran, all) = written(
            &folder,
            &url(&server, "/"),
            &["--retries", "1", "--json"],
            None,
        );
        assert!([1, 3].contains(&ran.code), "{number}: {}", ran.err);
        assert_no_secret(&all, &format!("reply {number}"));
        assert!(has_received_secrets(&server), "{number}");
    }
    // No service listens at this port any more.
    let port = Server::start(good).port();
    let url = format!("http://{USER}:{PASSWORD}@127.0.0.1:{port}/?api-key={QUERY}");
    let (ran, all) = written(&folder(2), &url, &["--retries", "0"], None);
    assert!([1, 3].contains(&ran.code), "{}", ran.err);
    assert_no_secret(&all, "no service");
}

#[test]
fn no_secret_is_written_when_the_options_are_wrong() {
    let server = Server::start(good);
    let folder = folder(2);
    for options in [
        &[
            "--header",
            "Authorization: Bearer $SECRET_OF_THE_TEST$NO_SUCH_VARIABLE_AT_ALL",
        ][..],
        &["--header", concat!("Bad Name: ", "sk-variable-0123456789")],
        &["--header", "sk-variable-0123456789"],
        &["--header", "X-A: sk-variable-0123456789\u{7f}\n"],
        &["--body", "{"],
        &["--pick", "x"],
        &["--no-such-option"],
        &["--in-flight", "0"],
        &["--url", "https://twice.example.com/?query-key-0123456789"],
        &["--method", "HEAD"],
    ] {
        let (ran, all) = written(&folder, &url(&server, "/"), options, None);
        assert_eq!(ran.code, 2, "{options:?}: {}", ran.err);
        assert_no_secret(&all, &format!("{options:?}"));
    }
    for wrong in [
        format!("http://{USER}:{PASSWORD}@example.com/?api-key={QUERY}"),
        format!("htp://{USER}:{PASSWORD}@example.com/?api-key={QUERY}"),
        format!("{USER}:{PASSWORD}@example.com/?api-key={QUERY}"),
        format!("https://{USER}:{PASSWORD}@/?api-key={QUERY}"),
        format!("https://{USER}:{PASSWORD}@example.com:port/?api-key={QUERY}"),
        format!("https://{USER}:{PASSWORD}@exa mple.com/?api-key={QUERY}"),
    ] {
        let (ran, all) = written(&folder, &wrong, &[], None);
        assert_eq!(ran.code, 2, "{wrong}: {}", ran.err);
        assert_no_secret(&all, &wrong);
    }
    assert_eq!(server.memory().connections, 0);
}

#[test]
fn secrets_and_records_are_not_sent_where_a_redirect_leads() {
    let other = Server::start(good);
    let elsewhere = other.url("/?from=the-service");
    let server = Server::start(move |received| {
        let status = [301, 302, 303, 307, 308][received.n() as usize];
        Reply::status(status).header("Location", &elsewhere)
    });
    let folder = folder(5);
    let (ran, all) = written(&folder, &url(&server, "/"), &["--json"], None);
    assert!([1, 3].contains(&ran.code), "{}", ran.err);
    assert_no_secret(&all, "redirects");
    assert_eq!(other.memory().connections, 0);
    assert!(has_received_secrets(&server));
    assert!(
        ran.err.contains("the host, the port or the scheme differs"),
        "{}",
        ran.err
    );
}

#[test]
fn a_proxy_passes_on_bytes_and_gets_no_header_of_the_calls() {
    let server = Server::start(|received| echo(received, 200));
    let proxy = Server::start(|received| {
        assert_eq!(received.method, "CONNECT");
        Reply::tunnel()
    });
    let folder = folder(20);
    let (ran, all) = written(&folder, &url(&server, "/"), &["--json"], Some(&proxy));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_no_secret(&all, "a proxy");
    // An address of this machine may be called without the proxy. If the proxy was asked, it got its own secret alone.
    assert!(has_received_secrets(&server));
    for received in proxy.received() {
        let all = format!("{received:?}");
        for secret in [VARIABLE, EXPANDED, USER, QUERY] {
            assert!(!all.contains(secret), "{all}");
        }
    }
    // A proxy that refuses is no reason to call the service without it, or to tell the proxy more.
    let refusing = Server::start(|received| echo(received, 407));
    let server = Server::start(good);
    let (ran, all) = written(
        &folder,
        &url(&server, "/"),
        &["--retries", "0"],
        Some(&refusing),
    );
    assert_no_secret(&all, "a proxy that refuses");
    assert_eq!(ran.code == 0, refusing.received().is_empty(), "{}", ran.err);
}
