//! These tests check the messages about wrong usage of `--with http`. No call is made.

use super::server::{Reply, Server};
use super::{call, folder};
use crate::{Ran, run};

/// Checks that the command ends with exit code 2 and an error with this text.
fn is_misused(ran: &Ran, message: &str, what: &dyn std::fmt::Debug) {
    let seen = (ran.code, ran.out.as_str());
    assert_eq!(seen, (2, ""), "{what:?}: {}", ran.err);
    let error = ran.err.strip_prefix("error: ");
    let error = error.unwrap_or_else(|| panic!("{what:?}: {}", ran.err));
    assert!(
        error.contains(message),
        "{what:?}: expected {message}:\n{error}"
    );
}

/// Scores records with these options, which are wrong. No call may be made.
fn misused(options: &[&str], message: &str) {
    let server = Server::start(|_| Reply::status(200));
    let folder = folder(3);
    let ran = call(&folder, &server.url("/"), options);
    is_misused(&ran, message, &options);
    assert_eq!(server.memory().connections, 0, "{options:?}");
}

#[test]
fn a_url_is_needed() {
    let folder = folder(3);
    let ran = run(&folder, &["score", "in.jsonl", "--with", "http"]);
    let message =
        "expected the URL of the service, such as: --with http --url https://example.com/score";
    is_misused(&ran, message, &"no URL");
    for (url, message) in [
        ("", "found no scheme"),
        ("example.com/score", "found no scheme"),
        ("ftp://example.com/", "found ftp://"),
        ("http://", "cannot read the URL http://"),
        ("http://example.com/", "use https://, or --insecure"),
        (
            "http://127.0.0.1.example.com/",
            "use https://, or --insecure",
        ),
        (
            "http://localhost@example.com/",
            "use https://, or --insecure",
        ),
        ("https://bücher.example/", "ASCII"),
        ("http://127.0.0.1:99999/", "port"),
    ] {
        is_misused(&call(&folder, url, &[]), message, &url);
    }
}

#[test]
fn options_of_http_are_refused_with_other_scorers() {
    let folder = folder(3);
    for (options, named) in [
        (&["--url", "https://example.com"][..], "--url"),
        (&["--method", "PUT"], "--method"),
        (&["--header", "A: b"], "--header"),
        (&["--body", "{}"], "--body"),
        (&["--pick", "a=/a"], "--pick"),
        (&["--expect", "a=number"], "--expect"),
        (&["--budget", "/a=1"], "--budget"),
        (&["--insecure"], "--insecure"),
        (&["--in-flight", "auto"], "--in-flight auto"),
    ] {
        for (scorer, program) in [("sentiment", &[][..]), ("exec", &["--", "cat"])] {
            let all = [&["score", "in.jsonl", "--with", scorer], options, program].concat();
            let ran = run(&folder, &all);
            let has = |word: &str| ran.err.contains(word);
            assert_eq!(
                (ran.code, ran.out.as_str()),
                (2, ""),
                "{all:?}: {}",
                ran.err
            );
            assert!(
                has(named.trim_start_matches('-')) || has("in flight"),
                "{all:?}: {}",
                ran.err
            );
            assert!(has("http") && has(scorer), "{all:?}: {}", ran.err);
        }
    }
}

#[test]
fn options_of_other_scorers_are_refused_with_http() {
    misused(
        &["--best", "2"],
        "--best is for --with match, not for --with http",
    );
    misused(
        &["--send", "text"],
        "--send is for --with exec, not for --with http",
    );
    misused(
        &["--", "cat"],
        "a program after -- is for --with exec, not for --with http",
    );
    for executor in ["sequential", "work-stealing", "task-queue", "process-pool"] {
        misused(&["--executor", executor], "calls a service");
    }
    let folder = folder(3);
    for file in [&[][..], &["in.jsonl"]] {
        let url = ["--with", "http", "--url", "http://127.0.0.1:1/"];
        let ran = run(&folder, &[&["bench"], file, &url].concat());
        is_misused(&ran, "calls a service", &file);
    }
}

#[test]
fn wrong_values_are_refused_with_the_remedy() {
    for (option, value, message) in [
        (
            "--method",
            "GET /",
            "expected a method that sends a record, such as POST or PUT",
        ),
        (
            "--method",
            "HEAD",
            "expected a method that sends a record, such as POST or PUT",
        ),
        ("--header", "no colon", "Authorization"),
        ("--header", "Bad Name: x", "header"),
        (
            "--header",
            "X-Key: $MANYHANDS_HAS_NO_SUCH_VARIABLE",
            "MANYHANDS_HAS_NO_SUCH_VARIABLE",
        ),
        (
            "--header",
            "X-Key: ${MANYHANDS_HAS_NO_END",
            "expected the name of an environment variable",
        ),
        ("--header", "X-Key: a\nX-Other: b", "x-key"),
        ("--body", "", "expected JSON once the fields are filled in"),
        (
            "--body",
            "{\"a\": {{text}}",
            "line 1, column 14: expected JSON once the fields are filled in",
        ),
        ("--body", "{\"a\": {{text}", "found {{ without }} after it"),
        ("--body", "{\"a\": {{}}}", "expected the name of a field"),
        (
            "--body",
            "{\"a\": x{{text}}}",
            "expected JSON once the fields are filled in",
        ),
        (
            "--body",
            "{{text}}{{text}}",
            "expected JSON once the fields are filled in",
        ),
        ("--pick", "label", "expected NAME=/pointer"),
        (
            "--pick",
            "label=choices",
            "expected a JSON pointer that begins with /",
        ),
        ("--pick", "=/a", "which has no name"),
        (
            "--expect",
            "score=high",
            "expected NAME= and number, text, boolean, a range",
        ),
        (
            "--expect",
            "score=1..0",
            "expected NAME= and number, text, boolean, a range",
        ),
        (
            "--expect",
            "score",
            "expected NAME= and number, text, boolean, a range",
        ),
        (
            "--budget",
            "total=5",
            "expected a pointer to a number in each answer",
        ),
        (
            "--budget",
            "/total=lots",
            "expected a pointer to a number in each answer",
        ),
        (
            "--budget",
            "/total=0",
            "expected a pointer to a number in each answer",
        ),
        ("--in-flight", "0", "invalid value '0' for '--in-flight <"),
        (
            "--in-flight",
            "many",
            "invalid value 'many' for '--in-flight <",
        ),
        ("--rate", "0/s", "invalid value '0/s' for '--rate <"),
        ("--timeout", "0", "it must be more than 0"),
        (
            "--retries",
            "1.5",
            "invalid value '1.5' for '--retries <N>'",
        ),
        ("--missing", "skip", "--missing"),
    ] {
        misused(&[option, value], message);
    }
    for name in ["record", "error", "skipped"] {
        let taken = format!("a line of scores has the name \"{name}\" already");
        misused(&["--pick", &format!("{name}=/a")], &taken);
    }
    let kept = ["--keep", "kind", "--pick", "kind=/a", "-o", "out.csv"];
    misused(&kept, "a line of scores has the name \"kind\" already");
    let unranked = ["--pick", "a=/a", "--pick", "b=/b", "--rank", "score"];
    misused(
        &unranked,
        "cannot be ranked by \"score\", because no value with --pick has this name; they are a, b",
    );
    let twice = ["--pick", "a=/a", "--pick", "a=/b"];
    misused(&twice, "\"a\" has --pick twice; give each value once");
    let unpicked = ["--pick", "a=/a", "--expect", "b=number"];
    misused(
        &unpicked,
        "\"b\" has --expect but no --pick; the values with --pick are a",
    );
}

#[test]
fn the_file_of_a_body_is_named_in_errors() {
    let server = Server::start(|_| Reply::status(200));
    let folder = folder(3);
    let ran = call(&folder, &server.url("/"), &["--body", "@absent.json"]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{}", ran.err);
    assert!(
        ran.err
            .starts_with("error: absent.json: expected the body of a call"),
        "{}",
        ran.err
    );
    crate::write(&folder, "bad.json", "{\n  \"a\": {{text}},\n}\n");
    let ran = call(&folder, &server.url("/"), &["--body", "@bad.json"]);
    is_misused(
        &ran,
        "bad.json: line 3, column 1: expected JSON",
        &"bad.json",
    );
    assert_eq!(server.memory().connections, 0);
}
